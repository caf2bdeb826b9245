"""The landing area: originals kept write-once under their content hash, tables as Parquet beside them (CTL-17).

Nothing is read before the original is safe, and a table's file appears in place only when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.base import RawFile
from connectors.door import DISPOSITION, fields_agreed, gate_for
from connectors.side import SideWriter
from connectors.signature import refuse_strangers
from connectors.spec import TableSpec
from connectors.watch import Watch

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1 << 20


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, read block by block."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def hash_of_contents(hashes: Iterable[str]) -> str:
    """One hash for a set of files, whatever their names and order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def keep(path: Path, area: Path, name: str | None = None) -> RawFile:
    """Copy a file into the landing area under its content hash, unless it is there, and make the copy read-only.

    Returns the kept file. The copy is complete before it has its name, so a killed run leaves nothing half-kept.

    Raises:
        DeliveryProblem: refused, when the first bytes are those of another kind of file than the name promises. The
            original is kept even then.
    """
    digest = sha256_of(path)
    kept = area / "raw" / digest[:2] / f"{digest}{path.suffix.lower()}"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_name(f".{kept.name}.{os.getpid()}")
        with path.open("rb") as original, unfinished.open("wb") as copy:
            while block := original.read(_BLOCK):
                copy.write(block)
        unfinished.chmod(0o400)
        unfinished.replace(kept)
    if not path.with_suffix(".z01").is_file():  # the last part of a split archive begins with anything
        refuse_strangers(kept, name=name or path.name)
    return RawFile(name or path.name, kept, kept.stat().st_size, digest)


class TableWriter:
    """Writes one landed table: batches of text columns in, one Parquet file out when the block ends well.

    The file's metadata carries the table's facts (key, removal marker, exclusions) under the name `onestory`. Columns
    nobody specified go to the side store, line by line beside the table; a mandatory column of another shape than
    declared ends the block with a question (`connectors.watch`), and no file. What the source's door leaves out
    (`connectors.door`) is counted in `records` like every row read, and is in neither file; fields that the source's
    flow does not name stay empty.
    """

    def __init__(self, path: Path, spec: TableSpec, fields: Sequence[str] | None = None) -> None:
        import pyarrow as pa

        self.path = path
        self.records = 0
        self._fields = tuple(fields or spec.fields)
        facts = {b"onestory": json.dumps(spec.facts()).encode()}
        columns = [*(pa.field(f, pa.string()) for f in self._fields), pa.field("landed_line", pa.int64())]
        self._gate, agreed = gate_for(path, spec, self._fields), fields_agreed(spec)
        self._withheld = frozenset[str]() if agreed is None else frozenset(self._fields) - agreed
        if self._gate is not None:
            columns.append(pa.field(DISPOSITION, pa.string()))
        self._schema = pa.schema(columns, metadata=facts)
        self._unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        self._side, self._watch = SideWriter(path), Watch(spec)

    def __enter__(self) -> TableWriter:
        import pyarrow.parquet as pq

        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Plain pages pack as small as dictionaries of text do and take a third less time; nobody reads the statistics.
        self._writer = pq.ParquetWriter(
            self._unfinished, self._schema, compression="zstd", compression_level=1, use_dictionary=False,
            write_statistics=False,
        )  # fmt: skip
        return self

    def write(self, columns: dict[str, Any], rows: int) -> None:
        """Add `rows` rows: field -> values (text or None; lists or Arrow arrays). Fields not given are null."""
        import numpy as np
        import pyarrow as pa

        columns = self._watch.as_declared(columns)
        self._watch.look(columns)
        columns = {name: values for name, values in columns.items() if name not in self._withheld}
        lines = pa.array(np.arange(self.records + 1, self.records + rows + 1))
        arrays: list[pa.Array] = [
            pa.nulls(rows, pa.string())
            if f not in columns
            else columns[f]
            if isinstance(columns[f], pa.Array)
            else pa.array(columns[f], pa.string())
            for f in self._fields
        ]
        if self._gate is None:
            self._writer.write_batch(pa.record_batch([*arrays, lines], schema=self._schema))
            self._side.write(columns, lines)
        else:
            self._write_admitted([*arrays, lines, pa.nulls(rows, pa.string())], columns)
        self.records += rows

    def _write_admitted(self, arrays: list[pa.Array], columns: dict[str, Any]) -> None:
        """Write what may come in of a batch, and of its unknown columns only what belongs to it."""
        import pyarrow as pa

        assert self._gate is not None
        batch, inside = self._gate.admit(pa.record_batch(arrays, schema=self._schema))
        self._writer.write_batch(batch)
        lines = arrays[-2]
        if inside is not None:
            known = set(self._fields)
            columns = {
                name: (v if isinstance(v, pa.Array) else pa.array(v, pa.string())).filter(inside)
                for name, v in columns.items()
                if name not in known
            }
            lines = lines.filter(inside)
        self._side.write(columns, lines)

    def __exit__(self, problem: type[BaseException] | None, *_: object) -> None:
        self._writer.close()
        is_whole = False
        try:
            if problem is None:
                self._watch.conclude()
                is_whole = True
        finally:
            self._side.close(keep=is_whole)
            if is_whole:
                self._unfinished.replace(self.path)
            else:
                self._unfinished.unlink(missing_ok=True)
