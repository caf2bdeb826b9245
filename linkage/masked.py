"""The hidden-number test: links by number are made again without it, through the same pairs, model and groups.

Groups are formed again at every line and with every field left out, but only where that can change anything: whatever a
line or a hidden number does not touch stays as the run left it. What the number said is the truth for the hidden links
(linkage handbook 14). Ids and counts only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linkage import masked_evidence
from linkage.clustering import Constraints, Edge, Grouping, Node, group_records
from linkage.constraints import components
from linkage.masked_evidence import SHARE_HIDDEN, Evidence
from linkage.model import Model

if TYPE_CHECKING:
    import duckdb

__all__ = ["SHARE_HIDDEN", "STEPS", "Line", "Relinked", "relink"]

STEPS = (-5, -2, 0, 2, 5)  # bits the link line is moved by
Judged = tuple[int, int, bool, bool]  # record, partner, found, wrong

_RECORDS = """
select record_id, record_key, source, case when nhs_verified then nhs_number end,
       case when not birth_estimated then year(birth_date) end, is_restricted is distinct from false,
       nhs_number, person_id
  from standard left join membership_wanted using (record_id) order by record_id"""
_LINKS = "select count(*) from decided_edge where decision = 'link' and weight is not null"


@dataclass(frozen=True, slots=True)
class Line:
    """What grouping gives with the link line at one place or a field left out, and what became of the hidden links."""

    moved_by: int
    line: float
    without: str  # the field left out, empty when none is
    links: int
    people: int
    care_people: int
    care_people_with_number: int
    care_people_in_health: int
    linked: int  # records outside health that stand with a record of health
    base: int
    sample: int
    found: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Relinked:
    """The figures at every line and without every field, and at the line in use what became of each hidden link."""

    lines: tuple[Line, ...]
    judged: tuple[Judged, ...]
    without: tuple[Line, ...] = ()


def relink(calculation: duckdb.DuckDBPyConnection, model: Model, *, is_full: bool) -> Relinked:
    """Hide numbers, form the groups anew at every line of `STEPS` and without every field, judge the hidden links.

    Reads `standard`, `edge_now`, `decided_edge`, `membership_wanted`, `constraint_used` and, after a full run,
    `scored`; without that the evidence a run keeps has to do, and pairs below the review line are not in it. Leaves
    the table `hidden_link`.
    """
    world = _World(calculation, model, is_full=is_full)
    lines = [world.at(step) for step in STEPS]
    without = [world.at(0, place) for place in range(len(world.fields))]
    judged = lines[STEPS.index(0)][1]
    return Relinked(tuple(line for line, _ in lines), judged, tuple(line for line, _ in without))


class _Side:
    """One view of the council, with all numbers or with some hidden: its records and its pairs, part by part.

    Parts are tied by no pair and no decision, so each can be grouped by itself.
    """

    def __init__(self, nodes: Mapping[int, Node], edges: Sequence[Evidence], constraints: Constraints) -> None:
        self.constraints = constraints
        ties = {(e.left, e.right) for e in edges} | masked_evidence.decided_pairs(constraints)
        self.part_of = components(ties, present=nodes)
        self.edges: dict[int, list[Evidence]] = {}
        self.nodes: dict[int, dict[int, Node]] = {}
        for edge in edges:
            self.edges.setdefault(self.part_of[edge.left], []).append(edge)
        for record, part in self.part_of.items():
            self.nodes.setdefault(part, {})[record] = nodes[record]

    def parts_changed(self, line: float, without: int | None, used: float) -> set[int]:
        """The parts where a line, or a field left out, changes what a pair says."""
        changed: set[int] = set()
        for part, edges in self.edges.items():
            if not any(e.by_weight for e in edges):
                continue
            # Of several pairs the order and the mean may change with a field, of a single one only its decision.
            if (without is not None and len(edges) > 1) or any(e.turns(line, without, used) for e in edges):
                changed.add(part)
        return changed

    def grouped(self, parts: Iterable[int], line: float, without: int | None, model: Model) -> Grouping:
        """The groups of these parts alone."""
        chosen = sorted(parts)
        nodes = {record: node for part in chosen for record, node in self.nodes[part].items()}
        edges: list[Edge] = [e.at(line, without) for part in chosen for e in self.edges.get(part, ())]
        return group_records(nodes, edges, self.constraints, model.bands)


class _World:
    """The records that have any pair, with and without the hidden numbers."""

    def __init__(self, calculation: duckdb.DuckDBPyConnection, model: Model, *, is_full: bool) -> None:
        self.model, self.fields = model, masked_evidence.fields_of(model)
        self.hidden = masked_evidence.hide(calculation)
        masked = {record for record, _ in self.hidden}
        constraints = masked_evidence.read_constraints(calculation)
        edges = masked_evidence.open_edges(calculation, model)
        lowest = min(model.bands.review, model.bands.link + min(STEPS))
        covered = [e for e in edges if e.left not in masked and e.right not in masked]
        covered += masked_evidence.hidden_edges(calculation, model, lowest, is_full=is_full)
        rows = calculation.execute(_RECORDS).fetchall()
        nodes = {row[0]: Node(*row[:6]) for row in rows}
        self.number, self.person = {row[0]: row[6] for row in rows}, {row[0]: row[7] for row in rows}
        self.verified = {row[0] for row in rows if row[3] is not None}
        self.health = {row[0] for row in rows if row[2] == "systmone"}
        self.open = _Side(nodes, edges, constraints)
        free = masked_evidence.without_what_names(constraints, frozenset(masked))
        self.covered = _Side(nodes | {r: replace(nodes[r], verified_number=None) for r in masked}, covered, free)
        self.base = sum(row[2] != "systmone" for row in rows)
        people: dict[str, list[int]] = {}
        for row in rows:
            people.setdefault(row[7], []).append(row[0])
        self.as_run = self._counted(people.values())
        self.as_run["links"] = int(calculation.execute(_LINKS).fetchall()[0][0])
        self.counted: dict[tuple[frozenset[int], float, int | None], Counter[str]] = {}
        self.judged = self._look(range(len(self.hidden)), model.bands.link, None)  # by place in `hidden`

    def at(self, step: int, without: int | None = None) -> tuple[Line, tuple[Judged, ...]]:
        used, line = self.model.bands.link, self.model.bands.link + step
        counts = self._open_counts(line, without, used)
        judged = self._judged(line, without, used)
        found, wrong = sum(j[2] for j in judged), sum(j[3] for j in judged)
        name = "" if without is None else self.fields[without]
        return Line(
            moved_by=step,
            line=line,
            without=name,
            links=counts["links"],
            people=counts["people"],
            care_people=counts["care_people"],
            care_people_with_number=counts["care_people_with_number"],
            care_people_in_health=counts["care_people_in_health"],
            linked=counts["linked"],
            base=self.base,
            sample=len(judged),
            found=found,
            wrong=wrong,
        ), judged

    def _open_counts(self, line: float, without: int | None, used: float) -> Counter[str]:
        """What the run found, less what the touched parts were, and what they are now."""
        counts = self.as_run.copy()
        touched = self.open.parts_changed(line, without, used)
        if touched:
            counts.subtract(self._parts_counted(frozenset(touched), used, None))
            counts.update(self._parts_counted(frozenset(touched), line, without))
        return counts

    def _parts_counted(self, parts: frozenset[int], line: float, without: int | None) -> Counter[str]:
        if (parts, line, without) not in self.counted:
            grouping = self.open.grouped(parts, line, without, self.model)
            found = self._counted(grouping.groups)
            found["links"] = sum(decision == "link" for decision, _ in grouping.outcomes.values())
            self.counted[parts, line, without] = found
        return self.counted[parts, line, without]

    def _judged(self, line: float, without: int | None, used: float) -> tuple[Judged, ...]:
        """Looked at again only where something changed since the line in use."""
        changed = self.covered.parts_changed(line, without, used)
        places = [n for n, (record, _) in enumerate(self.hidden) if self.covered.part_of.get(record) in changed]
        return tuple((self.judged | self._look(places, line, without)).values())

    def _look(self, places: Sequence[int], line: float, without: int | None) -> dict[int, Judged]:
        parts = {self.covered.part_of[r] for n in places if (r := self.hidden[n][0]) in self.covered.part_of}
        group_of: dict[int, Sequence[int]] = {}
        for group in self.covered.grouped(parts, line, without, self.model).groups:
            group_of.update(dict.fromkeys(group, group))
        found: dict[int, Judged] = {}
        for n in places:
            record, partner = self.hidden[n]
            own = group_of.get(record, (record,))
            found[n] = (record, partner, partner in own, self._is_wrong(record, partner, own))
        return found

    def _counted(self, groups: Iterable[Sequence[int]]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for group in groups:
            in_health = sum(r in self.health for r in group)
            counts["people"] += 1
            if in_health < len(group):
                counts["care_people"] += 1
                counts["care_people_with_number"] += any(self.number[r] is not None for r in group)
                counts["care_people_in_health"] += in_health > 0
                counts["linked"] += len(group) - in_health if in_health else 0
        return counts

    def _is_wrong(self, record: int, partner: int, group: Sequence[int]) -> bool:
        """Whether somebody else, by a number of his own, is in the group.

        Beside the partner only two verified numbers prove two people: a number that nobody verified is more often
        wrong, and copied from one system to the next, than the person is.
        """
        is_proven = record in self.verified or partner in self.verified
        return any(
            self.number[other] not in (None, self.number[record])
            and self.person[other] != self.person[record]
            and ((is_proven and other in self.verified) or partner not in group)
            for other in group
        )
