"""The Liquidlogic simulator: writes the reporting mart of every night, as the nightly rebuild would leave it.

`write` makes the files of all nights from the truth; `rebuild_mart` (in `liquidlogic_mart`) loads one of them into a
real database. The same world always gives the same rows.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from connectors.synthetic.liquidlogic_casework import add_what_stands_behind, casework_rows
from connectors.synthetic.liquidlogic_events import add_events
from connectors.synthetic.liquidlogic_facts import add_lookups, add_person_facts
from connectors.synthetic.liquidlogic_mart import rebuild_mart
from connectors.synthetic.liquidlogic_people import add_people
from connectors.synthetic.liquidlogic_referrals import Referrals
from connectors.synthetic.liquidlogic_rows import SYSTEM, Mart
from connectors.synthetic.liquidlogic_staff import Staff
from connectors.synthetic.liquidlogic_tables import REFRESH_TABLE, mart_tables
from connectors.synthetic.liquidlogic_trial import trial_world
from connectors.synthetic.reporting_database import write_plan, write_tables
from connectors.synthetic.world import World

__all__ = ["rebuild_mart", "write"]

#: Share of people first met on a later night whose person row reaches the mart a night after their facts (sources 3.5).
_LATE_SHARE = 0.1
_LIVE: Final = "live"


def write(world: World, supply: Path) -> None:
    """Write `supply/liquidlogic` for every night and log the defects to `world.defects`.

    Files of an earlier run are replaced. Where the mart is still filled by trial loads, a folder holds each load.
    Raises KeyError when the world uses wording that no code list knows.
    """
    home = supply / SYSTEM
    shutil.rmtree(home, ignore_errors=True)
    mart = _filled(world)
    folders, loads = _loads(world)
    for night in range(world.nights + 1):
        stamp = {"REFRESHED_DTTM": mart.refreshed_at(night), "LOAD_NO": loads[night]}
        mart.tables[REFRESH_TABLE].add(stamp, night, night + 1)
    write_tables(home / _LIVE, mart.tables, mart_tables())
    for night, name in folders:
        if name != _LIVE:
            trial = _filled(trial_world(world, int(name.removeprefix("load_")), night))
            write_tables(home / name, trial.tables, mart_tables())
    write_plan(world, supply, SYSTEM, [mart.snapshot_name(night) for night in range(world.nights + 1)], folders)


def _filled(world: World) -> Mart:
    mart = Mart(world)
    staff = Staff(mart)
    add_people(mart, _late_people(mart))
    referrals = Referrals(mart)
    referrals.write()
    add_events(mart, referrals, casework_rows(staff))
    add_what_stands_behind(mart)
    add_person_facts(mart)
    add_lookups(mart)
    staff.write()
    return mart


def _loads(world: World) -> tuple[list[tuple[int, str]], list[int | None]]:
    """Folders by their first night, and for each night the load the mart holds: None in live running."""
    plan = world.setting.cutover
    if plan is None or plan.new != SYSTEM:
        return [(0, _LIVE)], [None] * (world.nights + 1)
    nights = [night for night in plan.trial_load_nights if night <= world.nights]
    folders = [(0, _LIVE), *((night, f"load_{place}") for place, night in enumerate(nights, 1))]
    loads: list[int | None] = [
        None if night >= plan.go_live_night else sum(1 for n in nights if n <= night)
        for night in range(world.nights + 1)
    ]
    return [*folders, (plan.go_live_night, _LIVE)], loads


def _late_people(mart: Mart) -> set[str]:
    """Records that are a night late, so that their events stand in the mart without a person for one night (D86).

    A council with faults has at least one, as soon as anybody's first event is told on a later night.
    """
    told = {(e.appearance_key, e.recorded_night) for e in mart.world.events if e.system == SYSTEM}
    new = [
        (mart.draw("late person", a.key), a)
        for a in mart.world.appearances
        if a.system == SYSTEM and 0 < a.recorded_night < mart.last_night and a.removed_night is None
        if (a.key, a.recorded_night) in told and not a.is_test and a.recorded_night != mart.go_live_night
    ]
    new.sort(key=lambda pair: pair[0])
    late = [a for place, (drawn, a) in enumerate(new) if drawn < _LATE_SHARE * mart.world.quality or place == 0]
    for appearance in late if mart.world.quality else []:
        key = f"person:{appearance.key}"
        mart.log("D86", "DIM_PERSON", key, "DIM_PERSON_ID", appearance.recorded_night)
    return {a.key for a in late} if mart.world.quality else set()
