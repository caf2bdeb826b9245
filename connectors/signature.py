"""What kind of file this is, told by its first bytes and by nothing else: never by its name, never by opening it.

A file of another kind than its flow takes is refused and named by kind. No flow takes XML or workbooks, so no entity is
ever expanded and no macro or formula ever evaluated (F18, F31, F32, CTL-20, CTL-21): such files are not opened at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from connectors.base import DeliveryProblem
from domain.run import Finding, RunState

_HEAD: Final = 4096
_LONGEST_END: Final = 22 + 65_535  # a zip's end record with its comment
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r\x0b\x0c\x1a")
#: Kind -> the bytes it begins with. Order matters: the first that fits is the one told.
_BEGINNINGS: Final = (
    ("zip", (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")),
    ("7z", (b"7z\xbc\xaf\x27\x1c",)),
    ("gzip", (b"\x1f\x8b",)),
    ("workbook or document of an old office suite", (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)),
    ("PDF", (b"%PDF-",)),
    ("Parquet", (b"PAR1",)),
    ("rich text", (b"{\\rtf",)),
    ("program", (b"MZ", b"\x7fELF")),
    ("bzip2", (b"BZh",)),
    ("xz", (b"\xfd7zXZ\x00",)),
    ("rar", (b"Rar!\x1a\x07",)),
    ("SQLite", (b"SQLite format 3\x00",)),
)
_MARKUP: Final = (b"<?xml", b"<!doctype", b"<!entity", b"<html", b"<workbook", b"<soap", b"<fhir", b"<bundle")
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_OFFICE_PARTS: Final = (b"[Content_Types].xml", b"xl/", b"word/", b"ppt/", b"_rels/", b"mimetypeapplication/vnd.oasis")

#: What the endings of our suppliers' files promise; a file with another ending is not judged by it.
_PROMISED: Final = {
    ".csv": ("text", "empty"),
    ".txt": ("text", "empty"),
    ".dat": ("text", "empty"),
    ".ctl": ("text", "empty"),
    ".zip": ("zip", "part of an archive", "empty"),
    ".7z": ("7z", "empty"),
    ".gz": ("gzip", "empty"),
    ".parquet": ("Parquet",),
}


def kind_of(path: Path) -> str:
    """The kind of a file: `text`, `zip`, `7z`, `gzip`, `workbook`, `XML`, `PDF` …, `empty`, or `binary`.

    Only the first few thousand bytes are looked at; nothing is unpacked or parsed.
    """
    with path.open("rb") as handle:
        head = handle.read(_HEAD)
    return kind_of_bytes(head)


def kind_of_bytes(head: bytes) -> str:
    """The same for bytes at hand."""
    if not head:
        return "empty"
    for kind, beginnings in _BEGINNINGS:
        if head.startswith(beginnings):
            return "workbook" if kind == "zip" and any(part in head for part in _OFFICE_PARTS) else kind
    text = head
    for mark in _MARKS:
        text = text.removeprefix(mark)
    if text.replace(b"\x00", b"").lstrip()[:64].lower().startswith(_MARKUP):
        return "XML"
    if head.startswith(_MARKS[1:]):
        return "text"  # of another encoding than agreed: the reader says so
    odd = len(head) - len(head.translate(None, _CONTROLS))
    return "binary" if odd > max(8, len(head) // 12) else "text"


def _ends_as_zip(path: Path) -> bool:
    """Whether a zip's directory ends here: the last part of a split archive may begin with anything."""
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - _LONGEST_END))
        return b"PK\x05\x06" in handle.read()


def refuse_strangers(path: Path, expected: Sequence[str] | None = None, name: str | None = None) -> None:
    """Refuse a file of another kind than `expected`; unless given, than its ending promises.

    Raises:
        DeliveryProblem: refused, code `OTHER_KIND`, naming both kinds; the file is not opened any further.
    """
    expected = expected if expected is not None else _PROMISED.get(path.suffix.lower())
    if expected is None:
        return
    kind = kind_of(path)
    is_last_part = "part of an archive" in expected and kind in ("binary", "text") and _ends_as_zip(path)
    if kind not in expected and not is_last_part:
        finding = Finding(
            "OTHER_KIND",
            f"{name or path.name}: its first bytes are those of: {kind}; agreed is: {expected[0]}",
            "it was not opened; ask the sender what it is, and whether it was meant for another folder",
        )
        raise DeliveryProblem(RunState.REFUSED, finding)
