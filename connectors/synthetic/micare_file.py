"""The dialect of MiCare's files: tabs, no quoting, DDMMYYYY, a trailer that counts, two code pages, and damaged text.

A `Dump` collects every row once with the nights on which MiCare holds it; a night is rendered when it is released.
Bytes that no code page has travel as private-use characters until the file is encoded.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from connectors.synthetic.draws import NOT_CP1252, SupplierDraws, encode_leftovers
from connectors.synthetic.micare_tables import COLUMNS, OLD_CODE_PAGE

FOREVER: Final = 1_000_000
NO_DATE: Final = "00000000"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_CAPITALS_OF_CP1252: Final = (0xC4, 0xC9, 0xD9, 0xC0, 0xC8)  # accented capitals there, lines and boxes in cp850
_NOT_IN_A_RECORD: Final = re.compile("\r\n|[\t\r\n]")

codecs.register_error("micare_file", encode_leftovers)


def day(value: date | datetime | None) -> str:
    """`DDMMYYYY`; 00000000 for None."""
    return NO_DATE if value is None else f"{value:%d%m%Y}"


def day_of_text(value: str) -> str:
    """An ISO date as `DDMMYYYY`, 00000000 for none; text that is no ISO date is written as typed."""
    try:
        return day(date.fromisoformat(value)) if value else NO_DATE
    except ValueError:
        return value


class Draws(SupplierDraws):
    """The chance of MiCare's files."""

    __slots__ = ()
    system = "micare"
    prefix = "MICARE_"
    salt = "micare:"

    def strange_bytes(self, table: str) -> Sequence[int]:
        return _CAPITALS_OF_CP1252 if table in OLD_CODE_PAGE else NOT_CP1252


@dataclass(slots=True)
class Dump:
    """Every row of every table with the nights it is held: first night, first night it is gone again, line."""

    rows: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def add(self, table: str, first: int, until: int, values: Sequence[str]) -> None:
        """Hold one row from night `first` up to (not on) night `until`; tabs and line ends in it become blanks."""
        if len(values) != len(COLUMNS[table]):
            raise ValueError(f"{table} has {len(COLUMNS[table])} columns, not {len(values)}")
        if first < until:
            self.rows[table].append((first, until, "\t".join(_NOT_IN_A_RECORD.sub(" ", v) for v in values)))


def rendered(table: str, header: Sequence[str], lines: Iterable[str], *, byte_order_mark: bool = False) -> bytes:
    """A file's bytes: header, records, trailer, CR LF; the old program ends its file with the mark of its time."""
    records = list(lines)
    text = "\r\n".join(("\t".join(header), *records, f"*** END OF FILE {len(records)} RECORDS ***", ""))
    page = OLD_CODE_PAGE.get(table, "cp1252")
    ending = b"\x1a" if table in OLD_CODE_PAGE else b""
    return (BYTE_ORDER_MARK if byte_order_mark else b"") + text.encode(page, errors="micare_file") + ending


def spans(first: int, until: int, changes: Iterable[int | None]) -> Iterator[tuple[int, int]]:
    """The stretches of nights between changes: (first night, first night of the next stretch)."""
    inner = sorted({change for change in changes if change is not None and first < change < until})
    starts = [first, *inner]
    yield from zip(starts, [*inner, until], strict=True)


def spoiled_code(draws: Draws, table: str, column: str, key: str, current: str, retired: str | None) -> str:
    """A code, in places as old or careless hands left it: unlisted, retired, in small letters (D84)."""
    where = f"{column}:{key}"
    if not current:
        return current
    if draws.hits("D84a", where):
        draws.note("D84", table, key, column)
        return f"J{draws.below(90, 'unlisted', where) + 10}"
    if retired is not None and draws.hits("D84b", where):
        draws.note("D84", table, key, column)
        return retired
    if draws.hits("D84c", where):
        draws.note("D84", table, key, column)
        return current.lower()
    return current
