"""Both files prepared for the joins: only the columns that are read, and what a record can work out alone.

One temporary table a side: the id, the columns that levels and rules compare, values worked out once a record, and
the frequency part of its names. Everything else stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from linkage.executor.expressions import Tree, columns, of_side
from linkage.executor.settings import CompiledModel, Frequency
from linkage.executor.weights import Frequencies, frequencies_read

if TYPE_CHECKING:
    import duckdb

LEFT, RIGHT = "executor_left", "executor_right"


def quoted(name: str) -> str:
    """A column's or table's name as SQL; a dotted or quoted name is taken as it is."""
    return name if '"' in name or "." in name else f'"{name}"'


def prepare_frequencies(
    con: duckdb.DuckDBPyConnection, model: CompiledModel, tables: Sequence[str], given: Mapping[str, str]
) -> dict[str, str]:
    """A look-up table (value, share) for every column whose frequency counts.

    Counted over all records of all tables, as Splink does, unless `given` names a table with the columns `<column>` and
    `tf_<column>`.
    """
    settled, shares = frequencies_read(model)
    result = {}
    for number, column in enumerate(dict.fromkeys([*(f.column for f in settled), *shares])):
        name, source = f"executor_frequency_{number}", given.get(column)
        if source is not None:
            con.execute(f"""create or replace temp table {name} as
                select "{column}" as value, max("tf_{column}")::double as share from {quoted(source)}
                 where "{column}" is not null group by all""")
        else:
            values = " union all ".join(f'select "{column}" as value from {quoted(t)}' for t in tables)
            con.execute(f"""create or replace temp table {name} as
                with counted as (select value, count(*) as times from ({values}) where value is not null group by all)
                select value, times / (select sum(times) from counted)::double as share from counted""")
        result[column] = name
    return result


def prepare_records(
    con: duckdb.DuckDBPyConnection,
    model: CompiledModel,
    *,
    source: str,
    side: str,
    target: str,
    read: Sequence[Tree],
    lookups: Mapping[str, str],
    extra: Sequence[str] = (),
) -> Frequencies:
    """Make the table `target` of one side's records, see `records_select`; say which columns hold frequency parts."""
    select, found = records_select(model, source=source, side=side, read=read, lookups=lookups, extra=extra)
    con.execute(f"create or replace temp table {target} as {select}")
    return found


def records_select(
    model: CompiledModel,
    *,
    source: str,
    side: str,
    read: Sequence[Tree],
    lookups: Mapping[str, str],
    extra: Sequence[str] = (),
) -> tuple[str, Frequencies]:
    """One side's prepared records as a select, and which of its columns hold the frequency parts.

    `read` are the trees that will be asked of the pairs; `extra` are further columns, as SQL over the record `t`. The
    right file of two (`side` r) does not carry values worked out beforehand: only the few that a pair asks for are
    worth working out, and the larger file is read once for less.
    """
    parts = [f't.{quoted(model.unique_id)} as "__id"', *extra]
    plain: set[str] = set()
    for name in sorted(
        columns(read, "l" if side == "both" else side) | (columns(read, "r") if side == "both" else set())
    ):
        tree = model.derived.trees.get(name)
        if tree is None:
            plain.add(name)
        elif side == "r":
            plain |= {column.name for column in tree.find_all(exp.Column)}
        else:
            parts.append(f'({of_side(tree, "t")}) as "{name}"')
    parts += [f't."{name}"' for name in sorted(plain)]
    settled, shares = frequencies_read(model)
    found = Frequencies(
        {frequency: f"__part_{n}" for n, frequency in enumerate(settled)},
        {column: f"__share_{n}" for n, column in enumerate(shares)},
    )
    joins: dict[str, str] = {}
    if lookups:
        if side != "r":  # on levels that prove the value equal, one side's share is the other's
            parts += [_settled_part(f, name, _join(joins, lookups, f.column)) for f, name in found.settled.items()]
        parts += [f'{_join(joins, lookups, c)}.share as "{name}"' for c, name in found.shares.items()]
    return f"select {', '.join(parts)} from {quoted(source)} t {' '.join(joins.values())}", found


def model_trees(model: CompiledModel) -> list[Tree]:
    """Every condition of the model's levels."""
    return [level.condition for c in model.comparisons for level in c.levels if level.condition is not None]


def _join(joins: dict[str, str], lookups: Mapping[str, str], column: str) -> str:
    alias = f"f{list(lookups).index(column)}"
    joins[alias] = f'left join {lookups[column]} {alias} on {alias}.value = t."{column}"'
    return alias


def _settled_part(frequency: Frequency, name: str, alias: str) -> str:
    common = f"log2(greatest({alias}.share, {frequency.floor!r}::double))"
    part = f"{frequency.weight!r}::double * ({frequency.log2_u!r}::double - {common})"
    return f'case when {alias}.share is null then 0.0::double else {part} end as "{name}"'
