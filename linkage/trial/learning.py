"""A model learnt from the files alone: how often levels agree among strangers (u) and among the same people (m).

The chance that a pair is a match depends on its levels, not on how it was found; so one EM over the pattern counts of
all candidates, with u fixed from random pairs, needs no correction for what a rule blocks on (handbook 7.3). Random
pairs that the model takes to be matches are left out of u, which matters where one person has many records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Levels = NDArray[np.uint8]

MISSING = 255
_ROUNDS = 60
_HALF_A_COUNT = 0.5
_FIRST_EQUAL = 0.85


@dataclass(frozen=True, slots=True)
class Weights:
    """m and u of every level of every comparison, the share of matches among all pairs, and counts behind m."""

    m: tuple[NDArray[np.float64], ...]
    u: tuple[NDArray[np.float64], ...]
    share: float
    observed: tuple[NDArray[np.float64], ...]

    @property
    def start(self) -> float:
        """The starting weight in bits."""
        from math import log2

        return log2(self.share / (1 - self.share))


def learn(
    candidates: Levels, random: Levels, sizes: Sequence[int], *, possible: int, first: Weights | None = None
) -> Weights:
    """Learn from the levels of all candidate pairs and of random pairs (one row a pair, `MISSING` where unknown).

    `sizes` is the number of levels of each comparison, `possible` the number of all pairs the candidates stem from.
    """
    import numpy as np

    patterns, counts = pattern_counts(candidates)
    random_patterns, random_counts = pattern_counts(random)
    shown = [_counted(random_patterns, random_counts, n, size) for n, size in enumerate(sizes)]
    u = [_smoothed(s, random_counts.sum()) for s in shown]
    m = [np.array(v) for v in first.m] if first else [_first_m(size) for size in sizes]
    share = first.share if first else min(0.01, len(candidates) ** 0.5 / possible)
    observed = [np.zeros(size) for size in sizes]
    for _ in range(_ROUNDS):
        posterior = _posterior(patterns, m, u, share) * counts
        observed = [_counted(patterns, posterior, n, size) for n, size in enumerate(sizes)]
        m = [_smoothed(found) for found in observed]
        new_share = min(0.5, max(float(posterior.sum()), 1.0) / possible)
        strangers = (1 - _posterior(random_patterns, m, u, new_share)) * random_counts
        u = [_smoothed(_counted(random_patterns, strangers, n, size)) for n, size in enumerate(sizes)]
        if abs(new_share - share) < 1e-6 * share:
            break
        share = new_share
    return Weights(tuple(m), tuple(u), new_share, tuple(observed))


def pattern_counts(levels: Levels) -> tuple[Levels, NDArray[np.float64]]:
    """Every pattern of levels that occurs, and how often."""
    import numpy as np

    if not levels.size:
        return levels, np.zeros(len(levels))
    packed = np.ascontiguousarray(levels).view(np.dtype((np.void, levels.shape[1]))).ravel()
    _, first, counts = np.unique(packed, return_index=True, return_counts=True)
    return levels[first], counts.astype(np.float64)


def bits(levels: Levels, weights: Weights) -> NDArray[np.float64]:
    """The sum of the weights of all comparisons and the starting weight, for each row of levels."""
    import numpy as np

    total = np.full(len(levels), weights.start)
    for column, (m, u) in enumerate(zip(weights.m, weights.u, strict=True)):
        total += np.append(np.log2(m / u), np.zeros(MISSING + 1 - len(m)))[levels[:, column]]
    return total


def _posterior(
    patterns: Levels, m: Sequence[NDArray[np.float64]], u: Sequence[NDArray[np.float64]], share: float
) -> NDArray[np.float64]:
    import numpy as np

    odds = bits(patterns, Weights(tuple(m), tuple(u), share, ()))
    return 1 / (1 + np.exp2(-np.clip(odds, -500, 500)))


def _counted(patterns: Levels, counts: NDArray[np.float64], column: int, size: int) -> NDArray[np.float64]:
    import numpy as np

    return np.bincount(patterns[:, column], weights=counts, minlength=MISSING + 1)[:size]


def _smoothed(found: NDArray[np.float64], _: float = 0.0) -> NDArray[np.float64]:
    result: NDArray[np.float64] = (found + _HALF_A_COUNT) / (found + _HALF_A_COUNT).sum()
    return result


def _first_m(size: int) -> NDArray[np.float64]:
    """Best level likely, every next one half as likely as the one before, nothing impossible."""
    import numpy as np

    rest = 0.7 ** np.arange(size - 1)
    return np.append(_FIRST_EQUAL, (1 - _FIRST_EQUAL) * rest / rest.sum()) if size > 1 else np.ones(1)
