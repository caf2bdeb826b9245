"""The return as it will be sent: fifty columns of text, with the typed readings that checks need worked out once.

Checks read the file, not the data it was built from, so that what is checked is what the receiver will see; the same
class therefore also serves the previous file and a file somebody else prepared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

EVENT_TYPES = ("Request", "Assessment", "Service", "Review")
ASSOCIATION = "Unpaid carer known by association"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What must be known about a file besides its rows."""

    la_code: str
    period_start: date
    period_end: date
    extract_date: date  # the last day the data can know about
    date_format: str = "%d/%m/%Y"
    allow_test_numbers: bool = False


class ReturnFile:
    """Rows of text by heading. Never changed once made."""

    def __init__(self, frame: pd.DataFrame, facts: FileFacts, previous: ReturnFile | None = None) -> None:
        self.frame = frame
        self.facts = facts
        self.previous = previous
        self._days: dict[str, pd.Series[pd.Timestamp]] = {}
        self._numbers: dict[str, pd.Series[float]] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def text(self, heading: str) -> pd.Series[str]:
        """The column as it stands in the file; blank is the empty text."""
        return self.frame[heading]

    def filled(self, heading: str) -> pd.Series[bool]:
        return self.frame[heading] != ""

    def is_event(self, *event_types: str) -> pd.Series[bool]:
        """Rows of these event types."""
        return self.frame["Event Type"].isin(event_types)

    def day(self, heading: str) -> pd.Series[pd.Timestamp]:
        """The column as days; not a day where it is blank or cannot be read."""
        if heading not in self._days:
            self._days[heading] = read_days(self.frame[heading], self.facts.date_format)
        return self._days[heading]

    def number(self, heading: str) -> pd.Series[float]:
        """The column as numbers; not a number where it is blank or cannot be read."""
        import pandas as pd

        if heading not in self._numbers:
            self._numbers[heading] = pd.to_numeric(self.frame[heading], errors="coerce")
        return self._numbers[heading]

    @property
    def age_at_period_end(self) -> pd.Series[float]:
        """Whole years on the last day of the period; missing when the birth date cannot be read."""
        return age_on(self.day("Date of Birth"), self.facts.period_end)

    def references(self) -> pd.Series[str]:
        """How a row is named in reports: its event reference, or for a carer without events the carer's own key."""
        own = "carer:" + self.frame["LA Person Unique Identifier"]
        return self.frame["Event Reference"].where(self.frame["Event Reference"] != "", own)


def read_days(values: pd.Series[str], date_format: str) -> pd.Series[pd.Timestamp]:
    """Text as days in exactly this format; each different text is read once."""
    import pandas as pd

    codes, different = pd.factorize(values)
    days = pd.to_datetime(pd.Series(different, dtype="object"), format=date_format, errors="coerce")
    return pd.Series(days.to_numpy()[codes], index=values.index)


def age_on(birth: pd.Series[pd.Timestamp], day: date) -> pd.Series[float]:
    """Age in completed years on `day`; missing where the birth date is."""
    had_birthday = (birth.dt.month < day.month) | ((birth.dt.month == day.month) & (birth.dt.day <= day.day))
    return day.year - birth.dt.year - (~had_birthday).where(birth.notna()).astype("float")


def file_from_rows(rows: Sequence[Mapping[str, str]], headings: Sequence[str], facts: FileFacts) -> ReturnFile:
    """A file from a few rows written out by hand; headings not given are blank."""
    import pandas as pd

    unknown = {heading for row in rows for heading in row} - set(headings)
    if unknown:
        raise KeyError(f"not headings of the return: {', '.join(sorted(unknown))}")
    columns = {heading: [row.get(heading, "") for row in rows] for heading in headings}
    return ReturnFile(pd.DataFrame(columns, dtype="object"), facts)
