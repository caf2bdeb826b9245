"""When the next delivery of a flow is due, and the alarm when it has not been taken by the end of its grace (F01, F03).

Moments are compared in absolute time and shown in London's, so neither change of the clocks moves an alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from domain.periods import LONDON
from domain.run import Finding

if TYPE_CHECKING:
    from governance.flows import Flow


@dataclass(frozen=True, slots=True)
class Timetable:
    """How long after the last delivery the next one is due, and how long nobody minds that it is late."""

    every: timedelta
    grace: timedelta


def timetable_from(raw: Any) -> Timetable | None:
    """The timetable as a page of the register writes it; None when the page has none.

    Raises:
        ValueError: it lacks `every_hours` or `grace_hours`, or one is no whole number above zero.
    """
    if raw is None:
        return None
    hours: list[Any] = [raw.get(name) for name in ("every_hours", "grace_hours")] if isinstance(raw, dict) else []
    if not hours or not all(type(number) is int and number > 0 for number in hours):
        raise ValueError("the field timetable has every_hours and grace_hours, whole numbers above zero")
    return Timetable(timedelta(hours=hours[0]), timedelta(hours=hours[1]))


def due_by(flow: Flow, last_known_at: datetime | None) -> datetime | None:
    """When the next delivery is due: after the last one taken, or after the agreement's first day; None: whenever."""
    if flow.timetable is None:
        return None
    return (last_known_at or datetime.combine(flow.agreement.start, time.min, LONDON)) + flow.timetable.every


def overdue(flow: Flow, last_known_at: datetime | None, at: datetime) -> Finding | None:
    """The alarm of a flow at a moment, with whom to call; None while its grace lasts, or without a timetable.

    `last_known_at` is the moment up to which the last delivery taken was known; None before the first.
    """
    due = due_by(flow, last_known_at)
    if due is None or flow.timetable is None or at <= due + flow.timetable.grace:
        return None
    before = f"the last one is known up to {shown(last_known_at)}" if last_known_at else "none has ever been taken"
    return Finding(
        "OVERDUE",
        f"flow {flow.name}: a delivery was due by {shown(due)}, its grace is over and it has not been taken; {before}",
        f"call the owner of the flow, {flow.owner}; what comes late is taken by itself",
    )


def shown(moment: datetime) -> str:
    """A moment for people, in London time."""
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M}"
