"""One record per person and system: what each system would say of each person if it made no mistakes.

Records carry the value of every field, the nights on which it changes (a death told, a wedding,
a number traced) and the
addresses. Defects are put in afterwards, system by system.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date
from typing import Final, Literal

from connectors.synthetic.children import is_child_client
from connectors.synthetic.council import CareSpell, Council
from connectors.synthetic.keys import RECORDS_EACH, person_key
from connectors.synthetic.world import SYSTEMS, Appearance, System, TrueEvent, TruePerson

Role = Literal["client", "carer", "patient", "related"]
_TITLES: Final = {"M": "Mr", "F": "Mrs"}


class Register:
    """Every record of every system, in order, and who they belong to."""

    def __init__(self, shard: int = 0) -> None:
        """Starts empty; keys count up from 1 in each system, in a later part of a county from where it begins."""
        self.by_system: dict[System, list[Appearance]] = {system: [] for system in SYSTEMS}
        self.of_person: dict[tuple[System, int], Appearance] = {}
        self._numbers: dict[System, int] = dict.fromkeys(SYSTEMS, shard * RECORDS_EACH)

    def next_key(self, system: System, rng: random.Random) -> str:
        """A key nobody has; a supplier skips some."""
        self._numbers[system] += rng.randrange(1, 5)
        return person_key(system, self._numbers[system])

    def add(self, appearance: Appearance, *, main: bool = True) -> Appearance:
        """Takes the record in; `main` makes it the one the person's events hang on."""
        self.by_system[appearance.system].append(appearance)
        if main:
            self.of_person[(appearance.system, appearance.person_id)] = appearance
        return appearance

    def all(self) -> list[Appearance]:
        """Every record: SystmOne, Liquidlogic, CareFirst, MiCare, ContrOCC."""
        return [appearance for system in SYSTEMS for appearance in self.by_system[system]]


def title_of(person: TruePerson, age: int, rng: random.Random) -> str:
    """A title as clerks give them."""
    if age < 18:
        return "Master" if person.sex == "M" and rng.random() < 0.4 else "Miss" if person.sex == "F" else ""
    if person.sex == "F" and len(person.names) == 1:
        return "Ms" if rng.random() < 0.4 else "Miss"
    return "Dr" if rng.random() < 0.006 else _TITLES[person.sex]


def fields_on(council: Council, person: TruePerson, night: int, title: str) -> dict[str, str]:
    """The fields of a faultless record after that night."""
    day = date.fromordinal(council.settings.first_night.toordinal() + night - 1)
    name = person.name_on(day)
    earlier = [period.surname for period in person.names if period.valid_from < name.valid_from]
    told = person.death_date is not None and night >= person.death_known_night
    return {
        "title": title,
        "forename": name.forename,
        "middle_names": name.middle_names,
        "surname": name.surname,
        "previous_surname": earlier[-1] if earlier and earlier[-1] != name.surname else "",
        "known_as": person.preferred_forename,
        "nhs_number": person.nhs_number,
        "nhs_number_verified": "Y",
        "birth_date": person.birth_date.isoformat(),
        "birth_date_estimated": "N",
        "death_date": person.death_date.isoformat() if told and person.death_date else "",
        "sex": person.sex,
        "ethnicity_code": person.ethnicity_code,
        "telephone": person.telephone,
        "email": person.email,
        "gp_practice_code": person.gp_practice_code,
    }


def _systems(
    council: Council, person: TruePerson, first: dict[tuple[System, int], int]
) -> Iterable[tuple[System, Role]]:
    if "patient" in person.tags:
        yield "systmone", "patient"
    spell = council.care.get(person.person_id)
    if spell is not None:
        role: Role = (
            "client"
            if "care_client" in person.tags or is_child_client(person)
            else "carer"
            if "carer" in person.tags
            else "related"
        )
        for system in _replaced(spell, person, first) if spell.cut_over else spell.systems():
            yield system, role


def _replaced(spell: CareSpell, person: TruePerson, first: dict[tuple[System, int], int]) -> tuple[System, ...]:
    """The one system that opened the record: the old one, unless care work first heard of the person after go-live.

    What the old system hands over to the new one is `migration.py`'s business.
    """
    known = [person.person_id, *person.relations.get("cares_for", []), *person.relations.get("related_to", [])]
    told = [system for number in known for system in spell.systems() if (system, number) in first]
    new = spell.systems()[-1]
    return (new,) if told and set(told) == {new} else (spell.first,)


def _first_nights(events: list[TrueEvent]) -> dict[tuple[System, int], int]:
    first: dict[tuple[System, int], int] = {}
    for event in events:
        key = (event.system, event.person_id)
        if event.recorded_night < first.get(key, 1000):
            first[key] = event.recorded_night
    return first


def register_everybody(council: Council, events: list[TrueEvent]) -> Register:
    """Opens a record for every person in every system that knows them, and hangs the events on these records.

    A record is first told with the person's first event; those without events are there from the first load, and carers
    known by association come with the person cared for.
    """
    rng = council.rng("appearances")
    register = Register(council.settings.shard)
    first = _first_nights(events)
    people = list(council.people)
    rng.shuffle(people)
    for person in people:
        title = title_of(person, council.age(person), rng)
        for system, role in _systems(council, person, first):
            night = first.get((system, person.person_id))
            if night is None:
                night = min(
                    (first.get((system, other), 0) for other in person.relations.get("cares_for", [])), default=0
                )
            versions = _versions(council, rng, person, night, system, title)
            key = register.next_key(system, rng)
            record = Appearance(system, key, person.person_id, night, role, versions, list(person.addresses))
            record.is_restricted = "restricted" in person.tags
            register.add(record)
    for event in events:
        held = register.of_person.get((event.system, event.person_id))
        if held is not None:  # none yet: the cut-over brings the person's record over
            event.appearance_key = held.key
    return register


def _versions(
    council: Council, rng: random.Random, person: TruePerson, night: int, system: System, title: str
) -> dict[int, dict[str, str]]:
    versions = {night: fields_on(council, person, night, title)}
    lag = 0 if system == "systmone" else rng.randrange(0, 2)
    changes: list[int] = []
    if person.death_date is not None and person.death_known_night > 0:
        changes.append(person.death_known_night + lag)
    if len(person.names) > 1:
        changes.append(council.night_of(person.names[-1].valid_from))
    for change in sorted(set(changes)):
        if night < change <= council.settings.nights:
            versions[change] = fields_on(council, person, change, title)
    return versions
