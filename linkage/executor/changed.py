"""A night's change against everything, both ways, without reading everything: the same pairs as a run of all records.

Changed are the records that came new or anew, and whoever holds a number that one of them holds or held: whether a
number stands once in each file is a matter of all its holders. Name frequencies are those of the kept run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from linkage.executor.identifiers import IDENTIFIED, IdentifierStage, find_identified
from linkage.executor.joins import Meeting
from linkage.executor.keys import same_types, split_keys
from linkage.executor.night import REPLACED_LEFT, REPLACED_RIGHT, Night
from linkage.executor.plan import Plan, duckdb_version, make_plan
from linkage.executor.records import LEFT, RIGHT, prepare_frequencies
from linkage.executor.run import SCORED
from linkage.executor.settings import CompiledModel, SettingsRefused
from linkage.executor.store import Part, Side, load_array, save_array, save_text
from linkage.executor.weighing import Output
from linkage.model import Guard

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class ChangedCounts:
    """What a night did: counts only. `left` and `right` count changed records and those whose number they touch."""

    left: int
    right: int
    identifier_accepted: int
    candidates: int
    kept: int
    grown: float  # records added since the full run, as a share of it: keep a full run anew now and then


def keep_run(
    con: duckdb.DuckDBPyConnection, compiled: CompiledModel, left: str, right: str, folder: Path, *,
    keep_above: float | None = None, identifier: IdentifierStage | None = None, guards: Sequence[Guard] = (),
    frequencies: Mapping[str, str] | None = None, version: str = "",
) -> None:  # fmt: skip
    """Keep below `folder` what `run_changed` needs of the records that `run_executor` linked with the same arguments.

    `version` is the caller's name for model and settings, asked for again each night. Raises `SettingsRefused` for
    models other than of two files, or whose blocking rules are not equalities alone. The folder holds personal data:
    it and its files are for their owner only.
    """
    if compiled.link_type != "link_only":
        raise SettingsRefused("a night's change needs a model that links two files")
    same_types(con, compiled, left, right)
    plan = make_plan(compiled, Output(keep_above, tuple(guards), levels=False), identifier, version)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    lookups = prepare_frequencies(con, compiled, [left, right], frequencies or {})
    for number, table in enumerate(lookups.values()):
        path = folder / f"frequency_{number}.parquet"
        con.execute(f"copy (from {table}) to '{path}' (format parquet)")
        path.chmod(0o600)
    for source, side, target in ((left, "l", LEFT), (right, "r", RIGHT)):
        con.execute(f"create or replace temp table {target} as {plan.select(side, source, folder)}")
    if identifier is not None:
        find_identified(con, identifier, Meeting(LEFT, RIGHT, (), carried=False), once=True)
    for side, target in (("l", LEFT), ("r", RIGHT)):
        accepted = f"rowid in (select {side} from {IDENTIFIED} where accepted)" if identifier else "false"
        table = con.sql(f'select *, {accepted} as "__settled" from {target}').to_arrow_table()
        settled = table.column("__settled").to_numpy()
        records, keys = split_keys(table.drop_columns(["__settled"]))
        Part.of(records, keys).save(folder / f"{side}_kept")
        empty = Part.of(records.slice(0, 0), keys[:0])
        _save_since(folder, side, 0, Side(empty, empty, np.zeros(len(keys), np.bool_), settled))
        con.execute(f"drop table {target}")
    save_text(folder / "store.json", json.dumps({"night": 0, "plan": asdict(plan)}))


def run_changed(
    con: duckdb.DuckDBPyConnection, left: str, right: str, folder: Path, *,
    gone_left: Sequence[str] = (), gone_right: Sequence[str] = (), version: str = "",
) -> ChangedCounts:  # fmt: skip
    """Fill `scored_pair` with the pairs of changed records, as `run_executor` would, and bring the store up to date.

    `left` and `right` name tables of the records that are new or changed, `gone_...` the ids of those no longer there.
    Tables `replaced_left` and `replaced_right` (id) name the records whose earlier pairs no longer count, see
    `replace_pairs`. Raises `SettingsRefused` when the folder was kept for another version, or by another DuckDB, whose
    hashes may differ.
    """
    kept = json.loads((folder / "store.json").read_text(encoding="utf-8"))
    plan = Plan(**kept["plan"])
    if (plan.version, plan.duckdb) != (version, duckdb_version()):
        raise SettingsRefused("the kept records were prepared for another model or by another DuckDB: keep a run anew")
    night = Night(con, plan, _load(folder, "l", kept["night"]), _load(folder, "r", kept["night"]))
    night.replace((left, right), (gone_left, gone_right), folder)
    accepted = night.settle()
    pairs, rules = night.candidates()
    night.weigh(pairs, rules, accepted)
    for side, which in (("l", night.left), ("r", night.right)):
        _save_since(folder, side, kept["night"] + 1, which)
    save_text(folder / "store.json", json.dumps(kept | {"night": kept["night"] + 1}))
    for path in folder.glob(f"*_since_{kept['night']}*"):
        path.unlink()
    written = con.execute(f"select count(*) from {SCORED}").fetchall()[0][0]
    grown = max(len(s.since.keys) / max(len(s.kept.keys), 1) for s in (night.left, night.right))
    return ChangedCounts(len(night.open_left), len(night.open_right), len(accepted[0]), len(pairs), int(written), grown)


def replace_pairs(con: duckdb.DuckDBPyConnection, earlier: str, target: str) -> None:
    """Make `target`: the pairs of `earlier` that still stand, and those that `run_changed` found."""
    con.execute(f"""create or replace table {target} as
        select * from {earlier} where left_id not in (select id from {REPLACED_LEFT})
           and right_id not in (select id from {REPLACED_RIGHT}) union all by name from {SCORED}""")


def _load(folder: Path, side: str, night: int) -> Side:
    stem = folder / f"{side}_since_{night}"
    gone, settled = (np.array(load_array(stem.with_name(f"{stem.name}_{name}.npy"))) for name in ("gone", "settled"))
    return Side(Part.load(folder / f"{side}_kept"), Part.load(stem), gone, settled)


def _save_since(folder: Path, side: str, night: int, which: Side) -> None:
    stem = folder / f"{side}_since_{night}"
    which.since.save(stem)
    save_array(stem.with_name(f"{stem.name}_gone.npy"), which.is_gone)
    save_array(stem.with_name(f"{stem.name}_settled.npy"), which.is_settled)
