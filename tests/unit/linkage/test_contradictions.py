"""Reviewers who contradict each other: what was believed last stays, whatever else is decided, and no guard gives way.

Told case by case, and for any few records with any decisions that can be invented (governance F71, PRO-1 to PRO-4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.clustering import Edge, Grouping, Node, group_records
from linkage.decisions import constraints_of
from linkage.inputs import Decision, KeptApart
from linkage.model import load_model

BANDS = load_model().bands
Pair = tuple[int, int]


@dataclass(frozen=True)
class Council:
    """A few records with what is said and decided about them."""

    nodes: dict[int, Node]
    edges: tuple[Edge, ...] = ()
    decisions: tuple[Decision, ...] = ()
    listed: tuple[KeptApart, ...] = ()

    def run(self, together: Iterable[Pair] = ()) -> Grouping:
        """The groups of a run that begins with those pairs believed to be one person."""
        constraints = constraints_of(self.decisions, self.listed, frozenset(together))
        return group_records(self.nodes, self.edges, constraints, BANDS)


def node(record: int, number: str | None = None, *, protected: bool = False) -> Node:
    return Node(record, f"s{record}|{record}", f"s{record}", number, 1941, protected)


def answer(one: int, other: int, said: str, *, by_notice: bool = False) -> Decision:
    return Decision(one, other, said, "a reviewer", by_notice)


def contradicted(one: int, other: int) -> tuple[Decision, Decision]:
    return answer(one, other, "same"), answer(one, other, "not_same")


def council(count: int, *decisions: Decision, numbers: dict[int, str] | None = None, **more: object) -> Council:
    nodes = {r: node(r, (numbers or {}).get(r)) for r in range(1, count + 1)}
    return Council(nodes, decisions=decisions, **more)  # type: ignore[arg-type]


def met(grouping: Grouping) -> frozenset[Pair]:
    return frozenset(pair for group in grouping.groups for pair in combinations(sorted(group), 2))


def test_f71_together_stays_together_and_apart_stays_apart() -> None:
    disputed = council(2, *contradicted(1, 2))
    assert met(disputed.run()) == set()
    assert met(disputed.run({(1, 2)})) == {(1, 2)}


def test_f71_a_number_that_joins_them_joins_them_no_more_while_they_are_disputed() -> None:
    joined = (Edge(1, 2, "nhs_verified", "link", "", 30.0),)
    grouping = council(2, *contradicted(1, 2), edges=joined).run()
    assert met(grouping) == set()
    assert grouping.outcomes[1, 2] == ("review", "needs_attention")


def test_f71_through_a_chain_everybody_stays_where_they_are() -> None:
    decided = (answer(1, 2, "same"), answer(2, 3, "same"), answer(1, 3, "not_same"))
    assert met(council(3, *decided).run()) == set()
    assert met(council(3, *decided).run({(1, 2)})) == {(1, 2)}
    assert met(council(3, *decided).run({(1, 2), (2, 3), (1, 3)})) == {(1, 2), (2, 3), (1, 3)}


def test_f71_what_nobody_disputes_is_followed_beside_it() -> None:
    grouping = council(3, *contradicted(1, 2), answer(2, 3, "same")).run({(1, 2)})
    assert met(grouping) == {(1, 2), (1, 3), (2, 3)}


def test_f71_what_cannot_be_followed_beside_it_needs_attention_as_well() -> None:
    decided = (*contradicted(1, 2), answer(1, 3, "same"), answer(2, 3, "not_same"))
    grouping = council(3, *decided).run({(1, 2)})
    assert met(grouping) == {(1, 2)}
    assert grouping.constraints.attention == {(1, 2), (1, 3), (2, 3)}


def test_f71_the_do_not_link_list_parts_what_is_disputed() -> None:
    for listed in (KeptApart(1, 2, "an officer"), KeptApart(2, None, "an officer")):
        assert met(council(2, *contradicted(1, 2), listed=(listed,)).run({(1, 2)})) == set()


def test_f71_two_verified_numbers_part_what_is_disputed_unless_a_notice_joined_them() -> None:
    numbers = {1: "A", 2: "B"}
    assert met(council(2, *contradicted(1, 2), numbers=numbers).run({(1, 2)})) == set()
    noticed = answer(1, 2, "same", by_notice=True), answer(1, 2, "not_same")
    assert met(council(2, *noticed, numbers=numbers).run({(1, 2)})) == {(1, 2)}


def test_f71_a_decision_that_would_bring_another_number_is_refused_and_what_is_disputed_stays() -> None:
    disputed = council(3, *contradicted(1, 2), answer(2, 3, "same"), numbers={1: "A", 3: "B"})
    grouping = disputed.run({(1, 2)})
    assert met(grouping) == {(1, 2)}
    assert grouping.unmet == {(2, 3): "needs_notice"}


def test_f71_a_record_that_became_protected_is_parted() -> None:
    disputed = council(2, *contradicted(1, 2))
    protected = Council({1: node(1), 2: node(2, protected=True)}, decisions=disputed.decisions)
    assert met(protected.run({(1, 2)})) == set()


def test_f71_two_that_are_disputed_do_not_meet_through_what_others_decided() -> None:
    grouping = council(3, *contradicted(1, 3), answer(1, 2, "same"), answer(2, 3, "same")).run()
    assert met(grouping) == set()
    assert grouping.constraints.attention == {(1, 2), (1, 3), (2, 3)}


COUNT = 7
pairs = st.sampled_from(list(combinations(range(1, COUNT + 1), 2)))
answers = st.sampled_from(["same", "same", "not_same", "cannot_tell"])


@st.composite
def councils(draw: st.DrawFn) -> tuple[Council, frozenset[Pair]]:
    numbers = st.sampled_from([None, None, None, "A", "B"])
    nodes = {r: node(r, draw(numbers), protected=draw(st.integers(0, 9)) == 0) for r in range(1, COUNT + 1)}
    decisions = [
        answer(*pair, draw(answers), by_notice=draw(st.integers(0, 3)) == 0)
        for pair in draw(st.lists(pairs, max_size=6))
    ]
    for pair in draw(st.lists(pairs, max_size=3)):
        decisions += contradicted(*pair)
    listed = [KeptApart(*pair, "an officer") for pair in draw(st.lists(pairs, max_size=1))]
    edges = [
        Edge(*pair, draw(st.sampled_from(["nhs_cross_checked", "probabilistic"])), "link", "", 20.0)
        for pair in draw(st.lists(pairs, unique=True, max_size=6))
    ]
    place = [draw(st.integers(1, 3)) for _ in nodes]
    believed = frozenset((a, b) for a, b in combinations(nodes, 2) if place[a - 1] == place[b - 1])
    return Council(nodes, tuple(edges), tuple(decisions), tuple(listed)), believed


@pytest.mark.property
@settings(max_examples=300, deadline=None)
@given(councils())
def test_whatever_is_decided_no_guard_gives_way_and_another_run_changes_nothing(
    world: tuple[Council, frozenset[Pair]],
) -> None:
    invented, believed = world
    grouping = invented.run(believed)
    together, followed = met(grouping), grouping.constraints
    assert not together & (followed.apart | followed.never | (followed.attention - followed.held))
    given_answers: dict[Pair, set[str]] = {}
    for decision in invented.decisions:
        given_answers.setdefault((decision.left, decision.right), set()).add(decision.answer)
    for pair, given_for_it in given_answers.items():
        if {"same", "not_same"} <= given_for_it:
            assert pair in followed.attention
            assert pair in believed or pair not in together, "nobody is joined meanwhile"
        if given_for_it == {"not_same"} and pair in together:
            assert pair in believed and pair in followed.attention, "only a contradiction keeps what somebody parted"
    noticed = {(d.left, d.right) for d in invented.decisions if d.answer == "same" and d.is_authorised}
    for group in grouping.groups:
        found = {number for r in group if (number := invented.nodes[r].verified_number)}
        assert len(found) <= 1 or noticed & together, "two verified numbers by a notice only"
    again = invented.run(together)
    assert (again.groups, again.outcomes) == (grouping.groups, grouping.outcomes)
