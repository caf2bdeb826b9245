"""What the values of a column look like, as shares of a sample: the second witness beside its heading.

Shares and counts only; no value leaves this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_SAMPLE = 3_000
_DATE = re.compile(
    r"(?:\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ](?:\d{4}|\d{2})"
    r"|\d{1,2}[-/. ]?[A-Za-z]{3,9}[-/. ,]*\d{2,4}|[A-Za-z]{3,9}[-/. ]*\d{1,2}[, ]+\d{4}"
    r"|(?:1[5-9]|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d{2})"
    r"(?:[T ]\d{1,2}:\d{2}.*)?"
)
_SERIAL = re.compile(r"[1-4]\d{4}(?:\.0)?")
_YEAR = re.compile(r"(?:1[5-9]|20)\d{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+(?:[ '’.\-,]+[^\W\d_]*)*\.?")
_SEX_CODES = frozenset({"0", "1", "2", "3", "9", "00", "01", "02", "09"})
_TELEPHONE_SIGNS = re.compile(r"[\s()+\-./]")


@dataclass(frozen=True, slots=True)
class Content:
    """Shares are of the filled values in the sample; `distinct` and `repeated` are of the whole column."""

    rows: int
    filled: int
    distinct: int
    words: float  # mean number of words
    length: float  # mean number of letters
    dates: float
    serials: float  # days since 1900, as spreadsheets keep dates
    years_apart: int  # between the 5th and the 95th of a hundred years named in dates
    years: float
    emails: float
    postcodes: float
    letters: float
    any_digit: float
    digits: float
    telephones: float
    nhs_shape: float
    nhs_valid: float  # of those with ten digits
    sex_words: float
    sex_codes: float
    given_names: float

    @property
    def unique(self) -> bool:
        """Every record has a value and no value occurs twice."""
        return self.filled == self.rows == self.distinct and self.rows > 0

    @property
    def repeated(self) -> int:
        """How many values are beyond the first of their kind."""
        return self.filled - self.distinct


def content_of(column: pa.ChunkedArray) -> Content:
    """Look at one column of texts."""
    import pyarrow.compute as pc

    from linkage.trial.guessing import words_for

    filled = column.drop_null()
    rows, count = len(column), len(filled)
    step = max(count // _SAMPLE, 1)
    sample: list[str] = filled.take(list(range(0, count, step))).to_pylist() if count else []

    def share(fits: Callable[[str], object], of: Sequence[str] = sample) -> float:
        return sum(bool(fits(value)) for value in of) / len(of) if of else 0.0

    sex_values = words_for("sex_values")
    ten = [tidy for value in sample if len(tidy := re.sub(r"[\s\-]", "", value)) == 10 and tidy.isdigit()]
    dates = [value for value in sample if _DATE.fullmatch(value)]
    return Content(
        rows=rows,
        filled=count,
        distinct=pc.count_distinct(filled).as_py() if count else 0,
        words=sum(len(value.split()) for value in sample) / max(len(sample), 1),
        length=sum(map(len, sample)) / max(len(sample), 1),
        dates=len(dates) / max(len(sample), 1),
        serials=share(_SERIAL.fullmatch),
        years_apart=_spread(dates),
        years=share(_YEAR.fullmatch),
        emails=share(_EMAIL.fullmatch),
        postcodes=share(_POSTCODE.fullmatch),
        letters=share(_LETTERS.fullmatch),
        any_digit=share(lambda value: any(sign.isdigit() for sign in value)),
        digits=share(str.isdigit),
        telephones=share(_is_telephone),
        nhs_shape=len(ten) / max(len(sample), 1),
        nhs_valid=share(_right_check_digit, ten),
        sex_words=share(lambda value: value.casefold() in sex_values),
        sex_codes=share(_SEX_CODES.__contains__),
        given_names=share(_begins_with_given_name),
    )


def _spread(dates: Sequence[str]) -> int:
    years = sorted(int(found[0]) for date in dates if (found := re.search(r"(?:1[5-9]|20)\d{2}", date)))
    return years[int(len(years) * 0.95) - 1] - years[int(len(years) * 0.05)] if len(years) > 1 else 0


def _is_telephone(value: str) -> bool:
    bare = _TELEPHONE_SIGNS.sub("", value)
    return (
        bare.isdigit()
        and 9 <= len(bare) <= 14
        and (value[0] in "0+(" or bare.startswith(("44", "00")) or bare != value)
    )


def _right_check_digit(number: str) -> bool:
    from domain.identifiers import check_digit

    return check_digit(number[:9]) == number[9]


def _begins_with_given_name(value: str) -> bool:
    from linkage.names import nickname_groups

    words = re.split(r"[\s,\-]+", value.casefold())
    return bool(words) and words[0] in nickname_groups()
