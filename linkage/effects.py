"""What a decision, a notice or a list entry would do before it is stored: who would become one, or two (handbook 10).

The groups of every record the proposal could reach are formed twice by the run's own rules, with it and without, so
that nothing but the proposal makes the difference. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from linkage.clustering import Edge, Grouping, Node, group_records
from linkage.decisions import constraints_of
from linkage.identity import Assignment, KnownPerson, assign_people
from linkage.inputs import Decision, KeptApart, last_run, read_believed, read_believed_together
from linkage.model import Model, load_model

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be stored about `records`: answers added and withdrawn, list entries made and struck off."""

    records: tuple[int, ...]
    decisions: tuple[Decision, ...] = ()
    withdrawn: frozenset[int] = frozenset()  # numbers of decisions
    kept_apart: tuple[KeptApart, ...] = ()
    struck_off: frozenset[int] = frozenset()  # numbers of entries


@dataclass(frozen=True, slots=True)
class Move:
    """A record that would belong to somebody else; `becomes` is empty for a person who is yet to be born."""

    record: int
    was: str
    becomes: str


@dataclass(frozen=True, slots=True)
class Effects:
    """What would follow: who is retired into whom, who is parted, which records move, and what is not followed."""

    moves: tuple[Move, ...] = ()
    joined: tuple[tuple[str, str], ...] = ()  # (who would be retired, whom they would become)
    parted: tuple[str, ...] = ()  # who would lose records to somebody else
    not_followed: str = ""  # why the next run would not do what was said: needs_notice, restricted, needs_attention …

    @property
    def people(self) -> frozenset[str]:
        """Every person concerned that exists already."""
        return frozenset(name for move in self.moves for name in (move.was, move.becomes) if name)


def effects_of(
    groupings: tuple[Grouping, Grouping],
    nodes: Mapping[int, Node],
    believed: Mapping[int, str],
    people: Mapping[str, KnownPerson],
    decisions: Sequence[Decision] = (),
) -> Effects:
    """The difference between two groupings, without and with the proposal, told in lasting ids."""
    before, after = (_labels(grouping, nodes, believed, people) for grouping in groupings)
    moves = tuple(Move(r, _known(before[r]), _known(after[r])) for r in sorted(nodes) if before[r] != after[r])
    left = {_known(label) for label in before.values()} - {_known(label) for label in after.values()}
    joined = {(move.was, move.becomes) for move in moves if move.was in left and move.was and move.becomes}
    parted = {move.was for move in moves if move.was and move.was not in left}
    return Effects(moves, tuple(sorted(joined)), tuple(sorted(parted)), _not_followed(groupings[1], decisions))


def look(connection: Connection, proposal: Proposal, *, synthetic: bool) -> Effects:
    """What the proposal would do at the next run, as things stand now (role `linker`); nothing before the first run."""
    last = last_run(connection)
    if last is None:
        return Effects()
    reached = {"records": _reached(connection, proposal)}
    nodes = {int(row[0]): _node(*row, synthetic=synthetic) for row in connection.exec_driver_sql(_NODES, reached)}
    edges = [Edge(*row) for row in connection.exec_driver_sql(_EDGES, reached) if row[0] in nodes and row[1] in nodes]
    last_persons = connection.exec_driver_sql(_LAST, reached).all()
    believed = read_believed(connection, {int(record): str(name) for record, name, _ in last_persons})
    present = {int(record): str(name) for record, name, is_current in last_persons if is_current}
    kept = [(int(r[0]), Decision(*r[1:])) for r in connection.exec_driver_sql(_DECISIONS, reached)]
    listed = [(int(r[0]), KeptApart(*r[1:])) for r in connection.exec_driver_sql(_LISTED, reached)]
    together = read_believed_together(connection) | _together(proposal, believed.person_of)
    now = constraints_of([d for _, d in kept], [e for _, e in listed], together)
    then = constraints_of(
        [*(d for number, d in kept if number not in proposal.withdrawn), *proposal.decisions],
        [*(e for number, e in listed if number not in proposal.struck_off), *proposal.kept_apart],
        together,
    )
    bands = _model_of(last[1]).bands
    before, after = (group_records(nodes, edges, c, bands, present) for c in (now, then))
    return effects_of((before, after), nodes, believed.person_of, believed.people, proposal.decisions)


