"""A county of a million: many councils of the ordinary size, made one after another and written as one.

Each part has a seed, keys and NHS numbers of its own, so that no two parts share a person or an id; a part is dropped
as soon as its rows are appended to the county's files. Memory therefore depends on a part, not on the county. What is
the same in all parts (pick lists, teams, codes) is written once; nobody moves from one part to another.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from connectors.synthetic.county_parts import Merged
from connectors.synthetic.doors import write_supply
from connectors.synthetic.keys import RECORDS_EACH
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import World

SETTING: Final = "county/whole"
PARTS: Final = ("county/first", "county/second", "county/third")
PATIENTS, CARE_CLIENTS = 1_000_000, 100_000
PATIENTS_EACH: Final = 20_000
_MOST_NIGHTS: Final = 30
_SEED_STEP: Final = 1_000_003
Progress = Callable[[str], None]


def county_settings(seed: int = 20260331, nights: int = 2, scale: float = 1.0) -> SyntheticSettings:
    """A million patients and a hundred thousand care clients at scale 1; `nights` deltas after the first load."""
    whole = SyntheticSettings.of(SETTING, nights=nights, seed=seed, scale=scale)
    return replace(whole, patients=PATIENTS, care_clients=CARE_CLIENTS)


def parts_of(settings: SyntheticSettings, patients_each: int = PATIENTS_EACH) -> list[SyntheticSettings]:
    """The settings of every part of the county, in order; they add up to the county's own head counts.

    Raises `ValueError` when there are more nights than a county is written for.
    """
    if settings.nights > _MOST_NIGHTS:
        raise ValueError(f"a county is written for at most {_MOST_NIGHTS} nights")
    count = max(1, round(settings.patient_count / patients_each))
    patients, clients = settings.patient_count / count, settings.care_client_count / count
    return [
        replace(
            settings, seed=settings.seed + _SEED_STEP * number, scale=1.0, setting=PARTS[number % len(PARTS)],
            patients=round(patients * (number + 1)) - round(patients * number),
            care_clients=round(clients * (number + 1)) - round(clients * number), shard=number,
        )
        for number in range(count)
    ]  # fmt: skip


def write_county(
    out: Path,
    settings: SyntheticSettings,
    progress: Progress | None = None,
    *,
    patients_each: int = PATIENTS_EACH,
    workers: int = 2,
) -> dict[str, int]:
    """Write `out`/supply and `out`/truth of a whole county; gives the rows of each truth file.

    So many `workers` make parts at a time, each a process of its own; with 0 this process makes them itself. What an
    earlier run left in the two folders goes.
    """
    tell = progress or (lambda step: None)
    work = out / "parts"
    for folder in (work, out / "supply", out / "truth"):
        shutil.rmtree(folder, ignore_errors=True)
    parts = parts_of(settings, patients_each)
    merged = Merged(out / "supply", out / "truth", work / "waiting")
    for number, folder in enumerate(_made(parts, work, workers), start=1):
        merged.add(folder)
        shutil.rmtree(folder)
        tell(f"part {number} of {len(parts)}")
    tell("packing")
    rows = merged.close()
    shutil.rmtree(work)
    return rows


def _made(parts: list[SyntheticSettings], work: Path, workers: int) -> Iterator[Path]:
    """The folders of the finished parts, in order; at most one more than there are workers waits on disk."""
    folders = [work / f"part_{settings.shard:03d}" for settings in parts]
    if not workers:
        for settings, folder in zip(parts, folders, strict=True):
            yield make_part(settings, folder)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), max_tasks_per_child=1) as pool:
        running: list[Future[Path]] = []
        for settings, folder in zip(parts, folders, strict=True):
            running.append(pool.submit(make_part, settings, folder))
            if len(running) > workers:
                yield running.pop(0).result()
        while running:
            yield running.pop(0).result()


def make_part(settings: SyntheticSettings, folder: Path) -> Path:
    """Build one part and write its supply and truth below `folder`, which it gives back."""
    import pyarrow.parquet as pq

    from connectors.synthetic import national_index, truth
    from connectors.synthetic.generate import build_world

    world = build_world(settings)
    for _ in write_supply(world, folder / "supply"):
        pass
    national_index.write(world, folder / "supply")
    (folder / "truth").mkdir(parents=True)
    for name, table in truth.tables(_without_marks(world)).items():
        pq.write_table(_apart(table, settings.shard * RECORDS_EACH), folder / "truth" / f"{name}.parquet")
    return folder


def _without_marks(world: World) -> World:
    """Byte-order marks stand before whole files; the county's files are put together without them (D89)."""
    kept = [d for d in world.defects if not (d.defect_id == "D89" and (not d.key or d.table in d.key or "/" in d.key))]
    return replace(world, defects=kept)


def _apart(table: Any, first: int) -> Any:
    """A truth table with the numbers of its people and households counted on from `first`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, name in enumerate(table.column_names):
        if name == "household_id" or name.endswith("person_id"):
            table = table.set_column(place, name, pc.add(table.column(name), first))
        elif name == "relations":
            told = [_relations_apart(text, first) for text in table.column(name).to_pylist()]
            table = table.set_column(place, name, pa.array(told, pa.string()))
    return table


def _relations_apart(text: str, first: int) -> str:
    relations: dict[str, list[int]] = json.loads(text)
    return json.dumps({kind: [number + first for number in people] for kind, people in relations.items()})
