"""Half-open dates, reporting periods, and the only place that asks the clock; callers pass its answer down."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    """This moment, in UTC. For the ledger's own entries and for leases; never for a figure or a check."""
    return datetime.now(UTC)


def london(local: datetime) -> datetime:
    """A supplier's wall-clock time as a moment; in the repeated autumn hour the first pass (governance CTL-36)."""
    return local.replace(tzinfo=LONDON).astimezone(UTC)


def twelve_months_ending(end: date) -> tuple[date, date]:
    """The rolling 12 months whose last day is `end` (returns 2.2); `end` must be the last day of a month."""
    start_month = end.month % 12 + 1
    return date(end.year if end.month == 12 else end.year - 1, start_month, 1), end
