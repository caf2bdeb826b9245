"""Dates as suppliers write them, and the day somebody comes of age: whole columns at a time, nothing per row.

Only what the door needs: a text that is no date, or one of before 1880, is no date here; what is wrong with it the
check stage says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

#: The first characters that hold the date, and how they are written. Month names are read in either case.
_STYLES: Final = ((11, "%d %b %Y"), (11, "%d-%b-%Y"), (10, "%d/%m/%Y"), (10, "%Y-%m-%d"), (8, "%Y%m%d"), (8, "%d%m%Y"))
_LONGEST: Final = max(length for length, _ in _STYLES)
_EARLIEST: Final = "1880-01-01"
_MONTHS_OF_AGE: Final = 18 * 12

#: For somebody who is known to be a child although nobody knows the birth date.
NOT_YET: Final = "9999-01-01"


def days_of(values: pa.Array) -> np.ndarray[Any, Any]:
    """The dates in a column of text as days; NaT where there is none."""
    import numpy as np
    import pyarrow.compute as pc

    # A million rows know some ten thousand days: each is read once.
    start = pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(values), 0, _LONGEST).dictionary_encode()
    days = _read_days(start.dictionary)
    places = pc.fill_null(start.indices, len(days)).to_numpy(zero_copy_only=False)
    found: np.ndarray[Any, Any] = np.append(days, np.datetime64("NaT"))[places]
    return found


def _read_days(text: pa.Array) -> np.ndarray[Any, Any]:
    """The day that each of some different texts begins with."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pa.nulls(len(text), pa.timestamp("s"))
    blank = pc.sum(pc.equal(pc.fill_null(text, ""), "")).as_py() or 0
    for length, style in _STYLES:
        if found.null_count <= blank:
            break
        start = pc.utf8_rtrim_whitespace(pc.utf8_slice_codeunits(text, 0, length))
        found = pc.coalesce(found, pc.strptime(start, style, "s", error_is_null=True))
    days: np.ndarray[Any, Any] = found.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    days[days < np.datetime64(_EARLIEST)] = np.datetime64("NaT")
    return days


def first_day_of(columns: list[pa.Array]) -> np.ndarray[Any, Any]:
    """For each row the first date among several columns, in their order."""
    import numpy as np

    days = days_of(columns[0])
    for column in columns[1:]:
        missing = np.isnat(days)
        if not missing.any():
            break
        days = np.where(missing, days_of(column), days)
    return days


def eighteenth_birthdays(births: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The day somebody born then turns eighteen; who was born on 29 February does so on 1 March."""
    months = births.astype("datetime64[M]")
    days: np.ndarray[Any, Any] = (months + _MONTHS_OF_AGE).astype("datetime64[D]")
    days += births - months.astype("datetime64[D]")
    return days
