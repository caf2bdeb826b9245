"""Reads SystmOne's CSV strictly and fast: every record is proved to have the declared shape before it is parsed.

A pattern walks over the bytes record by record (every field quoted, the header's number of fields, the declared line
end), so that an unbalanced quote, another delimiter or a cut-off file is found with its byte position; only then does
Arrow parse whole records. Line breaks are counted in the bytes and again in the parsed values (governance CTL-13).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from connectors.base import DeliveryProblem
from connectors.drift import columns_by_field
from connectors.landing import TableWriter
from connectors.spec import TableSpec
from domain.run import Finding, RunState

ENCODING: Final = "cp1252"
_CHUNK: Final = 4 << 20
_LONGEST_RECORD: Final = 256 << 20
_FIELD: Final = rb'"[^"]*+(?:""[^"]*+)*+"'
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r")
_SEND_AGAIN: Final = "ask the supplier to send it again"


class ByteStream(Protocol):
    """Whatever can be read piece by piece."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class StrictRead:
    """The account of one file that was read to its end. `records` does not count the header."""

    records: int
    physical_lines: int
    size_bytes: int
    sha256: str
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Account:
    """What is counted in the bytes, apart from the parser."""

    name: str
    line_end: bytes
    size: int = 0
    line_feeds: int = 0
    undecodable: int = 0
    controls: int = 0
    embedded: int = 0  # line feeds inside the parsed values
    has_byte_order_mark: bool = False
    findings: list[Finding] = field(default_factory=list)


def read_table(stream: ByteStream, name: str, spec: TableSpec, out: Path, line_end: str = "\r\n") -> StrictRead:
    """Read one CSV file of the extract into a landed table at `out`.

    Bytes that cp1252 does not know become U+FFFD in the working copy, so that the check stage holds just those rows;
    control characters are left out of it. Both are counted; the original is kept elsewhere as it came.

    Raises:
        DeliveryProblem: refused when the file is empty, cut off or not in the declared dialect (with the byte
            position), in another encoding, or lacks a mandatory column. No row of a refused file is kept.
    """
    account, digest = _Account(name, line_end.encode("ascii")), hashlib.sha256()
    chunks = _chunks(stream, account, digest)
    rest, header, start = _header(chunks, account)
    positions, drift = columns_by_field(header, spec)
    with TableWriter(out, spec) as writer:
        for block, records in _whole_records(rest, chunks, len(header), start, account):
            columns = _parse(block, header, positions, account)
            rows = {len(values) for values in columns.values()}
            if rows != {records}:
                raise _lines_do_not_add_up(account, records, sum(rows))
            writer.write(columns, records)
        # The header is a line too; what is left over are the line breaks inside quotes.
        if account.line_feeds != 1 + writer.records + account.embedded:
            raise _lines_do_not_add_up(account, account.line_feeds - 1 - account.embedded, writer.records)
    findings = (*drift, *account.findings, *_notes(account))
    return StrictRead(writer.records, account.line_feeds, account.size, digest.hexdigest(), findings)


def read_small(stream: ByteStream, name: str, line_end: str = "\r\n") -> list[dict[str, str]]:
    """All records of a small control file, by column name; as strict as `read_table` and raising the same."""
    account = _Account(name, line_end.encode("ascii"))
    chunks = _chunks(stream, account, hashlib.sha256())
    rest, header, start = _header(chunks, account)
    records: list[dict[str, str]] = []
    for block, _ in _whole_records(rest, chunks, len(header), start, account):
        columns = _parse(block, header, {title: place for place, title in enumerate(header)}, account)
        values = [columns[title].to_pylist() for title in header]
        records.extend(dict(zip(header, row, strict=True)) for row in zip(*values, strict=True))
    return records


def _chunks(stream: ByteStream, account: _Account, digest: Any) -> Iterator[bytes]:
    """The file piece by piece; size, hash and line feeds are taken from the bytes as they come."""
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        account.size += len(chunk)
        account.line_feeds += chunk.count(b"\n")
        yield chunk


def _header(chunks: Iterator[bytes], account: _Account) -> tuple[bytes, list[str], int]:
    """What follows the header in the first chunks, the headings, and the byte at which the records begin."""
    pattern = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+" + re.escape(account.line_end))
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) > len(_BYTE_ORDER_MARK) and account.line_end in start:
            break
    if not start:
        raise refused("EMPTY_FILE", f"{account.name}: empty file", _SEND_AGAIN)
    skipped = 0
    if start.startswith(_BYTE_ORDER_MARK):
        account.has_byte_order_mark, skipped = True, len(_BYTE_ORDER_MARK)
        account.findings.append(
            Finding(
                "BYTE_ORDER_MARK",
                f"{account.name}: a byte-order mark was removed",
                "ask the supplier to send the declared encoding",
            )
        )
    found = pattern.match(start, skipped)
    if not found:
        raise refused(
            "WRONG_DIALECT",
            f"{account.name}: the header is not one line of quoted names and commas",
            "ask the supplier whether the layout changed",
        )
    headings = [h[1:-1].decode(ENCODING, "replace").replace('""', '"') for h in re.findall(_FIELD, found.group())]
    return start[found.end() :], headings, found.end()


