"""NHS number and postcode: text in, a verdict with its reason out, never a bare yes or no.

The check digit proves only that a number was not mistyped; fillers and other people's numbers pass it, so a filler list
and the issued ranges are part of the verdict (sources 7.1, 7.2; governance CTL-26).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

# Numbers of one repeated digit and counting runs pass the check digit and are what people type to get past a screen.
FILLER_NHS_NUMBERS = frozenset({*(str(d) * 10 for d in range(10)), "1234567881", "9876543210", "0123456789"})
_TIDY = re.compile(r"[\s-]")
_TRAILING_POINT = re.compile(r"\.0$")


class NhsNumberReason(StrEnum):
    VALID = "valid"
    MISSING = "missing"
    NOT_TEN_DIGITS = "not_ten_digits"
    CHECK_DIGIT = "check_digit"
    FILLER = "filler"
    TEST_RANGE = "test_range"
    NOT_ISSUED = "not_issued"
    OTHER_COUNTRY = "other_country"


@dataclass(frozen=True, slots=True)
class NhsNumberVerdict:
    """`number` is ten digits when it may be used for matching, else None; `reason` says why."""

    number: str | None
    reason: NhsNumberReason


def check_digit(first_nine: str) -> str | None:
    """The tenth digit for nine digits by modulus 11; None where no such number exists (sources 7.1)."""
    remainder = sum(int(d) * (10 - i) for i, d in enumerate(first_nine)) % 11
    digit = 11 - remainder
    return None if digit == 10 else str(digit % 11)


def parse_nhs_number(text: str | None, *, allow_test_range: bool) -> NhsNumberVerdict:
    """Say whether `text` is an NHS number that may be used for matching.

    Spaces, hyphens and a spreadsheet's trailing `.0` are forgiven; nothing else is repaired. Numbers that begin with 9
    were never issued to people and pass only when `allow_test_range` is true (synthetic councils). Scottish, Northern
    Irish and Irish numbers (9994… in a synthetic council) are valid at home but do not trace in England: reason
    `other_country`, not used.
    """
    tidy = _TRAILING_POINT.sub("", _TIDY.sub("", text or ""))
    if not tidy:
        return NhsNumberVerdict(None, NhsNumberReason.MISSING)
    if not (len(tidy) == 10 and tidy.isascii() and tidy.isdigit()):
        return NhsNumberVerdict(None, NhsNumberReason.NOT_TEN_DIGITS)
    if tidy in FILLER_NHS_NUMBERS:
        return NhsNumberVerdict(None, NhsNumberReason.FILLER)
    if check_digit(tidy[:9]) != tidy[9]:
        return NhsNumberVerdict(None, NhsNumberReason.CHECK_DIGIT)
    reason = _range_of(tidy)
    if reason is NhsNumberReason.TEST_RANGE and allow_test_range:
        # Synthetic councils play the other countries of the United Kingdom with 9994… (sources 7.2).
        reason = NhsNumberReason.OTHER_COUNTRY if tidy.startswith("9994") else NhsNumberReason.VALID
    return NhsNumberVerdict(tidy if reason is NhsNumberReason.VALID else None, reason)


def _range_of(number: str) -> NhsNumberReason:
    prefix = int(number[:3])
    if 400 <= prefix <= 499 or 600 <= prefix <= 799:
        return NhsNumberReason.VALID
    if prefix >= 900:
        return NhsNumberReason.TEST_RANGE
    if 10 <= prefix <= 311 or 320 <= prefix <= 399 or 800 <= prefix <= 859:
        return NhsNumberReason.OTHER_COUNTRY
    return NhsNumberReason.NOT_ISSUED


class PostcodeReason(StrEnum):
    VALID = "valid"
    MISSING = "missing"
    PSEUDO = "pseudo"  # ZZ99: no fixed abode, not known, abroad
    NOT_A_POSTCODE = "not_a_postcode"


@dataclass(frozen=True, slots=True)
class PostcodeVerdict:
    """`postcode` has capital letters and one space when `reason` is valid or pseudo, else None."""

    postcode: str | None
    reason: PostcodeReason


_OUTCODE = r"(?:[A-PR-UWYZ][0-9][0-9A-HJKPSTUW]?|[A-PR-UWYZ][A-HK-Y][0-9][0-9ABEHMNPRVWXY]?)"
_POSTCODE = re.compile(rf"^({_OUTCODE})([0-9][ABD-HJLNP-UW-Z]{{2}})$")
_PSEUDO = re.compile(r"^(ZZ99)([0-9][A-Z]{2})$")  # sources 10; its letters break the rules of real ones on purpose
_DIGIT_FOR = str.maketrans("OIS", "015")
_LETTER_FOR = str.maketrans("01", "OI")


def parse_postcode(text: str | None) -> PostcodeVerdict:
    """Say whether `text` is a postcode, with O/0 and I/1 repaired by position (linkage 4, sources 10)."""
    tidy = re.sub(r"[^A-Z0-9]", "", (text or "").upper())
    if not tidy or set(tidy) <= {"X"} or tidy == "NOPOSTCODE":
        return PostcodeVerdict(None, PostcodeReason.MISSING)
    for candidate in (tidy, _repaired(tidy)):
        if match := _PSEUDO.match(candidate):
            return PostcodeVerdict(f"{match[1]} {match[2]}", PostcodeReason.PSEUDO)
        if match := _POSTCODE.match(candidate):
            return PostcodeVerdict(f"{match[1]} {match[2]}", PostcodeReason.VALID)
    return PostcodeVerdict(None, PostcodeReason.NOT_A_POSTCODE)


def _repaired(tidy: str) -> str:
    if not 5 <= len(tidy) <= 7:
        return tidy
    outward, inward = tidy[:-3], tidy[-3:]
    inward = inward[0].translate(_DIGIT_FOR) + inward[1:].translate(_LETTER_FOR)
    letters = 2 if len(outward) > 1 and not outward[1].isdigit() and outward[1] not in "OI" else 1
    return outward[:letters].translate(_LETTER_FOR) + outward[letters:].translate(_DIGIT_FOR) + inward
