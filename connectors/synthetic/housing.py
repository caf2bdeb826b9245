"""Where everybody lives and lived: homes and earlier homes, care homes, moves, and the district that cares for them.

Where the two districts keep their adult care in two systems, about one client in twenty is known to both, because they
moved between the districts or both recorded them.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from connectors.synthetic.addresses import CareHome, District, Dwelling, home_dwelling, no_fixed_abode
from connectors.synthetic.children import is_child_client
from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.council import CareSpell, Council
from connectors.synthetic.world import AddressPeriod, TruePerson

_WEST_SHARE: Final = 0.60
_MEAN_TENURE_DAYS: Final = 12 * 365
_MOVED_BETWEEN: Final = 0.03
_DUAL_RECORDED: Final = 0.02
_NOT_MOVED: Final = frozenset(
    {"student", "moved_away_and_back", "no_fixed_abode", "reidentified", "canary_child", "canary_restricted"}
)
#: People whom every care system of the council must know.
_TWICE: Final = frozenset({"three_surnames", "canary_child", "canary_restricted"})


def house_everybody(council: Council) -> None:
    """Gives every household its addresses over time and every care client the care system(s) that know them."""
    rng = council.rng("housing")
    _place_residents(council, rng)
    for number, members in council.households.items():
        if not members[0].addresses:
            _house(council, rng, number, members)
    _special_addresses(council, rng)
    _assign_care_systems(council, rng)


def _place_residents(council: Council, rng: random.Random) -> None:
    residents = [person for person in council.people if "care_home_resident" in person.tags]
    nursing = [p for p in residents if council.kind_of_client.get(p.person_id) == "nursing"]
    others = [p for p in residents if council.kind_of_client.get(p.person_id) != "nursing"]
    if len(nursing) < 20:
        nursing, others = [], residents
    for group, is_nursing in ((others, False), (nursing, True)):
        rng.shuffle(group)
        first = True
        while group:
            beds = 60 if first and len(group) >= 80 else rng.randrange(20, 56)
            if len(group) - beds < 20:
                beds = len(group) if len(group) <= 60 else len(group) // 2
            home = council.addresses.add_care_home(_district(rng), max(20, beds), nursing=is_nursing)
            _fill(council, rng, home, [group.pop() for _ in range(beds)])
            first = False


def _fill(council: Council, rng: random.Random, home: CareHome, residents: list[TruePerson]) -> None:
    home.residents = len(residents)
    for person in residents:
        placed = council.last_day - timedelta(days=3 + int(rng.expovariate(1 / 800)))
        council.placed_on[person.person_id] = placed
        council.district[person.household_id] = home.unit.district
        former = council.addresses.dwelling(home.unit.district)
        since = max(person.birth_date, placed - timedelta(days=int(rng.expovariate(1 / 6000)) + 200))
        person.addresses = [former.period(since, placed - timedelta(days=1)), home_dwelling(home).period(placed)]
    if len(council.addresses.homes) == 1:
        _share_a_surname(residents[:3])


def _share_a_surname(residents: list[TruePerson]) -> None:
    """Unrelated residents of the largest home who happen to bear one surname."""
    surname = residents[0].names[-1].surname
    for person in residents:
        person.names[-1] = replace(person.names[-1], surname=surname)
        person.tags.add("same_surname_residents")


def _district(rng: random.Random) -> District:
    return "west" if rng.random() < _WEST_SHARE else "east"


def _house(council: Council, rng: random.Random, number: int, members: list[TruePerson]) -> None:
    district = _district(rng)
    council.district[number] = district
    moved = council.last_day - timedelta(days=int(rng.expovariate(1 / _MEAN_TENURE_DAYS)))
    recent = moved >= council.first_day
    earlier: District = district
    if rng.random() < 0.12:
        earlier = "outside"
    elif not recent and rng.random() < 0.07:
        earlier = "east" if district == "west" else "west"
    timeline = [(council.addresses.dwelling(district), moved)]
    if rng.random() < 0.92:
        before = moved - timedelta(days=200 + int(rng.expovariate(1 / _MEAN_TENURE_DAYS)))
        timeline.insert(0, (council.addresses.dwelling(earlier), before))
    for person in members:
        person.addresses = _periods(timeline, person.birth_date)


def _periods(timeline: list[tuple[Dwelling, date]], birth: date) -> list[AddressPeriod]:
    """Periods that join without gaps, none of them before birth."""
    periods: list[AddressPeriod] = []
    for place, (dwelling, start) in enumerate(timeline):
        end = timeline[place + 1][1] - timedelta(days=1) if place + 1 < len(timeline) else None
        if end is not None and end <= birth:
            continue
        periods.append(dwelling.period(max(start, birth), end))
    return periods


def rehouse(council: Council, rng: random.Random, person: TruePerson, day: date, district: District) -> None:
    """The person moves, alone, to a new home in the district on that day."""
    last = person.addresses[-1]
    eve = day - timedelta(days=1)
    closed = replace(last, valid_from=min(last.valid_from, eve), valid_to=eve)
    person.addresses = [*person.addresses[:-1], closed, council.addresses.dwelling(district).period(day)]


def _special_addresses(council: Council, rng: random.Random) -> None:
    """Travellers without an address, students with two, people who moved away and back, supported houses."""
    book = council.addresses
    for person in council.people:
        district = council.district[person.household_id]
        start = person.addresses[-1].valid_from
        if "no_fixed_abode" in person.tags:
            person.addresses = [no_fixed_abode().period(max(person.birth_date, start))]
        elif "student" in person.tags:
            family_home = book.dwelling("outside").period(person.birth_date)
            person.addresses = [family_home, book.dwelling(district).period(council.last_day - timedelta(days=560))]
        elif "moved_away_and_back" in person.tags:
            left, back = council.last_day - timedelta(days=620), council.last_day - timedelta(days=260)
            home, away = book.dwelling(district), book.dwelling("outside")
            timeline = [(home, left - timedelta(days=4000)), (away, left), (book.dwelling(district), back)]
            person.addresses = _periods(timeline, person.birth_date)
        elif person.relations.get("reidentified_from"):
            before = council.people[person.relations["reidentified_from"][0] - 1]
            person.addresses = list(before.addresses)
            council.district[person.household_id] = council.district[before.household_id]
    _supported_houses(council, rng)


def _supported_houses(council: Council, rng: random.Random) -> None:
    younger = [
        person for person in council.people
        if council.kind_of_client.get(person.person_id) == "community"
        and council.age(person) < 65
        and len(council.households[person.household_id]) == 1
        and not person.tags & {"namesake", "three_surnames", "moved_away_and_back", "restricted", "student",
        "no_fixed_abode"}
    ]  # fmt: skip
    rng.shuffle(younger)
    for _ in range(council.by_number(14)):
        house = council.addresses.dwelling("west")
        house.kind, house.building = "supported", "Supported Living"
        for person in [younger.pop() for _ in range(min(5, len(younger)))]:
            council.district[person.household_id] = "west"
            start = council.last_day - timedelta(days=100 + int(rng.expovariate(1 / 1500)))
            person.addresses = [house.period(max(person.birth_date, start))]


def _assign_care_systems(council: Council, rng: random.Random) -> None:
    clients = [person for person in council.people if "care_client" in person.tags or is_child_client(person)]
    movable = [
        p for p in clients if len(p.addresses) > 1 and p.addresses[-1].kind == "home" and not p.tags & _NOT_MOVED
    ]
    if council.care_system("west") == council.care_system("east"):
        for person in clients:
            council.care[person.person_id] = council.care_spell(council.care_system("west"))
        return
    moved = {p.person_id for p in choose(rng, movable, how_many(rng, _MOVED_BETWEEN, len(clients)))}
    others = [p for p in clients if p.person_id not in moved]
    dual = {p.person_id for p in choose(rng, others, how_many(rng, _DUAL_RECORDED, len(clients)))}
    window = (council.last_day - council.first_day).days
    for person in clients:
        district = council.district[person.household_id]
        elsewhere: District = "west" if district == "east" else "east"
        current, other = council.care_system(district), council.care_system(elsewhere)
        switch = council.first_day + timedelta(days=rng.randrange(60, window - 60))
        known_twice = person.person_id in moved or person.person_id in dual or bool(person.tags & _TWICE)
        council.care[person.person_id] = CareSpell(other, current, switch) if known_twice else CareSpell(current)
        if person.person_id in moved:
            before = council.addresses.dwelling(elsewhere)
            start = min(person.addresses[-2].valid_from, switch - timedelta(days=400))
            person.addresses[-2] = before.period(max(person.birth_date, start), switch - timedelta(days=1))
            person.addresses[-1] = replace(person.addresses[-1], valid_from=switch)