def _whole_records(
    rest: bytes, chunks: Iterator[bytes], width: int, position: int, account: _Account
) -> Iterator[tuple[bytes, int]]:
    """Blocks of whole records, each with its number of records; `position` is the byte at which `rest` begins."""
    record = re.compile(_FIELD + rb"(?:," + _FIELD + rb"){%d}" % (width - 1) + re.escape(account.line_end))
    unfinished = re.compile(rb"(?:" + _FIELD + rb",){0,%d}+(?:\"[^\"]*+(?:\"\"[^\"]*+)*+(?:\"\r?)?)?" % (width - 1))
    buffer = rest
    while True:
        match, records, end = record.scanner(buffer).match, 0, 0  # type: ignore[attr-defined]
        while found := match():
            records += 1
            end = found.end()
        if records:
            yield buffer[:end], records
        buffer, position = buffer[end:], position + end
        if buffer:
            good = unfinished.match(buffer)
            if good is None or good.end() < len(buffer) or len(buffer) > _LONGEST_RECORD:
                broken_at = position + (good.end() if good else 0)
                raise refused(
                    "WRONG_DIALECT",
                    f"{account.name}: quoting or number of fields breaks at byte {broken_at}, "
                    f"in the record that starts at byte {position}",
                    _SEND_AGAIN,
                )
        chunk = next(chunks, b"")
        if not chunk:
            break
        buffer += chunk
    if buffer:
        raise refused(
            "CUT_OFF",
            f"{account.name}: cut off at byte {account.size}, in the record that starts at byte {position}",
            _SEND_AGAIN,
        )


def _parse(block: bytes, header: Sequence[str], positions: dict[str, int], account: _Account) -> dict[str, Any]:
    """Field -> Arrow array of text for a block of whole records."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    has_breaks = block.count(b"\n")
    text = _tidy(block, account)
    names = [str(place) for place in range(len(header))]
    table = csv.read_csv(
        pa.BufferReader(text),
        read_options=csv.ReadOptions(column_names=names, block_size=len(text) + 1, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), null_values=[]),
    )
    columns = [table.column(place).combine_chunks() for place in range(len(header))]
    if has_breaks != table.num_rows:
        account.embedded += sum(pc.sum(pc.count_substring(column, "\n")).as_py() or 0 for column in columns)
    return {wanted: columns[place] for wanted, place in positions.items()}


def _tidy(block: bytes, account: _Account) -> bytes:
    """The block as UTF-8 without control characters; what was taken out or could not be decoded is counted."""
    clean = block.translate(None, _CONTROLS)
    account.controls += len(block) - len(clean)
    if clean.isascii():
        return clean
    if account.has_byte_order_mark:
        raise refused(
            "WRONG_ENCODING",
            f"{account.name}: the byte-order mark says UTF-8, agreed is {ENCODING}",
            "ask the supplier to send the declared encoding",
        )
    try:
        text = clean.decode(ENCODING)
    except UnicodeDecodeError:
        text = clean.decode(ENCODING, "replace")
        account.undecodable += text.count("\ufffd")
    return text.encode("utf-8")


def _notes(account: _Account) -> Iterator[Finding]:
    if account.undecodable:
        yield Finding(
            "UNDECODABLE",
            f"{account.name}: {account.undecodable} bytes are not {ENCODING}; their rows are held",
            "ask the supplier for the declared encoding",
        )
    if account.controls:
        yield Finding(
            "CONTROL_CHARACTERS",
            f"{account.name}: {account.controls} control characters were removed from the working copy",
        )


def _lines_do_not_add_up(account: _Account, expected: int, read: int) -> DeliveryProblem:
    return refused(
        "LINES_DO_NOT_ADD_UP", f"{account.name}: {expected} records counted in the bytes, {read} parsed", _SEND_AGAIN
    )


def refused(code: str, message: str, remedy: str) -> DeliveryProblem:
    """The problem to raise when a file is wrong as it stands."""
    return DeliveryProblem(RunState.REFUSED, Finding(code, message, remedy))
