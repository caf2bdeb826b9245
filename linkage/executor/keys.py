"""The keys by which records meet, one hash for each record and way of a blocking rule; 0 where a value is missing.

Two records meet by a rule of equalities exactly where their keys are equal, so that a sorted array answers what a join
of all records would.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from linkage.executor.expressions import Tree, conjuncts, of_side, side_column
from linkage.executor.identifiers import IdentifierStage
from linkage.executor.settings import CompiledModel, SettingsRefused
from linkage.executor.ways import compares_sides, value_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from linkage.executor.store import Keys

_KEY = "__key_"


def key_rules(model: CompiledModel) -> list[int]:
    """The number of the rule that each key after the id's and the number's belongs to."""
    return [rule.number for rule in model.rules for _ in rule.ways]


def key_columns(model: CompiledModel, stage: IdentifierStage | None, side: str) -> list[str]:
    """The keys of a record `t` of one side as SQL: of its id, of its number, of every way of every rule.

    Raises `SettingsRefused` for a rule that is not made of equalities of the two sides.
    """
    values = [[f't."{model.unique_id}"'], [] if stage is None else [of_side(_bare(stage.column.lower()), "t")]]
    for rule in model.rules:
        for way in rule.ways:
            values.append([_value(part, model, side, rule.number) for part in conjuncts(way)])
            if rule.exploded:
                raise SettingsRefused(f"blocking rule {rule.number + 1} meets single values of lists: no keys to keep")
    return [f'{_hash(parts)} as "{_KEY}{number}"' for number, parts in enumerate(values)]


def content_key(columns: Sequence[str], number: int) -> str:
    """The last key: of all that is read of a record, to tell one that came again unchanged."""
    return f'hash({", ".join(columns)}) as "{_KEY}{number}"'


def split_keys(table: pa.Table) -> tuple[pa.Table, Keys]:
    """The records without their keys, and the keys, a row for each kind of key."""
    names = [name for name in table.column_names if name.startswith(_KEY)]
    keys = np.stack([np.asarray(table.column(f"{_KEY}{n}").to_numpy(), dtype=np.uint64) for n in range(len(names))])
    return wide(table.drop_columns(names)), keys


def wide(table: pa.Table) -> pa.Table:
    """The table with texts that may come to more than two gigabytes a column, in one piece."""
    return table.cast(wide_schema(table.schema)).combine_chunks()


def wide_schema(schema: pa.Schema) -> pa.Schema:
    """The schema with texts that may come to more than two gigabytes a column."""
    import pyarrow as pa

    return pa.schema([f.with_type(pa.large_string()) if pa.types.is_string(f.type) else f for f in schema])


def same_types(con: duckdb.DuckDBPyConnection, model: CompiledModel, left: str, right: str) -> None:
    """Raises `SettingsRefused` when the sides of an equality are of different types: their hashes would differ."""
    for rule in model.rules:
        for way in rule.ways:
            for part in conjuncts(way):
                types = {
                    con.execute(f"select any_value(typeof({_value(part, model, s, rule.number)})) from {table} t"
                                ).fetchall()[0][0]
                    for s, table in (("l", left), ("r", right))
                }  # fmt: skip
                if len(types - {None}) > 1:
                    raise SettingsRefused(f"blocking rule {rule.number + 1} compares values of different types")


def _value(part: Tree, model: CompiledModel, side: str, rule: int) -> str:
    """One side of an equality, over the record `t`."""
    if not compares_sides(part):
        raise SettingsRefused(f"blocking rule {rule + 1} is not made of equalities of the two sides: no keys to keep")
    return value_of(part, model, side)


def _bare(name: str) -> Tree:
    return side_column(name, "t")


def _hash(values: list[str]) -> str:
    if not values:
        return "0::ubigint"
    present = " and ".join(f"{value} is not null" for value in values)
    return f"case when {present} then hash({', '.join(values)}) else 0::ubigint end"
