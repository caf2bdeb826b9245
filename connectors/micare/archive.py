"""Comparing a night with the one before: in a read-only archive nothing may differ (sources hand-book 6.4).

Beside the tables of a night lies a note of when its batch ran, so that the night before can be found among those the
ledger has taken. Rows are counted, never shown.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Final

_NOTE: Final = "batch.txt"
_NOT_CODES: Final = "SYSTEM"  # the rows that say when the batch ran differ every night


def note_batch(folder: Path, ran_at: datetime, content_hash: str) -> None:
    """Write down beside the tables when the batch ran and which contents it had."""
    (folder / _NOTE).write_text(f"{ran_at.isoformat()} {content_hash}\n", encoding="ascii")


def last_batch(tables: Path, before: datetime, taken: frozenset[str]) -> Path | None:
    """The folder of the last batch before that moment among those the ledger has taken; None when there is none."""
    found: list[tuple[datetime, Path]] = []
    for note in tables.glob(f"*/{_NOTE}"):
        ran_at, content_hash = note.read_text(encoding="ascii").split()
        if content_hash in taken and datetime.fromisoformat(ran_at) < before:
            found.append((datetime.fromisoformat(ran_at), note.parent))
    return max(found, default=(before, None))[1]


def changed_rows(before: Path, after: Path) -> dict[str, int]:
    """For each table that differs: how many rows were added, changed or are gone (a changed row counts once)."""
    changed = {}
    for path in sorted(after.glob("*.parquet")):
        now = _rows(path)
        then = _rows(before / path.name) if (before / path.name).is_file() else Counter[int]()
        if differing := max((now - then).total(), (then - now).total()):
            changed[path.stem] = differing
    return changed


def _rows(path: Path) -> Counter[int]:
    import pyarrow.parquet as pq

    table = pq.read_table(path).drop_columns(["landed_line"])
    columns = [column.to_pylist() for column in table.columns]
    return Counter(hash(row) for row in zip(*columns, strict=True) if row[0] != _NOT_CODES)
