"""Who lives with whom: couples, families with children, grown children at home, care homes, people on their own.

Works on people without names or addresses; naming and housing follow the household. Pairing goes by naming tradition
and nearness of birth, so that couples look like couples.
"""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise
from typing import Final

from connectors.synthetic.council import Council, relate
from connectors.synthetic.world import TruePerson

_COUPLE_SHARE: Final = 0.56
_SAME_SEX_SHARE: Final = 0.02


def form_households(council: Council) -> None:
    """Puts everybody into exactly one household."""
    rng = council.rng("households")
    residents = _care_home_residents(council, rng)
    for person in residents:
        person.tags.add("care_home_resident")
        council.join_household([person])
    free = [person for person in council.people if not person.household_id]
    children = [person for person in free if council.age(person) < 18]
    adults = [person for person in free if council.age(person) >= 18]
    _pair_couples(council, rng, adults)
    _house_children(council, rng, children, adults)
    _grown_children_at_home(council, rng, adults)
    for person in adults:
        if not person.household_id:
            council.join_household([person])


def _care_home_residents(council: Council, rng: random.Random) -> list[TruePerson]:
    chosen: list[TruePerson] = []
    for person in council.people:
        if person.household_id:
            continue
        kind = council.kind_of_client.get(person.person_id)
        self_funder = kind is None and council.age(person) >= 78 and rng.random() < 0.035
        if kind in ("residential", "nursing") or self_funder:
            chosen.append(person)
    return chosen


def _pair_couples(council: Council, rng: random.Random, adults: list[TruePerson]) -> None:
    pools: dict[tuple[str, str], list[TruePerson]] = {}
    for person in adults:
        share = _COUPLE_SHARE if council.age(person) >= 60 else 0.45
        if council.age(person) >= 24 and rng.random() < share:
            pools.setdefault((person.tradition, person.sex), []).append(person)
    for tradition in dict.fromkeys(key[0] for key in pools):
        women = pools.get((tradition, "F"), [])
        men = pools.get((tradition, "M"), [])
        same_sex = rng.random() < 0.5
        for pool in (women, men):
            pool.sort(key=lambda p: (p.birth_date, p.person_id))
        _pair_off(council, rng, men, women)
        if same_sex and tradition == "british":
            left = [p for p in women if not p.household_id]
            for first, second in zip(left[0::2], left[1::2], strict=False):
                if rng.random() < 4 * _SAME_SEX_SHARE and abs((first.birth_date - second.birth_date).days) < 5500:
                    _marry(council, first, second)


def _pair_off(council: Council, rng: random.Random, men: list[TruePerson], women: list[TruePerson]) -> None:
    """Walks down both lists by birth date, women two years younger, and joins neighbours under ten years apart."""
    i = j = 0
    while i < len(men) and j < len(women):
        gap = (women[j].birth_date - men[i].birth_date).days - 730
        if abs(gap) > 3650:
            if gap < 0:
                j += 1
            else:
                i += 1
            continue
        _marry(council, men[i], women[j])
        i += 1
        j += 1 if rng.random() < 0.93 else 2


def _marry(council: Council, first: TruePerson, second: TruePerson) -> None:
    relate(first, second, "spouse", "spouse")
    council.join_household([first, second])


def _house_children(council: Council, rng: random.Random, children: list[TruePerson], adults: list[TruePerson]) -> None:
    by_tradition: dict[str, list[TruePerson]] = {}
    for child in children:
        by_tradition.setdefault(child.tradition, []).append(child)
    parents: dict[str, list[TruePerson]] = {}
    for adult in adults:
        if 22 <= council.age(adult) <= 50:
            parents.setdefault(adult.tradition, []).append(adult)
    for tradition, group in by_tradition.items():
        rng.shuffle(group)
        waiting = parents.get(tradition, [])
        rng.shuffle(waiting)
        while group:
            family = [group.pop() for _ in range(min(len(group), rng.choice((1, 1, 2, 2, 3))))]
            _space_siblings(rng, family)
            parent = waiting.pop() if waiting and rng.random() < 0.5 else None
            if parent is not None and (family[-1].birth_date - parent.birth_date).days < 17 * 365:
                parent = None
            _join_family(council, parent, family)


def _space_siblings(rng: random.Random, family: list[TruePerson]) -> None:
    """Brothers and sisters are born at least eleven months apart (twins come by number, in `hard_cases`)."""
    family.sort(key=lambda p: (p.birth_date, p.person_id), reverse=True)
    for younger, older in pairwise(family):
        if (younger.birth_date - older.birth_date).days < 330:
            older.birth_date = younger.birth_date - timedelta(days=rng.randrange(340, 1200))


def _join_family(council: Council, parent: TruePerson | None, family: list[TruePerson]) -> None:
    for number, child in enumerate(family):
        for other in family[number + 1 :]:
            relate(child, other, "sibling", "sibling")
    if parent is None:
        council.join_household(family)
        return
    for child in family:
        relate(parent, child, "child", "parent")
    if parent.household_id:
        household = council.households[parent.household_id]
        household.extend(family)
        for child in family:
            child.household_id = parent.household_id
    else:
        council.join_household([parent, *family])


def _grown_children_at_home(council: Council, rng: random.Random, adults: list[TruePerson]) -> None:
    """Some younger clients live with an elderly parent who is known to the services too."""
    elders: dict[str, list[TruePerson]] = {}
    for adult in adults:
        if council.age(adult) >= 62:
            elders.setdefault(adult.tradition, []).append(adult)
    for person in adults:
        age = council.age(person)
        if person.household_id or age >= 55 or "care_client" not in person.tags or rng.random() > 0.16:
            continue
        pool = elders.get(person.tradition, [])
        for _ in range(6):
            if not pool:
                break
            parent = rng.choice(pool)
            if 19 <= council.age(parent) - age <= 42 and "child" not in parent.relations:
                relate(parent, person, "child", "parent")
                if not parent.household_id:
                    council.join_household([parent])
                council.households[parent.household_id].append(person)
                person.household_id = parent.household_id
                break
