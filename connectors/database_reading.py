"""Reads the tables of one snapshot into the landing area.

Kept are the original, as it was read and with the types the supplier has, and beside it the landed table, all text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connectors import database_statements as statements
from connectors.base import LandedTable, RawFile, TableMode
from connectors.database import DatabaseSession, arrow_schema, as_text
from connectors.database_statements import Answers
from connectors.drift import columns_by_field
from connectors.landing import TableWriter, keep
from connectors.spec import TableSpec
from domain.run import Finding

if TYPE_CHECKING:
    import pyarrow as pa

_CONTROL: Final = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]"


@dataclass(frozen=True, slots=True)
class TableReader:
    """Reads tables of one snapshot; columns in `not_read` (free text) never leave the database (CHI-4, SEN)."""

    session: DatabaseSession
    area: Path
    folder: Path
    headings: Mapping[str, list[str]]
    not_read: frozenset[str]
    answers: Answers | None = None

    def read(self, spec: TableSpec, mode: TableMode, since: tuple[str, datetime] | None) -> tuple[RawFile, LandedTable]:
        """Read a table, keep the original, write the landed table.

        Columns are taken under whatever heading the specification or an accepted mapping gives them today.

        Raises:
            DeliveryProblem: when a mandatory column is missing or holds values of another type.
        """
        heading = [name for name in self.headings[spec.table] if name not in self.not_read]
        positions, findings = columns_by_field(heading, spec)
        headed = {field: heading[place] for field, place in positions.items()}
        keys = [headed[field] for field in spec.key]
        tags = {column.field: column.tag for column in spec.columns}
        if mode == "keys":
            fields, findings = list(spec.key), ()
        else:  # columns nobody specified are read as text, whatever they hold
            fields = [*(f for f in spec.fields if f in headed), *(f for f in headed if f not in tags)]
        columns = {headed[field]: tags.get(field, statements.AS_TEXT) for field in fields}
        if since is not None:
            changed = next((headed[c.field] for c in spec.columns if c.name == since[0] and c.field in headed), None)
            since = (changed, since[1]) if changed and mode == "delta" else None
        suffix = ".keys" if mode == "keys" else ""
        original = self.folder / f"{spec.table}{suffix}.parquet"
        parquet = self.folder / f"{spec.dataset}{suffix}.parquet"
        schema = arrow_schema(columns, spec.table)
        answers = self.answers if self.answers is not None and self.answers.table == spec.table else None
        statement = statements.rows_of(self.session.access.schema, spec, columns, keys, since, answers)
        controls = 0
        with TableWriter(parquet, spec, fields if mode == "keys" else None) as writer:
            for batch in kept_batches(original, self.session.batches(statement, schema), schema):
                texts = {f: as_text(v) for f, v in zip(fields, batch.columns, strict=True)}
                controls += sum(_controls_in(values) for values in texts.values())
                writer.write({f: _tidied(v) if controls else v for f, v in texts.items()}, batch.num_rows)
        file = replace(keep(original, self.area, original.name), records=writer.records)
        original.unlink()
        findings = (*findings, *_notes(spec.table, controls))
        return file, LandedTable(spec.dataset, original.name, parquet, writer.records, mode, findings)


def _controls_in(values: pa.Array) -> int:
    import pyarrow.compute as pc

    return pc.sum(pc.count_substring_regex(values, _CONTROL)).as_py() or 0


def _tidied(values: pa.Array) -> pa.Array:
    """Text without control characters (F26): the original keeps them, nothing further on may stumble over one."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(values, _CONTROL, "")


def _notes(table: str, controls: int) -> Iterator[Finding]:
    if controls:
        yield Finding(
            "CONTROL_CHARACTERS",
            f"{table}: {controls} control characters were removed from the working copy",
            "nothing to do: the original is kept as it was read; tell the supplier if there are many",
        )


def kept_batches(path: Path, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Hand the batches on while keeping them in one Parquet file: the original of what was read."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield batch
