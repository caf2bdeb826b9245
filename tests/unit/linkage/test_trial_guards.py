"""Relatives, twins, parents and children lose bits; a move speaks against a person once, whatever tells the home."""

from __future__ import annotations

import numpy as np
import pytest

from linkage.trial.comparisons import comparisons_for
from linkage.trial.groups import cells, groups_for, known_labels
from linkage.trial.guards import GENERATIONS, RELATIVES, TWINS, guard_bits, guarded, moved_bits
from linkage.trial.learning import MISSING, Weights

FIELDS = ("name_words", "birth_text", "postcode_0", "house_number_0", "nhs_number_0")
COMPARISONS = comparisons_for(FIELDS)
GROUPS = groups_for(COMPARISONS)


def row(**said: str) -> np.ndarray:
    """One row of cells with the levels that are said; what is not said is missing."""
    levels = [
        known_labels(c).index(said[name]) if (name := c["output_column_name"]) in said else MISSING for c in COMPARISONS
    ]
    return cells(np.array([levels], dtype=np.uint8), GROUPS)


def held(**said: str) -> set[str]:
    return {guard.name for guard, rows in guarded(row(**said), GROUPS, COMPARISONS).items() if rows[0]}


def test_a_twin_shares_surname_and_birth_date_but_not_the_forename() -> None:
    assert held(name="surname equal only", birth_date="equal") == {TWINS.name}
    assert held(name="surname equal only", birth_date="equal", nhs_number_0="equal") == set()
    nickname = "surname equal, forename a nickname or another given name"
    assert held(name=nickname, birth_date="equal") == held(name="names exchanged", birth_date="equal") == set()


def test_parent_and_child_share_name_and_home_but_no_part_of_the_birth_date() -> None:
    said = {"name": "full name equal", "birth_date": "different"}
    assert held(**said, postcode_0="equal") == {GENERATIONS.name}
    assert held(**said, postcode_0="different") == set()
    assert held(**said, postcode_0="equal", nhs_number_0="equal") == set()
    assert held(name="full name equal", birth_date="day and month exchanged", postcode_0="equal") == set()


def test_relatives_of_one_home_are_strangers_to_the_learning() -> None:
    said = {"name": "surname equal only", "birth_date": "different"}
    assert held(**said) == {RELATIVES.name}
    assert guard_bits(row(**said, postcode_0="equal"), GROUPS, COMPARISONS) == RELATIVES.bits
    assert guard_bits(row(**said, postcode_0="equal"), GROUPS, COMPARISONS, learning=True) < 4 * RELATIVES.bits
    assert guard_bits(row(**said), GROUPS, COMPARISONS, learning=True) == RELATIVES.bits


def test_without_birth_dates_unlike_forenames_are_enough() -> None:
    fewer = comparisons_for(("name_words", "house_number_0"))
    groups = groups_for(fewer)
    unlike = known_labels(fewer[0]).index("surname equal only")
    found = guarded(cells(np.array([[unlike, 0]], dtype=np.uint8), groups), groups, fewer)
    assert found[RELATIVES][0]


def test_all_that_tells_a_home_speaks_against_a_person_once() -> None:
    sizes = [int(np.prod([part.size + 1 for part in group.parts])) for group in GROUPS]
    weights = Weights(tuple(np.full(size, 1e-6) for size in sizes), tuple(np.full(size, 0.5) for size in sizes), 0.001)
    each = float(np.log2(1e-6 / 0.5))
    for said in ({"postcode_0": "different"}, {"postcode_0": "different", "house_number_0": "different"}):
        back = moved_bits(row(**said), GROUPS, COMPARISONS, weights)[0]
        assert len(said) * each + back == pytest.approx(np.log2(0.02), abs=1e-3)
    assert moved_bits(row(name="different"), GROUPS, COMPARISONS, weights)[0] == pytest.approx(0)
