"""Who lives in Ardenvale: care clients, patients and carers by age, sex and naming tradition.

Two thirds of care clients are over 65 and 58 % are women; three quarters of patients are over 65, the rest are mostly
children (assumptions of the sources hand-book, section 12). About 82 % of people are White British.
"""

from __future__ import annotations

import random
from datetime import date
from typing import Final

from connectors.synthetic.council import Council
from connectors.synthetic.world import Sex, TruePerson

#: (youngest, oldest, share, share of women)
_CARE_AGES: Final = (
    (18, 39, 0.12, 0.44), (40, 64, 0.21, 0.51), (65, 74, 0.15, 0.54), (75, 84, 0.25, 0.62), (85, 101, 0.27, 0.70),
)  # fmt: skip
_PATIENT_AGES: Final = (
    (0, 4, 0.055, 0.48), (5, 17, 0.045, 0.47), (18, 39, 0.045, 0.60), (40, 64, 0.087, 0.53),
    (65, 74, 0.215, 0.52), (75, 84, 0.330, 0.55), (85, 102, 0.223, 0.64),
)  # fmt: skip
#: tradition -> (weight under 65, weight from 65 on, ethnic categories with weights)
_TRADITIONS: Final[dict[str, tuple[float, float, tuple[tuple[str, float], ...]]]] = {
    "british": (
        73.0,
        88.4,
        (
            ("A", 0.958),
            ("C", 0.008),
            ("D", 0.011),
            ("E", 0.003),
            ("F", 0.006),
            ("G", 0.005),
            ("M", 0.006),
            ("P", 0.003),
        ),
    ),
    "irish": (1.5, 2.6, (("B", 0.7), ("A", 0.3))),
    "caribbean": (1.6, 1.8, (("M", 0.9), ("P", 0.1))),
    "south_asian_muslim": (4.6, 1.4, (("J", 0.96), ("L", 0.04))),
    "bangladeshi": (1.6, 0.5, (("K", 1.0),)),
    "sikh": (1.5, 0.8, (("H", 1.0),)),
    "hindu": (2.0, 1.1, (("H", 0.94), ("L", 0.06))),
    "polish": (3.0, 0.7, (("C", 1.0),)),
    "romanian": (1.8, 0.1, (("C", 1.0),)),
    "ukrainian": (0.8, 0.3, (("C", 1.0),)),
    "italian": (0.3, 0.6, (("C", 1.0),)),
    "portuguese": (0.8, 0.1, (("C", 1.0),)),
    "chinese": (1.2, 0.5, (("R", 1.0),)),
    "west_african": (2.4, 0.4, (("N", 1.0),)),
    "somali": (1.0, 0.2, (("N", 1.0),)),
    "arab": (0.9, 0.2, (("S", 1.0),)),
    "turkish": (0.5, 0.2, (("S", 0.6), ("C", 0.4))),
    "iranian": (0.4, 0.1, (("S", 1.0),)),
    "kurdish_afghan": (0.6, 0.05, (("S", 0.6), ("L", 0.4))),
}
_NAMES: Final = tuple(_TRADITIONS)
_YOUNG: Final = tuple(w for w, _, _ in _TRADITIONS.values())
_OLD: Final = tuple(w for _, w, _ in _TRADITIONS.values())

#: archetype -> (share of care clients, share of them who are also patients)
ARCHETYPES: Final[dict[str, tuple[float, float]]] = {
    "residential": (0.105, 0.77),
    "nursing": (0.055, 0.82),
    "community": (0.375, 0.72),
    "new_long_term": (0.15, 0.73),
    "short_term": (0.13, 0.74),
    "equipment": (0.055, 0.66),
    "request_only": (0.13, 0.56),
}

TRADITION_BORN_ABROAD: Final = frozenset(
    {"somali", "arab", "iranian", "kurdish_afghan", "bangladeshi", "romanian", "ukrainian"}
)


def draw_tradition(rng: random.Random, age: int) -> tuple[str, str]:
    """A naming tradition and an ethnic category, as common as they are at that age."""
    tradition = rng.choices(_NAMES, weights=_OLD if age >= 65 else _YOUNG)[0]
    categories = _TRADITIONS[tradition][2]
    code = rng.choices([c for c, _ in categories], weights=[w for _, w in categories])[0]
    return tradition, code


def birth_for_age(rng: random.Random, age: int, on: date) -> date:
    """A birth date of somebody aged `age` on that day."""
    return date.fromordinal(on.toordinal() - int(age * 365.25) - rng.randrange(1, 365))


def _draw_person(council: Council, rng: random.Random, bands: tuple[tuple[int, int, float, float], ...]) -> TruePerson:
    low, high, _, women = rng.choices(bands, weights=[band[2] for band in bands])[0]
    sex: Sex = "F" if rng.random() < women else "M"
    age = rng.randrange(low, high + 1)
    if low >= 85:
        age = min(high, low + int(rng.expovariate(1 / 4.5)))
    birth = birth_for_age(rng, age, council.settings.first_night)
    tradition, ethnicity = draw_tradition(rng, age)
    return council.new_person(sex, birth, tradition, ethnicity)


def _archetype(rng: random.Random, age: int) -> str:
    names = list(ARCHETYPES)
    weights = [ARCHETYPES[name][0] for name in names]
    if age < 65:
        weights[0] *= 0.45
        weights[1] *= 0.20
        weights[2] *= 1.35
    else:
        weights[0] *= 1.25
        weights[1] *= 1.35
        weights[2] *= 0.85
    return rng.choices(names, weights=weights)[0]


def make_client(council: Council, person: TruePerson, kind: str) -> None:
    """Makes the person a care client of that archetype."""
    person.tags.add("care_client")
    council.kind_of_client[person.person_id] = kind
    if kind in ("residential", "nursing", "community", "new_long_term"):
        person.tags.add("long_term")


def populate(council: Council) -> None:
    """Fills up to the exact number of care clients and patients (people not yet named or housed)."""
    rng = council.rng("people")
    settings = council.settings
    for _ in range(settings.care_client_count - len(council.kind_of_client)):
        person = _draw_person(council, rng, _CARE_AGES)
        kind = _archetype(rng, council.age(person))
        make_client(council, person, kind)
        if rng.random() < ARCHETYPES[kind][1]:
            person.tags.add("patient")
    both = sum(1 for person in council.people if "patient" in person.tags)
    carers_who_are_patients = round(0.02 * settings.care_client_count)
    for _ in range(settings.patient_count - both - carers_who_are_patients):
        person = _draw_person(council, rng, _PATIENT_AGES)
        person.tags.add("patient")