def _labels(
    grouping: Grouping, nodes: Mapping[int, Node], believed: Mapping[int, str], people: Mapping[str, KnownPerson]
) -> dict[int, str | tuple[int, ...]]:
    """Record -> the lasting id, or the members of a person who is yet to be born."""
    assignment: Assignment = assign_people(grouping.groups, nodes, believed, people, key=b"looked at", next_number=1)
    labels: dict[int, str | tuple[int, ...]] = {}
    for group in grouping.groups:
        for record in group:
            name = assignment.person_of[record]
            labels[record] = name if name in people else tuple(sorted(group))
    return labels


def _known(label: str | tuple[int, ...]) -> str:
    return label if isinstance(label, str) else ""


def _not_followed(grouping: Grouping, decisions: Sequence[Decision]) -> str:
    group_of = {record: place for place, group in enumerate(grouping.groups) for record in group}
    for decision in decisions:
        pair = decision.left, decision.right
        if decision.answer == "cannot_tell" or not (pair[0] in group_of and pair[1] in group_of):
            continue
        if pair in grouping.constraints.attention:
            return "needs_attention"
        if (group_of[pair[0]] == group_of[pair[1]]) != (decision.answer == "same"):
            return grouping.unmet.get(pair, "do_not_link")
    return ""


def _together(proposal: Proposal, person_of: Mapping[int, str]) -> frozenset[Pair]:
    pairs = {(d.left, d.right) for d in proposal.decisions}
    return frozenset(pair for pair in pairs if pair[0] in person_of and person_of[pair[0]] == person_of.get(pair[1]))


def _node(
    record: int,
    key: str,
    source: str,
    number: str | None,
    is_verified: bool | None,
    birth_date: date | None,
    is_estimated: bool | None,
    is_restricted: bool,
    *,
    synthetic: bool,
) -> Node:
    from domain.identifiers import parse_nhs_number

    verified = parse_nhs_number(number, allow_test_range=synthetic).number if number and is_verified else None
    is_new_year = birth_date is not None and (birth_date.month, birth_date.day) == (1, 1)
    year = birth_date.year if birth_date and not is_estimated and not is_new_year else None
    return Node(int(record), key, source, verified, year, is_restricted)


def _reached(connection: Connection, proposal: Proposal) -> list[int]:
    seeds = {*proposal.records, *(r for d in proposal.decisions for r in (d.left, d.right))}
    rows = connection.exec_driver_sql(_REACHED, {"seeds": sorted(seeds)})
    return sorted(int(row[0]) for row in rows)


def _model_of(version: str) -> Model:
    try:
        return load_model(version)
    except FileNotFoundError:
        return load_model()


_REACHED: Final = """
with recursive pair(one, other) as materialized (
  select left_record_id, right_record_id from identity.link where known_to is null
  union select left_record_id, right_record_id from identity.decision where withdrawn_at is null
  union select source_record_id, other_record_id from identity.do_not_link
         where ended_at is null and other_record_id is not null
  union select source_record_id, min(source_record_id) over (partition by person_id)
          from identity.membership where known_to is null),
tie(one, other) as materialized (select one, other from pair union all select other, one from pair),
reached(record) as (
  select unnest(%(seeds)s::bigint[]) union select tie.other from tie join reached on tie.one = reached.record)
select record from reached"""
_NODES: Final = """
select p.source_record_id, p.source || '|' || p.source_person_key, p.source, n.nhs_number, n.is_verified, p.birth_date,
       p.birth_date_estimated, p.is_restricted is distinct from false
  from identity.source_person p join identity.number_status n using (source_record_id)
 where p.known_to is null and p.source_record_id = any(%(records)s) order by 1"""
_EDGES: Final = """
select left_record_id, right_record_id, rule, pair_decision, pair_reason, coalesce(match_weight, 0)
  from identity.link where known_to is null and rule <> 'human_decision'
   and left_record_id = any(%(records)s) and right_record_id = any(%(records)s) order by 1, 2"""
_LAST: Final = """
select distinct on (source_record_id) source_record_id, person_id, known_to is null from identity.membership
 where source_record_id = any(%(records)s) order by source_record_id, version_id desc"""
_DECISIONS: Final = """
select decision_id, left_record_id, right_record_id, answer, reviewer,
       exists (select from ledger.notice n where n.decision_id = d.decision_id)
  from identity.decision d where withdrawn_at is null and left_record_id = any(%(records)s) order by decision_id"""
_LISTED: Final = """
select entry_id, source_record_id, other_record_id, officer
  from identity.do_not_link where ended_at is null and source_record_id = any(%(records)s) order by entry_id"""
