"""Pairs that governance forbids to link are counted apart from misses, and nothing else is."""

from __future__ import annotations

from typing import Any

from onestory.scoring.forbidden import Forbidden, Held, counted_apart, forbidden

NUMBER, OTHER = "9000000009", "9000000017"


def row(system: str, key: str, person: int, **fields: Any) -> dict[str, Any]:
    told = {"has_nhs_number": True, "is_flagged_test": False, "is_child": False, "removed_night": None}
    return {"system": system, "key": key, "person_id": person, **told, **fields}


def test_a_true_pair_with_a_protected_record_is_forbidden_unless_both_hold_the_verified_number() -> None:
    held = {
        ("systmone", "1"): Held(True, NUMBER, "a"),
        ("carefirst", "1"): Held(True, None, "b"),  # protected, its number not verified
        ("liquidlogic", "1"): Held(True, NUMBER, "a"),  # linked by the verified number
        ("systmone", "2"): Held(False, NUMBER, "c"),
        ("carefirst", "2"): Held(False, OTHER, "d"),  # missed, and nobody forbade it
    }
    truth = [
        row("systmone", "1", 1),
        row("carefirst", "1", 1, has_nhs_number=False),
        row("liquidlogic", "1", 1),
        row("systmone", "2", 2),
        row("carefirst", "2", 2),
    ]
    assert forbidden(held, truth) == Forbidden(overall=2, care_to_patient=1, number_missing=2)


def test_two_protected_records_with_one_verified_number_that_were_not_linked_are_a_miss() -> None:
    held = {("systmone", "1"): Held(True, NUMBER, "a"), ("carefirst", "1"): Held(True, NUMBER, "b")}
    truth = [row("systmone", "1", 1), row("carefirst", "1", 1)]
    assert forbidden(held, truth) == Forbidden(0, 0, 0)


def test_records_that_nobody_judges_are_not_counted() -> None:
    held = {("systmone", "1"): Held(True, None, "a"), ("carefirst", "1"): Held(True, None, "b")}
    for fields in ({"is_flagged_test": True}, {"is_child": True}, {"removed_night": 2}):
        assert forbidden(held, [row("systmone", "1", 1), row("carefirst", "1", 1, **fields)]).overall == 0
    assert forbidden(held, [row("systmone", "1", 1), row("carefirst", "gone", 1)]).overall == 0


def test_recall_is_told_of_what_may_be_linked_and_of_all() -> None:
    part = {"true_pairs": 100, "linked_pairs": 90, "right_pairs": 90, "precision": 1.0, "recall": 0.9}
    told = counted_apart(part, 10)
    assert (told["recall"], told["recall_of_all"], told["forbidden_by_pro_1"]) == (1.0, 0.9, 10)
    assert counted_apart(part, 0)["recall"] == 0.9
