"""The levels of pairs: every comparison's condition evaluated in the database, a slice of the pairs at a time.

Only the number of its pattern of levels is kept for each pair; the patterns themselves are few. So memory grows with
a few bytes a pair, however many comparisons there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkage.trial.comparisons import Comparison
from linkage.trial.learning import MISSING

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

_COLUMN = re.compile(r"\b([a-z][a-z0-9_]*)_([lr])\b")
_SLICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of many pairs. A column of `patterns` a comparison: 0 is the best level, `MISSING` says that one side
    has no value. `pattern` is the row of `patterns` of each pair, `counts` how many pairs have each.
    """

    patterns: NDArray[np.uint8]
    pattern: NDArray[np.int32]
    counts: NDArray[np.float64]


def levels_of(con: duckdb.DuckDBPyConnection, pairs: str, comparisons: Sequence[Comparison]) -> Levels:
    """The levels of each row of table `pairs` (left_id, right_id), in the order of left_id and right_id."""
    kinds: list[NDArray[np.uint8]] = []
    numbers: list[NDArray[np.int32]] = []
    for levels in _slices(con, pairs, comparisons):
        first, number = _different(levels)
        kinds.append(levels[first])
        numbers.append(number.astype("int32"))
    return _put_together(kinds, numbers, len(comparisons))


def joined(one: Levels, other: Levels) -> Levels:
    """The levels of both, one after the other."""
    return _put_together([one.patterns, other.patterns], [one.pattern, other.pattern], one.patterns.shape[1])


def _put_together(kinds: list[NDArray[np.uint8]], numbers: list[NDArray[np.int32]], width: int) -> Levels:
    """One list of patterns from those of many slices; `numbers` says which of its own patterns each row has."""
    import numpy as np

    if not kinds:
        empty = np.zeros((0, width), dtype=np.uint8)
        return Levels(empty, np.zeros(0, dtype=np.int32), np.zeros(0))
    every = np.concatenate(kinds)
    first, number = _different(every)
    ends = np.cumsum([len(kind) for kind in kinds])
    found = [number[end - len(kind) : end].astype(np.int32) for end, kind in zip(ends, kinds, strict=True)]
    pattern = np.concatenate([f[n] for f, n in zip(found, numbers, strict=True)])
    return Levels(every[first], pattern, np.bincount(pattern, minlength=len(first)).astype(np.float64))


def random_pairs(con: duckdb.DuckDBPyConnection, sizes: Sequence[int], *, count: int, possible: int, seed: int) -> None:
    """Fill `random_pair` with about `count` random pairs, or with all that are possible when these are no more.

    `sizes` is the number of records of each side; with two sides every pair has one of each. Records are numbered by
    their content, so that the draw does not depend on the order of the rows.
    """
    import numpy as np
    import pyarrow as pa

    first, last = sizes[0], sum(sizes)
    if possible <= count:
        one, other = (part.ravel() for part in np.indices((first, last - first if len(sizes) == 2 else first)))
        one, other = (one, other + first) if len(sizes) == 2 else (one[one < other], other[one < other])
        pairs = np.column_stack([one, other])
    else:
        draw = np.random.default_rng(seed)
        one = draw.integers(0, first, count)
        other = draw.integers(first, last, count) if len(sizes) == 2 else draw.integers(0, first, count)
        low, high = np.minimum(one, other)[one != other], np.maximum(one, other)[one != other]
        pairs = np.column_stack(np.divmod(np.unique(low * last + high), last))
    con.register("drawn", pa.table({"left_id": pairs[:, 0], "right_id": pairs[:, 1]}))
    con.execute("create or replace table random_pair as from drawn")
    con.unregister("drawn")


def _slices(
    con: duckdb.DuckDBPyConnection, pairs: str, comparisons: Sequence[Comparison]
) -> Iterator[NDArray[np.uint8]]:
    """A row of levels for each pair, about `_SLICE` pairs at a time; all pairs of a left record are in one slice."""
    import numpy as np

    cases = [f"({_cases(c)})::utinyint as level_{n}" for n, c in enumerate(comparisons)]
    text = " ".join(cases)
    columns = sorted({match.group(1) for match in _COLUMN.finditer(text)})
    sides = ", ".join(f"l.{c} as {c}_l, r.{c} as {c}_r" for c in columns)
    for low, high in _ranges(con, pairs):
        found = con.execute(f"""
            select {", ".join(cases)}
              from (select p.left_id, p.right_id, {sides} from {pairs} p
                      join standard l on l.record_id = p.left_id join standard r on r.record_id = p.right_id
                     where p.left_id between {low} and {high} and l.record_id between {low} and {high})
             order by left_id, right_id""").fetchnumpy()
        yield np.column_stack([np.asarray(found[f"level_{n}"], dtype=np.uint8) for n in range(len(comparisons))])


def _ranges(con: duckdb.DuckDBPyConnection, pairs: str) -> list[tuple[int, int]]:
    """Ranges of left_id that hold about `_SLICE` pairs each."""
    found = con.execute(f"""
        select min(left_id), max(left_id) from (
            select left_id, sum(count(*)) over (order by left_id) // {_SLICE} as part from {pairs} group by left_id)
         group by part order by 1""").fetchall()
    return [(int(low), int(high)) for low, high in found]


def _different(levels: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row of each different pattern, patterns in order, and the number of the pattern of each row."""
    import numpy as np

    digits = [levels[:, n].astype(np.int64) + 1 for n in range(levels.shape[1])]
    packed = np.zeros(len(levels), dtype=np.int64)
    room = 1.0
    for digit in digits:
        digit[digit == MISSING + 1] = 0
        base = int(digit.max(initial=0)) + 1
        room *= base
        packed = packed * base + digit
    if room >= 2.0**63:
        _, first, number = np.unique(levels, axis=0, return_index=True, return_inverse=True)
    else:
        _, first, number = np.unique(packed, return_index=True, return_inverse=True)
    return first, number.ravel()


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
