"""The Liquidlogic simulator: writes the reporting mart of every night, as the nightly rebuild would leave it.

`write` makes the files of all nights from the truth; `rebuild_mart` (in `liquidlogic_mart`) loads one of them into a
real database. The same world always gives the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.synthetic.liquidlogic_events import add_events
from connectors.synthetic.liquidlogic_facts import add_lookups, add_person_facts
from connectors.synthetic.liquidlogic_mart import rebuild_mart
from connectors.synthetic.liquidlogic_people import add_people
from connectors.synthetic.liquidlogic_referrals import Referrals
from connectors.synthetic.liquidlogic_rows import SYSTEM, Mart, TableRows
from connectors.synthetic.liquidlogic_tables import REFRESH_TABLE, arrow_type, mart_tables
from connectors.synthetic.world import World

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["rebuild_mart", "write"]

#: Share of people first met on a later night whose person row reaches the mart a night after their facts (sources 3.5).
_LATE_SHARE = 0.1


def write(world: World, supply: Path) -> None:
    """Write `supply/liquidlogic/night_<n>/<TABLE>.parquet` for every night and log the defects to `world.defects`.

    Files of an earlier run are replaced. Raises KeyError when the world uses wording that no code list knows.
    """
    mart = Mart(world)
    add_people(mart, _late_people(mart))
    referrals = Referrals(mart)
    referrals.write()
    add_events(mart, referrals)
    add_person_facts(mart)
    add_lookups(mart)
    for night in range(world.nights + 1):
        mart.tables[REFRESH_TABLE].add({"REFRESHED_DTTM": mart.refreshed_at(night)}, night, night + 1)
    for table, columns in mart_tables().items():
        whole = _as_arrow(mart.tables[table], columns)
        for night in range(world.nights + 1):
            _write_night(whole, supply / "liquidlogic" / f"night_{night}" / f"{table}.parquet", night)


def _late_people(mart: Mart) -> set[str]:
    """Records that are a night late, so that their events stand in the mart without a person for one night (D86).

    A council with faults has at least one, as soon as anybody's first event is told on a later night.
    """
    told = {(e.appearance_key, e.recorded_night) for e in mart.world.events if e.system == SYSTEM}
    new = [
        (mart.draw("late person", a.key), a)
        for a in mart.world.appearances
        if a.system == SYSTEM and 0 < a.recorded_night < mart.last_night and a.removed_night is None
        if (a.key, a.recorded_night) in told and not a.is_test
    ]
    new.sort(key=lambda pair: pair[0])
    late = [a for place, (drawn, a) in enumerate(new) if drawn < _LATE_SHARE * mart.world.quality or place == 0]
    for appearance in late if mart.world.quality else []:
        key = f"person:{appearance.key}"
        mart.log("D86", "DIM_PERSON", key, "DIM_PERSON_ID", appearance.recorded_night)
    return {a.key for a in late} if mart.world.quality else set()


def _as_arrow(table: TableRows, columns: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    arrays = {name: pa.array([row.get(name) for row in table.rows], arrow_type(tag)) for name, tag in columns.items()}
    return pa.table(arrays | {"_first": pa.array(table.first, pa.int16()), "_end": pa.array(table.end, pa.int16())})


def _write_night(whole: pa.Table, path: Path, night: int) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    there = pc.and_(pc.less_equal(whole["_first"], night), pc.greater(whole["_end"], night))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(whole.filter(there).drop_columns(["_first", "_end"]), path)
