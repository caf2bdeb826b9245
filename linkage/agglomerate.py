"""Average linkage on scored pairs: groups of records joined by their mean weight, so no single edge chains strangers.

Pairs that were never scored count as a fixed negative weight in every mean; records that must stay apart never meet,
not even through a third record. Weights are held as whole numbers, so the order of arrival cannot change a sum or a
tie (linkage handbook 9.3 and 9.4).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: What a pair counts, in bits, that was never a candidate; and the mean below which two groups are not joined.
MISSING_PAIR = -5.0
STOP = -2.0

_PARTS_OF_A_BIT = 1 << 20
_NEVER = -(1 << 60)
_FORBIDDEN = _NEVER // 2  # any sum at or below this holds a pair that must stay apart


def average_linkage(
    size: int,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
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
    work = _Work(size, missing, stop)
    work.add_pairs(left, right, weight)
    for one, other in apart:
        work.forbid(one, other)
    for one, other in sorted((min(pair), max(pair)) for pair in together):
        work.join_decided(one, other)
    work.join_all()
    return work.names()


class _Work:
    """Groups under way; a group is held under one of its records and ordered by its smallest.

    `sums[a][b]` is the sum of the weights between two groups, counted from the weight of a missing pair, so that pairs
    never scored add nothing. The mean of a joined group to any third is between the two means it had before, so an
    entry of the heap can only promise too much, never too little: it is put right when it comes up.
    """

    def __init__(self, size: int, missing: float, stop: float) -> None:
        self.missing = round(missing * _PARTS_OF_A_BIT)
        self.least = round(stop * _PARTS_OF_A_BIT) - self.missing
        if self.least <= 0:
            raise ValueError("the line must be above what a missing pair counts")
        self.sums: dict[int, dict[int, int]] = {}
        self.count = [1] * size
        self.parent = list(range(size))
        self.smallest = list(range(size))

    def add_pairs(self, left: NDArray[np.int64], right: NDArray[np.int64], weight: NDArray[np.float64]) -> None:
        import numpy as np

        if not len(left):
            return
        whole = np.rint(np.asarray(weight, dtype=np.float64) * _PARTS_OF_A_BIT).astype(np.int64) - self.missing
        side = np.concatenate([left, right]).astype(np.int64)
        near = np.concatenate([right, left]).astype(np.int64)
        value = np.concatenate([whole, whole])
        order = np.lexsort((value, near, side))
        side, near, value = side[order], near[order], value[order]
        starts = np.flatnonzero(np.diff(side, prepend=-1))
        ends = np.append(starts[1:], len(side))
        records, neighbours, values = side[starts].tolist(), near.tolist(), value.tolist()
        for record, start, end in zip(records, starts.tolist(), ends.tolist(), strict=True):
            found = dict(zip(neighbours[start:end], values[start:end], strict=True))
            found.pop(record, None)
            self.sums[record] = found

    def forbid(self, one: int, other: int) -> None:
        self.sums.setdefault(one, {})[other] = _NEVER
        self.sums.setdefault(other, {})[one] = _NEVER

    def join_decided(self, one: int, other: int) -> None:
        a, b = self.find(one), self.find(other)
        if a == b:
            return
        if self.sums.get(a, {}).get(b, 0) <= _FORBIDDEN:
            raise ValueError("two records must be together and apart at once; settle the decisions first")
        self._merge(a, b)

    def join_all(self) -> None:
        """Join the two groups of the highest mean until none reaches the line; equal means: smallest numbers first."""
        heap = [
            self._entry(one, other, value)
            for one, near in self.sums.items()
            for other, value in near.items()
            if one < other and value >= self.least * self.count[one] * self.count[other]
        ]
        heapq.heapify(heap)
        while heap:
            entry = heapq.heappop(heap)
            one, other = self.find(entry[1]), self.find(entry[2])
            if one == other:
                continue
            value = self.sums[one].get(other, 0)
            now = self._entry(one, other, value)
            if now == entry:
                self._merge(one, other)
            elif value >= self.least * self.count[one] * self.count[other]:
                heapq.heappush(heap, now)

    def find(self, record: int) -> int:
        parent = self.parent
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    def names(self) -> NDArray[np.int64]:
        import numpy as np

        return np.array([self.smallest[self.find(r)] for r in range(len(self.parent))], dtype=np.int64)

    def _entry(self, one: int, other: int, value: int) -> tuple[float, int, int]:
        a, b = self.smallest[one], self.smallest[other]
        return -value / (self.count[one] * self.count[other]), min(a, b), max(a, b)

    def _merge(self, one: int, other: int) -> None:
        sums = self.sums
        kept, gone = one, other
        if len(sums.get(kept, ())) < len(sums.get(gone, ())):
            kept, gone = gone, kept
        mine, moved = sums.setdefault(kept, {}), sums.pop(gone, {})
        mine.pop(gone, None)
        moved.pop(kept, None)
        for near, value in moved.items():
            total = mine.get(near, 0) + value
            total = total if total > _FORBIDDEN else _NEVER
            back = sums[near]
            del back[gone]
            mine[near] = back[kept] = total
        self.parent[gone] = kept
        self.count[kept] += self.count[gone]
        self.smallest[kept] = min(self.smallest[kept], self.smallest[gone])


def group_sizes(names: Sequence[int]) -> dict[int, int]:
    """How many groups there are of every size."""
    from collections import Counter

    return dict(sorted(Counter(Counter(names).values()).items()))
