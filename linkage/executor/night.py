"""The steps of a night: replace, settle by number, find candidates by kept keys, weigh; three selects in all.

Planning a select costs more than weighing the pairs of a small change, so keys are looked up in the sorted arrays and
only the weighing and the cross-check of equal numbers are left to the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from linkage.executor.ids import RecordsRefused
from linkage.executor.joins import MET, PAIRS
from linkage.executor.keys import split_keys
from linkage.executor.plan import NIGHT, Plan
from linkage.executor.run import BY_IDENTIFIER, SCORED
from linkage.executor.store import CONTENT, FIRST_RULE, ID, NUMBER, Side

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from numpy.typing import NDArray

    from linkage.executor.store import Flags, Keys, Rows

REPLACED_LEFT, REPLACED_RIGHT = "replaced_left", "replaced_right"


@dataclass(slots=True)
class Night:
    """One night: both sides as they become, and which rows have to be compared anew."""

    con: duckdb.DuckDBPyConnection
    plan: Plan
    left: Side
    right: Side
    open_left: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    open_right: Rows = field(default_factory=lambda: np.zeros(0, np.int64))

    def replace(self, tables: tuple[str, str], gone: tuple[Sequence[str], Sequence[str]], folder: Path) -> None:
        """Mark what is replaced, add what is new, and widen both to all holders of the numbers concerned."""
        numbers, fresh, old_ids = [], [], []
        for which, side, source, ids in ((self.left, "l", tables[0], gone[0]), (self.right, "r", tables[1], gone[1])):
            select = self.plan.select(side, source, folder)
            records, keys = split_keys(self.con.sql(select).to_arrow_table())
            if len(np.unique(keys[ID])) < keys.shape[1] or not keys[ID].all():
                raise RecordsRefused("a changed record has no id, or one that another changed record has too")
            old, records, keys = self._without_repeats(which, records, keys, self._id_keys(ids))
            which.is_gone[old] = True
            numbers += [keys[NUMBER], which.keys(old, NUMBER)]
            old_ids.append(which.take(old, ["__id"]).column("__id"))
            fresh.append(which.add(records.cast(which.kept.records.schema), keys))
        held = np.unique(np.concatenate(numbers))
        self.open_left, self.open_right = (
            np.union1d(rows, which.find(NUMBER, held)[1])
            for which, rows in zip((self.left, self.right), fresh, strict=True)
        )
        for which, rows, ids, name in ((self.left, self.open_left, old_ids[0], REPLACED_LEFT),
                                       (self.right, self.open_right, old_ids[1], REPLACED_RIGHT)):  # fmt: skip
            which.is_settled[rows] = False
            self._table(name, [*ids.chunks, *which.take(rows, ["__id"]).column("__id").chunks])

    def _without_repeats(self, which: Side, records: pa.Table, keys: Keys, gone: Keys) -> tuple[Rows, pa.Table, Keys]:
        """Rows replaced or gone, and the changed records without those that say what they said before."""
        import pyarrow as pa

        at, rows = which.find(ID, keys[ID])
        says_the_same = (which.keys(rows, CONTENT) == keys[CONTENT, at]) & ~np.isin(keys[ID, at], gone)
        differs = np.ones(keys.shape[1], np.bool_)
        differs[at[says_the_same]] = False
        old = np.union1d(rows[~says_the_same], which.find(ID, gone)[1])
        return old, records.filter(pa.array(differs)), np.ascontiguousarray(keys[:, differs])

    def settle(self) -> tuple[Rows, Rows]:
        """Rows of the pairs of one number that are accepted, now marked as settled."""
        none = np.zeros(0, np.int64)
        if self.plan.agreed is None:
            return none, none
        numbers = []
        for which, rows in ((self.left, self.open_left), (self.right, self.open_right)):
            keys = which.keys(rows, NUMBER)
            values, first, times = np.unique(keys, return_index=True, return_counts=True)
            alone = (times == 1) & (values > 0)
            numbers.append((values[alone], rows[first[alone]]))
        _, l_place, r_place = np.intersect1d(numbers[0][0], numbers[1][0], assume_unique=True, return_indices=True)
        l_rows, r_rows = numbers[0][1][l_place], numbers[1][1][r_place]
        if not len(l_rows):
            return none, none
        with _Registered(self.con, self.left.take(l_rows), self.right.take(r_rows), l_rows, r_rows):
            agreed = self.con.execute(f"""
                select p.l, p.r from {MET} p join night_left l on l."__row" = p.l join night_right r
                    on r."__row" = p.r where {self.plan.agreed}
                """).fetchnumpy()
        l_rows, r_rows = (np.asarray(agreed[side], dtype=np.int64) for side in "lr")
        self.left.is_settled[l_rows] = True
        self.right.is_settled[r_rows] = True
        return l_rows, r_rows

    def candidates(self) -> tuple[Rows, Rows, NDArray[np.int16]]:
        """The rows of every pair to be compared, once for each rule that finds it, and that rule."""
        both = self.plan.settles_both
        anew = np.zeros(self.left.rows, np.bool_)
        anew[self.open_left] = True
        l_rows = self.open_left[~self.left.is_settled[self.open_left]]
        r_rows = self.open_right[~self.right.is_settled[self.open_right]] if both else self.open_right
        shut_left = anew | self.left.is_settled
        shut_right: Flags = self.right.is_settled if both else np.zeros(self.right.rows, np.bool_)
        found, rules = [(np.zeros(0, np.int64), np.zeros(0, np.int64))], [np.zeros(0, np.int16)]
        for place, rule in enumerate(self.plan.rules):
            kind = FIRST_RULE + place
            at, others = self.right.find(kind, self.left.keys(l_rows, kind))
            may = ~shut_right[others]
            forth = (l_rows[at[may]], others[may])
            at, others = self.left.find(kind, self.right.keys(r_rows, kind))
            may = ~shut_left[others]
            back = (others[may], r_rows[at[may]])
            found += [forth, back]
            rules.append(np.full(len(forth[0]) + len(back[0]), rule, np.int16))
        l_found, r_found = (np.concatenate([both[side] for both in found]) for side in (0, 1))
        return l_found, r_found, np.concatenate(rules)

    def weigh(self, found: tuple[Rows, Rows, NDArray[np.int16]], accepted: tuple[Rows, Rows]) -> None:
        """Fill `scored_pair`."""
        l_rows, r_rows, rules = found
        if self.plan.weigh:
            l_rows, r_rows = np.concatenate([l_rows, accepted[0]]), np.concatenate([r_rows, accepted[1]])
            rules = np.concatenate([rules, np.full(len(accepted[0]), BY_IDENTIFIER, np.int16)])
        left, right = self.left.take(_each_once(l_rows)), self.right.take(_each_once(r_rows))
        with _Registered(self.con, left, right, l_rows, r_rows, rules):
            self.con.execute(f"create or replace temp table {PAIRS} as {self.plan.sieve}")
            self.con.execute(f"create or replace table {SCORED} as {self.plan.weighing}")
        self.con.execute(f"drop table {PAIRS}")
        if not self.plan.weigh and len(accepted[0]):
            ids = {f"{side}_id": which.take(rows).column("__id") for side, which, rows in
                   (("left", self.left, accepted[0]), ("right", self.right, accepted[1]))}  # fmt: skip
            self.con.register("night_accepted", _arrow(ids))
            self.con.execute(f"""insert into {SCORED} by name
                select *, {BY_IDENTIFIER} as rule_number from night_accepted""")
            self.con.unregister("night_accepted")

    def _id_keys(self, ids: Sequence[str]) -> Keys:
        if not ids:
            return np.zeros(0, np.uint64)
        self.con.register("night_gone", _arrow({"id": list(ids)}))
        found = self.con.execute("select hash(id) as key from night_gone").fetchnumpy()["key"]
        self.con.unregister("night_gone")
        return np.asarray(found, dtype=np.uint64)

    def _table(self, name: str, chunks: Sequence[pa.Array]) -> None:
        import pyarrow as pa

        self.con.register("night_ids", pa.table({"id": pa.chunked_array(chunks, type=chunks[0].type)}))
        self.con.execute(f"create or replace temp table {name} as from night_ids")
        self.con.unregister("night_ids")


class _Registered:
    """The records and pairs under the names that the weighing reads, for as long as it lasts."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, left: pa.Table, right: pa.Table, l_rows: Rows, r_rows: Rows,
        rules: NDArray[np.int16] | None = None,
    ) -> None:  # fmt: skip
        columns = {"l": l_rows.astype(np.uint32), "r": r_rows.astype(np.uint32)}
        self._con = con
        self._tables = {NIGHT.left: left, NIGHT.right: right,
                        MET: _arrow(columns if rules is None else columns | {"rule": rules})}  # fmt: skip

    def __enter__(self) -> None:
        for name, table in self._tables.items():
            self._con.register(name, table)

    def __exit__(self, *_: object) -> None:
        for name in self._tables:
            self._con.unregister(name)


def _each_once(rows: Rows) -> Rows:
    there = np.zeros(rows.max(initial=-1) + 1, np.bool_)
    there[rows] = True
    return np.flatnonzero(there)


def _arrow(columns: dict[str, Any]) -> pa.Table:
    import pyarrow as pa

    return pa.table(columns)
