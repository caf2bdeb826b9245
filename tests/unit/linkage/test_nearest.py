"""Average linkage on scored pairs alone: what a slow and plain way of doing it gives, and no more work than pairs."""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage import nearest
from linkage.nearest import Neighbours

MISSING, LEAST = -5, -2
Pair = tuple[int, int]


def joined(count: int, weights: Mapping[Pair, int], may_join: set[Pair], apart: set[Pair]) -> set[frozenset[int]]:
    """The groups that neighbours give, one best couple after the other."""
    found, group_of = Neighbours(MISSING, LEAST), {record: frozenset({record}) for record in range(count)}
    for record in range(count):
        found.add_group(record, 1, f"{record:02d}")
    for (one, other), weight in weights.items():
        found.add_pair(one, other, weight, may_join=(one, other) in may_join)
    found.begin()
    while best := found.next():
        both = group_of[best[0]] | group_of[best[1]]
        if not any(set(pair) <= both for pair in apart):
            found.join(*best)
            group_of |= dict.fromkeys(both, both)
    return {*group_of.values()}


def plainly(count: int, weights: Mapping[Pair, int], may_join: set[Pair], apart: set[Pair]) -> set[frozenset[int]]:
    """The same by looking at every couple of groups again after every step."""
    groups = {frozenset({record}) for record in range(count)}

    def mean(one: frozenset[int], other: frozenset[int]) -> Fraction:
        between = [(min(a, b), max(a, b)) for a in one for b in other]
        if not any(pair in may_join for pair in between):
            return Fraction(LEAST - 1)
        return Fraction(sum(weights.get(pair, MISSING) for pair in between), len(between))

    while True:
        couples = [
            (-mean(one, other), min(min(one), min(other)), max(min(one), min(other)), one, other)
            for one, other in combinations(sorted(groups, key=min), 2)
            if mean(one, other) >= LEAST and not any(set(pair) <= one | other for pair in apart)
        ]
        if not couples:
            return groups
        _, _, _, one, other = min(couples, key=lambda couple: couple[:3])
        groups = (groups - {one, other}) | {one | other}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[int, dict[Pair, int], set[Pair], set[Pair]]:
    count = draw(st.integers(2, 8))
    pairs = st.sampled_from(list(combinations(range(count), 2)))
    weights = draw(st.dictionaries(pairs, st.integers(-4, 20), max_size=20))
    strong = {pair for pair, weight in weights.items() if weight >= 8}
    return count, weights, strong, draw(st.sets(pairs, max_size=2))


@pytest.mark.property
@given(worlds())
def test_it_is_what_looking_at_every_couple_again_and_again_would_give(
    world: tuple[int, dict[Pair, int], set[Pair], set[Pair]],
) -> None:
    assert joined(*world) == plainly(*world)


@pytest.mark.property
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_in_which_pairs_are_told_changes_nothing(
    world: tuple[int, dict[Pair, int], set[Pair], set[Pair]], chance: random.Random
) -> None:
    count, weights, strong, apart = world
    pairs = list(weights.items())
    chance.shuffle(pairs)
    assert joined(count, dict(pairs), strong, apart) == joined(count, weights, strong, apart)


def test_ten_times_the_pairs_take_ten_times_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0
    push = heapq.heappush

    def counted(heap: list[tuple[float, ...]], offer: tuple[float, ...]) -> None:
        nonlocal steps
        steps += 1
        push(heap, offer)

    monkeypatch.setattr(nearest, "heappush", counted)

    def steps_of(households: int) -> int:
        nonlocal steps
        steps = 0
        weights = {}
        for first in range(0, households * 6, 6):
            for one, other in combinations(range(first, first + 6), 2):
                weights[one, other] = 5 + (one * 7 + other * 3) % 11
            weights[first + 5, first + 6] = 3  # a chain from one household to the next
        joined(households * 6 + 1, weights, {pair for pair, weight in weights.items() if weight >= 8}, set())
        return steps

    few, many = steps_of(20), steps_of(200)
    assert 0 < many <= 10.5 * few
