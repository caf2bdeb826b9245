"""A model learnt from the files alone: how often levels agree among strangers (u) and among the same people (m).

The chance that a pair is a match depends on its levels, not on how it was found; so one EM over the pattern counts of
all candidates, with u fixed from random pairs, needs no correction for what a rule blocks on (handbook 7.3). Random
pairs that the model takes to be matches are left out of u, which matters where one person has many records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Cells = NDArray[np.uint16]
    Bits = NDArray[np.float64]
    Counted = tuple[Cells, Bits]

MISSING = 255  # the level of a comparison of which one side has no value
NO_CELL = 65_535  # the cell of a group of which nothing is known on both sides
Shape = tuple[int, ...]
_ROUNDS = 60


class Plan(Protocol):
    """What learning has to know of a group: the number of states of each of its fields, and a limit on its last."""

    @property
    def shape(self) -> Shape: ...

    @property
    def most_different(self) -> float: ...


class Imagined(Protocol):
    """Pairs imagined before any is seen, for each field and state of a group: of the same people, of strangers."""

    @property
    def m(self) -> Sequence[NDArray[np.float64]]: ...

    @property
    def u(self) -> Sequence[NDArray[np.float64]]: ...


_HALF_A_COUNT = 0.5
_MUCH = 1_000.0
_FIRST_EQUAL = 0.85


@dataclass(frozen=True, slots=True)
class Weights:
    """m and u of every cell of every group, given which of its fields are known; and the share of matches."""

    m: tuple[NDArray[np.float64], ...]
    u: tuple[NDArray[np.float64], ...]
    share: float
    observed: tuple[NDArray[np.float64], ...] = ()
    matches: float | None = None  # pairs of the same people that the learning found

    @property
    def start(self) -> float:
        """The starting weight in bits."""
        from math import log2

        return log2(self.share / (1 - self.share))


def learn(
    candidates: Counted,
    random: Counted,
    plan: Sequence[Plan],
    priors: Sequence[Imagined],
    *,
    possible: int,
    guard: Callable[[Cells, Weights], Bits],
) -> Weights:
    """Learn from the patterns of cells (`NO_CELL` where unknown) of all candidate pairs and of random pairs.

    `priors` are what is known before, as imagined pairs; `possible` is the number of all pairs the candidates stem
    from; `guard` gives the bits that a row gets beside those weights.
    """
    patterns, counts = candidates
    strangers, random_counts = random
    shapes = [p.shape for p in plan]

    def of_strangers(times: Bits) -> list[Bits]:
        found = (_counted(strangers, times, n, shape) for n, shape in enumerate(shapes))
        return [_shares(f, shape, p.u) for f, shape, p in zip(found, shapes, priors, strict=True)]

    u = of_strangers(random_counts)
    m = [_first_m(shape) for shape in shapes]
    share = min(0.01, max(1.0, float(counts.sum())) ** 0.5 / possible)
    found: list[NDArray[np.float64]] = []
    for _ in range(_ROUNDS):
        posterior = _posterior(patterns, Weights(tuple(m), tuple(u), share), guard) * counts
        found = [_counted(patterns, posterior, n, shape) for n, shape in enumerate(shapes)]
        m = [
            _capped(_shares(f, p.shape, known.m), p.most_different)
            for f, p, known in zip(found, plan, priors, strict=True)
        ]
        new_share = min(0.5, max(float(posterior.sum()), 1.0) / possible)
        others = (1 - _posterior(strangers, Weights(tuple(m), tuple(u), new_share), guard)) * random_counts
        u = of_strangers(others)
        if abs(new_share - share) < 1e-6 * share:
            break
        share = new_share
    return Weights(tuple(m), tuple(u), new_share, tuple(found), new_share * possible)


def pattern_counts(levels: Cells, times: Bits) -> Counted:
    """Every pattern of cells that occurs, and how often; each row occurs as many `times`."""
    import numpy as np

    if not levels.size:
        return levels, times
    # Each pattern as one whole number, digits in the base that its column needs; missing is the digit 0.
    digits = levels.astype(np.int64) + 1
    digits[levels == NO_CELL] = 0
    if np.prod((digits.max(axis=0) + 1).astype(np.float64)) >= 2.0**63:
        _, first, number = np.unique(levels, axis=0, return_index=True, return_inverse=True)
        return levels[first], np.bincount(number.ravel(), weights=times).astype(np.float64)
    packed = np.zeros(len(levels), dtype=np.int64)
    for column in range(levels.shape[1]):
        packed = packed * (digits[:, column].max() + 1) + digits[:, column]
    _, first, number = np.unique(packed, return_index=True, return_inverse=True)
    return levels[first], np.bincount(number, weights=times).astype(np.float64)


def bits(cells: Cells, weights: Weights) -> NDArray[np.float64]:
    """The sum of the weights of all groups and the starting weight, for each row of cells."""
    import numpy as np

    total = np.full(len(cells), weights.start)
    for column, (m, u) in enumerate(zip(weights.m, weights.u, strict=True)):
        total += np.append(np.log2(m / u), 0.0)[np.minimum(cells[:, column], len(m))]
    return total


def _posterior(patterns: Cells, weights: Weights, guard: Callable[[Cells, Weights], Bits]) -> Bits:
    import numpy as np

    return 1 / (1 + np.exp2(-np.clip(bits(patterns, weights) + guard(patterns, weights), -500, 500)))


def _capped(shares: Bits, most: float) -> Bits:
    """The last level at most `most`, what is left over going to the other levels as they are."""
    if shares[-1] <= most or len(shares) < 3:
        return shares
    result = shares.copy()
    result[1:-1] *= (1 - most) / result[1:-1].sum()
    result[-1] = most
    return result


def _counted(patterns: Cells, counts: NDArray[np.float64], column: int, shape: Shape) -> NDArray[np.float64]:
    import numpy as np

    size = int(np.prod([n + 1 for n in shape]))
    counted = np.bincount(np.minimum(patterns[:, column], size), weights=counts, minlength=size + 1)[:size]
    return counted.astype(np.float64)


def _shares(found: NDArray[np.float64], shape: Shape, imagined: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The chance of every cell, given which fields of its group are known: missing values weigh nothing.

    To what was counted come the imagined pairs, and up to half a count in every state the more there is to learn from:
    a level that never came up among a dozen pairs is no surprise, among thousands it is. Where fields are combined,
    what the counts say about their going together is shrunk towards independence by half a count.
    """
    import numpy as np

    table = found.reshape([n + 1 for n in shape])
    result = np.ones_like(table)
    apart = np.ones_like(table)
    known = np.zeros(table.shape, dtype=np.int64)
    for axis, size in enumerate(shape):
        others = tuple(a for a in range(len(shape)) if a != axis)
        counts = table.sum(axis=others)[1:]
        counts = counts + imagined[axis] + _HALF_A_COUNT * counts.sum() / (counts.sum() + _MUCH)
        along = [1] * len(shape)
        along[axis] = size + 1
        apart = apart * np.append(1.0, counts / counts.sum()).reshape(along)
        known = known * 2 + (np.arange(size + 1) > 0).reshape(along)
    for pattern in np.unique(known):
        here = known == pattern
        expected = apart[here] * table[here].sum()
        value = apart[here] * (table[here] + _HALF_A_COUNT) / (expected + _HALF_A_COUNT)
        result[here] = value / value.sum()
    return result.ravel()


def _first_m(shape: Shape) -> NDArray[np.float64]:
    """Best level likely, every next one less likely than the one before, nothing impossible."""
    import numpy as np

    made = np.ones(1)
    for size in shape:
        rest = 0.7 ** np.arange(size - 1)
        one = np.append(_FIRST_EQUAL, (1 - _FIRST_EQUAL) * rest / rest.sum()) if size > 1 else np.ones(1)
        made = np.outer(made, np.append(1.0, one)).ravel()
    return made
