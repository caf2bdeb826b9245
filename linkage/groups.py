"""One group of records under way to be a person: what it holds, and why it may not become one with another.

The guards of a group never give way to weight: two verified numbers, what people parted, too many records of one
source, birth dates far apart (sources 9.3, linkage handbook 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from linkage.constraints import Node

_MOST_OF_ONE_SOURCE = 2
_MOST_YEARS_APART = 10


@dataclass(slots=True)
class Group:
    """Records, how many of each source, their verified numbers and their years of birth."""

    members: list[int]
    sources: dict[str, int]
    numbers: set[str]
    years: set[int]

    def absorb(self, other: Group) -> None:
        """The records of the other are of this group from now on."""
        self.members.extend(other.members)
        self.numbers |= other.numbers
        self.years |= other.years
        for source, count in other.sources.items():
            self.sources[source] = self.sources.get(source, 0) + count

    def excludes(self, other: Group) -> bool:
        """Could the two hardly be one person: records of one source, or different verified numbers?"""
        if self is other:
            return False
        return bool(self.sources.keys() & other.sources.keys()) or (
            bool(self.numbers) and bool(other.numbers) and not self.numbers & other.numbers
        )


def single(node: Node) -> Group:
    """The group of one record."""
    return Group(
        [node.record_id],
        {node.source: 1},
        {node.verified_number} if node.verified_number else set(),
        {node.birth_year} if node.birth_year else set(),
    )


def guard(left: Group, right: Group, apart: Mapping[int, set[int]], *, by_source: bool = True) -> str:
    """Why the two may not be one; empty when they may.

    What a source says of its own records, or a verified number, is not bound by the guards against likeness
    (`by_source` false).
    """
    if any(apart.get(member, set()) & set(right.members) for member in left.members):
        return "group_not_same"
    if len(left.numbers | right.numbers) > max(1, len(left.numbers), len(right.numbers)):
        return "group_conflict"
    if by_source:
        shared = left.sources.keys() & right.sources.keys()
        if any(left.sources[source] + right.sources[source] > _MOST_OF_ONE_SOURCE for source in shared):
            return "group_too_many"
        years = left.years | right.years
        if left.years and right.years and max(years) - min(years) > _MOST_YEARS_APART:
            return "group_birth_dates"
    return ""
