"""Birth dates written in any order, as eight digits `yyyymmdd`; a date that cannot be real stays as damaged text.

Which order a file uses is decided by the file, not by the single value: 03/04/1950 alone says nothing (handbook 4).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_PARTS = re.compile(r"[0-9]+|[a-z]+")
_SERIAL, _FEW_DIGITS = re.compile(r"[1-4]\d{4}(?:\.0)?"), re.compile(r"\d{3,5}(?:\.0)?")
_TIME = re.compile(r"[T ]\d{1,2}:\d{2}.*$")
_NEVER_A_BIRTH_DATE = frozenset({"19000101", "19010101", "18000101", "99991231", "00010101"})
#: A date that more than this share of the records has, and many records, is what people type who do not know it.
_FAR_TOO_COMMON, _AT_LEAST = 0.01, 50


def birth_column(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    """Each value of a column of texts as eight characters, or missing; and how many were placeholders, now missing."""
    import pyarrow as pa

    codes = column.cast(pa.string()).combine_chunks().dictionary_encode()
    times = Counter(codes.indices.drop_null().to_pylist())
    known = codes.dictionary.to_pylist()
    texts, unlikely = birth_texts(known, [times[place] for place in range(len(known))])
    return pa.chunked_array([pa.array(texts, pa.string()).take(codes.indices)]), unlikely


def birth_texts(values: Sequence[str | None], times: Sequence[int] | None = None) -> tuple[list[str | None], int]:
    """Each value as eight characters, or None; and how many values were placeholders, now missing.

    `times` says how often each value stands in the file; once, when it is not given.
    """
    times = times or [1] * len(values)
    known = {v for v in values if v}
    day_first = _day_comes_first(known)
    serial = sum(bool(_SERIAL.fullmatch(value)) for value in known) >= 0.5 * max(1, len(known))
    made = {value: (serial and _of_serial(value)) or _text(value, day_first=day_first) for value in known}
    texts = [made[value] if value else None for value in values]
    counts: Counter[str] = Counter()
    for text, often in zip(texts, times, strict=True):
        if text:
            counts[text] += often
    limit = max(_AT_LEAST, _FAR_TOO_COMMON * sum(counts.values()))
    unlikely = {text for text, count in counts.items() if text in _NEVER_A_BIRTH_DATE or count > limit}
    return [None if text in unlikely else text for text in texts], sum(counts[text] for text in unlikely)


def _of_serial(value: str) -> str | None:
    """The date a spreadsheet means by a number of days."""
    if not _FEW_DIGITS.fullmatch(value):
        return None
    return (date(1899, 12, 30) + timedelta(days=int(value.split(".")[0]))).strftime("%Y%m%d")


def _day_comes_first(values: set[str]) -> bool:
    first = second = 0
    for value in values:
        parts = _PARTS.findall(_TIME.sub("", value.lower()))
        if len(parts) == 3 and parts[0].isdigit() and parts[1].isdigit() and len(parts[0]) <= 2:
            first += int(parts[0]) > 12
            second += int(parts[1]) > 12
    return first >= second


def _text(value: str, *, day_first: bool) -> str | None:
    parts = _PARTS.findall(_TIME.sub("", value.lower()))
    if len(parts) == 1 and len(parts[0]) == 8 and parts[0].isdigit():
        return _eight_digits(parts[0])
    if len(parts) == 3:
        named = [n for n, p in enumerate(parts) if p[:3] in _MONTHS]
        if named:
            month = f"{_MONTHS[parts.pop(named[0])[:3]]:02d}"
            year, day = parts if len(parts[0]) == 4 else (parts[1], parts[0])
            return _joined(year, month, day)
        if len(parts[0]) >= 3:
            return _joined(*parts)
        if len(parts[2]) >= 3 or len(parts[2]) == 2:
            day, month = (parts[0], parts[1]) if day_first else (parts[1], parts[0])
            return _joined(parts[2], month, day)
    letters = "".join(parts)
    return letters[:8].ljust(8, "?") if len(letters) >= 6 else None


def _eight_digits(text: str) -> str:
    if text[:2] in {"18", "19", "20", "17", "16"}:
        return text
    if text[4:6] in {"18", "19", "20"} and int(text[:2]) <= 31 and int(text[2:4]) <= 12:
        return text[4:] + text[2:4] + text[:2]
    return text


def _joined(year: str, month: str, day: str) -> str:
    if len(year) == 2:
        year = ("20" if int(year) <= 25 else "19") + year if year.isdigit() else "??" + year
    return year[:4].ljust(4, "?") + month[:2].rjust(2, "0") + day[:2].rjust(2, "0")
