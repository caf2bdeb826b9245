"""What happens to people during the two years: deaths, weddings, moves; some of it on the very nights of the demo."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from typing import Final

from connectors.synthetic.council import HISTORY_DAYS, Council
from connectors.synthetic.housing import rehouse
from connectors.synthetic.identity import marry_on
from connectors.synthetic.world import TruePerson

#: (youngest age, chance of dying in a year) for patients; care clients die 1.6 times as often (assumption).
_MORTALITY: Final = ((0, 0.0005), (40, 0.004), (65, 0.018), (75, 0.045), (85, 0.11), (95, 0.22))
_CLIENT_FACTOR: Final = 1.6
#: Hard cases whose story needs them alive.
_LIVES: Final = frozenset(
    {"restricted", "reidentified", "student", "moved_away_and_back", "three_surnames", "canary_child"}
)


def live(council: Council) -> None:
    """Deaths, weddings and moves (after housing and naming)."""
    rng = council.rng("life")
    for person in council.people:
        if not person.tags & _LIVES and rng.random() < _chance_of_death(council, person):
            _die(council, rng, person, rng.randrange(1, HISTORY_DAYS))
    _on_the_nights(council, rng)


def _chance_of_death(council: Council, person: TruePerson) -> float:
    age = council.age(person)
    yearly: float = next(hazard for youngest, hazard in reversed(_MORTALITY) if age >= youngest)
    if "care_client" in person.tags:
        yearly *= _CLIENT_FACTOR
    return min(0.6, 1 - math.pow(1 - yearly, HISTORY_DAYS / 365.25))


def _die(council: Council, rng: random.Random, person: TruePerson, days_ago: int) -> None:
    day = council.last_day - timedelta(days=days_ago)
    if day <= person.birth_date + timedelta(days=30) or day <= person.addresses[-1].valid_from:
        return
    person.death_date = day
    told = day + timedelta(days=min(30, 1 + int(rng.expovariate(1 / 2.5))))
    person.death_known_night = min(council.settings.nights, council.night_of(told))


def _on_the_nights(council: Council, rng: random.Random) -> None:
    """A few deaths, weddings and moves on the nights after the first load, however small the council."""
    nights = council.settings.nights
    if not nights:
        return
    _newcomers(council, rng)
    adults = [p for p in council.people if p.death_date is None and not p.tags & _LIVES and council.age(p) >= 18]
    known = [
        p for p in adults if p.tags & {"care_client", "patient"} and len(p.names) < 3 and "night_newcomer" not in p.tags
    ]
    for number, person in enumerate(_some(rng, [p for p in known if council.age(p) >= 75], council.by_number(4))):
        _die(council, rng, person, 1 + number % nights)
        person.tags.add("night_death")
    alive = [p for p in known if p.death_date is None]
    younger = [p for p in alive if p.sex == "F" and council.age(p) < 60]
    for number, person in enumerate(_some(rng, younger, council.by_number(3))):
        surname = council.names.surname(rng, person.tradition)
        marry_on(person, council.last_day - timedelta(days=1 + number % nights), surname)
        person.tags.add("night_marriage")
    homes = [p for p in alive if p.addresses[-1].kind == "home" and len(council.households[p.household_id]) == 1]
    for number, person in enumerate(_some(rng, homes, council.by_number(5))):
        day = council.last_day - timedelta(days=number % nights)
        if person.addresses[-1].valid_from < day - timedelta(days=2):
            rehouse(council, rng, person, day, council.district[person.household_id])
            person.tags.add("night_move")


def _newcomers(council: Council, rng: random.Random) -> None:
    """People whom care work first hears of on one of the nights."""
    new = [
        p
        for p in council.people
        if council.kind_of_client.get(p.person_id) == "request_only" and p.death_date is None and not p.tags & _LIVES
    ]
    for person in _some(rng, new, council.by_number(8)):
        person.tags.add("night_newcomer")


def _some(rng: random.Random, people: list[TruePerson], count: int) -> list[TruePerson]:
    return rng.sample(people, min(count, len(people)))
