"""A supplier replaced by another, as the council's profile tells it: which, when, and in how many loads.

The dates stand among the options of the source that reads the migration's cross-reference list, so that one place of
one file says everything about a cut-over. Facts about one council are nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from domain.profile import Profile, ProfileError, SourceSettings
from governance.sql import identifier

if TYPE_CHECKING:
    from sqlalchemy import Connection

CONNECTOR: Final = "cross_reference"
_CLEAN_UP: Final = timedelta(weeks=8)  # how long merges go on after the old system is closed, when nothing is said

#: The phases of the sources hand-book, 6.4, with what a reader has to know in each.
PHASES: Final[Mapping[str, str]] = {
    "old system only": "everything is in the old system",
    "trial loads": "the new system holds stale copies: they are never taken",
    "freeze and cut-over": "the old system takes no new work; the last load is under way",
    "dual running": "new work in the new system, late entries in the old one; the same event may be told twice",
    "new system only": "the old system is closed; clean-up merges go on in the new one",
    "archive": "the old system is a read-only archive",
}


@dataclass(frozen=True, slots=True)
class CutoverPlan:
    """What the profile says of a cut-over. `go_live_load` is the number of the load that went live."""

    old: str
    new: str
    list_source: str  # the source that reads the cross-reference list
    trial_loads: tuple[date, ...]
    freeze_from: date
    live_from: date
    dual_running_until: date
    archive_from: date
    go_live_load: int

    def day_of(self, load: int) -> date:
        """The day of a load; raises ProfileError when there is no load of that number."""
        days = (*self.trial_loads, self.live_from)
        if not 1 <= load <= len(days):
            raise ProfileError(f"there is no load {load}; the profile names {len(days)}, the last is go-live")
        return days[load - 1]

    def phase_on(self, day: date) -> str:
        """The phase of that day, one of `PHASES`."""
        ends = (
            min((*self.trial_loads, self.freeze_from)),
            self.freeze_from,
            self.live_from,
            self.dual_running_until,
            self.archive_from,
        )
        return next((name for name, end in zip(PHASES, ends, strict=False) if day < end), "archive")


def plan_of(profile: Profile) -> CutoverPlan | None:
    """The cut-over of a council; None when its profile names no cross-reference list.

    Options of that source: `old`, `new` (names of sources), `live_from` (a day), and when they differ from the default
    `trial_loads` (days, comma between; default none), `freeze_from` (default: the day it goes live),
    `dual_running_until` (default: six weeks later), `archive_from` (default: eight weeks after that), `go_live_load`
    (default: the load after the last trial).

    Raises:
        ProfileError: when a day cannot be read, the days are out of order or a source is not in the profile.
    """
    source = next((s for s in profile.sources if s.connector == CONNECTOR), None)
    if source is None or not {"old", "new", "live_from"} <= source.options.keys():
        return None
    live = _day(profile, source, "live_from")
    assert live is not None
    trials = _days(profile, source)
    until = _day(profile, source, "dual_running_until") or live + timedelta(weeks=6)
    plan = CutoverPlan(
        old=identifier(source.options["old"]),
        new=identifier(source.options["new"]),
        list_source=source.name,
        trial_loads=trials,
        freeze_from=_day(profile, source, "freeze_from") or live,
        live_from=live,
        dual_running_until=until,
        archive_from=_day(profile, source, "archive_from") or until + _CLEAN_UP,
        go_live_load=int(source.options.get("go_live_load", len(trials) + 1)),
    )
    for name in (plan.old, plan.new):
        profile.source(name)
    order = [*plan.trial_loads, plan.freeze_from, plan.live_from, plan.dual_running_until, plan.archive_from]
    if order != sorted(order):
        raise ProfileError(f"{profile.path}: the days of the cut-over in {source.name} are out of order")
    return plan


def write_replaced_source(connection: Connection, profile: Profile) -> None:
    """Make `core.replaced_source` say what the profile says: one row while a source replaces another, else none."""
    plan = plan_of(profile)
    connection.exec_driver_sql("delete from core.replaced_source")
    if plan is not None:
        connection.exec_driver_sql(
            """insert into core.replaced_source (old_source, new_source, freeze_from, live_from, dual_running_until)
               values (%(old)s, %(new)s, %(freeze)s, %(live)s, %(until)s)""",
            {
                "old": plan.old,
                "new": plan.new,
                "freeze": plan.freeze_from,
                "live": plan.live_from,
                "until": plan.dual_running_until,
            },
        )


def _days(profile: Profile, source: SourceSettings) -> tuple[date, ...]:
    texts = [text.strip() for text in source.options.get("trial_loads", "").split(",") if text.strip()]
    return tuple(_parsed(profile, source, "trial_loads", text) for text in texts)


def _day(profile: Profile, source: SourceSettings, name: str) -> date | None:
    text = source.options.get(name, "").strip()
    return _parsed(profile, source, name, text) if text else None


def _parsed(profile: Profile, source: SourceSettings, name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ProfileError(f"{profile.path}: {name} of {source.name} is a day (2025-07-08)") from None
