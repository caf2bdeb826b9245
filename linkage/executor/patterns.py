"""How often each agreement pattern occurs among given pairs: what training needs, without a row for every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linkage.executor.records import LEFT, RIGHT, model_trees, prepare_records, quoted
from linkage.executor.settings import CompiledModel
from linkage.executor.weights import level_column

if TYPE_CHECKING:
    import duckdb

PATTERNS = "pattern_count"


def count_patterns(
    con: duckdb.DuckDBPyConnection, compiled: CompiledModel, pairs_table: str, left: str, right: str | None
) -> int:
    """Fill the table `pattern_count` (gamma_<comparison> ..., pairs) for the pairs (left_id, right_id) of a table.

    Gives back the number of patterns. -1 means missing, 0 the last level, as Splink numbers them.
    """
    read = model_trees(compiled)
    for source, side, target in ((left, "l", LEFT), (right or left, "r", RIGHT)):
        prepare_records(con, compiled, source=source, side=side, target=target, read=read, lookups={})
    gammas = ", ".join(f'{level_column(c)}::tinyint as "{c.gamma}"' for c in compiled.comparisons)
    gammas = compiled.derived.spelled_out(gammas, "r")
    con.execute(f"""create or replace table {PATTERNS} as
        select {gammas}, count(*) as pairs from {quoted(pairs_table)} p
          join {LEFT} l on l."__id" = p.left_id join {RIGHT} r on r."__id" = p.right_id group by all order by all""")
    for target in (LEFT, RIGHT):
        con.execute(f"drop table {target}")
    return int(con.execute(f"select count(*) from {PATTERNS}").fetchall()[0][0])
