"""Average linkage: decided pairs are kept, arrival does not matter, and groups are those of the plain definition."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.agglomerate import MISSING_PAIR, STOP, average_linkage

Pair = tuple[int, int]
RECORDS = 9
PAIRS = list(combinations(range(RECORDS), 2))
a_pair = st.sampled_from(PAIRS)
scored_pairs = st.dictionaries(a_pair, st.integers(-2_000, 2_000).map(lambda n: n / 100), max_size=len(PAIRS))


def grouped(scored: dict[Pair, float], **decided: set[Pair]) -> list[int]:
    left, right = ([pair[side] for pair in scored] for side in (0, 1))
    found = average_linkage(RECORDS, np.array(left, dtype=np.int64), np.array(right, dtype=np.int64),
                            np.array(list(scored.values())), **decided)  # fmt: skip
    return [int(name) for name in found]


def by_definition(scored: dict[Pair, float]) -> list[int]:
    """Join the two groups of the highest mean, looking at every pair of groups again each time."""
    whole = {pair: round(weight * 2**20) for pair, weight in scored.items()}
    groups = [frozenset({record}) for record in range(RECORDS)]
    while True:
        means = [
            (-sum(whole.get((min(a, b), max(a, b)), round(MISSING_PAIR * 2**20)) for a in one for b in other)
             / (len(one) * len(other)), *sorted((min(one), min(other))), one, other)
            for one, other in combinations(groups, 2)
        ]  # fmt: skip
        best = min(means, key=lambda mean: mean[:3], default=None)
        if best is None or -best[0] < STOP * 2**20:
            return [min(next(group for group in groups if record in group)) for record in range(RECORDS)]
        groups = [group for group in groups if group not in best[3:]] + [best[3] | best[4]]


@settings(max_examples=150, deadline=None)
@given(st.permutations(range(len(PAIRS))), st.data())
def test_groups_are_those_of_the_plain_definition(order: list[int], data: st.DataObject) -> None:
    # Weights without equal means, so that the definition has one answer.
    chosen = data.draw(st.sets(st.sampled_from(range(len(PAIRS)))))
    scored = {PAIRS[place]: (order[place] - 15) * 0.9 + 0.001 * 1.37 ** order[place] for place in chosen}
    assert grouped(scored) == by_definition(scored)


@settings(max_examples=100, deadline=None)
@given(scored_pairs, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(scored: dict[Pair, float], chance: object) -> None:
    pairs = list(scored)
    chance.shuffle(pairs)  # type: ignore[attr-defined]
    assert grouped({pair: scored[pair] for pair in pairs}) == grouped(scored)


@settings(max_examples=150, deadline=None)
@given(scored_pairs, st.sets(a_pair, max_size=6))
def test_records_kept_apart_never_meet(scored: dict[Pair, float], apart: set[Pair]) -> None:
    names = grouped(scored, apart=apart)
    assert not any(names[one] == names[other] for one, other in apart)


def test_records_kept_apart_do_not_meet_through_a_third() -> None:
    names = grouped({(0, 1): 30.0, (1, 2): 29.0, (0, 2): 28.0}, apart={(0, 2)})
    assert names[:3] == [0, 0, 2]


def test_records_decided_to_be_one_are_joined_against_all_weights() -> None:
    names = grouped({(0, 1): -40.0, (1, 2): -40.0}, together={(0, 1), (1, 2)})
    assert names[:3] == [0, 0, 0]


def test_decisions_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="settle the decisions"):
        grouped({}, together={(0, 1), (1, 2)}, apart={(0, 2)})


def test_one_weak_pair_does_not_chain_two_groups() -> None:
    first = dict.fromkeys(combinations(range(4), 2), 20.0)
    second = dict.fromkeys(combinations(range(4, 8), 2), 20.0)
    assert grouped(first | second | {(3, 4): 12.0}) == [0] * 4 + [4] * 4 + [8]


def test_many_records_are_grouped_as_they_were_made() -> None:
    chance = np.random.default_rng(7)
    truth = np.sort(chance.integers(0, 900, 9_000))
    starts = np.searchsorted(truth, np.arange(901))
    pairs = [pair for a, b in pairwise(starts) for pair in combinations(range(a, b), 2)]
    noise = np.sort(chance.integers(0, 9_000, (60_000, 2)), axis=1)
    noise = noise[truth[noise[:, 0]] != truth[noise[:, 1]]]
    left, right = np.concatenate([np.array(pairs), np.unique(noise, axis=0)]).T
    weight = np.where(truth[left] == truth[right], chance.normal(15, 5, len(left)), chance.normal(-9, 4, len(left)))
    assert np.array_equal(average_linkage(9_000, left, right, weight), starts[truth])
