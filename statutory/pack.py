"""Writes the files of a return: the machine's file exactly as it is, the people's files safe to open in a spreadsheet.

Files appear under their final name only when complete; the same content always gives the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

# A cell that begins with one of these is run as a formula by spreadsheet programs (governance CTL-24).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_statutory_csv(path: Path, headings: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    """Write the file for the receiver, exact and unaltered; returns its SHA-256."""
    return write_whole(path, _csv_bytes(headings, zip(*columns, strict=True)))


def write_readable_csv(path: Path, headings: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """Write a file for people: text cells cannot be taken for formulas, numbers stay numbers; returns its SHA-256."""
    safe = ([_harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return write_whole(path, _csv_bytes(headings, safe))


def write_text(path: Path, text: str) -> str:
    """Write a text file; returns its SHA-256."""
    return write_whole(path, text.encode("utf-8"))


def write_whole(path: Path, content: bytes) -> str:
    """Write under a temporary name, then rename, so that no reader meets half a file; returns the SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with temporary.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
    return hashlib.sha256(content).hexdigest()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _csv_bytes(headings: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
