"""The dialect of MiCare's files: tabs, no quoting, DDMMYYYY, a trailer that counts, two code pages, and damaged text.

A `Dump` collects every row once with the nights on which MiCare holds it; a night is rendered when it is released.
Bytes that no code page has travel as private-use characters until the file is encoded.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from connectors.synthetic.defects import DefectLog, rate
from connectors.synthetic.micare_tables import COLUMNS, OLD_CODE_PAGE

FOREVER: Final = 1_000_000
NO_DATE: Final = "00000000"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_PRIVATE_USE: Final = 0xE000
_NOT_CP1252: Final = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_CAPITALS_OF_CP1252: Final = (0xC4, 0xC9, 0xD9, 0xC0, 0xC8)  # accented capitals there, lines and boxes in cp850
_NOT_IN_A_RECORD: Final = re.compile("\r\n|[\t\r\n]")


def _encode_leftovers(error: UnicodeError) -> tuple[str | bytes, int]:
    """What the batch job does with a character its code page lacks: base letter if there is one, else '?'."""
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


codecs.register_error("micare_file", _encode_leftovers)


def day(value: date | datetime | None) -> str:
    """`DDMMYYYY`; 00000000 for None."""
    return NO_DATE if value is None else f"{value:%d%m%Y}"


def day_of_text(value: str) -> str:
    """An ISO date as `DDMMYYYY`, 00000000 for none; text that is no ISO date is written as typed."""
    try:
        return day(date.fromisoformat(value)) if value else NO_DATE
    except ValueError:
        return value


@dataclass(slots=True)
class Draws:
    """Chance that depends on what is asked and of what only, never on the order of asking."""

    seed: int
    quality: float
    log: DefectLog
    noted: set[tuple[str, str, str]] = field(default_factory=set)

    def number(self, purpose: str, key: str) -> float:
        """A number in [0, 1) for this purpose and key."""
        digest = hashlib.blake2b(f"{self.seed}:micare:{purpose}:{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def below(self, limit: int, purpose: str, key: str) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int(self.number(purpose, key) * limit)

    def hits(self, defect_id: str, key: str) -> bool:
        """Whether the defect of the catalogue strikes this key."""
        return self.number(defect_id, key) < rate(defect_id, "micare", self.quality)

    def note(self, defect_id: str, table: str, key: str, column: str, night: int = 0) -> None:
        """Write an injected defect down, once however often its row is written."""
        place = (defect_id, key, column)
        if place not in self.noted:
            self.noted.add(place)
            self.log.add(defect_id, f"MICARE_{table}", key, column, night)

    def blank(self, table: str, column: str, key: str, fillers: Sequence[str]) -> str:
        """An empty value: now and then as the filler a clerk or an interface typed (D85; rate of 2 % is our own)."""
        where = f"{column}:{key}"
        if self.number("D85", where) >= 0.02 * self.quality:
            return ""
        self.note("D85", table, key, column)
        return fillers[self.below(len(fillers), "filler", where)]

    def damaged(self, text: str, table: str, column: str, key: str) -> str:
        """Free text as typed: line breaks, tabs, quotes, control bytes (D88), characters of another code page (D89)."""
        if not text:
            return text
        where = f"{column}:{key}"
        if self.hits("D88", where):
            self.note("D88", table, key, column)
            piece = ("\n", "|", "\t", '"', "\x0b", "\r\n")[self.below(6, "piece", where)]
            head, _, tail = text.partition(" ")
            text = f"{head}{piece}{tail}"
        strange = _CAPITALS_OF_CP1252 if table in OLD_CODE_PAGE else _NOT_CP1252
        if self.hits("D89a", where):
            self.note("D89", table, key, column)
            text += chr(_PRIVATE_USE + strange[self.below(5, "byte", where)])
        elif self.hits("D89b", where):
            self.note("D89", table, key, column)
            text = (text + " – done").encode().decode("cp1252", errors="replace")
        return text


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
