"""The ladder of agreed rules, case by case: what one pair of records says by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.linkage_numbers import nhs_number
from tests.support.linkage_pairs import judged
from tests.support.linkage_tables import person

IRIS = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV1 1AA"}
HUSBAND = {"forename": "Ian", "surname": "Oakhampton", "birth_date": "1938-11-02", "sex": "1", "postcode": "AV1 1AA"}
STRANGER = {"forename": "Walter", "surname": "Pym", "birth_date": "1972-08-30", "sex": "1", "postcode": "AV9 9ZZ"}
NUMBER, OTHER_NUMBER = nhs_number(1), nhs_number(2)


def numbered(number: str, *, verified: bool = True) -> dict[str, Any]:
    return {"nhs_number_supplied": number, "nhs_number_verified": verified}


def answer(
    one: dict[str, Any],
    other: dict[str, Any],
    sources: tuple[str, str] = ("carefirst", "systmone"),
    references: tuple[tuple[int, str, str], ...] = (),
) -> tuple[str, str, str]:
    outcomes, _ = judged([person(1, sources[0], **one), person(2, sources[1], **other)], references)
    return outcomes.get((1, 2), ("", "no edge", ""))


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str, str]]] = {
    "same verified number, everything agrees": (IRIS | numbered(NUMBER), IRIS | numbered(NUMBER), ("nhs_verified",
      "link", "")),
    "same verified number, married since": (
        IRIS | numbered(NUMBER), IRIS | numbered(NUMBER) | {"surname": "Vale"}, ("nhs_verified", "link", "")),
    "same verified number, birth date wrong in one part": (
        IRIS | numbered(NUMBER), IRIS | numbered(NUMBER) | {"birth_date": "1941-03-11"}, ("nhs_verified", "link", "")),
    "same verified number, clearly two people": (
        IRIS | numbered(NUMBER), STRANGER | numbered(NUMBER), ("nhs_verified", "review", "number_contradiction")),
    "the husband's verified number, same initial": (
        IRIS | numbered(NUMBER), HUSBAND | numbered(NUMBER), ("nhs_verified", "review", "number_contradiction")),
    "same unverified number, everything agrees": (
        IRIS | numbered(NUMBER, verified=False), IRIS | numbered(NUMBER), ("nhs_cross_checked", "link", "")),
    "same unverified number, birth date and postcode missing": (
        IRIS | numbered(NUMBER, verified=False) | {"birth_date": None, "postcode": None}, IRIS | numbered(NUMBER),
        ("nhs_cross_checked", "link", "")),
    "the husband's unverified number": (
        IRIS | numbered(NUMBER, verified=False), HUSBAND | numbered(NUMBER),
        ("nhs_cross_checked", "review", "number_cross_check_failed")),
    "a stranger's unverified number": (
        IRIS | numbered(NUMBER, verified=False), STRANGER | numbered(NUMBER),
        ("nhs_cross_checked", "review", "number_cross_check_failed")),
    "two verified numbers, everything else agrees": (
        IRIS | numbered(NUMBER), IRIS | numbered(OTHER_NUMBER), ("probabilistic", "review",
          "different_verified_numbers")),
    "two numbers, one unverified, everything else agrees": (
        IRIS | numbered(NUMBER, verified=False), IRIS | numbered(OTHER_NUMBER), ("probabilistic", "review",
          "different_numbers")),
    "two verified numbers, nothing else agrees": (
        IRIS | numbered(NUMBER), HUSBAND | numbered(OTHER_NUMBER), ("", "no edge", "")),
    "no number, everything else agrees": (IRIS, IRIS | numbered(NUMBER), ("probabilistic", "link", "")),
    "no number, husband and wife": (IRIS, HUSBAND | numbered(NUMBER), ("", "no edge", "")),
    "no number, birth date one digit wrong": (
        IRIS, IRIS | numbered(NUMBER) | {"birth_date": "1941-03-11"}, ("probabilistic", "link", "")),
    "no number, names exchanged": (
        IRIS, IRIS | {"forename": "Oakhampton", "surname": "Iris"}, ("probabilistic", "link", "")),
    "a twin": (IRIS, IRIS | numbered(NUMBER) | {"forename": "Olive"}, ("probabilistic", "review", "guard")),
    "a father and his son of the same name": (
        HUSBAND, HUSBAND | numbered(NUMBER) | {"birth_date": "1966-04-21"}, ("", "no edge", "")),
    "nothing but a name and a birth date": (
        {k: IRIS[k] for k in ("forename", "surname", "birth_date")}, IRIS | numbered(NUMBER),
        ("probabilistic", "review", "little_evidence")),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "expected"), CASES.values(), ids=CASES.keys())
def test_a_pair_climbs_the_ladder(one: dict[str, Any], other: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert answer(one, other) == expected


def test_a_pair_says_the_same_from_both_sides() -> None:
    for one, other, expected in list(CASES.values())[::5]:
        assert answer(other, one) == expected


def test_f35_one_number_on_two_clearly_different_people_is_not_merged_and_both_wait_for_review() -> None:
    outcomes, groups = judged([
        person(1, "carefirst", **IRIS, **numbered(NUMBER)),
        person(2, "liquidlogic", **STRANGER, **numbered(NUMBER)),
        person(3, "systmone", **IRIS, **numbered(NUMBER)),
    ])  # fmt: skip
    assert groups == {frozenset({1, 3})}
    assert outcomes[1, 2][1:] == ("review", "number_contradiction")
    assert outcomes[2, 3][1:] == ("review", "number_contradiction")


@pytest.mark.parametrize("written", ["1111111111", "9434765918"])
def test_f33_f34_two_people_with_the_same_unusable_number_are_not_linked_by_it(written: str) -> None:
    assert answer(IRIS | numbered(written), STRANGER | numbered(written)) == ("", "no edge", "")


def test_a_supplier_marks_a_duplicate() -> None:
    marked = IRIS | {"surname": "DUPLICATE", "birth_date": None, "duplicate_of_key": "k2", "is_marked_duplicate": True}
    assert answer(marked, IRIS, ("liquidlogic", "liquidlogic")) == ("marked_duplicate", "link", "")
    wrongly = STRANGER | {"duplicate_of_key": "k2", "is_marked_duplicate": True}
    assert answer(wrongly, IRIS, ("liquidlogic", "liquidlogic")) == ("marked_duplicate", "review", "mark_contradicted")


def test_a_mark_outranks_a_number_nobody_verified_so_that_any_number_of_merged_files_join() -> None:
    unverified = IRIS | numbered(NUMBER, verified=False)
    merged = unverified | {"duplicate_of_key": "k2", "is_marked_duplicate": True}
    assert answer(merged, unverified, ("micare", "micare")) == ("marked_duplicate", "link", "")
    assert answer(unverified, unverified, ("micare", "micare")) == ("nhs_cross_checked", "link", "")
    others = STRANGER | numbered(NUMBER, verified=False) | {"duplicate_of_key": "k2", "is_marked_duplicate": True}
    assert answer(others, unverified, ("micare", "micare"))[1] == "review"


def test_another_systems_id_links_with_an_equal_birth_date_and_goes_to_review_without() -> None:
    weak = {"surname": "Oakham", "birth_date": "1941-03-17"}
    reference = ((1, "systmone_key", "k2"),)
    assert answer(weak, IRIS, references=reference) == ("cross_reference", "link", "")
    later = {"surname": "Oakham", "birth_date": "1950-09-09"}
    assert answer(later, IRIS, references=reference)[1:] == ("review", "reference_without_birth_date")


def test_a_number_on_two_records_of_one_source_needs_the_same_person() -> None:
    twin = IRIS | numbered(NUMBER, verified=False) | {"forename": "Olive"}
    assert answer(twin, IRIS | numbered(NUMBER), ("carefirst", "carefirst"))[1] == "review"
    assert answer(IRIS | numbered(NUMBER), IRIS | numbered(NUMBER), ("carefirst", "carefirst"))[1] == "link"
