"""Strict reading of delimited files: a declared dialect, every line accounted for, nothing guessed (CTL-13, CTL-25).

The physical lines are counted from the bytes, apart from the parser, and must equal the parser's own count. Bytes the
declared encoding does not know become U+FFFD in the working copy, so that the check stage holds just those rows; the
original file is kept as it came.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from connectors.base import refused
from connectors.drift import columns_by_field, refuse_another_system
from connectors.landing import TableWriter
from connectors.spec import TableSpec
from domain.run import Finding

_BATCH = 20_000
_SAMPLE = 200
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a supplier writes its files: double quotes around what needs them, an embedded quote doubled."""

    delimiter: str
    encoding: str = "cp1252"


@dataclass(frozen=True, slots=True)
class TableRead:
    records: int
    physical_lines: int
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Lines:
    """The file's lines as text, with the account that is kept beside the parser."""

    handle: BinaryIO
    encoding: str
    name: str
    breaks: int = 0  # line feeds in the bytes
    position: int = 0  # bytes handed out
    undecodable: int = 0
    controls: int = 0
    first: str = ""  # the first line, to tell whose file it is when it cannot be parsed
    findings: list[Finding] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(self.handle):
            if number == 0 and line.startswith(_BYTE_ORDER_MARK):
                line = line[3:]
                self.position += 3
                self.findings.append(
                    Finding(
                        "BYTE_ORDER_MARK",
                        f"{self.name}: a byte-order mark was removed",
                        "ask the supplier to send the declared encoding",
                    )
                )
            self.position += len(line)
            if not line.endswith(b"\n"):
                raise refused(
                    "CUT_OFF",
                    f"{self.name}: cut off in the middle of a record at byte {self.position}",
                    "ask the supplier to send it again",
                )
            self.breaks += 1
            text = self._tidy(line.decode(self.encoding, "surrogateescape"))
            self.first = self.first or text
            yield text
        if self.position == 0:
            raise refused("EMPTY_FILE", f"{self.name}: empty file")

    def _tidy(self, line: str) -> str:
        if _UNDECODABLE.search(line):
            line, found = _UNDECODABLE.subn("\ufffd", line)
            self.undecodable += found
        if _CONTROL.search(line):
            line, found = _CONTROL.subn("", line)
            self.controls += found
        return line


def read_table(handle: BinaryIO, name: str, dialect: Dialect, spec: TableSpec, out: Path) -> TableRead:
    """Read one delimited file into a landed table at `out`.

    Returns counts and findings; `records` does not count the header.

    Raises:
        DeliveryProblem: refused when the file is empty, cut off (with the byte position), not in the declared dialect,
            or lacks a mandatory column. No row of a refused file is kept.
    """
    lines = _Lines(handle, dialect.encoding, name)
    reader = csv.reader(iter(lines), delimiter=dialect.delimiter, quotechar='"', doublequote=True, strict=True)
    csv.field_size_limit(1 << 28)  # very long text must not stop the run (F42)
    try:
        header = next(reader)
        rows = _batches(reader, len(header), lines)
        first = next(rows, [])  # some values, so that a suggestion for a renamed column rests on more than its name
        samples = {n.strip(): [row[place] for row in first[:_SAMPLE]] for place, n in enumerate(header)}
        positions, drift = columns_by_field(header, spec, samples=samples)
        with TableWriter(out, spec) as writer:
            for batch in chain([first] if first else [], rows):
                columns = list(zip(*batch, strict=True))
                writer.write({f: columns[place] for f, place in positions.items()}, len(batch))
    except csv.Error as problem:
        if reader.line_num <= 1:
            refuse_another_system([lines.first], spec)
        code = "CUT_OFF" if "end of data" in str(problem) else "WRONG_DIALECT"
        where = f"line {reader.line_num}, byte {lines.position}"
        raise refused(code, f"{name}: quoting breaks at {where}") from None
    if reader.line_num != lines.breaks:
        raise refused(
            "LINES_DO_NOT_ADD_UP",
            f"{name}: {lines.breaks} lines in the file, {reader.line_num} read",
            "ask the supplier to send it again",
        )
    return TableRead(writer.records, lines.breaks, (*drift, *lines.findings, *_notes(name, lines)))


def _batches(reader: Iterator[list[str]], width: int, lines: _Lines) -> Iterator[Sequence[list[str]]]:
    batch: list[list[str]] = []
    for row in reader:
        if len(row) != width:
            raise refused(
                "WRONG_DIALECT",
                f"{lines.name}: {len(row)} fields where the header has {width}, in the record "
                f"that ends at byte {lines.position}",
                "ask the supplier to send it in the agreed layout",
            )
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _notes(name: str, lines: _Lines) -> Iterator[Finding]:
    if lines.undecodable:
        yield Finding(
            "UNDECODABLE",
            f"{name}: {lines.undecodable} bytes are not {lines.encoding}; their rows are held",
            "ask the supplier for the declared encoding",
        )
    if lines.controls:
        yield Finding(
            "CONTROL_CHARACTERS",
            f"{name}: {lines.controls} control characters were removed from the working copy",
            "nothing to do: the original is kept as it came; tell the supplier if there are many",
        )
