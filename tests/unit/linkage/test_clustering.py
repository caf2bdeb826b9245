"""Groups form under hard guards, whatever the order in which records and pairs arrive."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.clustering import Constraints, Edge, Grouping, Node, group_records
from linkage.model import load_model

BANDS = load_model().bands


def node(record: int, source: str = "", number: str | None = None, year: int | None = 1941) -> Node:
    return Node(record, f"{source or f's{record}'}|{record}", source or f"s{record}", number, year)


def sure(left: int, right: int) -> Edge:
    return Edge(left, right, "nhs_verified", "link", "", 30.0)


def likely(left: int, right: int, weight: float = 12.0) -> Edge:
    return Edge(left, right, "probabilistic", "link", "", weight)


def doubtful(left: int, right: int, weight: float = 5.0) -> Edge:
    return Edge(left, right, "probabilistic", "review", "weak", weight)


def group(nodes: list[Node], edges: list[Edge], constraints: Constraints | None = None) -> Grouping:
    return group_records({n.record_id: n for n in nodes}, edges, constraints or Constraints(), BANDS)


def together(grouping: Grouping) -> set[frozenset[int]]:
    return {frozenset(g) for g in grouping.groups if len(g) > 1}


def test_links_join_and_doubts_do_not() -> None:
    grouping = group([node(1), node(2), node(3)], [sure(1, 2), doubtful(2, 3)])
    assert together(grouping) == {frozenset({1, 2})}
    assert grouping.outcomes == {(1, 2): ("link", ""), (2, 3): ("review", "weak")}


def test_a_doubt_between_records_of_one_person_is_settled() -> None:
    grouping = group([node(1), node(2), node(3)], [sure(1, 2), sure(2, 3), doubtful(1, 3)])
    assert grouping.outcomes[1, 3] == ("link", "joined_by_other_links")


@pytest.mark.parametrize(
    ("rule", "reason"), [("cross_reference", "group_conflict"), ("probabilistic", "close_competitor")]
)
def test_two_verified_numbers_never_meet_not_even_through_a_third_record(rule: str, reason: str) -> None:
    nodes = [node(1, number="A"), node(2, number="B"), node(3)]
    edges = [Edge(1, 3, rule, "link", "", 30.0), Edge(2, 3, rule, "link", "", 20.0)]
    grouping = group(nodes, edges)
    assert together(grouping) == {frozenset({1, 3})}
    assert grouping.outcomes[2, 3] == ("review", reason)


def test_a_record_between_two_equal_strangers_joins_neither() -> None:
    nodes = [node(1, "health", "A"), node(2, "health", "B"), node(3, "care")]
    grouping = group(nodes, [likely(1, 3, 20.0), likely(2, 3, 18.0)])
    assert together(grouping) == set()
    assert {grouping.outcomes[1, 3], grouping.outcomes[2, 3]} == {("review", "close_competitor")}


def test_a_duplicate_of_the_partner_is_no_competitor() -> None:
    nodes = [node(1, "health", "A"), node(2, "health"), node(3, "care")]
    grouping = group(nodes, [likely(1, 2, 25.0), likely(1, 3, 20.0), likely(2, 3, 19.0)])
    assert together(grouping) == {frozenset({1, 2, 3})}


def test_one_weak_edge_does_not_chain_two_groups() -> None:
    nodes = [node(n) for n in range(1, 7)]
    edges = [sure(1, 2), sure(2, 3), sure(4, 5), sure(5, 6), likely(3, 4, 8.5)]
    grouping = group(nodes, edges)
    assert together(grouping) == {frozenset({1, 2, 3}), frozenset({4, 5, 6})}
    assert grouping.outcomes[3, 4] == ("review", "group_disagrees")


def test_the_groups_that_agree_most_are_joined_first_and_not_those_with_the_strongest_pair() -> None:
    nodes = [node(n) for n in range(1, 5)]
    edges = [sure(1, 2), likely(1, 3, 20.0), likely(1, 4, 12.0), likely(2, 4, 12.0)]
    grouping = group(nodes, edges, Constraints(apart=frozenset({(3, 4)})))
    assert together(grouping) == {frozenset({1, 2, 4})}
    assert grouping.outcomes[1, 3] == ("review", "group_not_same")


def test_a_person_has_no_three_records_of_one_source_without_a_verified_number() -> None:
    nodes = [node(n, "health") for n in (1, 2, 3)]
    grouping = group(nodes, [likely(1, 2, 30), likely(2, 3, 20), likely(1, 3, 20)])
    assert together(grouping) == {frozenset({1, 2})}
    assert grouping.outcomes[2, 3] == ("review", "group_too_many")


def test_three_records_of_one_source_joined_by_their_number_do_not_keep_another_source_out() -> None:
    nodes = [node(n, "care") for n in (1, 2, 3)]
    for extra in (node(0, "health"), node(4, "health")):
        pairs = [tuple(sorted((extra.record_id, n))) for n in (1, 2, 3)]
        grouping = group([*nodes, extra], [sure(1, 2), sure(2, 3), *(likely(a, b) for a, b in pairs)])
        assert together(grouping) == {frozenset({1, 2, 3, extra.record_id})}


def test_birth_dates_more_than_ten_years_apart_do_not_meet_by_weight() -> None:
    grouping = group([node(1, year=1940), node(2, year=1966)], [likely(1, 2, 30)])
    assert grouping.outcomes[1, 2] == ("review", "group_birth_dates")


def test_people_decide_last() -> None:
    nodes = [node(1, number="A"), node(2, number="B"), node(3)]
    decided = Constraints(together=frozenset({(1, 2)}), apart=frozenset({(1, 3)}))
    grouping = group(nodes, [likely(1, 3, 30.0), likely(2, 3, 30.0)], decided)
    assert together(grouping) == {frozenset({1, 2})}
    assert grouping.outcomes == {(1, 3): ("reject", "human_decision"), (2, 3): ("review", "group_not_same")}


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        (Constraints(undecided=frozenset({(1, 2)})), ("review", "undecided")),
        (Constraints(attention=frozenset({(1, 2)})), ("review", "needs_attention")),
    ],
)
def test_what_people_leave_open_stays_open(decided: Constraints, expected: tuple[str, str]) -> None:
    grouping = group([node(1), node(2)], [likely(1, 2, 40.0)], decided)
    assert together(grouping) == set()
    assert grouping.outcomes[1, 2] == expected


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Node], list[Edge], Constraints]:
    count = draw(st.integers(2, 9))
    sources, numbers = st.sampled_from(["care", "health", "other"]), st.sampled_from([None, None, "A", "B", "C"])
    nodes = [
        node(n, draw(sources), draw(numbers), draw(st.sampled_from([1940, 1945, 1960, None]))) for n in range(count)
    ]
    pairs = [(a, b) for a in range(count) for b in range(a + 1, count)]
    kinds = st.sampled_from([sure, likely, doubtful])
    edges = [draw(kinds)(a, b) for a, b in draw(st.lists(st.sampled_from(pairs), unique=True))]
    edges = [Edge(e.left, e.right, e.rule, e.decision, e.reason, float(draw(st.integers(3, 40)))) for e in edges]
    decided = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=3))
    half = len(decided) // 2
    return nodes, edges, Constraints(apart=frozenset(decided[half:]), undecided=frozenset(decided[:half]))


@pytest.mark.property
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(
    world: tuple[list[Node], list[Edge], Constraints], chance: random.Random
) -> None:
    nodes, edges, constraints = world
    before = group(nodes, edges, constraints)
    # The same records under other internal numbers, and everything in another order.
    numbers = list(range(100, 100 + len(nodes)))
    chance.shuffle(numbers)

    def pair(left: int, right: int) -> tuple[int, int]:
        one, other = sorted((numbers[left], numbers[right]))
        return one, other

    again_nodes = [Node(numbers[n.record_id], n.key, n.source, n.verified_number, n.birth_year) for n in nodes]
    again_edges = [Edge(*pair(e.left, e.right), e.rule, e.decision, e.reason, e.weight) for e in edges]
    chance.shuffle(again_nodes)
    chance.shuffle(again_edges)
    renamed = Constraints(
        apart=frozenset(pair(*p) for p in constraints.apart),
        undecided=frozenset(pair(*p) for p in constraints.undecided),
    )
    after = group(again_nodes, again_edges, renamed)
    assert {frozenset(numbers[r] for r in g) for g in before.groups} == {frozenset(g) for g in after.groups}
    assert {pair(*p): o for p, o in before.outcomes.items()} == after.outcomes


@pytest.mark.property
@given(worlds())
def test_every_record_is_in_one_group_and_no_guard_is_broken(world: tuple[list[Node], list[Edge], Constraints]) -> None:
    nodes, edges, constraints = world
    grouping = group(nodes, edges, constraints)
    assert sorted(r for g in grouping.groups for r in g) == sorted(n.record_id for n in nodes)
    number_of = {n.record_id: n.verified_number for n in nodes}
    for members in grouping.groups:
        assert len({number_of[r] for r in members} - {None}) <= 1
        assert not [p for p in constraints.apart if set(p) <= set(members)]
