"""Average linkage on scored pairs: groups of records joined by their mean weight, so no single edge chains strangers.

Pairs that were never scored count as a fixed negative weight in every mean; records that must stay apart never meet,
not even through a third record. Weights are held as whole numbers, so the order of arrival cannot change a sum or a
tie (linkage handbook 9.3 and 9.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Records = NDArray[np.integer[Any]]  # numbers of records, as wide as the caller keeps them
    Bits = NDArray[np.float64]
    Pair = tuple[int, int]

#: What a pair counts, in bits, that was never a candidate; and the mean below which two groups are not joined.
MISSING_PAIR = -5.0
STOP = -2.0

_PARTS_OF_A_BIT = 1 << 20


def average_linkage(
    size: int,
    left: Records,
    right: Records,
    weight: NDArray[np.float64],
    *,
    missing: float = MISSING_PAIR,
    stop: float = STOP,
    together: Iterable[tuple[int, int]] = (),
    apart: Iterable[tuple[int, int]] = (),
) -> NDArray[np.int64]:
    """The group of every record 0 … `size` − 1, named by the smallest record in it.

    `left`, `right` and `weight` are the scored pairs, each once and in any order; of a pair given twice the last sum
    counts. `together` joins first, whatever the weights say; a pair in `apart` is never in one group. Raises
    `ValueError` when the two contradict each other.
    """
    together = list(together)
    if not together:
        # A record without any pair at the line stays alone: its pairs need not be carried along.
        import numpy as np

        living = np.zeros(size, dtype=bool)
        good = np.rint(weight * _PARTS_OF_A_BIT) >= round(stop * _PARTS_OF_A_BIT)
        living[left[good]] = living[right[good]] = True
        kept = np.flatnonzero(living[left] & living[right])
        left, right, weight = left[kept], right[kept], weight[kept]
    work = _Work(size, missing, stop)
    work.add_pairs(left, right, weight, apart)
    work.join_decided(together)
    while work.join_round():
        pass
    return work.names


class _Work:
    """Groups under way, each named by its smallest record, and the edges between them as arrays.

    An edge holds the sum of the weights between two groups, counted from the weight of a missing pair, so that pairs
    never scored add nothing. The mean of a joined group to any third lies between the two means it had before. So two
    groups that are each other's best can be joined at once, all such couples in one round, and a group whose best is
    below the line is finished: the result is that of joining the best pair of all again and again.
    """

    def __init__(self, size: int, missing: float, stop: float) -> None:
        import numpy as np

        self.missing = round(missing * _PARTS_OF_A_BIT)
        self.least = round(stop * _PARTS_OF_A_BIT) - self.missing
        if self.least <= 0:
            raise ValueError("the line must be above what a missing pair counts")
        self.names = np.arange(size, dtype=np.int64)
        self.count = np.ones(size, dtype=np.int64)

    def add_pairs(self, left: Records, right: Records, weight: Bits, apart: Iterable[Pair]) -> None:
        import numpy as np

        whole = np.rint(np.asarray(weight, dtype=np.float64) * _PARTS_OF_A_BIT).astype(np.int64) - self.missing
        low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right).astype(np.int64)
        never = np.array(sorted((min(pair), max(pair)) for pair in apart), dtype=np.int64).reshape(-1, 2)
        self.low, self.high = np.append(low, never[:, 0]), np.append(high, never[:, 1])
        self.sum = np.append(whole, np.zeros(len(never), dtype=np.int64))
        self.never = np.append(np.zeros(len(low), dtype=bool), np.ones(len(never), dtype=bool))
        self._gather(np.maximum)

    def join_decided(self, together: Iterable[Pair]) -> None:
        """Join pairs that belong together, whatever the weights say."""
        import numpy as np

        pairs = np.array(list(together), dtype=np.int64).reshape(-1, 2)
        if not len(pairs):
            return
        names = self.names
        while True:
            before = names.copy()
            lowest = names[pairs].min(axis=1)
            np.minimum.at(names, pairs.ravel(), lowest.repeat(2))
            names[:] = names[names]
            if (names == before).all():
                break
        self.count = np.bincount(names, minlength=len(names))
        if (self.never & (names[self.low] == names[self.high])).any():
            raise ValueError("two records must be together and apart at once; settle the decisions first")
        self._rename(names)

    def join_round(self) -> bool:
        """Join all couples of groups that are each other's best; say if there were any. Equal means: smallest first."""
        import numpy as np

        mean = self.sum / (self.count[self.low] * self.count[self.high])
        good = np.flatnonzero(~self.never & (mean >= self.least))
        if not len(good):
            return False
        order = good[np.lexsort((self.high[good], self.low[good], -mean[good]))]
        # A place in this order for each edge; the best of a group is its edge with the smallest place.
        place = np.arange(len(order))
        best = np.full(len(self.names), len(order))
        np.minimum.at(best, self.low[order], place)
        np.minimum.at(best, self.high[order], place)
        low, high = self.low[order], self.high[order]
        mutual = (best[low] == place) & (best[high] == place)
        kept, gone = low[mutual], high[mutual]
        self.count[kept] += self.count[gone]
        new = np.arange(len(self.names))
        new[gone] = kept
        self.names = new[self.names]
        living = (best[self.low] < len(order)) & (best[self.high] < len(order))
        self.low, self.high, self.sum, self.never = (v[living] for v in (self.low, self.high, self.sum, self.never))
        self._rename(new)
        return True

    def _rename(self, new: Numbers) -> None:
        import numpy as np

        self.low, self.high = new[self.low], new[self.high]
        self.low, self.high = np.minimum(self.low, self.high), np.maximum(self.low, self.high)
        self._gather(np.add)

    def _gather(self, way: np.ufunc) -> None:
        """One edge for every two groups; edges within a group go."""
        import numpy as np

        apart = self.low != self.high
        key = self.low[apart] * len(self.names) + self.high[apart]
        order = np.argsort(key, kind="stable")
        key = key[order]
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        self.low, self.high = np.divmod(key[starts], max(1, len(self.names)))
        if len(starts):
            self.sum = way.reduceat(self.sum[apart][order], starts)
            self.never = np.logical_or.reduceat(self.never[apart][order], starts)
        else:
            self.sum, self.never = self.sum[:0], self.never[:0]


def group_sizes(names: Sequence[int]) -> dict[int, int]:
    """How many groups there are of every size."""
    from collections import Counter

    return dict(sorted(Counter(Counter(names).values()).items()))
