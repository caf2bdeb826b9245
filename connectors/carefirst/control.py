"""The control file of a dump: which files belong to it, how many rows each has, and when the extract ran.

A dump without its control file is still being written. The control file is the last to arrive and the first to be read.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.base import DeliveryProblem
from domain.periods import london
from domain.run import Finding, RunState

#: A dump's file: table, then the eight digits of the extract date. Anything else in a control file is refused.
FILE_NAME: Final = re.compile(r"(CF_[A-Z][A-Z_]*)_([0-9]{8})\.csv")
CONTROL_TABLE: Final = "CF_CONTROL"

_MANDATORY: Final = ("FILE_NAME", "ROW_COUNT", "EXTRACT_START", "EXTRACT_END")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ControlEntry:
    """One file the control file names; `sha256` is empty when the supplier gives none."""

    file_name: str
    table: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Control:
    """One control file. The extract's moments are London time as sent, made exact."""

    name: str
    entries: tuple[ControlEntry, ...]
    extract_start: datetime
    extract_end: datetime


def read_control(content: bytes, name: str) -> Control:
    """Read a control file.

    Raises:
        DeliveryProblem: refused, when it is empty, cut off, names a file twice or outside the pattern, or a number, a
            moment or a hash in it cannot be read.
    """
    rows = _rows(content.removeprefix(_BYTE_ORDER_MARK), name)
    entries: list[ControlEntry] = []
    moments: list[tuple[datetime, datetime]] = []
    for number, row in enumerate(rows, start=1):
        entries.append(_entry(row, name, number))
        moments.append((_moment(row["EXTRACT_START"], name, number), _moment(row["EXTRACT_END"], name, number)))
    if not entries:
        raise _unreadable(name, "it names no file")
    if len({entry.file_name for entry in entries}) != len(entries):
        raise _unreadable(name, "it names a file twice")
    start, end = min(s for s, _ in moments), max(e for _, e in moments)
    if end < start:
        raise _unreadable(name, "the extract ends before it starts")
    return Control(name, tuple(entries), start, end)


def _rows(content: bytes, name: str) -> list[dict[str, str]]:
    if not content:
        raise DeliveryProblem(
            RunState.REFUSED, Finding("EMPTY_FILE", f"{name}: empty file", "ask the supplier to send it again")
        )
    if not content.endswith(b"\n"):
        raise DeliveryProblem(
            RunState.REFUSED,
            Finding("CUT_OFF", f"{name}: cut off at byte {len(content)}", "ask the supplier to send it again"),
        )
    try:
        lines = list(csv.reader(io.StringIO(content.decode("ascii"), newline=""), delimiter="|", strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise _unreadable(name, "it is not pipe-delimited plain text") from None
    header = [heading.strip() for heading in lines[0]]
    missing = [heading for heading in _MANDATORY if heading not in header]
    if missing or len(set(header)) != len(header):
        raise _unreadable(name, f"its headings must be {', '.join(_MANDATORY)}, each once")
    if any(len(line) != len(header) for line in lines[1:]):
        raise _unreadable(name, "a line has more or fewer fields than the heading")
    return [dict(zip(header, (value.strip() for value in line), strict=True)) for line in lines[1:]]


def _entry(row: dict[str, str], name: str, number: int) -> ControlEntry:
    match = FILE_NAME.fullmatch(row["FILE_NAME"])
    if match is None or match.group(1) == CONTROL_TABLE:
        raise _unreadable(name, f"entry {number} does not name a file of the dump")
    digest = row.get("SHA256", "").lower()
    if digest and not _SHA256.fullmatch(digest):
        raise _unreadable(name, f"entry {number} has no readable SHA-256")
    if not (row["ROW_COUNT"].isascii() and row["ROW_COUNT"].isdecimal()):
        raise _unreadable(name, f"entry {number} has no readable row count")
    return ControlEntry(row["FILE_NAME"], match.group(1), int(row["ROW_COUNT"]), digest)


def _moment(text: str, name: str, number: int) -> datetime:
    try:
        return london(datetime.strptime(text, "%d/%m/%Y %H:%M:%S"))
    except ValueError:
        raise _unreadable(name, f"entry {number} has an extract moment that is not DD/MM/YYYY HH:MM:SS") from None


def _unreadable(name: str, why: str) -> DeliveryProblem:
    finding = Finding("CONTROL_UNREADABLE", f"{name}: {why}", "ask the supplier to send the control file again")
    return DeliveryProblem(RunState.REFUSED, finding)
