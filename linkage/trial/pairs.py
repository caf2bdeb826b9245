"""The candidate pairs of a trial as arrays: a few bytes a pair, whatever is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkage.trial.comparisons import Comparison
from linkage.trial.levels import Levels, joined, levels_of

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs in the order of their records: the rule that found each, what it was found without, and its levels."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    rule: NDArray[np.uint16]
    without: NDArray[np.uint8]
    levels: Levels


def read_pairs(con: duckdb.DuckDBPyConnection, table: str, comparisons: Sequence[Comparison]) -> Pairs:
    """The pairs of a table that `make_candidates` filled, compared."""
    found = con.execute(f"select left_id, right_id, rule, without from {table} order by left_id, right_id").fetchnumpy()
    levels = levels_of(con, table, comparisons)
    return Pairs(found["left_id"], found["right_id"], found["rule"], found["without"], levels)


def together(one: Pairs, other: Pairs) -> Pairs:
    """Both; they have no pair in common."""
    import numpy as np

    left, right = np.append(one.left, other.left), np.append(one.right, other.right)
    order = np.lexsort((right, left))
    rule, without = np.append(one.rule, other.rule), np.append(one.without, other.without)
    levels = joined(one.levels, other.levels)
    ordered = Levels(levels.patterns, levels.pattern[order], levels.counts)
    return Pairs(left[order], right[order], rule[order], without[order], ordered)
