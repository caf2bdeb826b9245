"""The dialect of a CareFirst dump: pipes, capitals, padded codes, two date styles, cp1252, and the damage text suffers.

A `Dump` collects every row once with the nights on which the supplier holds it, so that six nights of full dumps cost
little more than one. Undefined bytes travel as private-use characters until the file is encoded.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from connectors.synthetic.carefirst_tables import COLUMNS, PADDED
from connectors.synthetic.draws import SupplierDraws, encode_leftovers

FOREVER: Final = 1_000_000

_MONTHS: Final = ("", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_BOM: Final = b"\xef\xbb\xbf"

codecs.register_error("carefirst_dump", encode_leftovers)


def day(value: date | datetime | None) -> str:
    """`DD-MON-YYYY`, empty for None."""
    return "" if value is None else f"{value.day:02d}-{_MONTHS[value.month]}-{value.year}"


def day_of_text(value: str) -> str:
    """An ISO date as `DD-MON-YYYY`; text that is no ISO date is written as typed."""
    try:
        return day(date.fromisoformat(value))
    except ValueError:
        return value


def moment(value: datetime | None) -> str:
    """`DD/MM/YYYY HH24:MI:SS`, empty for None."""
    return "" if value is None else f"{value:%d/%m/%Y %H:%M:%S}"


def padded(value: str, width: str) -> str:
    """A code as a CHAR column returns it."""
    return value.ljust(PADDED[width]) if value else ""


class Draws(SupplierDraws):
    """The chance of a CareFirst dump."""

    __slots__ = ()
    system = "carefirst"
    prefix = "CF_"


@dataclass(slots=True)
class Dump:
    """Every row of every table with the nights it is held: first night, first night it is gone again, line."""

    rows: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def add(self, table: str, first: int, until: int, values: Sequence[str]) -> None:
        """Hold one row from night `first` up to (not on) night `until`."""
        line = "|".join(values)
        if '"' in line or "\n" in line or "\r" in line or line.count("|") != len(values) - 1:
            line = "|".join(_quoted(value) for value in values)
        self.rows[table].append((first, until, line))

    def lines(self, table: str, night: int) -> list[str]:
        """The lines of the table's dump of `night`, in the supplier's order."""
        return [line for first, until, line in self.rows[table] if first <= night < until]


def _quoted(value: str) -> str:
    if any(mark in value for mark in '|"\n\r'):
        return '"' + value.replace('"', '""') + '"'
    return value


def encoded(columns: Sequence[str], lines: Sequence[str], *, byte_order_mark: bool) -> bytes:
    """The file's bytes: header in capitals, LF line ends, cp1252; by accident with a byte-order mark (D89)."""
    text = "\n".join(("|".join(columns), *lines, ""))
    return (_BOM if byte_order_mark else b"") + text.encode("cp1252", errors="carefirst_dump")


def spans(first: int, until: int, changes: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    """The stretches of nights between changes: (first night, first night of the next stretch)."""
    inner = sorted({change for change in changes if change is not None and first < change < until})
    starts = [first, *inner]
    yield from zip(starts, [*inner, until], strict=True)
