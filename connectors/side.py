"""The side store: columns nobody specified, kept beside the landed table they came with and reported to the ledger.

They lie in the landing zone, readable by their owner only, until somebody has reviewed them; nothing is loaded from
here. Each row keeps its `landed_line`, so that a column specified later can be filled for the nights before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.drift import SIDE, shown

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

    from connectors.base import LandedTable

_FILLED = b"onestory_filled"


def side_path(parquet: Path) -> Path:
    """Where the unknown columns of a landed table are kept."""
    return parquet.parent / "side" / parquet.name


class SideWriter:
    """Writes the unknown columns of one landed table; there is no file when there are none."""

    def __init__(self, parquet: Path) -> None:
        self.path = side_path(parquet)
        self._unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        self._writer: Any = None
        self._filled: dict[str, int] = {}

    def write(self, columns: dict[str, Any], lines: pa.Array) -> None:
        """Add the columns of a batch whose names begin with `SIDE`, under the given lines."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        unknown = {name.removeprefix(SIDE): v for name, v in columns.items() if name.startswith(SIDE)}
        if not unknown:
            return
        arrays = {n: v if isinstance(v, pa.Array) else pa.array(v, pa.string()) for n, v in unknown.items()}
        for name, array in arrays.items():
            filled = pc.sum(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(array)), 0)).as_py() or 0
            self._filled[name] = self._filled.get(name, 0) + filled
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            fields = [*(pa.field(name, pa.string()) for name in arrays), pa.field("landed_line", pa.int64())]
            self._schema = pa.schema(fields)
            self._writer = pq.ParquetWriter(self._unfinished, self._schema, compression="zstd")
        self._writer.write_batch(pa.record_batch([*arrays.values(), lines], schema=self._schema))

    def close(self, keep: bool) -> None:
        """End the file: put in place when `keep`, else gone."""
        if self._writer is not None:
            self._writer.add_key_value_metadata({_FILLED: json.dumps(self._filled).encode()})
            self._writer.close()
            if keep:
                self._unfinished.replace(self.path)
            else:
                self._unfinished.unlink(missing_ok=True)


def note_unknown_columns(connection: Connection, source: str, delivery: int, tables: Iterable[LandedTable]) -> None:
    """One ledger line for each unknown column met: when first, how many rows fill it, how often it was seen."""
    for table in tables:
        for heading, filled in _filled_of(side_path(table.parquet)).items():
            connection.exec_driver_sql(
                """insert into ledger.unknown_column (source, dataset, column_name, first_delivery_id, last_delivery_id,
                     rows_filled)
                   values (%(source)s, %(dataset)s, %(heading)s, %(delivery)s, %(delivery)s, %(filled)s)
                   on conflict (source, dataset, column_name) do update set last_delivery_id = %(delivery)s,
                     rows_filled = ledger.unknown_column.rows_filled + %(filled)s,
                     times_seen = ledger.unknown_column.times_seen + 1""",
                {
                    "source": source,
                    "dataset": table.dataset,
                    "heading": shown(heading),
                    "delivery": delivery,
                    "filled": filled,
                },
            )


def reviewed_columns(connection: Connection, source: str) -> frozenset[tuple[str, str]]:
    """The unknown columns of a source (dataset, heading) that somebody has reviewed: they are not told every night."""
    rows = connection.exec_driver_sql(
        "select dataset, column_name from ledger.unknown_column where source = %(source)s and status = 'reviewed'",
        {"source": source},
    )
    return frozenset((str(dataset), str(heading)) for dataset, heading in rows)


def review_column(connection: Connection, source: str, dataset: str, heading: str, *, by: str, review: str) -> bool:
    """Note who reviewed an unknown column and what came of it; False when no such column was ever kept aside."""
    return bool(
        connection.exec_driver_sql(
            """update ledger.unknown_column set status = 'reviewed', reviewed_by = %(by)s, review = %(review)s,
                 reviewed_at = clock_timestamp()
                where source = %(source)s and dataset = %(dataset)s and column_name = %(heading)s returning 1""",
            {"source": source, "dataset": dataset, "heading": heading, "by": by, "review": review},
        ).scalar_one_or_none()
    )


def _filled_of(path: Path) -> dict[str, int]:
    import pyarrow.parquet as pq

    if not path.is_file():
        return {}
    found: dict[str, int] = json.loads(pq.read_metadata(path).metadata[_FILLED])
    return found
