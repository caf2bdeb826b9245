"""What a full run leaves for the nights after it: prepared records and the keys by which they meet, in one folder.

Records lie in Arrow files and keys in sorted arrays, both mapped into memory, so that a night reads the records it
touches and no others. Changed records are added beside the kept ones; the kept ones they replace are marked.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from linkage.executor.keys import split_keys

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Rows = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# Kinds of keys: the id, the identifying number, then one for each rule; the last is of all that is read of a record.
ID, NUMBER, FIRST_RULE, CONTENT = 0, 1, 2, -1
_AT_ONCE = 250_000  # records held in memory while a part is written


@dataclass(slots=True)
class Part:
    """Records in the order they came, keys (kind, record; 0 meets nobody), and each kind of key but the last sorted."""

    records: pa.Table
    keys: Keys
    sorted_keys: Keys
    sorted_rows: NDArray[np.uint32]

    @classmethod
    def of(cls, records: pa.Table, keys: Keys) -> Part:
        """A part of records not seen before."""
        order = np.argsort(keys[:CONTENT], axis=1)
        return cls(records, keys, np.take_along_axis(keys[:CONTENT], order, axis=1), order.astype(np.uint32))

    @property
    def rows(self) -> int:
        """How many records."""
        return int(self.keys.shape[1])

    def find(self, kind: int, needles: Keys) -> tuple[Rows, Rows]:
        """(place in the needles, row) of every equal key."""
        keys = self.sorted_keys[kind]
        order = np.argsort(needles)  # neighbours are looked up near one another: half the time (measured)
        first = np.searchsorted(keys, needles[order], "left")
        inside = first < len(keys)
        order, first = order[inside], first[inside]
        equal = keys[first] == needles[order]
        order, first = order[equal], first[equal]
        times = np.searchsorted(keys, needles[order], "right") - first
        places = np.repeat(order, times)
        within = np.arange(len(places)) - np.repeat(np.cumsum(times) - times, times)
        return places, self.sorted_rows[kind][np.repeat(first, times) + within].astype(np.int64)

    def take(self, rows: Rows, columns: Sequence[str] | None = None) -> pa.Table:
        """The records of these rows, in this order."""
        import pyarrow as pa

        records = self.records if columns is None else self.records.select(list(columns))
        batches = records.to_batches()
        if len(batches) < 2:
            return records.take(pa.array(rows))
        order = np.argsort(rows, kind="stable")
        ends = np.cumsum([len(batch) for batch in batches])
        places = np.searchsorted(rows[order], [0, *ends])
        found = [
            batch.take(pa.array(rows[order[start:end]] - (last - len(batch))))
            for batch, start, end, last in zip(batches, places, places[1:], ends, strict=False)
            if end > start
        ]
        table = pa.Table.from_batches(found, records.schema)
        return table if (rows[:-1] <= rows[1:]).all() else table.take(pa.array(np.argsort(order)))

    def save(self, stem: Path) -> None:
        """Write the part to files that begin with `stem`, for the owner's eyes only."""
        import pyarrow as pa

        with _private(stem.with_suffix(".arrow")) as file, pa.ipc.new_file(file, self.records.schema) as writer:
            writer.write_table(self.records)
        for name, array in (("keys", self.keys), ("sorted", self.sorted_keys), ("rows", self.sorted_rows)):
            save_array(beside(stem, name), array)

    @classmethod
    def load(cls, stem: Path) -> Part:
        """The part as it was written, read only as far as it is asked."""
        import pyarrow as pa

        records = pa.ipc.open_file(pa.memory_map(str(stem.with_suffix(".arrow")))).read_all()
        return cls(records, *(load_array(beside(stem, name)) for name in ("keys", "sorted", "rows")))


