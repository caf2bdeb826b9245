"""How long a period the file really covers, worked out the way the Department does before it uses a file (2.7 step 1).

A month without enough events, or without enough kinds of events, does not count; a file whose derived period is shorter
than the stated one would silently replace a complete file, so it is never called a submission.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from statutory.client_level_data.return_file import EVENT_TYPES, ReturnFile

if TYPE_CHECKING:
    import pandas as pd

_FEWEST_EVENTS = 100  # below this the Department takes the stated period
_SMALLEST_SHARE = 0.02
_FEWEST_EVENT_TYPES = 3


@dataclass(frozen=True, slots=True)
class DerivedPeriod:
    """First and last day the file's events cover; both None when no month has enough of them."""

    start: date | None
    end: date | None
    thin_months: tuple[str, ...]

    def covers(self, start: date, end: date) -> bool:
        return self.start is not None and self.end is not None and self.start <= start and self.end >= end


def derive_period(file: ReturnFile) -> DerivedPeriod:
    """The period the file covers by months of end date.

    The month of receipt is left out. A file is received after its period has ended, so the stated months always count.
    `thin_months` names the months of the stated period that do not count.
    """
    import pandas as pd

    facts = file.facts
    ended = file.day("Event End Date").dt.to_period("M")
    received = max(pd.Period(facts.extract_date, "M"), pd.Period(facts.period_end, "M") + 1)
    dated = ended.notna() & (ended < received) & file.is_event(*EVENT_TYPES)
    events = pd.DataFrame({"month": ended[dated], "event_type": file.text("Event Type")[dated]})
    if len(events) < _FEWEST_EVENTS:
        return DerivedPeriod(facts.period_start, facts.period_end, ())
    kept = _months_with_enough(events)
    stated = pd.period_range(facts.period_start, facts.period_end, freq="M")
    thin = tuple(str(month) for month in stated if month not in kept)
    if not kept:
        return DerivedPeriod(None, None, thin)
    start, end = min(kept), max(kept)
    return DerivedPeriod(start.start_time.date(), end.end_time.date(), thin)


def _months_with_enough(events: pd.DataFrame) -> set[pd.Period]:
    kinds_in_file = events["event_type"].nunique()
    by_month = events.groupby("month")["event_type"].agg(["size", "nunique"])
    enough_events = by_month["size"] >= _SMALLEST_SHARE * len(events)
    enough_kinds = by_month["nunique"] >= min(_FEWEST_EVENT_TYPES, kinds_in_file)
    return set(by_month.index[enough_events & enough_kinds])
