"""People put there to be looked for: three children and two restricted persons whom every system of the council holds.

Their names occur nowhere else, so that a scan for them proves where children (governance CHI-4) and restricted persons
do not come. No defect touches their records; CareFirst and MiCare write them in capitals like everybody.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from connectors.synthetic.council import Council, birth_name
from connectors.synthetic.people import birth_for_age, make_client
from connectors.synthetic.world import Appearance, Sex, TruePerson

CHILD: Final = "canary_child"
RESTRICTED: Final = "canary_restricted"
TAGS: Final = frozenset({CHILD, RESTRICTED})
CHILD_SURNAME: Final = "Kanarienkind"
CHILD_FORENAME: Final = "Zzchild"
RESTRICTED_SURNAME: Final = "Kanariensperre"
RESTRICTED_FORENAME: Final = "Zzsperre"
_CHILDREN: Final = (7, 9, 12)  # ages: none comes of age during a run
_RESTRICTED: Final = (44, 71)
_NUMBERS: Final = "ABCDEFGH"


def add_canaries(council: Council) -> None:
    """Adds them, each alone in a household; they are patients and known to every care system."""
    for place, age in enumerate(_CHILDREN):
        person = _person(council, age, "F" if place % 2 else "M")
        person.tags |= {CHILD, "child", "patient"}
        birth_name(person, f"{CHILD_FORENAME}{place + 1}", "", CHILD_SURNAME + _NUMBERS[place])
    for place, age in enumerate(_RESTRICTED):
        person = _person(council, age, "M" if place % 2 else "F")
        person.tags |= {RESTRICTED, "restricted", "patient"}
        make_client(council, person, "community")
        birth_name(person, f"{RESTRICTED_FORENAME}{place + 1}", "", RESTRICTED_SURNAME + _NUMBERS[place])


def _person(council: Council, age: int, sex: Sex) -> TruePerson:
    birth = birth_for_age(council.rng(f"canary {age}"), age, council.settings.first_night) - timedelta(days=10)
    person = council.new_person(sex, birth, "british", "A")
    council.join_household([person])
    return person


def is_canary(council: Council, record: Appearance) -> bool:
    """Whether the record is that of a canary."""
    return bool(council.people[record.person_id - 1].tags & TAGS)
