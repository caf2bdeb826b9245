"""The workshop a synthetic council is built in: settings, calendar, books of names and numbers, the people so far.

Every stage takes its own generator from `rng`, so that a change in one stage leaves the draws of the others alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date
from typing import Final, cast

from connectors.synthetic.addresses import AddressBook, District
from connectors.synthetic.keys import RECORDS_EACH
from connectors.synthetic.names import NameBook, name_book
from connectors.synthetic.nhs_numbers import NumberBook
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import MigrationLink, NamePeriod, Sex, System, TruePerson

#: Days of history before the first load: two years.
HISTORY_DAYS: Final = 755


@dataclass(slots=True)
class CareSpell:
    """Which care system looks after a person and, after a move between districts or a cut-over, since when the other.

    `cut_over` says that the second system replaced the first for everybody: nobody moved.
    """

    first: System
    second: System | None = None
    switch: date | None = None
    cut_over: bool = False

    def on(self, day: date) -> System:
        """The care system that records an event starting on `day`."""
        if self.second is not None and self.switch is not None and day >= self.switch:
            return self.second
        return self.first

    def systems(self) -> tuple[System, ...]:
        """Every care system the person is known to, the oldest first."""
        return (self.first,) if self.second is None else (self.first, self.second)


@dataclass(slots=True)
class Council:
    """Everything the stages of the generator share."""

    settings: SyntheticSettings
    names: NameBook
    numbers: NumberBook
    addresses: AddressBook
    people: list[TruePerson] = field(default_factory=list)
    households: dict[int, list[TruePerson]] = field(default_factory=dict)
    district: dict[int, District] = field(default_factory=dict)  # household -> where it lives now
    care: dict[int, CareSpell] = field(default_factory=dict)  # person -> care system(s)
    kind_of_client: dict[int, str] = field(default_factory=dict)  # person -> archetype of care
    placed_on: dict[int, date] = field(default_factory=dict)  # person -> first day in a care home
    gp_practices: list[tuple[str, str]] = field(default_factory=list)
    providers: list[tuple[str, str]] = field(default_factory=list)
    migration: list[MigrationLink] = field(default_factory=list)
    migrated: set[str] = field(default_factory=set)  # keys of records a cut-over brought over

    @staticmethod
    def open(settings: SyntheticSettings) -> Council:
        """An empty council for these settings."""
        households = round((settings.patient_count + settings.care_client_count) * 0.75)
        book = AddressBook(
            random.Random(f"{settings.seed}:addresses"), households, serial=settings.shard * RECORDS_EACH
        )
        return Council(settings, name_book(), NumberBook(settings.seed, settings.shard), book)

    def care_systems(self) -> tuple[System, ...]:
        """The case systems of this council, a replaced one first; finance is none of them."""
        kind = self.settings.kind
        if kind.cutover is not None:
            return cast(System, kind.cutover.old), cast(System, kind.cutover.new)
        return tuple(cast(System, s) for s in kind.systems if s not in ("systmone", "controcc"))

    def care_system(self, district: District) -> System:
        """The care system of a district on the first night."""
        return cast(System, self.settings.kind.care[district])

    def care_spell(self, system: System) -> CareSpell:
        """Care by that system, until a cut-over replaces it."""
        plan = self.settings.kind.cutover
        if plan is None or plan.old != system:
            return CareSpell(system)
        return CareSpell(system, cast(System, plan.new), self.day_of(plan.go_live_night), cut_over=True)

    def day_of(self, night: int) -> date:
        """The last day that night can tell of."""
        return date.fromordinal(self.settings.first_night.toordinal() + night - 1)

    def rng(self, purpose: str) -> random.Random:
        """A generator of its own for one purpose."""
        return random.Random(f"{self.settings.seed}:{purpose}")

    @property
    def first_day(self) -> date:
        """Where the two years of events begin."""
        return date.fromordinal(self.settings.first_night.toordinal() - HISTORY_DAYS)

    @property
    def last_day(self) -> date:
        """The last day any extract can tell of: the day before the last night."""
        return date.fromordinal(self.settings.first_night.toordinal() + self.settings.nights - 1)

    def night_of(self, day: date) -> int:
        """The first night that can tell what was typed on `day` (a day is told in the night that follows it)."""
        return max(0, day.toordinal() - self.settings.first_night.toordinal() + 1)

    def by_number(self, per_5000: int) -> int:
        """How many of a hard case this council gets: at least one."""
        return max(1, round(per_5000 * self.settings.care_client_count / 5000))

    def new_person(self, sex: Sex, birth: date, tradition: str, ethnicity: str) -> TruePerson:
        """A person without name, address or household yet; later stages fill these in."""
        person = TruePerson(
            person_id=len(self.people) + 1, sex=sex, birth_date=birth, death_date=None, death_known_night=0,
            names=[], addresses=[], nhs_number=self.numbers.issue(), superseded_nhs_numbers=[],
            ethnicity_code=ethnicity, tradition=tradition, household_id=0, telephone="", email="",
            gp_practice_code="", preferred_forename="",
        )  # fmt: skip
        self.people.append(person)
        return person

    def new_person_with(self, sex: Sex, birth: date, tradition: str, ethnicity: str, *tags: str) -> TruePerson:
        """A new person who carries these tags."""
        person = self.new_person(sex, birth, tradition, ethnicity)
        person.tags.update(tags)
        return person

    def join_household(self, people: list[TruePerson]) -> int:
        """Puts the people under one roof and gives the household's number."""
        number = len(self.households) + 1
        self.households[number] = people
        for person in people:
            person.household_id = number
        return number

    def age(self, person: TruePerson) -> int:
        """Whole years on the last day."""
        return age_on(person.birth_date, self.last_day)


def age_on(birth: date, day: date) -> int:
    """Whole years from `birth` to `day`."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def relate(first: TruePerson, second: TruePerson, kind: str, back: str) -> None:
    """Writes a relation on both people: `second` is `kind` of `first`, `first` is `back` of `second`."""
    first.relations.setdefault(kind, []).append(second.person_id)
    second.relations.setdefault(back, []).append(first.person_id)


def birth_name(person: TruePerson, forename: str, middle: str, surname: str) -> None:
    """Gives the person the name they were born with."""
    person.names.insert(0, NamePeriod(person.birth_date, forename, middle, surname))
