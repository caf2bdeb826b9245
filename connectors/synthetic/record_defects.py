"""Spoils the records of each system, independently of the others, at the rates of the sources hand-book, section 11.

Order matters: duplicates first (they then go wrong in their own ways), then numbers, names, births,
addresses and the ids
typed in from other systems. Every hit is logged.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connectors.synthetic.appearances import Register
from connectors.synthetic.canaries import is_canary
from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.council import Council
from connectors.synthetic.defects import DefectLog, defect_rng, rate
from connectors.synthetic.world import Appearance, Defect, System, TrueEvent, TruePerson

#: People for whom systems go wrong more often (catalogue, interaction rules).
HARD_TO_TRACE: Final = frozenset({"no_fixed_abode", "asylum_seeker", "gypsy_traveller", "moved_away_and_back"})


@dataclass(slots=True)
class Spoiler:
    """What one kind of defect needs to work on one system."""

    council: Council
    register: Register
    system: System
    rng: random.Random
    log: DefectLog
    records: list[Appearance]

    def share(self, defect_id: str) -> float:
        """The rate of the defect in this system under the council's quality."""
        return rate(defect_id, self.system, self.council.settings.quality)

    def person(self, record: Appearance) -> TruePerson:
        """The person behind the record."""
        return self.council.people[record.person_id - 1]

    def pick(
        self, defect_id: str, eligible: Sequence[Appearance], base: int | None = None, *, clustered: bool = True
    ) -> list[Appearance]:
        """Records that get the defect: its rate times `base` (default all records), taken from the eligible ones."""
        count = how_many(self.rng, self.share(defect_id), len(self.records) if base is None else base)
        return choose(self.rng, eligible, count, self.is_prone if clustered else None)

    def is_prone(self, record: Appearance) -> bool:
        """Whether defects cluster here: no number, no fixed abode, newly arrived, moved between authorities."""
        return has_no_number(record) or bool(self.person(record).tags & HARD_TO_TRACE)

    def note(
        self, defect_id: str, record: Appearance, field: str, table: str = "person", night: int | None = None
    ) -> None:
        """Writes the hit down."""
        self.log.add(defect_id, table, record.key, field, record.recorded_night if night is None else night)


def has_no_number(record: Appearance) -> bool:
    """Whether the record came without an NHS number: such records go wrong three times as often."""
    return not record.versions[record.recorded_night]["nhs_number"]


def value_of(record: Appearance, field: str) -> str:
    """The value the record holds from its first night."""
    return record.versions[record.recorded_night][field]


def set_field(record: Appearance, field: str, value: str) -> None:
    """The record holds `value` on every night."""
    for fields in record.versions.values():
        fields[field] = value


def change_from(record: Appearance, night: int, values: dict[str, str]) -> None:
    """From `night` on the record holds these values."""
    if night not in record.versions:
        known = max(n for n in record.versions if n <= night)
        record.versions[night] = dict(record.versions[known])
        record.versions = dict(sorted(record.versions.items()))
    for since, fields in record.versions.items():
        if since >= night:
            fields.update(values)


def spoil_records(council: Council, register: Register, events: list[TrueEvent], defects: list[Defect]) -> None:
    """Puts every defect of people and addresses into the records of all systems."""
    from connectors.synthetic import (
        address_defects,
        birth_defects,
        duplicate_defects,
        habits,
        migration,
        name_defects,
        number_defects,
        reference_links,
        second_views,
    )

    plan = council.settings.kind.cutover
    for system in _in_order(council):
        log = DefectLog(defects, system)

        def spoiler(purpose: str, system: System = system, log: DefectLog = log, *, everybody: bool = False) -> Spoiler:
            rng = defect_rng(council.settings.seed, system, purpose)
            known = set() if everybody else council.migrated  # their faults came over with them
            return Spoiler(council, register, system, rng, log, _ordinary(council, register, system, known))

        if plan is not None and system == plan.new:
            migration.migrate(council, register, events, defects)
        duplicate_defects.add_duplicates(spoiler("duplicates", everybody=True), events)
        number_defects.spoil_numbers(spoiler("numbers"))
        duplicate_defects.mix_up(spoiler("mixed"))
        name_defects.spoil_names(spoiler("names"))
        birth_defects.spoil_births(spoiler("births"))
        address_defects.spoil_addresses(spoiler("addresses"))
        number_defects.change_on_nights(spoiler("numbers on nights"))
        habits.grow_stale(spoiler("habits"))
        duplicate_defects.mark_in_names(spoiler("marks"))
        duplicate_defects.add_test_people(spoiler("test people"))
        habits.note_shared_addresses(spoiler("shared addresses"))
        if system == "systmone":
            second_views.add_second_unit(council, register, defects)
    second_views.add_finance(council, register, events, defects)
    reference_links.type_in_references(council, register, defects)


def _in_order(council: Council) -> list[System]:
    """The systems whose records are made and spoilt on their own; finance copies Liquidlogic and follows later."""
    return ["systmone", *council.care_systems()]


def _ordinary(council: Council, register: Register, system: System, left_out: set[str]) -> list[Appearance]:
    return [
        record
        for record in register.by_system[system]
        if not (record.is_test or is_canary(council, record) or (system == "liquidlogic" and record.key in left_out))
    ]
