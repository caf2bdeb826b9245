"""Human decisions become constraints; where they contradict each other nothing is guessed."""

from __future__ import annotations

from linkage.clustering import Constraints
from linkage.decisions import constraints_from


def test_each_answer_has_its_effect() -> None:
    found = constraints_from([(1, 2, "same"), (4, 3, "not_same"), (5, 6, "cannot_tell")])
    assert found == Constraints(together=frozenset({(1, 2)}), apart=frozenset({(3, 4)}), undecided=frozenset({(5, 6)}))


def test_a_clear_answer_outweighs_one_that_could_not_tell() -> None:
    assert constraints_from([(1, 2, "cannot_tell"), (1, 2, "same")]).together == {(1, 2)}


def test_two_reviewers_who_contradict_each_other_leave_the_pair_open() -> None:
    found = constraints_from([(1, 2, "same"), (1, 2, "not_same")])
    assert found == Constraints(attention=frozenset({(1, 2)}))


def test_a_contradiction_through_a_chain_opens_the_whole_chain_and_nothing_else() -> None:
    found = constraints_from([(1, 2, "same"), (2, 3, "same"), (1, 3, "not_same"), (7, 8, "same"), (8, 9, "not_same")])
    assert found.attention == {(1, 2), (2, 3), (1, 3)}
    assert found.together == {(7, 8)}
    assert found.apart == {(8, 9)}
