"""What a full run leaves for the nights after it: prepared records and the keys by which they meet, in one folder.

Records lie in Arrow files and keys in sorted arrays, both mapped into memory, so that a night reads the records it
touches and no others. Changed records are added beside the kept ones; the kept ones they replace are marked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Rows = NDArray[np.int64]
    Flags = NDArray[np.bool_]

ID, NUMBER, FIRST_RULE = 0, 1, 2  # columns of keys: the id, the identifying number, then one for each rule


@dataclass(slots=True)
class Part:
    """Records in the order they came, a key for each of them and column (0: meets nobody), and each column sorted."""

    records: pa.Table
    keys: Keys
    sorted_keys: Keys
    sorted_rows: NDArray[np.uint32]

    @classmethod
    def of(cls, records: pa.Table, keys: Keys) -> Part:
        """A part of records not seen before."""
        columns = np.ascontiguousarray(keys.T)
        order = np.argsort(columns, axis=1)
        return cls(records, keys, np.take_along_axis(columns, order, axis=1), order.astype(np.uint32))

    def find(self, column: int, needles: Keys) -> tuple[Rows, Rows]:
        """(place in the needles, row) of every equal key."""
        order = np.argsort(needles)  # neighbours are looked up near one another: half the time (measured)
        asked = needles[order]
        first = np.searchsorted(self.sorted_keys[column], asked, "left")
        times = np.searchsorted(self.sorted_keys[column], asked, "right") - first
        places = np.repeat(order, times)
        within = np.arange(len(places)) - np.repeat(np.cumsum(times) - times, times)
        return places, self.sorted_rows[column][np.repeat(first, times) + within].astype(np.int64)

    def save(self, stem: Path) -> None:
        """Write the part to files that begin with `stem`, for the owner's eyes only."""
        import pyarrow as pa

        table = self.records.combine_chunks()
        with _private(stem.with_suffix(".arrow")) as file, pa.ipc.new_file(file, table.schema) as writer:
            for batch in table.to_batches():
                writer.write_batch(batch)
        for name, array in (("keys", self.keys), ("sorted", self.sorted_keys), ("rows", self.sorted_rows)):
            save_array(stem.with_name(f"{stem.name}_{name}.npy"), array)

    @classmethod
    def load(cls, stem: Path) -> Part:
        """The part as it was written, read only as far as it is asked."""
        import pyarrow as pa

        records = pa.ipc.open_file(pa.memory_map(str(stem.with_suffix(".arrow")))).read_all()
        arrays = (load_array(stem.with_name(f"{stem.name}_{name}.npy")) for name in ("keys", "sorted", "rows"))
        return cls(records, *arrays)


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
        return len(self.kept.keys) + len(self.since.keys)

    def keys(self, rows: Rows, column: int) -> Keys:
        """The key of each row."""
        first = len(self.kept.keys)
        early = rows < first
        found = np.zeros(len(rows), np.uint64)
        found[early] = self.kept.keys[rows[early], column]
        found[~early] = self.since.keys[rows[~early] - first, column]
        return found

    def find(self, column: int, needles: Keys) -> tuple[Rows, Rows]:
        """(place in the needles, row) of every record still there with an equal key."""
        asked = np.flatnonzero(needles)
        old, old_rows = self.kept.find(column, needles[asked])
        new, new_rows = self.since.find(column, needles[asked])
        places, rows = np.concatenate([old, new]), np.concatenate([old_rows, new_rows + len(self.kept.keys)])
        here = ~self.is_gone[rows]
        return asked[places[here]], rows[here]

    def take(self, rows: Rows) -> pa.Table:
        """The records of these rows, in this order, with the row in `__row`."""
        import pyarrow as pa

        first = len(self.kept.keys)
        early, late = rows[rows < first], rows[rows >= first] - first
        table = pa.concat_tables([self.kept.records.take(pa.array(early)), self.since.records.take(pa.array(late))])
        back = np.argsort(np.concatenate([np.flatnonzero(rows < first), np.flatnonzero(rows >= first)]))
        if len(late) and len(early):
            table = table.take(pa.array(back))
        return table.append_column("__row", pa.array(rows.astype(np.uint32)))

    def add(self, records: pa.Table, keys: Keys) -> Rows:
        """Put new versions of records beside the others; gives their rows."""
        import pyarrow as pa

        first = self.rows
        self.since = Part.of(pa.concat_tables([self.since.records, records]), np.concatenate([self.since.keys, keys]))
        more = np.zeros(len(keys), np.bool_)
        self.is_gone, self.is_settled = np.concatenate([self.is_gone, more]), np.concatenate([self.is_settled, more])
        return np.arange(first, self.rows)


def _private(path: Path) -> Any:
    """The file, open for writing, readable by its owner only."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array that only the owner may read."""
    with _private(path) as file:
        np.save(file, array)


def load_array(path: Path) -> NDArray[Any]:
    """The array, mapped: what is not asked for is not read."""
    found: NDArray[Any] = np.load(path, mmap_mode="r")
    return found


def save_text(path: Path, text: str) -> None:
    """Write text that only the owner may read, all of it or nothing."""
    early = path.with_suffix(".new")
    with _private(early) as file:
        file.write(text.encode("utf-8"))
    early.replace(path)
