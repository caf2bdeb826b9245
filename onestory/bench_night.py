"""A night's change in the linkage benchmark: what a full run leaves behind, and the changed records against it.

Both are the engine's own doors, `keep_run` and `run_changed`, with the model, the identifier stage and the kept name
frequencies that the full run has; nights follow one another on one store, as they would.
"""

from __future__ import annotations

import json
from pathlib import Path
from shutil import rmtree
from typing import Final

import duckdb  # loaded before the clock starts, as everything below
import pandas as pd  # pyarrow loads it when it is handed an array
import pyarrow.compute as pc

from linkage.executor import compile_settings, keep_run, run_changed
from onestory.bench_linkage_child import Clock
from onestory.bench_linkage_data import Files, connect
from onestory.bench_linkage_models import identifier_stage

assert duckdb and pd and pc
_COLUMNS: Final = ("forename", "surname")  # whose frequencies the tutorial model reads


def keep(clock: Clock, folder: Path, model: str = "tutorial", keep_above: float = 0.0) -> None:
    """What a full run leaves for the nights after it; told apart, because it is done once."""
    files = Files(folder)
    compiled = compile_settings(json.loads(files.model(model).read_text(encoding="utf-8")))
    rmtree(files.kept, ignore_errors=True)
    with connect(folder) as connection:
        for name, path in (("care", files.left), ("health", files.right)):
            connection.execute(f"create view {name} as from read_parquet('{path}')")
        for column in _COLUMNS:
            connection.execute(f"create view kept_{column} as from read_parquet('{files.frequency(column)}')")
        keep_run(connection, compiled, "care", "health", files.kept, keep_above=keep_above,
                 identifier=identifier_stage(), frequencies={column: f"kept_{column}" for column in _COLUMNS},
                 version=model)  # fmt: skip
    clock.step("keep")
    clock.tell(mib=sum(path.stat().st_size for path in files.kept.iterdir()) // 2**20)


def night(clock: Clock, folder: Path, model: str = "tutorial") -> None:
    """The changed records against everything, both ways, with the same model; the store is brought up to date."""
    files = Files(folder)
    with connect(folder) as connection:
        for name, path in (("care_now", files.night_left), ("health_now", files.night_right)):
            connection.execute(f"create view {name} as from read_parquet('{path}')")
        counts = run_changed(connection, "care_now", "health_now", files.kept, version=model)
        clock.step("changed")
        connection.execute(f"""copy (
            select left_id, right_id, case when rule_number < 0 then 99.0 else match_weight end as weight,
                   case when rule_number < 0 then 'identifier' else 'scored' end as rule
              from scored_pair) to '{files.links("ours_night")}' (format parquet)""")
        clock.step("write")
    clock.tell(care=counts.left, health=counts.right, candidates=counts.candidates,
               accepted=counts.identifier_accepted, links=counts.kept)  # fmt: skip
