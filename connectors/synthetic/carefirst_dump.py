"""The dialect of a CareFirst dump: pipes, capitals, padded codes, two date styles, cp1252, and the damage text suffers.

A `Dump` collects every row once with the nights on which the supplier holds it, so that six nights of full dumps cost
little more than one. Undefined bytes travel as private-use characters until the file is encoded.
"""

from __future__ import annotations

import codecs
import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from connectors.synthetic.carefirst_tables import COLUMNS, PADDED
from connectors.synthetic.defects import DefectLog, rate

FOREVER: Final = 1_000_000

_MONTHS: Final = ("", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_UNDEFINED: Final = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_PRIVATE_USE: Final = 0xE000
_BOM: Final = b"\xef\xbb\xbf"


def _encode_leftovers(error: UnicodeError) -> tuple[str | bytes, int]:
    """What an old Oracle client does with a character its code page lacks: base letter if there is one, else '?'."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    out = b""
    for character in error.object[error.start : error.end]:
        number = ord(character)
        if _PRIVATE_USE <= number < _PRIVATE_USE + 256:
            out += bytes([number - _PRIVATE_USE])
        else:
            base = unicodedata.normalize("NFKD", character)[0]
            out += base.encode("ascii") if base.isascii() else b"?"
    return out, error.end


codecs.register_error("carefirst_dump", _encode_leftovers)


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


@dataclass(slots=True)
class Draws:
    """Chance that depends on what is asked and of what only, never on the order of asking."""

    seed: int
    quality: float
    log: DefectLog
    noted: set[tuple[str, str, str]] = field(default_factory=set)

    def number(self, purpose: str, key: str) -> float:
        """A number in [0, 1) for this purpose and key."""
        digest = hashlib.blake2b(f"{self.seed}:{purpose}:{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def below(self, limit: int, purpose: str, key: str) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int(self.number(purpose, key) * limit)

    def hits(self, defect_id: str, key: str) -> bool:
        """Whether the defect of the catalogue strikes this key."""
        return self.number(defect_id, key) < rate(defect_id, "carefirst", self.quality)

    def note(self, defect_id: str, table: str, key: str, column: str, night: int = 0) -> None:
        """Write an injected defect down, once however often its row is written."""
        place = (defect_id, key, column)
        if place not in self.noted:
            self.noted.add(place)
            self.log.add(defect_id, f"CF_{table}", key, column, night)

    def blank(self, table: str, column: str, key: str, fillers: Sequence[str]) -> str:
        """An empty value: now and then as the filler a clerk or an interface typed (D85; rate of 2 % is our own)."""
        where = f"{column}:{key}"
        if self.number("D85", where) >= 0.02 * self.quality:
            return ""
        self.note("D85", table, key, column)
        return fillers[self.below(len(fillers), "filler", where)]

    def damaged(self, text: str, table: str, column: str, key: str) -> str:
        """Free text as the dump carries it: broken lines, delimiters, control bytes (D88), wrong encodings (D89)."""
        if not text:
            return text
        where = f"{column}:{key}"
        if self.hits("D88", where):
            self.note("D88", table, key, column)
            piece = ("\n", "|", "\t", '"', "\x0b", "\r\n")[self.below(6, "piece", where)]
            head, _, tail = text.partition(" ")
            text = f"{head}{piece}{tail}" if tail else f"{head}{piece}"
        if self.hits("D89a", where):
            self.note("D89", table, key, column)
            text += chr(_PRIVATE_USE + _UNDEFINED[self.below(5, "byte", where)])
        elif self.hits("D89b", where):
            self.note("D89", table, key, column)
            text = (text + " – done").encode().decode("cp1252", errors="replace")
        return text


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
