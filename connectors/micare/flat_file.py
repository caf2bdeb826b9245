"""MiCare's flat files, strictly: tabs between fields, no quoting, one record a line, a trailer that counts them.

A file is whole when its trailer `*** END OF FILE n RECORDS ***` is there and n is the number of records. Bytes that the
declared code page does not have become U+FFFD in the working copy, so that the check stage holds just their rows; the
original is kept as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from connectors.base import refused
from connectors.drift import columns_by_field
from connectors.landing import TableWriter
from connectors.spec import TableSpec
from domain.run import Finding

_BATCH: Final = 20_000
_TAIL: Final = 256
_TRAILER: Final = re.compile(rb"\*\*\* END OF FILE ([0-9]{1,12}) RECORDS \*\*\*\r?\n?\x1a?")
_LAST_LINE: Final = re.compile(rb"(?:^|\n)" + _TRAILER.pattern + rb"\Z")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UNDECODABLE: Final = re.compile("[\udc80-\udcff]")
# Code page 850 gives every byte a character. Lines and boxes are no text: another code page's letters stand there.
_DRAWN: Final = re.compile("[\u2500-\u259f]")
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f]")


@dataclass(frozen=True, slots=True)
class FlatRead:
    records: int
    physical_lines: int
    findings: tuple[Finding, ...]


def has_trailer(path: Path) -> bool:
    """Whether the file ends with a trailer: the batch job has finished it."""
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - _TAIL))
        return _LAST_LINE.search(handle.read()) is not None


@dataclass(slots=True)
class _Lines:
    """The file's records as text, with the account that is kept beside them."""

    handle: BinaryIO
    name: str
    code_page: str
    breaks: int = 0
    position: int = 0
    counted: int | None = None  # what the trailer says
    undecodable: int = 0
    controls: int = 0
    findings: list[Finding] = field(default_factory=list)

    def __iter__(self) -> Iterator[list[str]]:
        for number, line in enumerate(self.handle):
            self.position += len(line)
            self.breaks += line.endswith(b"\n")
            if number == 0 and line.startswith(_BYTE_ORDER_MARK):
                line = line[3:]
                told = f"{self.name}: a byte-order mark was removed"
                self.findings.append(Finding("BYTE_ORDER_MARK", told, "ask the supplier for the declared code page"))
            if self.counted is not None:
                if line.strip(b"\r\n\x1a"):
                    raise refused("AFTER_TRAILER", f"{self.name}: something follows the trailer at byte {self.place}")
                continue
            if match := _TRAILER.fullmatch(line):
                self.counted = int(match.group(1))
                continue
            if not line.endswith(b"\n"):
                raise refused("CUT_OFF", f"{self.name}: cut off in the middle of a record at byte {self.position}")
            yield self._text(line.removesuffix(b"\n").removesuffix(b"\r")).split("\t")
        if self.position == 0:
            raise refused("EMPTY_FILE", f"{self.name}: empty file")
        if self.counted is None:
            raise refused("CUT_OFF", f"{self.name}: it ends at byte {self.position} without its trailer")

    @property
    def place(self) -> int:
        return self.position

    def _text(self, line: bytes) -> str:
        text = line.decode(self.code_page, "surrogateescape")
        text, undecodable = _UNDECODABLE.subn("\ufffd", text)
        drawn = 0
        if self.code_page == "cp850":
            text, drawn = _DRAWN.subn("\ufffd", text)
        text, controls = _CONTROL.subn(" ", text)
        self.undecodable += undecodable + drawn
        self.controls += controls
        return text


def read_flat(handle: BinaryIO, name: str, spec: TableSpec, code_page: str, out: Path) -> FlatRead:
    """Read one file into a landed table at `out`.

    Returns counts and findings; `records` counts neither header nor trailer.

    Raises:
        DeliveryProblem: refused when the file is empty, cut off (with the byte), its trailer counts other records than
            there are, a record has more or fewer fields than the header, or a mandatory column is missing; held when a
            person has to decide about a heading. No row of such a file is kept.
    """
    lines = _Lines(handle, name, code_page)
    rows = iter(lines)
    header = next(rows, None)
    if header is None:
        raise refused("NO_HEADER", f"{name}: a trailer and nothing else")
    positions, drift = columns_by_field(header, spec)
    with TableWriter(out, spec) as writer:
        for batch in _batches(rows, len(header), lines):
            columns = list(zip(*batch, strict=True))
            writer.write({f: columns[place] for f, place in positions.items()}, len(batch))
        if lines.counted != writer.records:
            raise refused(
                "TRAILER_DIFFERS", f"{name}: {writer.records} records, the trailer says {lines.counted}"
            )  # inside the block: no file is left behind
    return FlatRead(writer.records, lines.breaks, (*drift, *lines.findings, *_notes(lines)))


def _batches(rows: Iterator[list[str]], width: int, lines: _Lines) -> Iterator[list[list[str]]]:
    batch: list[list[str]] = []
    for row in rows:
        if len(row) != width:
            raise refused(
                "WRONG_DIALECT",
                f"{lines.name}: {len(row)} fields where the header has {width}, in the record that ends at byte "
                f"{lines.position}",
            )
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _notes(lines: _Lines) -> Iterator[Finding]:
    if lines.undecodable:
        yield Finding(
            "UNDECODABLE",
            f"{lines.name}: {lines.undecodable} characters are not of {lines.code_page}; their rows are held",
            "ask the supplier for the declared code page",
        )
    if lines.controls:
        yield Finding(
            "CONTROL_CHARACTERS",
            f"{lines.name}: {lines.controls} control characters became blanks in the working copy",
            "nothing to do: the original is kept as it came; tell the supplier if there are many",
        )
