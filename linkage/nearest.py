"""Which two groups to join next: those whose pairs have the highest mean weight, so no single edge chains strangers.

Sparse average linkage (linkage handbook 9.3): only groups with a scored pair between them are neighbours, and every
pair that was never a candidate counts as a fixed negative weight. Sums are whole numbers and ties go by name, so the
order of arrival changes nothing; the work grows with the number of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush


@dataclass(slots=True)
class _Between:
    """What is known of the pairs between two groups: the sum of what their weights are above a missing pair."""

    above: int = 0
    may_join: bool = False


_Ready = tuple[float, str, str, int, int, int]  # best first: mean, names, groups, number of pairs


class Neighbours:
    """Groups, each told by one of its records, and what lies between those that share a scored pair.

    `missing` is what a pair counts that was never a candidate, `least` the mean below which nobody is joined; weights
    are whole numbers.
    """

    def __init__(self, missing: int, least: float) -> None:
        self._missing, self._least = missing, least
        self._near: dict[int, dict[int, _Between]] = {}
        self._size: dict[int, int] = {}
        self._name: dict[int, str] = {}
        self._ready: list[_Ready] = []

    def add_group(self, record: int, size: int, name: str) -> None:
        """A group of `size` records, told by one of them."""
        self._near[record], self._size[record], self._name[record] = {}, size, name

    def add_pair(self, one: int, other: int, weight: int, *, may_join: bool) -> None:
        """A scored pair between two groups. Groups between which none `may_join` are never offered."""
        between = self._near[one].get(other)
        if between is None:
            between = self._near[one][other] = self._near[other][one] = _Between()
        between.above += weight - self._missing
        between.may_join |= may_join

    def begin(self) -> None:
        """Put all neighbours in order, after the last group and pair."""
        found = (self._offer(one, other) for one, near in self._near.items() for other in near if one < other)
        self._ready = [offer for offer in found if offer]
        heapify(self._ready)

    def next(self) -> tuple[int, int] | None:
        """The two groups to join next; they are not offered again unless one of them grows. None at the end."""
        while self._ready:
            _, _, _, one, other, pairs = heappop(self._ready)
            # Of groups that have grown since there is a newer offer.
            if other in self._near.get(one, ()) and self._size[one] * self._size[other] == pairs:
                return one, other
        return None

    def join(self, one: int, other: int) -> None:
        """The two are one group from now on."""
        if len(self._near[one]) < len(self._near[other]):
            one, other = other, one
        near = self._near[one]
        self._size[one] += self._size.pop(other)
        self._name[one] = min(self._name[one], self._name.pop(other))
        del near[other]
        for third, between in self._near.pop(other).items():
            if third == one:
                continue
            del self._near[third][other]
            if third in near:
                near[third].above += between.above
                near[third].may_join |= between.may_join
            else:
                near[third] = self._near[third][one] = between
        for third in near:
            offer = self._offer(one, third)
            if offer:
                heappush(self._ready, offer)

    def _offer(self, one: int, other: int) -> _Ready | None:
        between, pairs = self._near[one][other], self._size[one] * self._size[other]
        mean = (between.above + pairs * self._missing) / pairs
        if not between.may_join or mean < self._least:
            return None
        first, second = sorted((self._name[one], self._name[other]))
        return -mean, first, second, one, other, pairs
