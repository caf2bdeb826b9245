"""What care work knows of each client and carer: support reason, accommodation, employment, impairments, funding.

Every value is one of the CLD Release 2 lists (`domain/codes/cld_r2.csv`), letter by letter.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from connectors.synthetic.council import Council
from connectors.synthetic.world import TruePerson

PERSONAL_CARE: Final = "Physical support: Personal care support"
MEMORY: Final = "Support with memory and cognition"
LEARNING: Final = "Learning disability support"
CARER_REASON: Final = "Social support: Support to unpaid carer"

_Choice = tuple[tuple[str, float], ...]
_YOUNG_REASONS: Final[_Choice] = (
    (LEARNING, 34), ("Mental health support", 24), (PERSONAL_CARE, 20), ("Physical support: Access and mobility only",
    9),
    ("Social support: Substance misuse support", 3), ("Social support: Support for social isolation or other reason",
    4),
    ("Sensory support: Support for visual impairment", 2), ("Sensory support: Support for hearing impairment", 2),
    ("Unknown", 2),
)  # fmt: skip
_OLD_REASONS: Final[_Choice] = (
    (PERSONAL_CARE, 58), (MEMORY, 17), ("Physical support: Access and mobility only", 13), ("Mental health support", 4),
    (LEARNING, 2), ("Sensory support: Support for visual impairment", 1.5),
    ("Sensory support: Support for hearing impairment", 1),
    ("Sensory support: Support for dual impairment", 0.5),
    ("Social support: Support for social isolation or other reason", 1.5),
    ("Unknown", 1.5),
)  # fmt: skip
_YOUNG_HOMES: Final[_Choice] = (
    ("Settled mainstream housing with family or friends", 38),
    ("Tenant: Local authority or other social housing provider", 27),
    ("Tenant: Private landlord", 11), ("Owner occupier or shared ownership scheme", 10), ("Shared Lives scheme", 3),
    ("Placed in temporary accommodation by the council (inc. homelessness resettlement)", 3), ("Unknown", 8),
)  # fmt: skip
_OLD_HOMES: Final[_Choice] = (
    ("Owner occupier or shared ownership scheme", 58), ("Tenant: Local authority or other social housing provider", 20),
    ("Tenant: Private landlord", 5), ("Sheltered housing, extra care housing or other sheltered housing", 8),
    ("Settled mainstream housing with family or friends", 4), ("Unknown", 5),
)  # fmt: skip
_WORK: Final[_Choice] = (
    ("Not in paid employment: Not actively seeking work or retired", 74), ("Not in paid employment: Seeking work", 8),
    ("Paid: Less than 16 hours a week", 5), ("Paid: 16 or more hours a week", 5),
    ("Not in paid employment: Voluntary work only", 3), ("Unknown", 5),
)  # fmt: skip
_FUNDING: Final[_Choice] = (
    ("Joint client and social care funded", 62), ("Fully social care funded", 28), ("Fully client funded", 4),
    ("Unknown", 6),
)  # fmt: skip
_HEARING: Final[_Choice] = (
    ("No hearing impairment", 64), ("Hard of hearing", 14), ("Deaf with speech", 1.5), ("Deaf without speech", 0.5),
    ("Hearing impairment: Severity unknown", 3), ("Unknown", 17),
)  # fmt: skip
_SIGHT: Final[_Choice] = (
    ("No visual impairment", 70), ("Partial sight/sight impaired", 7), ("Blind/severely sight impaired", 3),
    ("Visual impairment: Severity unknown", 3), ("Unknown", 17),
)  # fmt: skip


def pick(rng: random.Random, choices: Sequence[tuple[str, float]]) -> str:
    """One value by weight."""
    return rng.choices([value for value, _ in choices], weights=[weight for _, weight in choices])[0]


def profile_everybody(council: Council) -> None:
    """Fills the care values of every client and carer; they fit where the person lives and who cares for them."""
    rng = council.rng("profiles")
    for person in council.people:
        if "care_client" in person.tags:
            _profile_client(council, rng, person)
        elif "carer" in person.tags:
            person.primary_support_reason = CARER_REASON
            person.accommodation_status = pick(rng, _OLD_HOMES)
            person.employment_status = pick(rng, (*_WORK[:2], ("Paid: 16 or more hours a week", 60)))


def _profile_client(council: Council, rng: random.Random, person: TruePerson) -> None:
    old = council.age(person) >= 65
    person.primary_support_reason = pick(rng, _OLD_REASONS if old else _YOUNG_REASONS)
    if "asylum_seeker" in person.tags:
        person.primary_support_reason = "Social support: Asylum seeker support"
    person.accommodation_status = _accommodation(council, rng, person, old=old)
    person.employment_status = (
        "Not in paid employment: Not actively seeking work or retired" if old else pick(rng, _WORK)
    )
    chance = rng.random()
    person.has_unpaid_carer = (
        "Yes" if person.relations.get("cared_for_by") or chance < 0.12 else "No" if chance < 0.82 else "Unknown"
    )
    dementia = person.primary_support_reason == MEMORY or (old and rng.random() < 0.14)
    person.dementia = "Yes" if dementia else "No" if rng.random() < 0.8 else "Unknown"
    autism = 0.30 if person.primary_support_reason == LEARNING else 0.01 if old else 0.07
    person.autism = "Yes" if rng.random() < autism else "No" if rng.random() < 0.75 else "Unknown"
    person.hearing_impairment = "Hard of hearing" if "hearing" in person.primary_support_reason else pick(rng, _HEARING)
    sight = "Blind/severely sight impaired" if "visual" in person.primary_support_reason else pick(rng, _SIGHT)
    person.visual_impairment = sight
    person.client_funding_status = pick(rng, _FUNDING)


def _accommodation(council: Council, rng: random.Random, person: TruePerson, *, old: bool) -> str:
    kind = person.addresses[-1].kind
    if kind == "care_home":
        nursing = council.kind_of_client.get(person.person_id) == "nursing"
        return "Registered nursing home" if nursing else "Registered care home"
    if kind == "supported":
        return "Supported accommodation, supported lodgings or supported group home"
    if kind == "no_fixed_abode":
        return "Rough sleeper or squatting"
    if "gypsy_traveller" in person.tags:
        return "Mobile accommodation for Gypsy, Roma and Traveller communities"
    return pick(rng, _OLD_HOMES if old else _YOUNG_HOMES)
