"""The levels of pairs: every comparison's condition evaluated in the database, numbers of levels out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from linkage.trial.comparisons import Comparison
from linkage.trial.learning import MISSING

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

_COLUMN = re.compile(r"\b([a-z][a-z0-9_]*)_([lr])\b")


def levels_of(con: duckdb.DuckDBPyConnection, pairs: str, comparisons: Sequence[Comparison]) -> NDArray[np.uint8]:
    """One row for each row of table `pairs` (left_id, right_id), in the order of left_id and right_id.

    A column a comparison: 0 is the best level, `MISSING` says that one side has no value.
    """
    import numpy as np

    cases = [f"({_cases(c)})::utinyint as level_{n}" for n, c in enumerate(comparisons)]
    text = " ".join(cases)
    columns = sorted({match.group(1) for match in _COLUMN.finditer(text)})
    sides = ", ".join(f"l.{c} as {c}_l, r.{c} as {c}_r" for c in columns)
    found = con.execute(f"""
        select {", ".join(cases)}
          from (select p.left_id, p.right_id, {sides} from {pairs} p
                  join standard l on l.record_id = p.left_id join standard r on r.record_id = p.right_id)
         order by left_id, right_id""").fetchnumpy()
    return np.column_stack([np.asarray(found[f"level_{n}"], dtype=np.uint8) for n in range(len(comparisons))])


def random_pairs(con: duckdb.DuckDBPyConnection, sizes: Sequence[int], *, count: int, seed: int) -> None:
    """Fill `random_pair` with about `count` random pairs, the same for the same seed and numbers of records.

    `sizes` is the number of records of each side; with two sides every pair has one of each.
    """
    import numpy as np
    import pyarrow as pa

    draw = np.random.default_rng(seed)
    one = draw.integers(0, sizes[0], count)
    other = sizes[0] + draw.integers(0, sizes[1], count) if len(sizes) == 2 else draw.integers(0, sizes[0], count)
    pairs = np.unique(np.column_stack([np.minimum(one, other), np.maximum(one, other)])[one != other], axis=0)
    con.register("drawn", pa.table({"left_id": pairs[:, 0], "right_id": pairs[:, 1]}))
    con.execute("create or replace table random_pair as from drawn")
    con.unregister("drawn")


def _cases(comparison: Comparison) -> str:
    arms, number = [], 0
    for level in comparison["comparison_levels"]:
        if level.get("is_null_level"):
            arms.append(f"when {level['sql_condition']} then {MISSING}")
            continue
        condition = level["sql_condition"]
        arms.append(f"else {number}" if condition == "ELSE" else f"when {condition} then {number}")
        number += 1
    return "case " + " ".join(arms) + " end"
