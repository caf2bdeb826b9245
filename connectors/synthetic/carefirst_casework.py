"""Who works with whom in the simulated CareFirst, and the unborn children clerks open a file for.

Safeguarding and deprivation of liberty are activities like any other: `carefirst_events`.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from connectors.synthetic.carefirst_codes import code
from connectors.synthetic.carefirst_dump import FOREVER, Draws, Dump, day, moment, padded, spans
from connectors.synthetic.carefirst_lists import FIRST_WORKER
from connectors.synthetic.keys import supplier_event_id
from connectors.synthetic.world import Appearance, TrueEvent, TruePerson, World

#: One woman in so many, of an age to, is expecting when the setting holds children.
_EXPECTING: Final = 25
_FIRST_UNBORN: Final = 6_900_000


def add_involvement(dump: Dump, event: TrueEvent, last: int) -> None:
    """Add one involvement for every stretch of nights in which it looks the same."""
    identity = str(supplier_event_id("carefirst", event.kind, event.event_id))
    for first, until in spans(event.recorded_night, last, [event.changed_night]):
        seen = event.as_of(first)
        if seen is None:
            continue
        worker = seen.facts.get("worker", "")
        by = str(FIRST_WORKER + int(worker) - 1) if worker else ""
        team = padded(seen.facts.get("team", ""), "TEAM")
        role = padded(code("ROLE", seen.facts.get("role", "")), "ROLE")
        row = (identity, event.appearance_key, by, team, role, day(seen.start_at), day(seen.end_at))
        dump.add("INVOLVEMENT", first, until, row)


def add_unborn(world: World, mother: Appearance, person: TruePerson, dump: Dump, draws: Draws) -> None:
    """Now and then the file of a child not yet born: no forename, no sex, the expected date at best (sources 5.3).

    It is a child's file and nobody's record: the door leaves it out, and the truth does not know it.
    """
    age = (world.first_night - person.birth_date).days // 365
    if not world.setting.children_share or person.sex != "F" or not 18 <= age <= 42:
        return
    if draws.below(_EXPECTING, "expecting", mother.key):
        return
    held = mother.as_of(mother.recorded_night) or {}
    due = world.night_date(world.nights) + timedelta(days=10 + draws.below(200, "due", mother.key))
    opened = moment(_at_nine(world, mother))
    key = str(_FIRST_UNBORN + int(mother.key) % 90_000)
    names = ("", "UNBORN", held.get("surname", "").upper(), "", "U")
    dates = (day(due) if draws.number("due known", key) < 0.6 else "", "Y", "", "", "", "")
    until = FOREVER if mother.removed_night is None else mother.removed_night
    dump.add("PERSON", mother.recorded_night, until, (key, *names, *dates, "Y", "C", "N", opened, opened))
    kind = padded("PARE", "REL_TYPE")
    dump.add("RELATIONSHIP", mother.recorded_night, until, (mother.key, key, kind, "", "", "N"))


def _at_nine(world: World, mother: Appearance) -> datetime:

    return datetime.combine(world.night_date(mother.recorded_night) - timedelta(days=1), time(9))
