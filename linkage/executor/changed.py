"""A night's change against everything, both ways, without reading everything: the same pairs as a run of all records.

Changed are the records that came new or with something new to say, and whoever holds a number that one of them holds or
held: whether a number stands once in each file is a matter of all its holders. Name frequencies are those of the kept
run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from linkage.executor.identifiers import IDENTIFIED, IdentifierStage, find_identified
from linkage.executor.ids import refuse_repeated
from linkage.executor.joins import Meeting
from linkage.executor.keys import same_types
from linkage.executor.night import REPLACED_LEFT, REPLACED_RIGHT, Night
from linkage.executor.plan import Plan, duckdb_version, make_plan
from linkage.executor.records import LEFT, RIGHT, prepare_frequencies, quoted
from linkage.executor.run import SCORED
from linkage.executor.settings import CompiledModel, SettingsRefused
from linkage.executor.state import State, agreed_state, forget_state, put_in_place, write_state
from linkage.executor.store import Part, Side, beside, load_array, save_array, write_part
from linkage.executor.weighing import Output
from linkage.model import Guard

if TYPE_CHECKING:
    import duckdb


_FILES = {"l": "the left file", "r": "the right file"}


@dataclass(frozen=True, slots=True)
class ChangedCounts:
    """What a night did: counts only. `left` and `right` count changed records and those whose number they touch.

    Records that came again and say what they said before are no change.
    """

    left: int
    right: int
    identifier_accepted: int
    candidates: int  # pairs that rules found, whether other rules did or not
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
    forget_state(folder)
    for path in folder.glob("?_since_*"):
        path.unlink()
    lookups = prepare_frequencies(con, compiled, [left, right], frequencies or {})
    for number, table in enumerate(lookups.values()):
        path = folder / f"frequency_{number}.parquet"
        con.execute(f"copy (from {table}) to '{path}' (format parquet)")
        path.chmod(0o600)
    for source, side, target in ((left, "l", LEFT), (right, "r", RIGHT)):
        con.execute(f"create or replace temp table {target} as {plan.select(side, source, folder)}")
        refuse_repeated(con, target, _FILES[side])
    if identifier is not None:
        find_identified(con, identifier, Meeting(LEFT, RIGHT, (), carried=False), once=True)
    for side, target in (("l", LEFT), ("r", RIGHT)):
        rows = con.execute(f"select count(*) from {target}").fetchall()[0][0]
        settled = np.zeros(rows, np.bool_)
        if identifier is not None:
            accepted = con.execute(f"select {side} as row from {IDENTIFIED} where accepted").fetchnumpy()
            settled[np.asarray(accepted["row"])] = True
        empty, places = write_part(con, target, rows, folder / f"{side}_kept")
        _save_since(folder, side, 0, Side(empty, empty, np.zeros(rows, np.bool_), settled[places]))
        con.execute(f"drop table {target}")
    write_state(folder, State(asdict(plan), uuid4().hex))


def run_changed(
    con: duckdb.DuckDBPyConnection, left: str, right: str, folder: Path, *,
    gone_left: Sequence[str] = (), gone_right: Sequence[str] = (), version: str = "",
) -> ChangedCounts:  # fmt: skip
    """Fill `scored_pair` with the pairs of changed records, as `run_executor` would.

    `left` and `right` name tables of the records that are new or changed, `gone_...` the ids of those no longer there.
    Tables `replaced_left` and `replaced_right` (id) name the records whose earlier pairs no longer count. The night
    counts once `replace_pairs` has put its pairs in place; when that did not come about, give its changes again, with
    those that came since. Raises `SettingsRefused` when no run is kept in the folder, or one of another version or by
    another DuckDB, whose hashes may differ, and `RecordsRefused` when ids of changed records repeat.
    """
    state = agreed_state(con, folder)
    plan = Plan(**state.plan)
    if (plan.version, plan.duckdb) != (version, duckdb_version()):
        raise SettingsRefused("the kept records were prepared for another model or by another DuckDB: keep a run anew")
    night = Night(con, plan, _load(folder, "l", state.night), _load(folder, "r", state.night))
    night.replace((left, right), (gone_left, gone_right), folder)
    accepted = night.settle()
    found = night.candidates()
    night.weigh(found, accepted)
    for side, which in (("l", night.left), ("r", night.right)):
        _save_since(folder, side, state.night + 1, which)
    write_state(folder, replace(state, waits=True))
    written = con.execute(f"select count(*) from {SCORED}").fetchall()[0][0]
    grown = max(s.since.rows / max(s.kept.rows, 1) for s in (night.left, night.right))
    changed = len(night.open_left), len(night.open_right)
    return ChangedCounts(*changed, len(accepted[0]), len(found[0]), int(written), grown)


def replace_pairs(con: duckdb.DuckDBPyConnection, earlier: str, target: str, folder: Path) -> None:
    """Make `target`: the pairs of `earlier` that still stand, and those that `run_changed` found; the night now counts.

    Both happen or neither: what breaks off in between is found by the next `run_changed`. Raises `SettingsRefused`
    when no night waits for its pairs.
    """
    put_in_place(
        con,
        folder,
        target,
        f"""
        select * from {quoted(earlier)} where left_id not in (select id from {REPLACED_LEFT})
           and right_id not in (select id from {REPLACED_RIGHT}) union all by name from {SCORED}""",
    )


def _load(folder: Path, side: str, night: int) -> Side:
    stem = folder / f"{side}_since_{night}"
    gone, settled = (np.array(load_array(beside(stem, name))) for name in ("gone", "settled"))
    return Side(Part.load(folder / f"{side}_kept"), Part.load(stem), gone, settled)


def _save_since(folder: Path, side: str, night: int, which: Side) -> None:
    stem = folder / f"{side}_since_{night}"
    which.since.save(stem)
    save_array(beside(stem, "gone"), which.is_gone)
    save_array(beside(stem, "settled"), which.is_settled)
