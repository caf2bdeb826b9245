"""How the simulated mart keeps its rows: one list a table, each row with the nights between which it is there.

A row that changes is written again from the night of its change, so six nights cost little more than one. Every draw is
made from the world's seed and the row's own key: leaving one row out never moves the defects of another.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from connectors.synthetic.defects import DefectLog, log_of, rate
from connectors.synthetic.world import Appearance, World

SYSTEM: Final = "liquidlogic"

#: "No date" as the mart writes it now and then instead of null (sources 3.3).
NO_DATE: Final = datetime(1900, 1, 1)

_YES: Final = ("Y", "YES", "TRUE", "1")
_NO: Final = ("N", "NO", "FALSE", "0")
_BLANKS: Final = ("-1", "N/A", "NULL", "")
_LOAD_CUT_OFF: Final = timedelta(hours=6)

Row = dict[str, Any]


@dataclass(slots=True)
class TableRows:
    """The rows of one table over all nights: row `i` is in the mart on the nights `first[i]` up to before `end[i]`."""

    rows: list[Row] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)

    def add(self, row: Row, first: int, end: int) -> None:
        self.rows.append(row)
        self.first.append(first)
        self.end.append(end)


class Mart:
    """The mart being written: its tables, its clock, its draws and its log of defects."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tables: defaultdict[str, TableRows] = defaultdict(TableRows)
        self.last_night = world.nights
        named = enumerate(world.providers, start=5_000 + world.first_list_item)
        self.provider_ids = {name: place for place, (name, _) in named}
        self._losers: defaultdict[str, list[Appearance]] = defaultdict(list)
        for record in world.appearances:
            if record.system == SYSTEM and record.duplicate_of and record.marked_duplicate_night is not None:
                self._losers[record.duplicate_of].append(record)
        self._log: DefectLog = log_of(world, SYSTEM)
        self._logged = {(d.defect_id, d.key) for d in world.defects if d.system == SYSTEM}
        self._prefix = str(world.seed).encode()

    def draw(self, purpose: str, key: str | int) -> float:
        """A number from 0 up to 1 that belongs to this purpose and key, the same in every run."""
        digest = hashlib.blake2b(b"%b:%b:%b" % (self._prefix, purpose.encode(), str(key).encode()), digest_size=6)
        return int.from_bytes(digest.digest(), "big") / (1 << 48)

    def pick(self, purpose: str, key: str | int, choices: Sequence[Any]) -> Any:
        return choices[int(self.draw(purpose, key) * len(choices))]

    def hit(self, defect: str, key: str | int) -> bool:
        """Whether the row with this key has the defect, at the catalogue's rate."""
        return self.draw(defect, key) < rate(defect, SYSTEM, self.world.quality)

    def log(self, defect: str, table: str, key: str, column: str = "", night: int = 0) -> None:
        """Write a defect to the world's log, once for each key."""
        if (defect[:3], key) not in self._logged:
            self._logged.add((defect[:3], key))
            self._log.add(defect, table, key, column, night)

    def refreshed_at(self, night: int) -> datetime:
        """When the rebuild of that night was complete: in the small hours, never at quite the same minute."""
        return datetime.combine(self.world.night_date(night), time(4, 10)) + timedelta(minutes=(night * 7) % 30)

    def snapshot_name(self, night: int) -> str:
        """The name a reader gives the snapshot of that night: its refresh stamp."""
        return self.refreshed_at(night).isoformat(timespec="seconds")

    @property
    def go_live_night(self) -> int:
        """The night on which the mart went live; -1 when it always was."""
        plan = self.world.setting.cutover
        return plan.go_live_night if plan is not None and plan.new == SYSTEM else -1

    def losers_before(self, record: Appearance, night: int) -> list[str]:
        """Keys of records that lost to the same survivor, were marked by that night, and come before this one."""
        marked = [r for r in self._losers[record.duplicate_of or ""] if (r.marked_duplicate_night or 0) <= night]
        return sorted(r.key for r in marked if r.key < record.key)

    def touched_at(self, night: int, key: str | int, natural: datetime | None = None) -> datetime:
        """`MODIF_DTTM` of a row made or changed for that night: in office hours of the day before its refresh.

        For the first load it is `natural`, the moment of the work itself, as far as it lies before the load.
        """
        latest = self.refreshed_at(night) - _LOAD_CUT_OFF
        if night == 0:
            return min(natural or latest, latest).replace(microsecond=0)
        morning = datetime.combine(self.world.night_date(night) - timedelta(days=1), time(9))
        return morning + timedelta(seconds=int(self.draw("touched", f"{key}:{night}") * 8 * 3600))

    def flag(self, value: bool, key: str | int) -> str:
        """`Y` or `N`, and at times `YES`, `TRUE` or `1` (sources 3.3)."""
        words = _YES if value else _NO
        drawn = self.draw("flag", key)
        return words[0] if drawn < 0.94 else words[1 + int((drawn - 0.94) / 0.02)] if drawn < 1 else words[0]

    def blank(self, key: str | int, place: tuple[str, str, str] | None = None, night: int = 0) -> str | None:
        """Nothing, in one of the mart's ways of saying it: null, `'-1'`, `N/A`, `NULL` or empty text (D85).

        It is everywhere; only where `place` (table, row, column) is given, an identifier's column, it is logged.
        """
        drawn = self.draw("blank", key)
        if drawn < 0.8 or (place is not None and not self.world.quality):
            return None
        if place is not None:
            self.log("D85", *place, night)
        return _BLANKS[int((drawn - 0.8) / 0.2 * len(_BLANKS))]

    def no_date(self, key: str | int) -> datetime | None:
        """Null, or 1900-01-01 for one in twenty."""
        return NO_DATE if self.draw("no date", key) < 0.05 else None


def nights_of_change(first: int, last: int, changes: Sequence[int | None]) -> list[tuple[int, int]]:
    """The spans (first night, night after the last) between changes of what is there from `first` to before `last`.

    Changes outside the span are left out; an empty span gives no rows.
    """
    starts = sorted({first, *(n for n in changes if n is not None and first < n < last)})
    return [(a, b) for a, b in zip(starts, [*starts[1:], last], strict=True) if a < b]


def moment(text: str) -> datetime | None:
    """An ISO date typed into a record, at midnight; None for nothing or for something that is not a date."""
    try:
        return datetime.combine(date.fromisoformat(text.strip()[:10]), time())
    except ValueError:
        return None


def midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time())


def text_or_none(values: Mapping[str, str], name: str) -> str | None:
    return values.get(name) or None
