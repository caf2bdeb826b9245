"""What people decided about records, and what of it may be followed: chains, protected records, the do-not-link list.

An ordinary reviewer's "same" cannot join two different verified numbers: only an authorised notice can, and nothing at
all joins against the do-not-link list or joins a protected record (governance PRO-1, PRO-3 and PRO-4). Where people
contradict each other, what was believed last stays until somebody decides (governance F71).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace


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
    ordinary: frozenset[tuple[int, int]] = frozenset()  # decided without an authorised notice (PRO-3)
    never: frozenset[tuple[int, int]] = frozenset()  # pairs of the do-not-link list, above everything (PRO-4)
    alone: frozenset[int] = frozenset()  # records of that list that no other may join
    believed: frozenset[tuple[int, int]] = frozenset()  # decided pairs that were last believed to be one person
    held: frozenset[tuple[int, int]] = frozenset()  # of `attention`: stay together until somebody decides (F71)

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


def settled(nodes: Mapping[int, Node], constraints: Constraints) -> Constraints:
    """The constraints with every contradiction held as it was last believed, until somebody decides (governance F71).

    A contradicted pair that was believed one person stays one, unless a guard forbids it; any other stays apart. What
    people said besides, and what cannot be followed together with that, contradicts it and needs attention as well.
    Settling what was settled changes nothing, so that a run without news believes what the run before believed.
    """
    while True:
        found = _contradicted(nodes, constraints)
        parted = (found.attention & found.believed) - found.held
        if not parted:
            return found
        # A guard parts them: from now on they count as never met, and what contradicted them only together does not.
        constraints = replace(constraints, believed=constraints.believed - parted)


def _contradicted(nodes: Mapping[int, Node], constraints: Constraints) -> Constraints:
    while True:
        held = _held(nodes, constraints)
        chain = components(constraints.together | held)
        parted = (constraints.apart | constraints.attention) - held
        broken = {chain[left] for left, right in parted if _is_inside((left, right), chain)}
        more = frozenset(
            pair
            for pair in constraints.together | constraints.apart
            if _is_inside(pair, chain) and chain[pair[0]] in broken
        )
        if not more:
            return replace(constraints, held=held)
        constraints = replace(
            constraints,
            together=constraints.together - more,
            apart=constraints.apart - more,
            attention=constraints.attention | more,
        )


def allowed_joins(nodes: Mapping[int, Node], constraints: Constraints) -> frozenset[tuple[int, int]]:
    """The pairs of `together` that may be joined, with those that are held together. Of a chain that breaks a rule
    nothing is guessed:

    a chain with a pair of the do-not-link list joins nobody; one with more verified numbers than a notice brought
    together keeps only what notices say.
    """
    asked = _free(nodes, constraints, constraints.together)
    return _followed(nodes, constraints, asked, constraints.held) | constraints.held


def _held(nodes: Mapping[int, Node], constraints: Constraints) -> frozenset[tuple[int, int]]:
    """The contradicted pairs that stay together: last believed one person, and no guard forbids it now."""
    believed = constraints.attention & constraints.believed
    asked = _free(nodes, constraints, constraints.together)
    kept = _free(nodes, constraints, believed)
    # Beside notices that are followed; what officers or other contradictions keep apart parts a whole chain.
    chain, banned = _banned(asked | kept, constraints.never)
    noticed = frozenset(pair for pair in asked - constraints.ordinary if chain[pair[0]] not in banned)
    strict = replace(constraints, never=constraints.never | (constraints.attention - believed))
    linked = components(_followed(nodes, strict, kept, noticed))
    return frozenset(pair for pair in believed if _is_inside(pair, linked))


def _free(
    nodes: Mapping[int, Node], constraints: Constraints, pairs: frozenset[tuple[int, int]]
) -> frozenset[tuple[int, int]]:
    """The pairs without a protected record and without one that joins no other."""
    return frozenset(
        pair
        for pair in pairs
        if not any(r in constraints.alone or (r in nodes and nodes[r].is_restricted) for r in pair)
    )


def _followed(
    nodes: Mapping[int, Node],
    constraints: Constraints,
    asked: frozenset[tuple[int, int]],
    given: frozenset[tuple[int, int]],
) -> frozenset[tuple[int, int]]:
    """Those of the pairs `asked` for that may be joined where the pairs `given` are joined already."""
    chain, banned = _banned(asked | given, constraints.never)
    asked = frozenset(pair for pair in asked if chain[pair[0]] not in banned)
    certain = components((asked - constraints.ordinary) | given)
    numbers: dict[int, set[str]] = {}
    together: dict[int, dict[int, set[str]]] = {}
    for record, name in chain.items():
        number = nodes[record].verified_number if record in nodes else None
        if number is not None:
            numbers.setdefault(name, set()).add(number)
            together.setdefault(name, {}).setdefault(certain.get(record, record), set()).add(number)
    clashing = {
        name for name, found in numbers.items() if len(found) > max(len(part) for part in together[name].values())
    }
    return frozenset(pair for pair in asked if chain[pair[0]] not in clashing or pair not in constraints.ordinary)


def _banned(pairs: frozenset[tuple[int, int]], never: frozenset[tuple[int, int]]) -> tuple[dict[int, int], set[int]]:
    """The chains of the pairs, and which of them would join two records that must never meet."""
    chain = components(pairs)
    return chain, {chain[left] for left, right in never if _is_inside((left, right), chain)}


def _is_inside(pair: tuple[int, int], chain: Mapping[int, int]) -> bool:
    return pair[0] in chain and chain[pair[0]] == chain.get(pair[1])
