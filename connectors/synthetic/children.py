"""Children in the care systems: their families, and what happened before (and sometimes after) they came of age.

Care systems hold adults and children in one database; the pipeline must leave the children out at its door. The share
is the setting's; some children are patients already, some come of age during the run, some did in the two years before.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from connectors.synthetic.canaries import CHILD
from connectors.synthetic.care_services import COMMUNITY, OTHER_SHORT
from connectors.synthetic.care_story import (
    AS_PLANNED,
    CONTINUE,
    NEXT_ASSESSMENT,
    NEXT_SUPPORT,
    OTHER_END,
    CareStory,
)
from connectors.synthetic.council import Council, age_on, relate
from connectors.synthetic.event_book import EventBook
from connectors.synthetic.people import birth_for_age, draw_tradition, make_client
from connectors.synthetic.world import TruePerson

_ALREADY_PATIENTS: Final = 0.45
_CAME_OF_AGE: Final = 0.06  # in the two years before the run
_COMES_OF_AGE: Final = 6  # during the run, per 5,000 clients
_PARENT_KNOWN: Final = 0.65
_PARENT_CARES: Final = 0.25  # of parents known
_TURNED: Final = "turned_18"


def add_children(council: Council) -> None:
    """Makes the setting's share of child clients, out of patients where there are such (before households)."""
    settings = council.settings
    wanted = round(settings.kind.children_share * settings.care_client_count)
    if not wanted:
        return
    rng = council.rng("children")
    patients = [p for p in council.people if "patient" in p.tags and council.age(p) < 18 and CHILD not in p.tags]
    chosen = rng.sample(patients, min(len(patients), round(_ALREADY_PATIENTS * wanted)))
    turning = min(wanted, max(2, council.by_number(_COMES_OF_AGE)))
    turned = max(2, round(_CAME_OF_AGE * wanted))
    for person in chosen:
        person.tags.add("child")
    for place in range(max(wanted - len(chosen), turning + turned)):
        _new_child(council, rng, place, turning, turned)


def _new_child(council: Council, rng: random.Random, place: int, turning: int, turned: int) -> None:
    first = council.settings.first_night
    if place < turning and council.settings.nights:
        day = council.day_of(1 + place * council.settings.nights // turning)
        birth = day.replace(year=day.year - 18, day=28 if (day.month, day.day) == (2, 29) else day.day)
    elif place < turning + turned:
        birth = birth_for_age(rng, 18, first)
    else:
        birth = birth_for_age(rng, rng.choices(range(17), weights=[4, 4] + [5] * 9 + [7] * 6)[0], first)
    tradition, ethnicity = draw_tradition(rng, 10)
    person = council.new_person("M" if rng.random() < 0.54 else "F", birth, tradition, ethnicity)
    if council.age(person) < 18:
        person.tags.add("child")
        return
    person.tags.add(_TURNED)
    if rng.random() < 0.6:
        make_client(council, person, "community")


def add_parents(council: Council) -> None:
    """Lets the care systems know a parent of most children, some as carer (after households, before carers)."""
    rng = council.rng("parents")
    children = [p for p in council.people if is_child_client(p) and CHILD not in p.tags]
    for child in children:
        if council.age(child) >= 18 and "child" in child.tags:  # households space brothers and sisters apart
            child.tags ^= {"child", _TURNED}
        if rng.random() >= _PARENT_KNOWN:
            continue
        parents = [council.people[number - 1] for number in child.relations.get("parent", [])]
        parent = parents[0] if parents else _new_parent(council, rng, child)
        relate(parent, child, "related_to", "relative")
        parent.tags.add("relative")
        if not parent.relations.get("cares_for") and rng.random() < _PARENT_CARES:
            relate(parent, child, "cares_for", "cared_for_by")
            parent.tags |= {"carer", "carer_by_association"}
            parent.hours_caring = "50 hours or more"


def _new_parent(council: Council, rng: random.Random, child: TruePerson) -> TruePerson:
    birth = child.birth_date - timedelta(days=rng.randrange(21 * 365, 38 * 365))
    parent = council.new_person("F" if rng.random() < 0.8 else "M", birth, child.tradition, child.ethnicity_code)
    parent.household_id = child.household_id
    household = council.households[child.household_id]
    household.insert(0, parent)
    for other in household[1:]:
        if age_on(other.birth_date, council.last_day) < 19 and parent.person_id not in other.relations.get(
            "parent", []
        ):
            relate(parent, other, "child", "parent")
    return parent


def is_child_client(person: TruePerson) -> bool:
    """Whether a care system holds, or held, the person as a child."""
    return bool(person.tags & {"child", _TURNED})


def tell_children(council: Council, book: EventBook) -> None:
    """Writes the children's own events, all begun before they came of age."""
    rng = council.rng("child events")
    stories: tuple[Callable[[CareStory], None], ...] = (_in_need, _in_need, _looked_after, _only_a_contact)
    for person in council.people:
        if not is_child_client(person):
            continue
        story = CareStory(council, book, rng, person, as_child=True)
        if story.first > story.limit:
            continue
        if CHILD in person.tags:
            _canary(story, council)
        else:
            rng.choice(stories)(story)


def _day(story: CareStory, tail: int = 0) -> int:
    latest = max(story.first, story.limit - tail)
    return story.first + int(story.rng.random() * (latest - story.first + 1))


def _in_need(story: CareStory) -> None:
    decided = story.request(_day(story, 60), NEXT_ASSESSMENT)
    if decided is None:
        return
    assessed = story.assessment(decided + 1 + story.rng.randrange(30), NEXT_SUPPORT)
    if assessed is None:
        return
    story.service(assessed + story.rng.randrange(1, 30), story.rng.randrange(60, 900), COMMUNITY, OTHER_END)
    story.review(assessed + 150 + story.rng.randrange(60), "Planned", CONTINUE, assessed + 180)


def _looked_after(story: CareStory) -> None:
    day = story.first
    while day < story.limit:
        days = story.rng.randrange(10, 400)
        story.service(day, days, OTHER_SHORT, AS_PLANNED)
        story.review(day + 28, "Planned", CONTINUE, day + 28)
        day += days + story.rng.randrange(1, 60)


def _only_a_contact(story: CareStory) -> None:
    story.request(_day(story), "NFA: Information and advice or signposting")


def _canary(story: CareStory, council: Council) -> None:
    """Something on each side of every change of system, told from the first load or at once."""
    switch = council.care[story.person.person_id].switch
    days = [story.first + 40]
    if switch is not None:
        days.append(max(switch.toordinal() + 1, story.first))
    for day in days:
        story.request(min(day, story.limit), NEXT_ASSESSMENT, told_at_once=True)
        story.assessment(min(day + 3, story.limit), NEXT_SUPPORT)
        story.service(min(day + 10, story.limit), 5000, COMMUNITY)