def write_part(con: duckdb.DuckDBPyConnection, table: str, rows: int, stem: Path) -> tuple[Part, Rows]:
    """Write the records and keys of a table as a part; gives an empty part like it, and which row each record was.

    Memory is bounded: some records at a time, and some 30 bytes a record while a kind of key is sorted.
    """
    import pyarrow as pa

    def some(first: int) -> tuple[pa.Table, Keys, Rows]:
        within = f"where rowid >= {first} and rowid < {min(first + _AT_ONCE, rows)}"
        found = con.sql(f'select *, rowid as "__place" from {table} {within}').to_arrow_table()
        return *split_keys(found.drop_columns(["__place"])), found.column("__place").to_numpy()

    empty, none, _ = some(rows)
    places = np.zeros(rows, np.int64)  # DuckDB gives rows in any order
    kinds = len(none)
    with _private(stem.with_suffix(".arrow")) as file, pa.ipc.new_file(file, empty.schema) as writer, \
         _private(beside(stem, "keys")) as kept:  # fmt: skip
        begin = _begin_array(kept, np.dtype(np.uint64), (kinds, rows))
        for first in range(0, rows, _AT_ONCE):
            records, keys, places[first : first + _AT_ONCE] = some(first)
            writer.write_table(records)
            for kind in range(kinds):
                kept.seek(begin + 8 * (kind * rows + first))
                kept.write(keys[kind].tobytes())
    with _private(beside(stem, "sorted")) as in_order, _private(beside(stem, "rows")) as where:
        _begin_array(in_order, np.dtype(np.uint64), (kinds - 1, rows))
        _begin_array(where, np.dtype(np.uint32), (kinds - 1, rows))
        for kind in range(kinds - 1):
            place = begin + 8 * kind * rows
            of_kind = np.fromfile(beside(stem, "keys"), np.uint64, count=rows, offset=place)
            order = np.argsort(of_kind)
            where.write(order.astype(np.uint32).tobytes())
            in_order.write(of_kind[order].tobytes())
    return Part.of(empty, none), places


@dataclass(slots=True)
class Side:
    """One file of records: those kept by the full run, those that came since, and what became of each row."""

    kept: Part
    since: Part
    is_gone: Flags  # replaced by a later version, or gone
    is_settled: Flags  # an equal number was accepted

    @property
    def rows(self) -> int:
        """All rows, whatever became of them."""
        return self.kept.rows + self.since.rows

    def keys(self, rows: Rows, kind: int) -> Keys:
        """The key of each row."""
        early = rows < self.kept.rows
        found = np.zeros(len(rows), np.uint64)
        found[early] = self.kept.keys[kind, rows[early]]
        found[~early] = self.since.keys[kind, rows[~early] - self.kept.rows]
        return found

    def find(self, kind: int, needles: Keys) -> tuple[Rows, Rows]:
        """(place in the needles, row) of every record still there with an equal key."""
        asked = np.flatnonzero(needles)
        old, old_rows = self.kept.find(kind, needles[asked])
        new, new_rows = self.since.find(kind, needles[asked])
        places, rows = np.concatenate([old, new]), np.concatenate([old_rows, new_rows + self.kept.rows])
        here = ~self.is_gone[rows]
        return asked[places[here]], rows[here]

    def take(self, rows: Rows, columns: Sequence[str] | None = None) -> pa.Table:
        """The records of these rows, in this order, with the row in `__row`."""
        import pyarrow as pa

        is_early = rows < self.kept.rows
        early = self.kept.take(rows[is_early], columns)
        late = self.since.take(rows[~is_early] - self.kept.rows, columns)
        table = pa.concat_tables([early, late])
        if len(late) and len(early):
            back = np.argsort(np.concatenate([np.flatnonzero(is_early), np.flatnonzero(~is_early)]))
            table = table.take(pa.array(back))
        return table.append_column("__row", pa.array(rows.astype(np.uint32)))

    def add(self, records: pa.Table, keys: Keys) -> Rows:
        """Put new versions of records beside the others; gives their rows."""
        import pyarrow as pa

        first, more = self.rows, np.zeros(keys.shape[1], np.bool_)
        table = pa.concat_tables([self.since.records, records]).combine_chunks()
        self.since = Part.of(table, np.concatenate([self.since.keys, keys], axis=1))
        self.is_gone, self.is_settled = np.concatenate([self.is_gone, more]), np.concatenate([self.is_settled, more])
        return np.arange(first, self.rows)


def beside(stem: Path, name: str) -> Path:
    """The file of an array that belongs to a stem."""
    return stem.with_name(f"{stem.name}_{name}.npy")


def _private(path: Path) -> Any:
    """The file, open for writing, readable by its owner only."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array that only the owner may read."""
    with _private(path) as file:
        np.save(file, array)


def _begin_array(file: Any, kind: np.dtype[Any], shape: Sequence[int]) -> int:
    """Write the head of an array's file; gives the place where its values begin."""
    head = {"descr": kind.str, "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(file, head)
    return int(file.tell())


def load_array(path: Path) -> NDArray[Any]:
    """The array, mapped: what is not asked for is not read."""
    mapped: NDArray[Any] = np.load(path, mmap_mode="r")
    return mapped.view(np.ndarray)  # asked piece by piece, a mapped array costs more than the answer


def save_text(path: Path, text: str) -> None:
    """Write text that only the owner may read, all of it or nothing."""
    early = path.with_suffix(".new")
    with _private(early) as file:
        file.write(text.encode("utf-8"))
    early.replace(path)
