"""Says of one filled value whether it has the right form for its field, as a `check` code of the national report.

Only different values are judged, each once, so the cost does not grow with the number of rows. The meaning of the
minus codes is the hand-book's split (returns 2.5, an assumption there). Listed values are compared letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from domain.identifiers import NhsNumberReason, PostcodeReason, parse_nhs_number, parse_postcode
from statutory.client_level_data.return_file import FileFacts
from statutory.client_level_data.specification import FieldSpecification, Specification

VALID = 1
BLANK_ALLOWED = 0
BLANK_MANDATORY = -1
NOT_IN_LIST = -2
WRONG_FORM = -3
OUT_OF_RANGE = -4
INCONSISTENT = -5
CASE_OR_SPACING = -6
EARLIER_RELEASE = -7

CHECK_TEXT = {
    VALID: "valid",
    BLANK_ALLOWED: "blank, not mandatory",
    BLANK_MANDATORY: "blank, but mandatory",
    NOT_IN_LIST: "not in the list",
    WRONG_FORM: "wrong form",
    OUT_OF_RANGE: "out of range",
    INCONSISTENT: "does not fit another field",
    CASE_OR_SPACING: "letter case or spacing differs from a listed value",
    EARLIER_RELEASE: "a Release 1 value",
}

_PRACTICE_CODE = re.compile(r"^[A-Z][0-9]{5}$")
_CQC_LOCATION = re.compile(r"^1-[0-9]{1,15}$")
_WHOLE = re.compile(r"^-?[0-9]{1,9}$")
_AMOUNT = re.compile(r"^-?[0-9]+(\.[0-9]{1,2})?$")
_LARGEST_AMOUNT = Decimal(10) ** 16
_EARLIEST_DAY = date(1880, 1, 1)  # nobody alive in the period was born earlier
_LATEST_DAY = date(2100, 1, 1)

ValueCheck = Callable[[str], int]


def value_check(entry: FieldSpecification, specification: Specification, facts: FileFacts) -> ValueCheck:
    """The check for filled values of this field: gives 1 or a code from -2 to -7."""
    if entry.format == "list":
        return _list_check(entry.heading, specification)
    checks: dict[str, ValueCheck] = {
        "la_code": lambda value: _expected(value, facts.la_code, bool(re.match(r"^[0-9]{3}$", value))),
        "period_start": lambda value: _expected_day(value, facts.period_start, facts.date_format),
        "period_end": lambda value: _expected_day(value, facts.period_end, facts.date_format),
        "nhs_number": lambda value: _nhs_number(value, facts.allow_test_numbers),
        "text": lambda value: VALID if entry.longest is None or len(value) <= entry.longest else WRONG_FORM,
        "practice_code": lambda value: VALID if _PRACTICE_CODE.match(value) else WRONG_FORM,
        "date": lambda value: _day(value, facts.date_format),
        "postcode": _postcode,
        "whole_number": lambda value: _whole_number(value, entry.lowest, entry.highest),
        "cqc_location": lambda value: VALID if _CQC_LOCATION.match(value) else WRONG_FORM,
        "amount": _amount,
    }
    return checks[entry.format]


def _list_check(heading: str, specification: Specification) -> ValueCheck:
    allowed = specification.lists[heading]
    earlier = specification.earlier_lists.get(heading, {})
    loosely = {_loosely(value) for value in allowed}

    def check(value: str) -> int:
        if value in allowed:
            return VALID
        if value in earlier:
            return EARLIER_RELEASE
        return CASE_OR_SPACING if _loosely(value) in loosely else NOT_IN_LIST

    return check


def _loosely(value: str) -> str:
    return re.sub(r"[\s\u00a0]+", " ", value).strip().casefold()


def _expected(value: str, expected: str, well_formed: bool) -> int:
    if not well_formed:
        return WRONG_FORM
    return VALID if value == expected else INCONSISTENT


def _expected_day(value: str, expected: date, date_format: str) -> int:
    found = _parse(value, date_format)
    if found is None:
        return WRONG_FORM
    return VALID if found == expected else INCONSISTENT


def _day(value: str, date_format: str) -> int:
    found = _parse(value, date_format)
    if found is None:
        return WRONG_FORM
    return VALID if _EARLIEST_DAY <= found < _LATEST_DAY else OUT_OF_RANGE


def _parse(value: str, date_format: str) -> date | None:
    try:
        found = datetime.strptime(value, date_format)
    except ValueError:
        return None
    # strptime also reads "1/4/2025"; the file's form has leading zeros.
    return found.date() if found.strftime(date_format) == value else None


def _nhs_number(value: str, allow_test_range: bool) -> int:
    verdict = parse_nhs_number(value, allow_test_range=allow_test_range)
    if verdict.reason in (NhsNumberReason.NOT_TEN_DIGITS, NhsNumberReason.CHECK_DIGIT, NhsNumberReason.MISSING):
        return WRONG_FORM
    if verdict.number is None:
        return OUT_OF_RANGE
    return VALID if verdict.number == value else WRONG_FORM


def _postcode(value: str) -> int:
    verdict = parse_postcode(value)
    if verdict.reason in (PostcodeReason.VALID, PostcodeReason.PSEUDO) and verdict.postcode == value:
        return VALID
    return WRONG_FORM


def _whole_number(value: str, lowest: int | None, highest: int | None) -> int:
    if not _WHOLE.match(value):
        return WRONG_FORM
    number = int(value)
    below = lowest is not None and number < lowest
    above = highest is not None and number > highest
    return OUT_OF_RANGE if below or above else VALID


def _amount(value: str) -> int:
    if not _AMOUNT.match(value):
        return WRONG_FORM
    try:
        return VALID if abs(Decimal(value)) < _LARGEST_AMOUNT else OUT_OF_RANGE
    except InvalidOperation:
        return WRONG_FORM
