"""Two lines, not one: records join at the upper line and are parted only below the lower one (linkage handbook 9.5).

A small change does not make an id flicker; and what was kept is kept again, so that a run of the changes believes what
a run of everything would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.clustering import Constraints, Edge, Grouping, Node, group_records
from linkage.model import load_model

ONE_LINE = replace(load_model().bands, part=None)
TWO_LINES = replace(ONE_LINE, part=5.0)
TOGETHER = {1: "p", 2: "p"}


def node(record: int, number: str | None = None, source: str = "") -> Node:
    source = source or f"s{record}"
    return Node(record, f"{source}|{record}", source, number, 1941)


def weak(left: int, right: int, weight: float = 6.0) -> Edge:
    return Edge(left, right, "probabilistic", "review", "weak", weight)


def likely(left: int, right: int, weight: float = 12.0) -> Edge:
    return Edge(left, right, "probabilistic", "link", "", weight)


def group(
    nodes: list[Node],
    edges: list[Edge],
    believed: Mapping[int, str] | None = None,
    constraints: Constraints | None = None,
) -> Grouping:
    return group_records({n.record_id: n for n in nodes}, edges, constraints or Constraints(), TWO_LINES, believed)


def test_between_the_lines_nobody_joins_and_nobody_is_parted() -> None:
    strangers, one = [node(1), node(2)], {(1, 2)}
    assert group(strangers, [weak(1, 2)]).groups == [(1,), (2,)]
    kept = group(strangers, [weak(1, 2)], TOGETHER)
    assert kept.groups == [(1, 2)]
    assert {pair: kept.outcomes[pair] for pair in one} == {(1, 2): ("link", "above_lower_line")}
    assert group(strangers, [weak(1, 2)], {1: "p", 2: "q"}).groups == [(1,), (2,)]


def test_below_the_lower_line_they_are_parted() -> None:
    parted = group([node(1), node(2)], [weak(1, 2, 4.9)], TOGETHER)
    assert parted.groups == [(1,), (2,)]
    assert parted.outcomes[1, 2] == ("review", "weak")


def test_a_version_without_a_lower_line_parts_at_the_upper_one() -> None:
    nodes = {1: node(1), 2: node(2)}
    assert group_records(nodes, [weak(1, 2)], Constraints(), ONE_LINE, TOGETHER).groups == [(1,), (2,)]
    assert load_model("v1").bands.part is None


@pytest.mark.parametrize(
    "constraints",
    [
        Constraints(apart=frozenset({(1, 2)})),
        Constraints(undecided=frozenset({(1, 2)})),
        Constraints(never=frozenset({(1, 2)})),
        Constraints(alone=frozenset({2})),
    ],
)
def test_people_and_the_do_not_link_list_part_between_the_lines(constraints: Constraints) -> None:
    assert group([node(1), node(2)], [weak(1, 2)], TOGETHER, constraints).groups == [(1,), (2,)]


def test_two_verified_numbers_part_between_the_lines() -> None:
    assert group([node(1, "A"), node(2, "B")], [weak(1, 2)], TOGETHER).groups == [(1,), (2,)]


def test_what_joins_now_comes_before_what_is_only_kept() -> None:
    """1 was of 2 and is now as good as sure to be of 3; 2 and 3 bear two numbers."""
    nodes = [node(1), node(2, "A"), node(3, "B", "s2")]
    parted = group(nodes, [weak(1, 2, 6.0), likely(1, 3, 20.0)], TOGETHER)
    assert parted.groups == [(1, 3), (2,)]
    assert parted.outcomes[1, 2] == ("review", "weak")


COUNT = 8
pairs = st.sampled_from(list(combinations(range(1, COUNT + 1), 2)))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Node], list[Edge], Constraints, dict[int, str]]:
    sources, numbers = st.sampled_from(["care", "health", "other"]), st.sampled_from([None, None, None, "A", "B"])
    nodes = [node(r, draw(numbers), draw(sources)) for r in range(1, COUNT + 1)]
    edges = []
    for pair in draw(st.lists(pairs, unique=True, min_size=4, max_size=16)):
        weight = float(draw(st.integers(3, 16)))
        edges.append(likely(*pair, weight) if weight >= 8 else weak(*pair, weight))
    decided = draw(st.lists(pairs, unique=True, max_size=2))
    constraints = Constraints(apart=frozenset(decided[:1]), undecided=frozenset(decided[1:]))
    believed = {r: str(draw(st.integers(1, 3))) for r in draw(st.sets(st.integers(1, COUNT)))}
    return nodes, edges, constraints, believed


@pytest.mark.property
@settings(max_examples=400, deadline=None)
@given(worlds())
def test_what_was_kept_is_kept_again_and_only_what_was_together(
    world: tuple[list[Node], list[Edge], Constraints, dict[int, str]],
) -> None:
    nodes, edges, constraints, believed = world
    first = group(nodes, edges, believed, constraints)
    whose = {r: str(place) for place, members in enumerate(first.groups) for r in members}
    again = group(nodes, edges, whose, constraints)
    assert (again.groups, again.outcomes) == (first.groups, first.outcomes)
    number_of = {n.record_id: n.verified_number for n in nodes}
    joined = {frozenset(pair) for members in group(nodes, edges, None, constraints).groups
              for pair in combinations(members, 2)}  # fmt: skip
    for members in first.groups:
        inside = {frozenset(pair) for pair in combinations(members, 2)}
        assert joined & inside or len({believed.get(r, r) for r in members}) == 1, "nobody new is joined"
        assert len({number_of[r] for r in members} - {None}) <= 1
        assert not inside & {frozenset(pair) for pair in constraints.apart}
    assert all(any(pair <= set(members) for members in first.groups) for pair in joined), "and nobody is parted by it"


@pytest.mark.property
@given(worlds(), st.permutations(list(range(COUNT))))
def test_the_order_of_arrival_changes_nothing_between_the_lines(
    world: tuple[list[Node], list[Edge], Constraints, dict[int, str]], numbers: list[int]
) -> None:
    nodes, edges, constraints, believed = world

    def named(record: int) -> int:
        return 100 + numbers[record - 1]

    def pair(left: int, right: int) -> tuple[int, int]:
        one, other = sorted((named(left), named(right)))
        return one, other

    renamed = group(
        [replace(n, record_id=named(n.record_id)) for n in reversed(nodes)],
        [replace(e, left=pair(e.left, e.right)[0], right=pair(e.left, e.right)[1]) for e in reversed(edges)],
        {named(r): name for r, name in believed.items()},
        Constraints(
            apart=frozenset(pair(*p) for p in constraints.apart),
            undecided=frozenset(pair(*p) for p in constraints.undecided),
        ),
    )
    first = group(nodes, edges, believed, constraints)
    assert {frozenset(map(named, g)) for g in first.groups} == {frozenset(g) for g in renamed.groups}
    assert {pair(*p): told for p, told in first.outcomes.items()} == renamed.outcomes
