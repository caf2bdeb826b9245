"""SystmOne of the synthetic council: a bulk on night 0, then one delta a night, each a split zip in a stamped folder.

`write` prepares all nights; `release` makes one night's delivery appear where the connector looks. Layouts and habits
are those of the sources hand-book, section 2; the same world always gives the same bytes.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from connectors.synthetic.systmone_about import write_about
from connectors.synthetic.systmone_codes import write_codes
from connectors.synthetic.systmone_delivery import write_deliveries
from connectors.synthetic.systmone_events import write_events
from connectors.synthetic.systmone_extract import Extract
from connectors.synthetic.systmone_lists import pick_lists, write_lists
from connectors.synthetic.systmone_people import records_of, write_people
from connectors.synthetic.systmone_units import write_units
from connectors.synthetic.world import World


def write(world: World, supply: Path) -> None:
    """Write every night's delivery below `supply`/systmone and log the defects it injects to `world.defects`."""
    extract = Extract(world)
    lists, records = pick_lists(world), records_of(extract)
    write_lists(extract, lists)
    write_people(extract, lists, records)
    write_codes(extract, records)
    write_about(extract, lists, records)
    write_units(extract)
    write_events(extract, lists, records)
    write_deliveries(extract, supply)


def release(supply: Path, night: int, inbox: Path) -> None:
    """Make night `night`'s delivery appear in `inbox`/systmone, whole at once; a second release changes nothing.

    Raises:
        FileNotFoundError: when that night was never written.
    """
    target = inbox / "systmone"
    target.mkdir(parents=True, exist_ok=True)
    for delivery in sorted((supply / "systmone" / f"night_{night}").iterdir()):
        if (target / delivery.name).exists():
            continue
        unfinished = target / f".{delivery.name}.{os.getpid()}"
        shutil.copytree(delivery, unfinished)
        unfinished.rename(target / delivery.name)
