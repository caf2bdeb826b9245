"""Builds a synthetic council and writes it out: the truth for scorers, and each supplier's own files for the pipeline.

The same settings give the same council, whatever the machine; time and memory grow with `scale`.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Final

from connectors.synthetic import (
    canaries,
    care_events,
    care_profile,
    carers,
    carry_over,
    casework,
    children,
    hard_cases,
    health_events,
    households,
    housing,
    identity,
    joint_visits,
    life_course,
    national_index,
    people,
    truth,
)
from connectors.synthetic.appearances import register_everybody
from connectors.synthetic.council import Council
from connectors.synthetic.event_book import EventBook
from connectors.synthetic.event_defects import disturb_events
from connectors.synthetic.file_faults import schedule
from connectors.synthetic.keys import LIST_ITEMS_EACH, ORGANISATION_CODE, ORGANISATION_NAME
from connectors.synthetic.record_defects import spoil_records
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import Defect, World

Progress = Callable[[str], None]

#: The population, in the order in which each step needs the one before.
_POPULATION: Final[tuple[tuple[str, Callable[[Council], None]], ...]] = (
    ("hard cases", hard_cases.add_hard_cases),
    ("canaries", canaries.add_canaries),
    ("people", people.populate),
    ("children", children.add_children),
    ("households", households.form_households),
    ("parents", children.add_parents),
    ("carers", carers.add_carers),
    ("practices", identity.name_practices),
    ("names", identity.name_everybody),
    ("addresses", housing.house_everybody),
    ("care systems of carers", carers.place_carers),
    ("deaths, weddings and moves", life_course.live),
    ("providers", identity.name_providers),
    ("care profiles", care_profile.profile_everybody),
)


def build_world(settings: SyntheticSettings, progress: Progress | None = None) -> World:
    """The whole truth of a council of these settings, with every defect already in its records.

    `progress` is told the name of each step as it begins.
    """
    collecting = gc.isenabled()
    gc.disable()  # millions of small objects, none of them garbage: looking for some would make the cost grow faster
    try:
        return _build(settings, progress or (lambda step: None))
    finally:
        if collecting:
            gc.enable()


def _build(settings: SyntheticSettings, tell: Progress) -> World:
    council = Council.open(settings)
    for name, step in _POPULATION:
        tell(name)
        step(council)
    defects: list[Defect] = []
    book = EventBook(council, defects)
    tell("care events")
    care_events.tell_care(council, book)
    children.tell_children(council, book)
    casework.tell_casework(council, book)
    tell("health events")
    health_events.tell_health(council, book)
    joint_visits.tell_joint_visits(council, book)
    carry_over.carry_over(council, book)
    tell("records")
    register = register_everybody(council, book.events)
    tell("defects of records")
    spoil_records(council, register, book.events, defects)
    tell("defects of events")
    disturb_events(council, book, register)
    book.log_late()
    return World(
        seed=settings.seed, nights=settings.nights, first_night=settings.first_night, people=council.people,
        events=book.events,
        appearances=register.all(), defects=defects, providers=council.providers, organisation_code=ORGANISATION_CODE,
        organisation_name=ORGANISATION_NAME, gp_practices=council.gp_practices, quality=settings.quality,
        setting=settings.kind, migration=council.migration, file_faults=schedule(settings),
        first_list_item=settings.shard * LIST_ITEMS_EACH,
    )  # fmt: skip


def generate(settings: SyntheticSettings, out: Path, progress: Progress | None = None) -> World:
    """Builds a council and writes `out`/truth and, door by door, `out`/supply; gives the world it wrote.

    Doors add the defects of their own tables while they write, so the truth is saved last.
    """
    from connectors.synthetic.doors import write_supply

    tell = progress or (lambda step: None)
    world = build_world(settings, tell)
    supply = out / "supply"
    for name in write_supply(world, supply):
        tell(f"writing {name}")
    national_index.write(world, supply)
    tell("writing the truth")
    truth.save(world, out / "truth")
    return world
