"""The people on whom record linkage goes wrong, put in by number and not by chance (sources hand-book, section 12).

They are made before the rest of the population and take their place among its head counts. Each carries a tag,
so that a
scorer can look at them alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from connectors.synthetic.council import Council, birth_name, relate
from connectors.synthetic.people import birth_for_age, draw_tradition, make_client
from connectors.synthetic.world import NamePeriod, Sex, TruePerson

_COMMON_MEN: Final = ("John Smith", "David Jones", "Peter Williams", "Michael Brown", "Alan Taylor", "Brian Davies")
_COMMON_WOMEN: Final = ("Margaret Smith", "Mary Jones", "Patricia Williams", "Jean Brown", "Ann Taylor", "Susan Davies")


def add_hard_cases(council: Council) -> None:
    """Adds every kind of hard case, a few of each per 5,000 care clients and at least one of each."""
    rng = council.rng("hard cases")
    cases: tuple[tuple[int, Callable[[Council, random.Random, int], None]], ...] = (
        (6, _same_sex_twins), (4, _mixed_twins), (2, _triplets), (6, _father_and_son), (6, _namesakes),
        (4, _exchanged_surnames), (3, _three_surnames), (3, _reidentified), (4, _restricted), (8, _asylum_seeker),
        (6, _traveller), (4, _student), (4, _moved_away_and_back), (4, _newborn),
    )  # fmt: skip
    for per_5000, build in cases:
        for number in range(council.by_number(per_5000)):
            build(council, rng, number)


def _person(council: Council, rng: random.Random, sex: Sex, age: int, *tags: str) -> TruePerson:
    birth = birth_for_age(rng, age, council.settings.first_night)
    return council.new_person_with(sex, birth, "british", "A", *tags)


def _give_name(council: Council, rng: random.Random, person: TruePerson, forename: str, surname: str) -> None:
    middle = council.names.middle_names(rng, person.sex, person.birth_date.year, person.tradition, forename)
    birth_name(person, forename, middle, surname)


def _roles(council: Council, person: TruePerson, *, client: bool, patient: bool, kind: str = "community") -> None:
    if client:
        make_client(council, person, kind)
    if patient:
        person.tags.add("patient")


def _siblings_of_one_birth(council: Council, rng: random.Random, sexes: tuple[Sex, ...], age: int, tag: str) -> None:
    birth = birth_for_age(rng, age, council.settings.first_night)
    surname = council.names.surname(rng, "british")
    family: list[TruePerson] = []
    taken: set[str] = set()
    for sex in sexes:
        person = council.new_person_with(sex, birth, "british", "A", tag)
        forename = council.names.forename(rng, sex, birth.year, "british")
        while forename in taken:
            forename = council.names.forename(rng, sex, birth.year, "british")
        taken.add(forename)
        _give_name(council, rng, person, forename, surname)
        _roles(council, person, client=age >= 18, patient=True)
        for other in family:
            relate(person, other, "twin", "twin")
        family.append(person)
    council.join_household(family)


def _same_sex_twins(council: Council, rng: random.Random, number: int) -> None:
    sex: Sex = "F" if number % 2 else "M"
    _siblings_of_one_birth(council, rng, (sex, sex), (71, 8, 83, 4, 45, 1)[number % 6], "twin_same_sex")


def _mixed_twins(council: Council, rng: random.Random, number: int) -> None:
    _siblings_of_one_birth(council, rng, ("M", "F"), (79, 6, 66, 2)[number % 4], "twin_mixed")


def _triplets(council: Council, rng: random.Random, number: int) -> None:
    sexes: tuple[Sex, ...] = ("F", "F", "M") if number % 2 else ("M", "M", "M")
    _siblings_of_one_birth(council, rng, sexes, (3, 62)[number % 2], "triplet")


def _father_and_son(council: Council, rng: random.Random, number: int) -> None:
    father = _person(council, rng, "M", 76 + number % 12, "father_and_son")
    son = _person(council, rng, "M", 46 + number % 10, "father_and_son")
    forename = council.names.forename(rng, "M", father.birth_date.year, "british")
    surname = council.names.surname(rng, "british")
    for person in (father, son):
        _give_name(council, rng, person, forename, surname)
        _roles(council, person, client=True, patient=True)
    relate(father, son, "child", "parent")
    if number % 2:
        council.join_household([father])
        council.join_household([son])
    else:
        council.join_household([father, son])


def _namesakes(council: Council, rng: random.Random, number: int) -> None:
    """Two unrelated people of the same name and birth date."""
    sex: Sex = "M" if number % 2 else "F"
    forename, surname = (_COMMON_MEN if sex == "M" else _COMMON_WOMEN)[number % 6].split()
    birth = birth_for_age(rng, 74 + number % 12, council.settings.first_night)
    for place in range(2):
        person = council.new_person_with(sex, birth, "british", "A", "namesake")
        _give_name(council, rng, person, forename, surname)
        _roles(council, person, client=True, patient=place == number % 2 or number % 3 == 0)
        council.join_household([person])


def _exchanged_surnames(council: Council, rng: random.Random, number: int) -> None:
    """Husband and wife who took each other's name, or joined both names in opposite orders."""
    husband, wife = (
        _person(council, rng, "M", 68 + number, "exchanged_surnames"),
        _person(council, rng, "F", 66 + number, "exchanged_surnames"),
    )
    his, hers = council.names.surname(rng, "irish"), council.names.surname(rng, "irish")
    married = date(1984 + number, 6, 2)
    for person, born, other in ((husband, his, hers), (wife, hers, his)):
        forename = council.names.forename(rng, person.sex, person.birth_date.year, "british")
        _give_name(council, rng, person, forename, born)
        later = other if number % 2 else f"{born}-{other}"
        person.names.append(NamePeriod(married, forename, person.names[0].middle_names, later))
        _roles(council, person, client=True, patient=True)
    relate(husband, wife, "spouse", "spouse")
    council.join_household([husband, wife])


