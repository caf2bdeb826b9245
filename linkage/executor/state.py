"""At which night a kept run stands, and whether its pairs are there too: a night counts only together with its pairs.

A night is worked out beside the one before it and waits. `put_in_place` writes its pairs and a mark on their table in
one transaction, and only then lets the night count; whatever breaks off in between is told by the mark at the next run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linkage.executor.records import quoted
from linkage.executor.settings import SettingsRefused
from linkage.executor.store import save_text

if TYPE_CHECKING:
    import duckdb

_FILE = "store.json"


@dataclass(frozen=True, slots=True)
class State:
    """The last night that counts; whether the next one waits for its pairs, and in which table they are being put."""

    plan: Mapping[str, Any]
    name: str  # of this kept run, in marks
    night: int = 0
    waits: bool = False
    target: str | None = None

    @property
    def mark(self) -> str:
        """What the table of pairs says once the waiting night's pairs are in it."""
        return f"linked to night {self.night + 1} of {self.name}"


def read_state(folder: Path) -> State:
    """The state below a folder. Raises `SettingsRefused` when no run is kept there."""
    path = folder / _FILE
    if not path.exists():
        raise SettingsRefused("no run is kept in this folder, or keeping one broke off: keep a run")
    return State(**json.loads(path.read_text(encoding="utf-8")))


def write_state(folder: Path, state: State) -> None:
    """Write the state, all of it or nothing."""
    save_text(folder / _FILE, json.dumps(asdict(state)))


def forget_state(folder: Path) -> None:
    """From here on no run is kept in the folder."""
    (folder / _FILE).unlink(missing_ok=True)


def agreed_state(con: duckdb.DuckDBPyConnection, folder: Path) -> State:
    """The state that the pairs are in: a waiting night counts if its pairs are in place, else it is given up."""
    state = read_state(folder)
    if not state.waits:
        return state
    if state.target is not None and _mark(con, state.target) == state.mark:
        return _advance(folder, state)
    state = replace(state, waits=False, target=None)
    write_state(folder, state)
    return state


def put_in_place(con: duckdb.DuckDBPyConnection, folder: Path, target: str, select: str) -> None:
    """Make the table `target` of a select and let the waiting night count. Raises `SettingsRefused` when none waits."""
    state = read_state(folder)
    if not state.waits:
        raise SettingsRefused("no night waits for its pairs: link the changed records first")
    state = replace(state, target=target)
    write_state(folder, state)
    con.begin()
    try:
        con.execute(f"create or replace table {quoted(target)} as {select}")
        con.execute(f"comment on table {quoted(target)} is '{state.mark}'")
        con.commit()
    except Exception:
        con.rollback()
        raise
    _advance(folder, state)


def _advance(folder: Path, state: State) -> State:
    state = replace(state, night=state.night + 1, waits=False, target=None)
    write_state(folder, state)
    for path in folder.glob(f"*_since_{state.night - 1}*"):
        path.unlink()
    return state


def _mark(con: duckdb.DuckDBPyConnection, target: str) -> str | None:
    """What is written on the table; None when there is no such table or nothing on it."""
    name = target.replace('"', "").rpartition(".")[2]
    found = con.execute("select comment from duckdb_tables() where table_name = ?", [name]).fetchall()
    return next((comment for (comment,) in found if comment is not None), None)
