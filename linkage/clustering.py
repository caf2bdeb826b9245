"""From pairs to people: groups of records that belong to one person, formed step by step under hard guards.

Human decisions come first and are never overruled, links by rule next, strongest first; then the two groups with the
highest mean weight are joined, again and again. No guard may object: a group that holds two verified numbers or a pair
that a reviewer parted can never form, not even through a third record (linkage handbook 9, sources 9.3). The result
does not depend on the order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from linkage.constraints import Constraints, Node, allowed_joins, components, settled
from linkage.deterministic import Rule
from linkage.groups import Group, guard, single
from linkage.model import Bands
from linkage.nearest import Neighbours

__all__ = ["Constraints", "Edge", "Grouping", "Node", "group_records"]

_RANK = {rule.value: rank for rank, rule in enumerate(Rule)}
_PROVEN = frozenset(
    {
        Rule.HUMAN.value,
        Rule.NHS_VERIFIED.value,
        Rule.MARKED_DUPLICATE.value,
        Rule.NHS_CROSS_CHECKED.value,
        Rule.CROSS_REFERENCE.value,
    }
)
_PROVEN_WEIGHT = (
    40.0  # what a link by rule counts in a group's mean: more than any demographic agreement can contradict
)
_PARTS_OF_A_BIT = 1_000_000  # weights are kept to six places


@dataclass(frozen=True, slots=True)
class Edge:
    """One pair with what it says by itself (`decision`, `reason`)."""

    left: int
    right: int
    rule: str
    decision: str
    reason: str
    weight: float


@dataclass(slots=True)
class Grouping:
    """Groups of record ids, and of every edge its rule, and the final decision with its reason."""

    groups: list[tuple[int, ...]] = field(default_factory=list)
    outcomes: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    rules: dict[tuple[int, int], str] = field(default_factory=dict)
    unmet: dict[tuple[int, int], str] = field(default_factory=dict)  # decisions of "same" that may not be followed
    constraints: Constraints = field(default_factory=Constraints)  # as they were followed


def group_records(
    nodes: Mapping[int, Node],
    edges: Sequence[Edge],
    constraints: Constraints,
    bands: Bands,
    believed: Mapping[int, str] | None = None,
) -> Grouping:
    """Form the groups of all `nodes`.

    Every node is in exactly one group; groups and members come in the order of keys. Two records of one person as
    `believed` until now (record -> person) stay together down to the lower line of `bands`, if there is one (linkage
    handbook 9.5). What has been kept is kept again: grouping anew what was grouped changes nothing.
    """
    kept = _weak_within(edges, bands, believed or {})
    while True:
        work = _Work(nodes, edges, constraints, bands)
        work.join_decided()
        work.join_links([e for e in work.links if e.rule in _PROVEN])
        work.set_aside_ambiguous()
        work.join_by_mean([e for e in work.links if e.rule not in _PROVEN])
        if not kept:
            return work.result()
        work.keep_together(kept)
        still = _weak_within(edges, bands, {record: id(group) for record, group in work.group_of.items()})
        if still == kept:
            return work.result()
        kept = still


class _Work:
    """The state of one grouping."""

    def __init__(
        self, nodes: Mapping[int, Node], edges: Sequence[Edge], constraints: Constraints, bands: Bands
    ) -> None:
        constraints = settled(nodes, constraints)
        self.nodes, self.edges, self.constraints, self.bands = nodes, edges, constraints, bands
        # Whole millionths of a bit, so that the order of adding them up can never change a mean.
        self.weights = {(e.left, e.right): _parts(_PROVEN_WEIGHT if _is_proven_link(e) else e.weight) for e in edges}
        self.objections: dict[tuple[int, int], str] = {}
        self.group_of = {record: single(node) for record, node in nodes.items()}
        self.apart: dict[int, set[int]] = {}
        # Where people contradict each other nothing is guessed: what was apart stays apart until somebody decides.
        for left, right in constraints.apart | (constraints.attention - constraints.held) | constraints.never:
            self.apart.setdefault(left, set()).add(right)
            self.apart.setdefault(right, set()).add(left)
        self.held = constraints.undecided | constraints.attention | constraints.never
        self.kept: set[tuple[int, int]] = set()
        self.links = sorted((e for e in edges if e.decision == "link" and self._may_join(e)), key=self._strength)

    def _strength(self, edge: Edge) -> tuple[int, float, str, str]:
        keys = sorted((self.nodes[edge.left].key, self.nodes[edge.right].key))
        return _RANK[edge.rule], -round(edge.weight, 6), keys[0], keys[1]

    def join_decided(self) -> None:
        """Join what people joined, also through a record that has left since, and what stays joined meanwhile.

        Where that would put two verified numbers together, only authorised notices join; nothing is joined against the
        do-not-link list, and no decision joins a protected record (governance PRO-1, PRO-3 and PRO-4).
        """
        for record, first in components(allowed_joins(self.nodes, self.constraints), present=self.nodes).items():
            self._join(first, record)

    def join_links(self, links: Iterable[Edge]) -> None:
        """Join along the links, in their order."""
        for edge in links:
            pair = edge.left, edge.right
            if self.group_of[edge.left] is self.group_of[edge.right] or pair in self.objections:
                continue
            objection = self._guard(edge)
            if objection:
                self.objections[pair] = objection
            else:
                self._join(*pair)

    def join_by_mean(self, links: Sequence[Edge]) -> None:
        """Join the two groups with the highest mean weight that a link joins and no guard parts, again and again."""
        open_links = {(e.left, e.right) for e in links} - self.objections.keys()
        found = Neighbours(_parts(self.bands.missing_pair), self.bands.group_mean * _PARTS_OF_A_BIT)
        # A group that no link reaches joins nobody, whatever lies between it and others.
        living = {id(g): g for pair in open_links for g in map(self.group_of.__getitem__, pair)}
        for group in living.values():
            found.add_group(group.members[0], len(group.members), min(self.nodes[m].key for m in group.members))
        for edge in self.edges if living else ():
            left, right = self.group_of[edge.left], self.group_of[edge.right]
            if left is not right and id(left) in living and id(right) in living:
                pair = edge.left, edge.right
                found.add_pair(left.members[0], right.members[0], self.weights[pair], may_join=pair in open_links)
        found.begin()
        while best := found.next():
            if not self._guard_between(*best):
                self._join(*best)
                found.join(*best)
        for edge in links:
            pair = edge.left, edge.right
            if self.group_of[edge.left] is not self.group_of[edge.right] and pair not in self.objections:
                self.objections[pair] = self._guard(edge) or "group_disagrees"

    def keep_together(self, weak: Sequence[Edge]) -> None:
        """Join once more what was one person and is not below the lower line, where neither guard nor people object."""
        links = [e for e in weak if self._may_join(e) and not self.is_together((e.left, e.right))]
        self.kept = {(e.left, e.right) for e in links}
        self.join_by_mean(links)

    def _may_join(self, edge: Edge) -> bool:
        return (edge.left, edge.right) not in self.held and self.constraints.alone.isdisjoint((edge.left, edge.right))

    def set_aside_ambiguous(self) -> None:
        """Send to review every link by weight that has a competitor within the margin (linkage handbook 9.2).

        Only records that could not both belong count as competitors: two groups with records of the same source, or
        with different verified numbers, that no link joins. Looking at groups formed so far makes the answer the same
        in any order.
        """
        best: dict[int, dict[int, float]] = {}
        linked: set[frozenset[int]] = set()
        groups: dict[int, Group] = {}
        for edge in self.edges:
            left, right = self.group_of[edge.left], self.group_of[edge.right]
            if left is right or edge.rule in _PROVEN:
                continue
            for one, other in ((left, right), (right, left)):
                groups[id(one)] = one
                candidates = best.setdefault(id(one), {})
                candidates[id(other)] = max(candidates.get(id(other), edge.weight), edge.weight)
            if edge.decision == "link":
                linked.add(frozenset((id(left), id(right))))
        for edge in self.links:
            if edge.rule in _PROVEN:
                continue
            left, right = self.group_of[edge.left], self.group_of[edge.right]
            if left is not right and (
                self._has_competitor(left, right, best, linked, groups)
                or self._has_competitor(right, left, best, linked, groups)
            ):
                self.objections[edge.left, edge.right] = "close_competitor"

    def _has_competitor(
        self,
        one: Group,
        other: Group,
        best: Mapping[int, Mapping[int, float]],
        linked: set[frozenset[int]],
        groups: Mapping[int, Group],
    ) -> bool:
        candidates = best[id(one)]
        line = candidates[id(other)] - self.bands.margin
        return any(
            weight > line
            and rival != id(other)
            and frozenset((rival, id(other))) not in linked
            and other.excludes(groups[rival])
            for rival, weight in candidates.items()
        )

    def _guard(self, edge: Edge) -> str:
        by_source = edge.rule not in (Rule.NHS_VERIFIED, Rule.MARKED_DUPLICATE)
        return self._guard_between(edge.left, edge.right, by_source=by_source)

    def _guard_between(self, one: int, other: int, *, by_source: bool = True) -> str:
        return guard(self.group_of[one], self.group_of[other], self.apart, by_source=by_source)

    def _join(self, one: int, other: int) -> None:
        left, right = self.group_of[one], self.group_of[other]
        if left is right:
            return
        if len(left.members) < len(right.members):
            left, right = right, left
        left.absorb(right)
        for member in right.members:
            self.group_of[member] = left

    def result(self) -> Grouping:
        grouping = Grouping(constraints=self.constraints)
        seen: set[int] = set()
        for record in sorted(self.nodes, key=lambda r: self.nodes[r].key):
            group = self.group_of[record]
            if id(group) not in seen:
                seen.add(id(group))
                grouping.groups.append(tuple(sorted(group.members, key=lambda r: self.nodes[r].key)))
        for edge in self.edges:
            grouping.outcomes[edge.left, edge.right] = self._outcome(edge)
            grouping.rules[edge.left, edge.right] = edge.rule
        for pair in self.constraints.together:
            if pair[0] in self.nodes and pair[1] in self.nodes and not self.is_together(pair):
                grouping.unmet[pair] = self._unmet(pair)
        return grouping

    def is_together(self, pair: tuple[int, int]) -> bool:
        return self.group_of[pair[0]] is self.group_of[pair[1]]

    def _unmet(self, pair: tuple[int, int]) -> str:
        return "restricted" if any(self.nodes[r].is_restricted for r in pair) else "needs_notice"

    def _outcome(self, edge: Edge) -> tuple[str, str]:
        pair = edge.left, edge.right
        if pair in self.constraints.never or not self.constraints.alone.isdisjoint(pair):
            return "reject", "do_not_link"
        if pair in self.constraints.attention:
            return "review", "needs_attention"
        if pair in self.constraints.apart:
            return "reject", Rule.HUMAN.value
        if pair in self.constraints.together:
            return ("link", Rule.HUMAN.value) if self.is_together(pair) else ("review", self._unmet(pair))
        if self.group_of[edge.left] is self.group_of[edge.right]:
            if pair in self.kept:
                return "link", "above_lower_line"
            return "link", "" if edge.decision == "link" and pair not in self.objections else "joined_by_other_links"
        if pair in self.constraints.undecided:
            return "review", "undecided"
        if pair in self.objections:
            return "review", self.objections[pair]
        return ("review", "group_conflict") if edge.decision == "link" else (edge.decision, edge.reason)


def _weak_within(edges: Sequence[Edge], bands: Bands, whose: Mapping[int, object]) -> list[Edge]:
    """The pairs within one person that are too weak to join and not too weak to stay."""
    if bands.part is None or not whose:
        return []
    return [
        e
        for e in edges
        if e.decision == "review"
        and e.reason == "weak"
        and e.weight >= bands.part
        and e.left in whose
        and whose[e.left] == whose.get(e.right)
    ]


def _parts(bits: float) -> int:
    return round(bits * _PARTS_OF_A_BIT)


def _is_proven_link(edge: Edge) -> bool:
    return edge.rule in _PROVEN and edge.decision == "link"
