"""Splink as the oracle of the executor: the same settings, the same tables, every candidate with its match weight."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

import duckdb

Scores = dict[tuple[str, str], float | None]


def splink_scores(
    con: duckdb.DuckDBPyConnection, settings: Mapping[str, Any], left: str, right: str | None = None
) -> Scores:
    """Splink's weight of every pair; the display names sort as left and right do."""
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection=con)
    tables = [
        api.register(table, dataset_display_name=name)
        for table, name in ((left, "left_records"), (right, "right_records"))
        if table is not None
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linker = Linker(tables, dict(settings), log_level="ERROR")
        scored = linker.inference.predict()
    names = [column.unquote().name for column in scored.columns]
    by_source = "source_dataset_l" in names and settings["link_type"] == "link_and_dedupe"
    identity = settings.get("unique_id_column_name", "unique_id")
    keys = (
        f"left(source_dataset_l, 1) || {identity}_l, left(source_dataset_r, 1) || {identity}_r"
        if by_source
        else f"{identity}_l::varchar, {identity}_r::varchar"
    )
    rows = con.execute(f"select {keys}, match_weight from {scored.physical_name}").fetchall()
    result = {(a, b): weight for a, b, weight in rows}
    assert len(result) == len(rows)
    linker.table_management.delete_tables_created_by_splink_from_db()
    return result


def executor_scores(con: duckdb.DuckDBPyConnection) -> Scores:
    """The same from `scored_pair`."""
    columns = {row[0] for row in con.execute("describe scored_pair").fetchall()}
    keys = (
        "left(left_source, 1) || left_id, left(right_source, 1) || right_id"
        if "left_source" in columns
        else "left_id::varchar, right_id::varchar"
    )
    rows = con.execute(f"select {keys}, match_weight from scored_pair").fetchall()
    result = {(a, b): weight for a, b, weight in rows}
    assert len(result) == len(rows)
    return result


def furthest_apart(one: Scores, other: Scores) -> float:
    """The largest difference of two scores of the same pairs; missing equals missing only."""
    assert one.keys() == other.keys()
    assert all((weight is None) == (other[pair] is None) for pair, weight in one.items())
    return max((abs(weight - other[pair]) for pair, weight in one.items() if weight is not None), default=0.0)  # type: ignore[operator]