def _three_surnames(council: Council, rng: random.Random, number: int) -> None:
    """A woman known to all three systems, each with another of her surnames."""
    person = _person(council, rng, "F", 70 + number, "three_surnames")
    forename = council.names.forename(rng, "F", person.birth_date.year, "british")
    surnames = [council.names.surname(rng, "british") for _ in range(3)]
    _give_name(council, rng, person, forename, surnames[0])
    for year, surname in ((25, surnames[1]), (52, surnames[2])):
        when = person.birth_date + timedelta(days=round(365.25 * year))
        person.names.append(NamePeriod(when, forename, person.names[0].middle_names, surname))
    _roles(council, person, client=True, patient=True)
    council.join_household([person])


def _reidentified(council: Council, rng: random.Random, number: int) -> None:
    """A person given a new identity and number by law: the two must never be joined, so they are two people here."""
    before = _person(council, rng, "M" if number % 2 else "F", 24 + 7 * number, "reidentified")
    sex: Sex = ("F" if before.sex == "M" else "M") if number % 3 else before.sex
    after = council.new_person_with(sex, before.birth_date, "british", "A", "reidentified")
    surname = council.names.surname(rng, "british")
    for person in (before, after):
        forename = council.names.forename(rng, person.sex, person.birth_date.year, "british")
        _give_name(council, rng, person, forename, surname if number % 3 else council.names.surname(rng, "british"))
        council.join_household([person])
    relate(before, after, "reidentified_as", "reidentified_from")
    _roles(council, before, client=True, patient=False, kind="request_only")
    _roles(council, after, client=False, patient=True)


def _restricted(council: Council, rng: random.Random, number: int) -> None:
    person = _person(council, rng, "F" if number % 3 else "M", 31 + 9 * number, "restricted")
    _roles(council, person, client=True, patient=True)
    council.join_household([person])


def _asylum_seeker(council: Council, rng: random.Random, number: int) -> None:
    """Born, by the papers, on 1 January of a guessed year; the name spelt as an official heard it."""
    tradition = ("kurdish_afghan", "somali", "arab", "iranian")[number % 4]
    _, ethnicity = draw_tradition(rng, 30)
    ethnicity = {"somali": "N"}.get(tradition, "S")
    birth = date(council.settings.first_night.year - 20 - 3 * number, 1, 1)
    person = council.new_person_with("F" if number % 3 == 0 else "M", birth, tradition, ethnicity, "asylum_seeker")
    _roles(council, person, client=number % 2 == 0, patient=True, kind="request_only")
    council.join_household([person])


def _traveller(council: Council, rng: random.Random, number: int) -> None:
    tags = ("gypsy_traveller", "no_fixed_abode") if number % 2 else ("gypsy_traveller",)
    person = council.new_person_with(
        "M" if number % 2 else "F",
        birth_for_age(rng, 38 + 6 * number, council.settings.first_night),
        "irish",
        "C",
        *tags,
    )
    _roles(council, person, client=number % 3 != 2, patient=True, kind="short_term")
    council.join_household([person])


def _student(council: Council, rng: random.Random, number: int) -> None:
    """Somebody with a term and a home address, both in use."""
    person = _person(council, rng, "F" if number % 2 else "M", 19 + number % 3, "student")
    _roles(council, person, client=number % 2 == 0, patient=True, kind="request_only")
    council.join_household([person])


def _moved_away_and_back(council: Council, rng: random.Random, number: int) -> None:
    person = _person(council, rng, "M" if number % 2 else "F", 58 + 5 * number, "moved_away_and_back")
    _roles(council, person, client=True, patient=True)
    council.join_household([person])


def _newborn(council: Council, rng: random.Random, number: int) -> None:
    """A baby of a few weeks, whom half of all systems still call Baby (D32)."""
    person = council.new_person_with("F" if number % 2 else "M", _weeks_old(council, number), "british", "A", "newborn")
    _roles(council, person, client=False, patient=True)
    council.join_household([person])


def _weeks_old(council: Council, number: int) -> date:
    return council.last_day - timedelta(days=38 - number % 10)
