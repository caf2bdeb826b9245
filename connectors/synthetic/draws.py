"""Chance for suppliers who write full copies: it depends on what is asked and of what only, never on the order.

With it the damage that text suffers on its way (D88, D89) and fillers for nothing (D85). Bytes no code page has travel
as private-use characters until the file is encoded.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from connectors.synthetic.defects import DefectLog, rate
from connectors.synthetic.world import System

#: Bytes that cp1252 leaves undefined.
NOT_CP1252: Final = (0x81, 0x8D, 0x8F, 0x90, 0x9D)

_PRIVATE_USE: Final = 0xE000
_FILLERS: Final = 0.02  # of blank values (assumption)


def encode_leftovers(error: UnicodeError) -> tuple[str | bytes, int]:
    """For `codecs.register_error`: a character the code page lacks becomes its base letter, or '?' without one."""
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


@dataclass(slots=True)
class SupplierDraws:
    """The chance of one supplier, who says its `system`, the `prefix` of its tables' names and its `salt`."""

    system: ClassVar[System]
    prefix: ClassVar[str]
    salt: ClassVar[str] = ""

    seed: int
    quality: float
    log: DefectLog
    noted: set[tuple[str, str, str]] = field(default_factory=set)

    def number(self, purpose: str, key: str) -> float:
        """A number in [0, 1) for this purpose and key."""
        digest = hashlib.blake2b(f"{self.seed}:{self.salt}{purpose}:{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def below(self, limit: int, purpose: str, key: str) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int(self.number(purpose, key) * limit)

    def hits(self, defect_id: str, key: str) -> bool:
        """Whether the defect of the catalogue strikes this key."""
        return self.number(defect_id, key) < rate(defect_id, self.system, self.quality)

    def note(self, defect_id: str, table: str, key: str, column: str, night: int = 0) -> None:
        """Write an injected defect down, once however often its row is written."""
        place = (defect_id, key, column)
        if place not in self.noted:
            self.noted.add(place)
            self.log.add(defect_id, f"{self.prefix}{table}", key, column, night)

    def blank(self, table: str, column: str, key: str, fillers: Sequence[str]) -> str:
        """An empty value: now and then as the filler a clerk or an interface typed (D85)."""
        where = f"{column}:{key}"
        if self.number("D85", where) >= _FILLERS * self.quality:
            return ""
        self.note("D85", table, key, column)
        return fillers[self.below(len(fillers), "filler", where)]

    def strange_bytes(self, table: str) -> Sequence[int]:
        """Five bytes that do not belong into a table's file."""
        return NOT_CP1252

    def damaged(self, text: str, table: str, column: str, key: str) -> str:
        """Free text as it comes: line breaks, delimiters, quotes, control bytes (D88), wrong encodings (D89)."""
        if not text:
            return text
        where = f"{column}:{key}"
        if self.hits("D88", where):
            self.note("D88", table, key, column)
            piece = ("\n", "|", "\t", '"', "\x0b", "\r\n")[self.below(6, "piece", where)]
            head, _, tail = text.partition(" ")
            text = f"{head}{piece}{tail}"
        if self.hits("D89a", where):
            self.note("D89", table, key, column)
            text += chr(_PRIVATE_USE + self.strange_bytes(table)[self.below(5, "byte", where)])
        elif self.hits("D89b", where):
            self.note("D89", table, key, column)
            text = (text + " – done").encode().decode("cp1252", errors="replace")
        return text
