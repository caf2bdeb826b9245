"""NHS numbers and postcodes: verdicts with reasons (sources 7.1, 7.2, 10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identifiers import (
    NhsNumberReason as Reason,
)
from domain.identifiers import (
    PostcodeReason,
    check_digit,
    parse_nhs_number,
    parse_postcode,
)


@pytest.mark.parametrize(
    "text",
    [
        "9434765919",
        "9449305552",
        "9000000009",
        "9990000018",
        "943 476 5919",
        "943-476-5919",
        " 9434765919 ",
        "9434765919.0",
    ],
)
def test_a_number_of_the_test_range_is_valid_only_where_it_is_allowed(text: str) -> None:
    assert parse_nhs_number(text, allow_test_range=True).reason is Reason.VALID
    verdict = parse_nhs_number(text, allow_test_range=False)
    assert (verdict.number, verdict.reason) == (None, Reason.TEST_RANGE)


@pytest.mark.parametrize("text", ["9434765918", "9990000000"])
def test_f33_a_number_that_fails_the_check_digit_is_not_used(text: str) -> None:
    verdict = parse_nhs_number(text, allow_test_range=True)
    assert (verdict.number, verdict.reason) == (None, Reason.CHECK_DIGIT)


@pytest.mark.parametrize("text", [str(d) * 10 for d in range(10)] + ["1234567881", "9876543210"])
def test_f34_fillers_that_pass_the_check_digit_are_treated_as_missing(text: str) -> None:
    assert check_digit(text[:9]) == text[9]
    assert parse_nhs_number(text, allow_test_range=True).number is None


@pytest.mark.parametrize("text", ["9.434766E+09", "NHS9434765919", "943476591", "94347659190", "٩٤٣٤٧٦٥٩١٩"])
def test_what_is_not_ten_plain_digits_is_not_repaired(text: str) -> None:
    assert parse_nhs_number(text, allow_test_range=True).reason is Reason.NOT_TEN_DIGITS


@pytest.mark.parametrize("prefix", ["999000000", "999000014", "999000028", "999123456"])
def test_some_prefixes_have_no_check_digit(prefix: str) -> None:
    assert check_digit(prefix) is None


@pytest.mark.parametrize("text", ["", None, "  ", "-"])
def test_nothing_is_missing(text: str | None) -> None:
    assert parse_nhs_number(text, allow_test_range=True).reason is Reason.MISSING


@given(st.integers(0, 99_999_999), st.integers(0, 9), st.integers(1, 9))
def test_every_wrong_digit_breaks_the_check(stem: int, place: int, shift: int) -> None:
    nine = f"9{stem:08d}"
    digit = check_digit(nine)
    if digit is None:
        return
    number = nine + digit
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert check_digit(wrong[:9]) != wrong[9]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("av1 2bd", "AV1 2BD"),
        ("AV12BD", "AV1 2BD"),
        ("AVI 2BD", "AV1 2BD"),
        ("AV1 ZBD", None),
        ("AV10 OBD", "AV10 0BD"),
        ("SW1A 1AA", "SW1A 1AA"),
        ("M1 1AE", "M1 1AE"),
    ],
)
def test_postcodes_are_tidied_and_repaired_by_position(text: str, expected: str | None) -> None:
    assert parse_postcode(text).postcode == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ZZ99 3VZ", PostcodeReason.PSEUDO),
        ("XXX", PostcodeReason.MISSING),
        ("nopostcode", PostcodeReason.MISSING),
        (None, PostcodeReason.MISSING),
        ("NOT A CODE", PostcodeReason.NOT_A_POSTCODE),
    ],
)
def test_placeholders_are_told_from_postcodes(text: str | None, reason: PostcodeReason) -> None:
    assert parse_postcode(text).reason is reason
