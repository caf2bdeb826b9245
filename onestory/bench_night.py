"""A night's change in the linkage benchmark: what the run before left behind, and the changed records against it.

Kept are the records and one hashed key for each record and blocking rule. A night looks its changed records' keys up
there, and only records that share one are handed to the executor, with the same model and the frequencies kept with it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import duckdb  # loaded before the clock starts

from linkage.executor import compile_settings, run_executor
from onestory.bench_linkage_child import Clock
from onestory.bench_linkage_data import Files, connect
from onestory.bench_linkage_models import RULES, identifier_stage

assert duckdb
_COLUMNS: Final = ("forename", "surname")  # whose frequencies the tutorial model reads


def keep(clock: Clock, folder: Path) -> None:
    """What a full run leaves for the nights after it; told apart, because it is done once."""
    files = Files(folder)
    files.kept.unlink(missing_ok=True)
    with connect(folder) as connection:
        connection.execute(f"attach '{files.kept}' as kept")
        for side, path in (("care", files.left), ("health", files.right)):
            connection.execute(f"create table kept.{side} as from read_parquet('{path}')")
            connection.execute(f"""create table kept.{side}_key as
                select key, place from ({_keys(f"(select *, rowid as place from kept.{side})", side)}) order by key""")
        for column in _COLUMNS:
            connection.execute(f"create table kept.{column} as from read_parquet('{files.frequency(column)}')")
    clock.step("keep")


def night(clock: Clock, folder: Path, model: str = "tutorial", keep_above: float = 0.0) -> None:
    """The changed records against everything, both ways, with the same model."""
    files = Files(folder)
    compiled = compile_settings(json.loads(files.model(model).read_text(encoding="utf-8")))
    with connect(folder) as connection:
        connection.execute(f"attach '{files.kept}' as kept (read_only)")
        frequencies = {column: f"kept_{column}" for column in _COLUMNS}
        for column in _COLUMNS:
            connection.execute(f"create view kept_{column} as from kept.{column}")
        connection.execute("create table found (left_id varchar, right_id varchar, weight double, rule varchar)")
        for changed, path, side, other in (("care", files.night_left, "l", "health"),
                                           ("health", files.night_right, "r", "care")):  # fmt: skip
            connection.execute(f"create table {changed}_now as select *, 0 as place from read_parquet('{path}')")
            keys = f"select key from ({_keys(f'{changed}_now', changed)})"
            places = f"select place from kept.{other}_key where key in ({keys})"
            connection.execute(f"create table {other}_some as from kept.{other} where rowid in ({places})")
            clock.step(f"{other} records that share a key")
            left, right = ("care_now", "health_some") if side == "l" else ("care_some", "health_now")
            run_executor(connection, compiled, left, right, keep_above=keep_above, identifier=identifier_stage(),
                         frequencies=frequencies)  # fmt: skip
            connection.execute("""insert into found select left_id, right_id,
                case when rule_number < 0 then 99.0 else match_weight end,
                case when rule_number < 0 then 'identifier' else 'scored' end from scored_pair""")
            clock.step(f"{changed} scored")
        connection.execute(f"copy (select distinct * from found) to '{files.links('ours_night')}' (format parquet)")
        clock.step("write")


def _keys(source: str, side: str) -> str:
    """One key for each record and rule; none where a value of the rule is missing, which meets nobody."""
    place = 0 if side == "care" else 1
    letter = "lr"[place]
    selects = []
    for number, rule in enumerate(RULES):
        values = [part.split(" = ")[place] for part in rule.split(" and ")]
        present = " and ".join(f"{value} is not null" for value in values)
        selects.append(
            f"select hash({number}, {', '.join(values)}) as key, place from {source} {letter} where {present}"
        )
    return " union all ".join(selects)
