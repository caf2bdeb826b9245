"""Gives everybody a name, a number's history, a telephone and a practice.

Names follow the household: husband's name for most wives of older generations (their maiden name is kept as an earlier
period), parents' name for children, Kaur and Singh, feminine endings.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Final

from connectors.synthetic.council import Council
from connectors.synthetic.names import BRITISH_LIKE, nicknames
from connectors.synthetic.world import NamePeriod, TruePerson

#: Women who bear their husband's name whatever the tradition's other habits.
_TAKES_NAME: Final = BRITISH_LIKE | {"polish", "romanian", "ukrainian", "hindu", "west_african", "turkish"}
_SUPERSEDED_SHARE: Final = 0.012


def name_everybody(council: Council) -> None:
    """Names every household in turn; people who already have a name (hard cases) keep it."""
    rng = council.rng("names")
    for members in council.households.values():
        named = next((person for person in members if person.names), None)
        family = named.names[-1].surname if named else _family_name(council, rng, members[0])
        for person in members:
            if not person.names:
                _name_person(council, rng, person, family, members)
    for person in council.people:
        _finish(council, rng, person)


def _family_name(council: Council, rng: random.Random, head: TruePerson) -> str:
    """The name of a parent who lives elsewhere and is already named, else a new one."""
    for number in head.relations.get("parent", []):
        parent = council.people[number - 1]
        if parent.names:
            return parent.names[-1].surname
    return council.names.surname(rng, head.tradition)


def _name_person(
    council: Council, rng: random.Random, person: TruePerson, family: str, members: list[TruePerson]
) -> None:
    book = council.names
    year = person.birth_date.year
    tradition = person.tradition
    forename = book.forename(rng, person.sex, year, tradition)
    taken = {other.names[0].forename for other in members if other.names}
    for _ in range(5):
        if forename not in taken:
            break
        forename = book.forename(rng, person.sex, year, tradition)
    middle = book.middle_names(rng, person.sex, year, tradition, forename)
    bears = book.surname_for(rng, person.sex, family, tradition)
    age = council.age(person)
    spouse = bool(person.relations.get("spouse"))
    daughter = bool(person.relations.get("parent"))
    woman_by_marriage = person.sex == "F" and tradition in _TAKES_NAME and (not daughter or len(members) == 1)
    ever_married = spouse or (age >= 30 and rng.random() < (0.82 if age >= 65 else 0.5))
    takes = woman_by_marriage and ever_married and rng.random() < (0.95 if age >= 60 else 0.75)
    if person.sex == "M" and spouse and rng.random() < 0.01:
        takes = True
    if not takes:
        if spouse and woman_by_marriage:
            bears = book.surname_for(rng, person.sex, book.surname(rng, tradition), tradition)
        person.names = [NamePeriod(person.birth_date, forename, middle, bears)]
        return
    maiden = book.surname_for(rng, person.sex, book.surname(rng, tradition), tradition)
    if daughter:
        maiden, bears = bears, maiden
    wedding = person.birth_date + timedelta(days=rng.randrange(19 * 365, 34 * 365))
    latest = council.first_day - timedelta(days=30)
    person.names = [
        NamePeriod(person.birth_date, forename, middle, maiden),
        NamePeriod(min(wedding, latest), forename, middle, bears),
    ]


def _finish(council: Council, rng: random.Random, person: TruePerson) -> None:
    age = council.age(person)
    if rng.random() < (0.12 if age >= 65 else 0.06):
        person.preferred_forename = _known_as(rng, person)
    if rng.random() < _SUPERSEDED_SHARE:
        person.superseded_nhs_numbers.append(council.numbers.issue())
    person.telephone = f"01632 {rng.randrange(1_000_000):06d}" if rng.random() < (0.8 if age >= 65 else 0.35) else ""
    if not person.telephone and rng.random() < 0.8:
        person.telephone = f"07700 900{rng.randrange(1000):03d}"
    if age >= 16 and rng.random() < (0.18 if age >= 75 else 0.55):
        name = person.names[-1]
        local = f"{name.forename}.{name.surname}{rng.randrange(100)}".lower().replace(" ", "")
        person.email = local.encode("ascii", "ignore").decode() + "@example.org"
    person.gp_practice_code = rng.choice(council.gp_practices)[0]


def _known_as(rng: random.Random, person: TruePerson) -> str:
    name = person.names[-1]
    short = nicknames().get(name.forename.lower())
    if short and rng.random() < 0.7:
        return rng.choice(short)
    return name.middle_names.split(" ")[0] if name.middle_names and person.tradition in BRITISH_LIKE else ""


def marry_on(person: TruePerson, day: date, surname: str) -> None:
    """The person bears `surname` from `day` on."""
    last = person.names[-1]
    person.names.append(NamePeriod(day, last.forename, last.middle_names, surname))


def name_practices(council: Council) -> None:
    """The GP practices of the county; codes have the national shape and belong to nobody."""
    rng = council.rng("practices")
    count = max(6, round(28 * min(4.0, council.settings.scale**0.5)))
    kinds = ("Surgery", "Medical Centre", "Health Centre", "Practice")
    for number in range(count):
        unit = council.addresses.units["west" if number % 5 < 3 else "east"][number % 12]
        council.gp_practices.append(
            (f"Y{99_001 + number - 100 * council.settings.shard}", f"{unit.street} {rng.choice(kinds)}, {unit.town}")
        )


def name_providers(council: Council) -> None:
    """Providers of care with location ids of the regulator's shape: care homes first, then home care and the rest."""
    rng = council.rng("providers")
    base = 990_000_000 + rng.randrange(1000) + 100_000 * council.settings.shard
    for home in council.addresses.homes:
        council.providers.append((home.name, ""))
    for number in range(max(8, round(30 * min(4.0, council.settings.scale**0.5)))):
        kind = ("Home Care", "Care at Home", "Support Services", "Community Care", "Day Centre")[number % 5]
        first = ("Arden", "Vale", "Brook", "Sunrise", "Harbour", "Oak", "Kestrel", "Lantern", "Maple", "Beacon")[
            number % 10
        ]
        council.providers.append((f"{first} {kind} {number // 10 + 1}" if number >= 10 else f"{first} {kind}", ""))
    council.providers = [(name, f"1-{base + 37 * number}") for number, (name, _) in enumerate(council.providers)]
