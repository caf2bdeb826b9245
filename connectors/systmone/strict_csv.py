"""Reads SystmOne's CSV strictly and fast: every record is proved to have the declared shape before it is parsed.

`dialect` proves the bytes, so that an unbalanced quote, another delimiter or a cut-off file is found with its byte
position; only then does Arrow parse whole records. Line breaks are counted in the bytes and again in the parsed values
(governance CTL-13). Unpacking, proving and parsing, and writing each have a thread of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from connectors.ahead import ahead
from connectors.base import DeliveryProblem, refused
from connectors.drift import columns_by_field
from connectors.landing import TableWriter
from connectors.spec import TableSpec
from connectors.systmone.dialect import Dialect, header_in
from connectors.systmone.tidy import ENCODING, Tidied, tidied
from domain.run import Finding

__all__ = ["ENCODING", "ByteStream", "StrictRead", "read_small", "read_table"]

_CHUNK: Final = 8 << 20
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LINE_FEED: Final = 0x0A


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
    with closing(ahead(_chunks(stream, account, digest))) as chunks:
        rest, header, start = _header(chunks, account)
        positions, drift = columns_by_field(header, spec)
        with (
            TableWriter(out, spec) as writer,
            closing(ahead(_batches(rest, chunks, header, start, account))) as batches,
        ):
            for columns, records in batches:
                writer.write({wanted: columns[place] for wanted, place in positions.items()}, records)
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
    for columns, _ in _batches(rest, chunks, header, start, account):
        values = [column.to_pylist() for column in columns]
        records.extend(dict(zip(header, row, strict=True)) for row in zip(*values, strict=True))
    return records


def _chunks(stream: ByteStream, account: _Account, digest: Any) -> Iterator[bytes]:
    """The file piece by piece; size, hash and line feeds are taken from the bytes as they come."""
    import numpy as np

    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        account.size += len(chunk)
        account.line_feeds += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == _LINE_FEED))
        yield chunk


def _header(chunks: Iterator[bytes], account: _Account) -> tuple[bytes, list[str], int]:
    """What follows the header in the first chunks, the headings, and the byte at which the records begin."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) > len(_BYTE_ORDER_MARK) and account.line_end in start:
            break
    if not start:
        raise refused("EMPTY_FILE", f"{account.name}: empty file")
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
    found = header_in(start, account.line_end, skipped)
    if not found:
        raise refused(
            "WRONG_DIALECT",
            f"{account.name}: the header is not one line of quoted names and commas",
            "ask the supplier whether the layout changed",
        )
    headings = [h[1:-1].decode(ENCODING, "replace").replace('""', '"') for h in found[0]]
    return start[found[1] :], headings, found[1]


def _batches(
    rest: bytes, chunks: Iterator[bytes], header: Sequence[str], start: int, account: _Account
) -> Iterator[tuple[list[Any], int]]:
    """The file's records as batches of Arrow columns, in the header's order, each with its number of records."""
    dialect = Dialect(account.name, len(header), account.line_end)
    for block, records in dialect.whole_records(rest, chunks, start):
        text = tidied(block)
        _note(text, account)
        columns = _parsed(text.content, len(header))
        rows = len(columns[0])
        if rows != records:
            raise _lines_do_not_add_up(account, records, rows)
        account.embedded += sum(_line_feeds(column) for column in columns)
        yield columns, records


def _parsed(text: bytes | memoryview, width: int) -> list[Any]:
    """One Arrow array of text for each column of a block of whole records."""
    import pyarrow as pa
    from pyarrow import csv

    names = [str(place) for place in range(width)]
    table = csv.read_csv(
        pa.py_buffer(text),
        read_options=csv.ReadOptions(column_names=names, block_size=len(text) + 1, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), null_values=[]),
    )
    return [table.column(place).combine_chunks() for place in range(width)]


def _line_feeds(column: Any) -> int:
    """How many line feeds the values of a column hold, counted where Arrow keeps them."""
    import numpy as np

    _, ends, held = column.buffers()
    if held is None or not len(column):
        return 0
    places = np.frombuffer(ends, np.int32)
    first, last = int(places[column.offset]), int(places[column.offset + len(column)])
    return int(np.count_nonzero(np.frombuffer(held, np.uint8)[first:last] == _LINE_FEED))


def _note(text: Tidied, account: _Account) -> None:
    account.controls += text.controls
    account.undecodable += text.undecodable
    if account.has_byte_order_mark and not text.is_ascii:
        raise refused(
            "WRONG_ENCODING",
            f"{account.name}: the byte-order mark says UTF-8, agreed is {ENCODING}",
            "ask the supplier to send the declared encoding",
        )


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
    return refused("LINES_DO_NOT_ADD_UP", f"{account.name}: {expected} records counted in the bytes, {read} parsed")
