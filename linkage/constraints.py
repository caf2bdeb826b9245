"""What people decided about records, and what of it may be followed: chains, protected records, the do-not-link list.

An ordinary reviewer's "same" cannot join two different verified numbers: only an authorised notice can, and nothing at
all joins against the do-not-link list or joins a protected record (governance PRO-1, PRO-3 and PRO-4).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """One source record as far as grouping needs it. `key` orders records the same way whatever their numbers."""

    record_id: int
    key: str
    source: str
    verified_number: str | None
    birth_year: int | None
    is_restricted: bool = False


@dataclass(frozen=True, slots=True)
class Constraints:
    """What reviewers decided about pairs (left < right): together, apart, undecided, or contradicting each other."""

    together: frozenset[tuple[int, int]] = frozenset()
    apart: frozenset[tuple[int, int]] = frozenset()
    undecided: frozenset[tuple[int, int]] = frozenset()
    attention: frozenset[tuple[int, int]] = frozenset()
    ordinary: frozenset[tuple[int, int]] = frozenset()  # of `together`: without an authorised notice (PRO-3)
    never: frozenset[tuple[int, int]] = frozenset()  # pairs of the do-not-link list, above everything (PRO-4)
    alone: frozenset[int] = frozenset()  # records of that list that no other may join

    @property
    def decided(self) -> frozenset[tuple[int, int]]:
        """Every pair that reviewers decided."""
        return self.together | self.apart | self.undecided | self.attention


def components(pairs: Iterable[tuple[int, int]], present: Container[int] | None = None) -> dict[int, int]:
    """Record -> smallest record it is joined to by a chain of pairs; only records that are `present`, when given."""
    parent: dict[int, int] = {}

    def root(record: int) -> int:
        parent.setdefault(record, record)
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for left, right in sorted(pairs):
        one, other = root(left), root(right)
        parent[max(one, other)] = min(one, other)
    first: dict[int, int] = {}
    found = [(record, root(record)) for record in sorted(parent) if present is None or record in present]
    for record, name in found:
        first.setdefault(name, record)
    return {record: first[name] for record, name in found}


def allowed_joins(nodes: Mapping[int, Node], constraints: Constraints) -> frozenset[tuple[int, int]]:
    """The pairs of `together` that may be joined. Of a chain that breaks a rule nothing is guessed:

    a chain with a pair of the do-not-link list joins nobody; one with more verified numbers than a notice brought
    together keeps only what notices say.
    """
    free = {
        pair
        for pair in constraints.together
        if not any(r in constraints.alone or (r in nodes and nodes[r].is_restricted) for r in pair)
    }
    chain = components(free)
    banned = {chain[left] for left, right in constraints.never if left in chain and chain[left] == chain.get(right)}
    free = {pair for pair in free if chain[pair[0]] not in banned}
    noticed = components(free - constraints.ordinary)
    numbers: dict[int, set[str]] = {}
    together: dict[int, dict[int, set[str]]] = {}
    for record, name in chain.items():
        number = nodes[record].verified_number if record in nodes else None
        if number is not None:
            numbers.setdefault(name, set()).add(number)
            together.setdefault(name, {}).setdefault(noticed.get(record, record), set()).add(number)
    clashing = {
        name for name, found in numbers.items() if len(found) > max(len(part) for part in together[name].values())
    }
    return frozenset(pair for pair in free if chain[pair[0]] not in clashing or pair not in constraints.ordinary)
