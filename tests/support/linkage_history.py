"""A council kept in memory, linked night after night as the stage does it: all records anew, or only what changed.

Tests tell both kinds of run apart from the same evening and hold them equal. Nothing here is faster or smarter than
the stage; only the database is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import duckdb
import pyarrow as pa

from linkage.constraints import Constraints
from linkage.decisions import constraints_of
from linkage.engine import find_edges, form_groups, open_calculation
from linkage.identity import KnownPerson, Since, assign_people
from linkage.inputs import Before, Decision, KeptApart, Sources, left_before
from linkage.model import Model
from linkage.outcome import write_edges, write_memberships
from tests.support.linkage_tables import address_table, person, person_table, reference_table

KEY = b"a key of this test's own, thirty-two"

_EDGES = """select left_id, right_id, rule, pair_decision, pair_reason, round(weight, 6) as weight,
  round(weight_without_number, 6) as weight_without_number, by_demographics, numbers, levels,
  decision as stored_decision, reason as stored_reason, model_version from decided_edge order by 1, 2"""


@dataclass(frozen=True)
class Evening:
    """What is known before a run: the rows and decisions in force, and what the run before left."""

    records: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    kept_apart: tuple[KeptApart, ...] = ()
    before: Before | None = None
    member_of: Mapping[int, tuple[str, str, bool]] = field(default_factory=dict)  # record -> person, reason, is current
    people: Mapping[str, KnownPerson] = field(default_factory=dict)
    read: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)  # what a run last read of every record
    met: frozenset[tuple[int, int]] = frozenset()  # pairs that were one person when both were last somebody

    def put(self, record: int, **fields: Any) -> Evening:
        """The record is new, or says something else from now on."""
        return replace(self, records={**self.records, record: fields})

    def end(self, record: int) -> Evening:
        """The record has left its system."""
        return replace(self, records={r: f for r, f in self.records.items() if r != record})

    def decide(self, one: int, other: int, answer: str, *, by_notice: bool = False) -> Evening:
        left, right = sorted((one, other))
        return replace(self, decisions=(*self.decisions, Decision(left, right, answer, "a reviewer", by_notice)))

    def keep_apart(self, one: int, other: int | None = None) -> Evening:
        """An officer puts a record, or two of them, on the do-not-link list."""
        record, second = (one, None) if other is None else sorted((one, other))
        return replace(self, kept_apart=(*self.kept_apart, KeptApart(record, second, "an officer")))

    def no_longer_apart(self, place: int) -> Evening:
        """The entry at that place is struck off the list."""
        return replace(self, kept_apart=tuple(e for n, e in enumerate(self.kept_apart) if n != place))

    def withdraw(self, place: int) -> Evening:
        """The decision at that place is taken back."""
        kept = tuple(d for number, d in enumerate(self.decisions) if number != place)
        return replace(self, decisions=kept)

    def sources(self) -> Sources:
        persons, addresses, references = [], [], []
        for record, told in sorted(self.records.items()):
            fields = dict(told)
            addresses += [(record, postcode) for postcode in fields.pop("addresses", ())]
            references += [(record, kind, value) for kind, value in fields.pop("references", ())]
            persons.append(person(record, fields.pop("source"), **fields))
        return Sources(person_table(persons), address_table(addresses), reference_table(references))


@dataclass(frozen=True)
class Morning:
    """What a run believes, comparable from run to run, and the evening that follows it."""

    groups: frozenset[frozenset[int]]
    edges: tuple[tuple[Any, ...], ...]
    person_of: Mapping[int, str]
    next: Evening
    constraints: Constraints  # as they were followed

    @property
    def believed(self) -> tuple[Any, ...]:
        return self.groups, self.edges, dict(self.person_of), dict(self.next.member_of), dict(self.next.people)

    def edge(self, one: int, other: int) -> tuple[Any, ...] | None:
        left, right = sorted((one, other))
        return next((edge for edge in self.edges if edge[:2] == (left, right)), None)

    def together(self, one: int, other: int) -> bool:
        return self.person_of[one] == self.person_of[other]


Find = Callable[..., Any]


def link(evening: Evening, model: Model, *, is_full: bool = False, find: Find = find_edges, **named: Any) -> Morning:
    """One link run of the evening, from the rows to lasting ids."""
    calculation = open_calculation()
    try:
        calculation.execute("set threads = 1")
        before = None if is_full else evening.before
        found = find(calculation, evening.sources(), model, synthetic=True, before=before, **named)
        constraints = constraints_of(evening.decisions, evening.kept_apart, evening.met)
        grouped = form_groups(calculation, model, constraints, _memberships(evening), is_full=is_full or found.is_full)
        born = max((known.order for known in evening.people.values()), default=0)
        named_now = set(grouped.person_of.values())
        assignment = assign_people(
            grouped.grouping.groups,
            grouped.nodes,
            grouped.person_of,
            {name: known for name, known in evening.people.items() if name in named_now},
            key=KEY,
            next_number=born + 1,
            since=_since(evening),
        )
        write_memberships(calculation, grouped, assignment)
        write_edges(calculation, grouped, grouped.grouping.constraints, evening.decisions, model)
        people = dict(evening.people)
        for change in assignment.changes:
            born += change.is_new
            order = born if change.is_new else people[change.person_id].order
            people[change.person_id] = KnownPerson(change.person_id, order, change.status, change.superseded_by)
        return _morning(calculation, evening, model, people, grouped.grouping.constraints)
    finally:
        calculation.close()


def _morning(
    calculation: duckdb.DuckDBPyConnection,
    evening: Evening,
    model: Model,
    people: Mapping[str, KnownPerson],
    followed: Constraints,
) -> Morning:
    wanted = {record: (name, reason) for record, name, reason in calculation.execute(
        "select record_id, person_id, reason from membership_wanted").fetchall()}  # fmt: skip
    left = {r: (name, reason, False) for r, (name, reason, _) in evening.member_of.items() if r not in wanted}
    member_of = {**left, **{r: (*told, True) for r, told in wanted.items()}}
    digests = calculation.sql("select record_id, standard_digest, detail_digest from digest_now order by 1")
    before = Before("digest", model.version, digests.to_arrow_table(), calculation.sql(_EDGES).to_arrow_table())
    groups: dict[str, set[int]] = {}
    for record, (name, _) in wanted.items():
        groups.setdefault(name, set()).add(record)
    edges = tuple(tuple(row.values()) for row in before.edges.drop_columns(["levels"]).to_pylist())
    person_of = {record: name for record, (name, _) in wanted.items()}
    met = {pair for pair in evening.met if not set(pair) <= set(person_of)}
    met |= {pair for group in groups.values() for pair in combinations(sorted(group), 2)}
    members = dict(sorted(member_of.items()))
    following = replace(evening, before=before, member_of=members, people=people, met=frozenset(met),
        read={**evening.read, **evening.records})  # fmt: skip
    return Morning(frozenset(frozenset(g) for g in groups.values()), edges, person_of, following, followed)


def _since(evening: Evening) -> Since:
    changed = {r for r, fields in evening.records.items() if r in evening.read and evening.read[r] != fields}
    other = {r: [_differs(r, name, evening) for name in _PARTS] for r in changed}
    return Since(
        changed=frozenset(changed),
        renumbered=frozenset(r for r in changed if other[r][0]),
        reborn=frozenset(r for r in changed if all(other[r])),
        returned=left_before(_memberships(evening)),
    )


_PARTS = ("nhs_number_supplied", "birth_date", "forename", "surname")


def _differs(record: int, name: str, evening: Evening) -> bool:
    before, now = evening.read[record].get(name), evening.records[record].get(name)
    return bool(before and now and before != now)


def _memberships(evening: Evening) -> pa.Table:
    """As the stage reads them: everybody's last membership, the person that it redirects to by now."""
    rows = [
        {"record_id": r, "person_id": _now(name, evening.people), "reason": reason, "is_current": is_current}
        for r, (name, reason, is_current) in evening.member_of.items()
    ]
    schema = pa.schema([("record_id", pa.int64()), ("person_id", pa.string()), ("reason", pa.string()),
                        ("is_current", pa.bool_())])  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def _now(name: str, people: Mapping[str, KnownPerson]) -> str:
    while (successor := people[name].superseded_by) is not None:
        name = successor
    return name


def history(evening: Evening, changes: Iterable[Callable[[Evening], Evening]]) -> Evening:
    """The evening after those changes."""
    for change in changes:
        evening = change(evening)
    return evening
