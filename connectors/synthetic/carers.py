"""Unpaid carers: wives and husbands at home, grown children elsewhere; some with help of their own, some without.

Roughly one client in five has a carer the council knows by name (assumption). A carer is recorded in the care system
that looks after the person cared for.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

from connectors.synthetic.council import Council, relate
from connectors.synthetic.world import TruePerson

_CARER_SHARE: Final = 0.21
_RELATED_SHARE: Final = 0.05
_OWN_EVENTS_SHARE: Final = 0.62
_NO_CARERS: Final = frozenset({"reidentified", "restricted", "test_person", "canary_child"})
_HOURS: Final = ("0 to 19 hours", "20 to 34 hours", "35 to 49 hours", "50 hours or more", "Unknown")


def add_carers(council: Council) -> None:
    """Finds or makes a carer for about a fifth of the clients (before names are given)."""
    rng = council.rng("carers")
    clients = [person for person in council.people if "care_client" in person.tags and not person.tags & _NO_CARERS]
    patients_left = round(0.02 * council.settings.care_client_count)
    for client in clients:
        chance = rng.random()
        if chance < _CARER_SHARE:
            carer = _carer_of(council, rng, client)
            relate(carer, client, "cares_for", "cared_for_by")
            carer.tags.add("carer")
            carer.tags.add("carer_with_events" if rng.random() < _OWN_EVENTS_SHARE else "carer_by_association")
            carer.hours_caring = rng.choices(_HOURS, weights=(22, 14, 12, 38, 14))[0]
            if "patient" not in carer.tags and patients_left:
                carer.tags.add("patient")
                patients_left -= 1
        elif chance < _CARER_SHARE + _RELATED_SHARE:
            relative = _grown_child(council, rng, client)
            relate(relative, client, "related_to", "relative")
            relative.tags.add("relative")


def _carer_of(council: Council, rng: random.Random, client: TruePerson) -> TruePerson:
    for kind in ("spouse", "parent", "child"):
        for number in client.relations.get(kind, []):
            candidate = council.people[number - 1]
            if council.age(candidate) >= 18 and not candidate.relations.get("cares_for") and rng.random() < 0.7:
                return candidate
    return _grown_child(council, rng, client)


def _grown_child(council: Council, rng: random.Random, client: TruePerson) -> TruePerson:
    """A son or daughter (or, for young clients, a parent) who lives elsewhere and is not otherwise known."""
    older = council.age(client) < 45
    gap = timedelta(days=rng.randrange(20 * 365, 36 * 365))
    birth = client.birth_date - gap if older else client.birth_date + gap
    latest = council.settings.first_night.replace(year=council.settings.first_night.year - 21)
    person = council.new_person(
        "F" if rng.random() < 0.62 else "M", min(birth, latest), client.tradition, client.ethnicity_code
    )
    if older:
        relate(client, person, "parent", "child")
    else:
        relate(client, person, "child", "parent")
    council.join_household([person])
    return person


def place_carers(council: Council) -> None:
    """Gives every carer and relative the care system of the person cared for (after housing)."""
    for person in council.people:
        cared_for = person.relations.get("cares_for", []) + person.relations.get("related_to", [])
        if cared_for and person.person_id not in council.care:
            spell = council.care.get(cared_for[0])
            if spell is not None and spell.cut_over:
                system = spell.first
            else:
                system = spell.systems()[-1] if spell else council.care_system(council.district[person.household_id])
            council.care[person.person_id] = council.care_spell(system)
