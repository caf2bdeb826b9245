"""MiCare of the synthetic council: a folder a night of flat files, until the batch job is switched off for good.

`write` keeps every row once with the nights on which it is held; `release` renders a night's folder where the connector
looks. Deletions show by absence only. Layouts are assumptions (sources hand-book 6.2); the last batch runs on the last
night of dual running, after which MiCare is an archive (6.4).
"""

from __future__ import annotations

from pathlib import Path

from connectors.synthetic.defects import log_of
from connectors.synthetic.micare_delivery import Deliveries, keep_supply, load_supply
from connectors.synthetic.micare_events import write_events
from connectors.synthetic.micare_file import Draws, Dump
from connectors.synthetic.micare_notes import write_codes, write_notes
from connectors.synthetic.micare_people import people_of, write_people
from connectors.synthetic.micare_tables import COLUMNS
from connectors.synthetic.world import World


def write(world: World, supply: Path) -> None:
    """Write every night below `supply`/micare and log the defects it injects to `world.defects`."""
    draws = Draws(world.seed, world.quality, log_of(world, "micare"))
    dump = Dump()
    people = people_of(world, draws)
    write_codes(world, dump, draws)
    write_people(world, people, dump, draws)
    write_events(world, people, dump, draws)
    write_notes(world, people, dump, draws)
    cutover = world.setting.cutover
    is_replaced = cutover is not None and cutover.old == "micare"
    last = min(world.nights, cutover.dual_running_until_night) if cutover and is_replaced else world.nights
    deliveries = Deliveries(world.first_night, last, world.faults_of("micare"), {})
    for night in range(last + 1):
        for table in COLUMNS:
            if draws.hits("D89c", f"{table}:{night}"):
                deliveries.marked.setdefault(night, []).append(table)
                draws.note("D89", table, f"{deliveries.stamp(night)}/MICARE_{table}.TXT", "", night)
    for night, kind in deliveries.faults.items():
        if night <= last:
            draws.log.add("D91", deliveries.name(night), deliveries.name(night), kind, night)
    keep_supply(supply / "micare", deliveries, dump)


def release(supply: Path, night: int, inbox: Path) -> None:
    """Make what arrives on night `night` appear in `inbox`/micare: mostly that night's folder, after a fault another.

    Nothing arrives once the batch job is switched off.

    Raises:
        FileNotFoundError: when nothing was written.
    """
    deliveries = load_supply(supply / "micare")
    (inbox / "micare").mkdir(parents=True, exist_ok=True)
    deliveries.release(supply / "micare", night, inbox / "micare")
