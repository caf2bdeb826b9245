"""Plays the numbered identity cases in one council through the real link stage, night by night, and notes what fails.

All cases live in the same council, so one link run a night serves them all; that no case touches another is checked
like everything else. Keys and NHS numbers are the case's own: `systmone:1` and `no. 1` are different ones in each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.identity_acts import act_for
from tests.support.identity_facts import fact_for
from tests.support.identity_specs import Case, CaseNight, Row, SpecProblem
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number
from tests.support.small_warehouse import SmallWarehouse

_COLUMNS = {
    "forename": "forename",
    "surname": "surname",
    "former surname": "previous_surname",
    "known as": "known_as",
    "born": "birth_date",
    "died": "death_date",
    "sex": "sex",
    "postcode": "postcode",
    "telephone": "telephone",
}
_SEXES = {"woman": "2", "man": "1", "": None}
_NUMBER = re.compile(r"^no\. (\d)( unverified)?$")
_RECORD = re.compile(r"^[a-z]+:\d+$")
_NUMBERS_OF_A_CASE = 10


@dataclass
class Stage:
    """A case being played: what its letters stand for, and what was not as promised."""

    case: Case
    council: LinkageCouncil
    warehouse: SmallWarehouse
    person_of: dict[str, str] = field(default_factory=dict)  # letter -> person id
    notes: dict[str, Any] = field(default_factory=dict)  # what an act leaves for a later fact
    problems: list[str] = field(default_factory=list)
    findings: frozenset[str] = frozenset()

    def record(self, name: str) -> str:
        """The record's name in the council: its key begins with the number of the case."""
        source, key = name.split(":")
        return f"{source}:{self.case.number}{int(key):03d}"

    def key(self, name: str) -> str:
        return self.record(name).split(":")[1]

    def number(self, place: int) -> str:
        return nhs_number(self.case.number * _NUMBERS_OF_A_CASE + place)

    def groups(self) -> dict[str, str]:
        """Record as the page calls it -> person id, of this case's current records."""
        rows = self.council.connection.execute(
            """select r.source, r.source_person_key, m.person_id from identity.membership m
                 join identity.source_record r using (source_record_id)
                where m.known_to is null and r.source_person_key ~ %s""",
            (f"^{self.case.number}[0-8][0-9]{{2}}$",),  # from 900 on are people in the background
        )
        return {f"{source}:{int(key[-3:])}": person for source, key, person in rows}


def play(cases: Sequence[Case], council: LinkageCouncil, warehouse: SmallWarehouse) -> dict[int, list[str]]:
    """Case number -> what was not as promised. Raises `SpecProblem` for a line that says nothing known."""
    stages = [Stage(case, council, warehouse) for case in cases]
    for number in range(1, 1 + max(night.number for case in cases for night in case.nights)):
        council.night(number)
        warehouse.moment = council.moment
        playing = [(s, n) for s in stages for n in s.case.nights if n.number == number]
        for stage, night in playing:
            _before(stage, night)
        findings = frozenset(finding.code for finding in council.link().findings)
        for stage, night in playing:
            stage.findings = findings
            _after(stage, night)
        for stage in stages:
            if number > stage.case.nights[-1].number:
                _nothing_happened(stage, number)
    for stage in stages:
        stage.problems += _strangers(stage)
    return {stage.case.number: stage.problems for stage in stages}


def _before(stage: Stage, night: CaseNight) -> None:
    for row in night.records:
        stage.council.put(stage.record(row["record"]), **_fields(stage, row))
    for text in night.acts:
        act, words = act_for(text)
        act(stage, *words)


def _fields(stage: Stage, row: Row) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for head, cell in row.items():
        if head in _COLUMNS:
            fields[_COLUMNS[head]] = _SEXES[cell] if head == "sex" else cell or None
        elif head == "NHS number" and cell == "a filler":
            fields |= {"nhs_number_supplied": "9999999999", "nhs_number_verified": True}
        elif head == "NHS number" and cell:
            found = _NUMBER.match(cell)
            if found is None:
                raise SpecProblem(
                    f"case {stage.case.number}: an NHS number is `no. 1`, `no. 1 unverified` or `a filler`"
                )
            fields["nhs_number_supplied"] = stage.number(int(found[1]))
            fields["nhs_number_verified"] = found[2] is None
        elif head == "protected":
            fields["is_restricted"] = cell == "yes"
        elif head == "duplicate of":
            fields |= {"duplicate_of_key": stage.key(cell) if cell else None, "is_marked_duplicate": bool(cell)}
        elif head not in ("record", "NHS number"):
            raise SpecProblem(f"case {stage.case.number}: there is no column {head!r}")
    return fields


def _after(stage: Stage, night: CaseNight) -> None:
    where = f"night {night.number}"
    wanted = {frozenset(row["records"].split(", ")): row for row in night.people}
    found: dict[str, set[str]] = {}
    for record, person in stage.groups().items():
        found.setdefault(person, set()).add(record)
    together = {frozenset(records): person for person, records in found.items()}
    if set(wanted) != set(together):
        stage.problems.append(f"{where}: people should be {_drawn(wanted)} and are {_drawn(together)}")
        return
    for records, row in wanted.items():
        _person(stage, where, row, together[records])
    for row in night.pairs:
        said = stage.council.pair(stage.record(row["pair"]), stage.record(row["with"]))
        told = tuple(row[head] for head in ("rule", "decision", "reason") if head in row)
        if tuple(part for part, head in zip(said, ("rule", "decision", "reason"), strict=True) if head in row) != told:
            stage.problems.append(f"{where}: of {row['pair']} with {row['with']} is said {said}, not {told}")
    for text in night.facts:
        fact, words = fact_for(text)
        if not fact(stage, *words):
            stage.problems.append(f"{where}: it is not so: {text}")


def _person(stage: Stage, where: str, row: Row, person: str) -> None:
    letter = row["person"]
    if letter in stage.person_of and stage.person_of[letter] != person:
        stage.problems.append(f"{where}: {letter} lost the id of the night before")
    elif letter not in stage.person_of and person in stage.person_of.values():
        stage.problems.append(f"{where}: {letter} bears the id of somebody else")
    stage.person_of.setdefault(letter, person)


def _nothing_happened(stage: Stage, number: int) -> None:
    last = {record: row["person"] for row in stage.case.nights[-1].people for record in row["records"].split(", ")}
    if not stage.problems and {r: stage.person_of[p] for r, p in last.items()} != stage.groups():
        stage.problems.append(f"night {number}: people changed although nothing happened in this case")


def _strangers(stage: Stage) -> list[str]:
    """Pairs that reach into another case: the pages would not be independent of each other."""
    rows = stage.council.connection.execute(
        """select l.source_person_key, r.source_person_key from identity.link k
             join identity.source_record l on l.source_record_id = k.left_record_id
             join identity.source_record r on r.source_record_id = k.right_record_id
            where left(l.source_person_key, -3) <> left(r.source_person_key, -3)
              and %s in (left(l.source_person_key, -3), left(r.source_person_key, -3))""",
        (str(stage.case.number),),
    )
    return [f"the record {left} was compared with {right} of another case" for left, right in rows]


def _drawn(groups: Any) -> str:
    return "; ".join(sorted(" + ".join(sorted(records)) for records in groups)) or "nobody"
