"""Ways to spoil SystmOne's first batch so that nothing of it may be landed, each with what the stage must say."""

from __future__ import annotations

from collections.abc import Callable

from domain.run import RunState
from tests.support.systmone_door import CANARY, Trust, columns, renamed

Change = Callable[[Trust], object]
Faults = dict[str, tuple[Change, RunState, str]]


def spoilt(table: str, change: Callable[[bytes], bytes]) -> Change:
    return lambda trust: trust.desk.spoil(table, change)


def archive(change: Callable[[bytes], bytes]) -> Change:
    return lambda trust: trust.desk.archive().write_bytes(change(trust.desk.archive().read_bytes()))


def without(table: str) -> Change:
    return lambda trust: trust.desk.repack({n: text for n, text in trust.desk.members().items() if n != table})


def without_part(trust: Trust) -> None:
    trust.desk.repack(trust.desk.members(), part_size=8_000)
    (trust.desk.folder() / "SRExtract.z01").unlink()


def wrong_checksum(content: bytes) -> bytes:
    changed = bytearray(content)
    directory = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRPatient.csv"))
    for place in (directory + 16, content.index(b"SRPatient.csv") - 16):
        changed[place] ^= 0xFF
    return bytes(changed)


def link(content: bytes) -> bytes:
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRVisit.csv")) + 38
    return content[:place] + (0o120777 << 16).to_bytes(4, "little") + content[place + 4 :]


def many(trust: Trust) -> None:
    trust.desk.repack(trust.desk.members() | {f"SRMore{number}": b"" for number in range(400)})


ARCHIVES: Faults = {
    "f01 an archive without a byte": (archive(lambda _: b""), RunState.REFUSED, "ARCHIVE"),
    "f03 a part has not come": (without_part, RunState.HELD, "PART_MISSING"),
    "f03 a file of the manifest has not come": (without("SRVisit"), RunState.HELD, "FILE_MISSING"),
    "f06 an archive cut off": (archive(lambda content: content[:-100]), RunState.REFUSED, "ARCHIVE"),
    "f07 a wrong checksum inside": (archive(wrong_checksum), RunState.REFUSED, "ARCHIVE"),
    "f08 packed beyond reason": (spoilt("SRVisit", lambda t: t + b'"0"\r\n' * 1_000_000), RunState.REFUSED, "ARCHIVE"),
    "f08 too many files": (many, RunState.REFUSED, "ARCHIVE"),
    "f08 an archive in the archive": (
        archive(lambda content: renamed(content, b"SRVisit.csv", b"inner.zip")), RunState.REFUSED, "ARCHIVE",
    ),
    "f09 outside the folder": (
        archive(lambda content: renamed(content, b"SRVisit.csv", b"../SRVisit.csv")), RunState.REFUSED, "ARCHIVE",
    ),
    "f09 an absolute path": (
        archive(lambda content: renamed(content, b"SRVisit.csv", b"/SRVisit.csv")), RunState.REFUSED, "ARCHIVE",
    ),
    "f09 a device": (
        archive(lambda content: renamed(content, b"SRVisit.csv", b"NUL.csv")), RunState.REFUSED, "ARCHIVE",
    ),
    "f09 a link": (archive(link), RunState.REFUSED, "ARCHIVE"),
}  # fmt: skip

FILES: Faults = {
    "f01 a file without a byte": (spoilt("SRPatient", lambda _: b""), RunState.REFUSED, "EMPTY_FILE"),
    "f02 a bulk of nobody": (
        spoilt("SRPatient", lambda text: text[: text.index(b"\r\n") + 2]), RunState.HELD, "NO_ROWS",
    ),
    "f06 a file cut off": (spoilt("SRPatient", lambda text: text[:-20]), RunState.REFUSED, "CUT_OFF"),
    "f24 another encoding": (
        spoilt("SRPatient", lambda text: b"\xef\xbb\xbf" + text.decode("cp1252").encode("utf-8")),
        RunState.REFUSED, "WRONG_ENCODING",
    ),
    "f24 utf-16": (
        spoilt("SRPatient", lambda text: text.decode("cp1252").encode("utf-16")), RunState.REFUSED, "WRONG_DIALECT",
    ),
    "f25 a quote too many": (
        spoilt("SRPatient", lambda text: text.replace(f'"{CANARY}"'.encode(), f'"{CANARY}'.encode(), 1)),
        RunState.REFUSED, "WRONG_DIALECT",
    ),
    "f25 another delimiter": (
        spoilt("SRPatient", lambda text: text.replace(b'","', b'";"')), RunState.REFUSED, "WRONG_DIALECT",
    ),
    "f28 a mandatory column missing": (
        spoilt("SRPatient", lambda text: columns(text, lambda fields: fields[:7] + fields[8:])),
        RunState.REFUSED, "MISSING_COLUMN",
    ),
}  # fmt: skip
