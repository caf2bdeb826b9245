"""Opens a multi-part zip as one archive, without joining the parts on disk or in memory, and refuses unsafe ones.

Python's `zipfile` finds the directory in the last part but then looks for every entry in the wrong place: offsets count
from the start of an entry's own part. They are put right here (sources 2.2). Everything a hostile or damaged archive
could do is checked before the first entry is read (governance CTL-19).
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import IO, Any, Final

from connectors.systmone import encrypted

_PLAIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}\.csv")
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)\.csv", re.IGNORECASE)  # files of that name are none
_END_SIGNATURE: Final = b"PK\x05\x06"
_END_RECORD: Final = struct.Struct("<4s4H2LH")
_LOCAL_HEADER: Final = struct.Struct("<4s5H3L2H")
_ALLOWED_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_RATIO_IS_NORMAL_BELOW: Final = 1 << 20


class ArchiveIncomplete(Exception):
    """A part has not arrived (yet). The message names it; trying again once it is there helps."""


class ArchiveRefused(Exception):
    """The archive is damaged or unsafe. The message says why, never what a file holds; trying again does not help."""


class ArchiveEncrypted(ArchiveRefused):
    """An entry is encrypted and there is no password that opens it: it waits for a person."""


class PasswordWrong(ArchiveEncrypted):
    """There is a password, and it is another one."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an honest extract stays below; the defaults fit a county trust's bulk with room to spare."""

    entries: int = 400
    entry_bytes: int = 64 << 30
    total_bytes: int = 256 << 30
    ratio: int = 250


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive: its table name (no `.csv`), its size unpacked and the archive's checksum for it."""

    table: str
    size: int
    checksum: int


def parts_of(last: Path) -> list[Path]:
    """The parts of the archive whose final part is `last` (`stem.zip`), in order, `last` at the end.

    The end record says how many there must be. Raises `ArchiveIncomplete` naming the parts that are missing and
    `ArchiveRefused` when the end record cannot be found (empty or cut-off file) or parts are there that do not belong.
    """
    earlier = _end_record(last)[1]
    wanted = [last.with_name(f"{last.stem}.z{number:02d}") for number in range(1, earlier + 1)]
    missing = [part.name for part in wanted if not part.is_file()]
    if missing:
        raise ArchiveIncomplete(f"{last.name} is the last of {earlier + 1} parts; missing: {', '.join(missing)}")
    empty = [part.name for part in wanted if part.stat().st_size == 0]
    if empty:
        raise ArchiveRefused(f"empty file: {', '.join(empty)}")
    known = {part.name.lower() for part in wanted}
    numbered = re.compile(re.escape(last.stem) + r"\.z\d+", re.IGNORECASE)
    strays = sorted(p.name for p in last.parent.iterdir() if numbered.fullmatch(p.name) and p.name.lower() not in known)
    if strays:
        raise ArchiveRefused(f"{last.name} has {earlier + 1} parts; these do not belong to it: {', '.join(strays)}")
    return [*wanted, last]


class SplitArchive:
    """The files of one archive. Made by `open_archive`; read each table once, in any order."""

    def __init__(self, archive: zipfile.ZipFile, damage: tuple[type[Exception], ...] = ()) -> None:
        self._archive = archive
        self._damage: tuple[type[Exception], ...] = (zipfile.BadZipFile, EOFError, *damage)
        self._unopened: tuple[type[Exception], ...] = (*self._damage, NotImplementedError)
        self._infos = {Path(info.filename).stem: info for info in archive.infolist()}

    @property
    def entries(self) -> list[Entry]:
        """All files, in the archive's own order."""
        return [Entry(table, info.file_size, info.CRC) for table, info in self._infos.items()]

    @contextmanager
    def open(self, table: str) -> Iterator[MemberStream]:
        """A stream of the table's unpacked bytes; its end is reached only if size and checksum are right.

        Raises `ArchiveRefused` while reading when the packed data is damaged (F07).
        """
        try:
            member = self._archive.open(self._infos[table])
        # zipfile says NotImplementedError of a packing method or version it does not know.
        except self._unopened as problem:
            raise ArchiveRefused(f"{table}.csv cannot be opened: its header does not fit the directory") from problem
        with member:
            yield MemberStream(member, table, self._infos[table].file_size, (*self._damage, zlib.error))


@contextmanager
def open_archive(
    parts: Sequence[Path], limits: ArchiveLimits | None = None, password: str = ""
) -> Iterator[SplitArchive]:
    """Open the parts (in order, the `.zip` last) as one archive; `password` is for encrypted ones.

    Raises `ArchiveRefused` when the directory is damaged or an entry is not a plain, honest CSV file of its own,
    `ArchiveEncrypted` when a password is needed and missing, and `PasswordWrong` when it is another one.
    """
    with SpannedFile(parts) as spanned:
        try:
            archive = zipfile.ZipFile(spanned)
            needs_password = encrypted.is_encrypted(archive)
            if needs_password and password:
                archive.close()
                archive = encrypted.unlocked(spanned, password)
        # The same: a directory that asks for a newer version of the format than zipfile reads.
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as problem:
            raise ArchiveRefused(f"{parts[-1].name}: the archive's directory cannot be read") from problem
        with archive:
            _correct_offsets(archive, spanned, parts)
            _refuse_unsafe(archive, limits or ArchiveLimits(), may_be_encrypted=bool(password))
            _refuse_overlaps(archive, spanned)
            if needs_password:
                _unlock(archive)
            yield SplitArchive(archive, encrypted.damage() if needs_password else ())


def _unlock(archive: zipfile.ZipFile) -> None:
    try:
        encrypted.require_password_fits(archive)
    except encrypted.PasswordWrong:
        raise PasswordWrong("it does not open with the password given") from None
    except encrypted.EncryptionUnknown:
        raise ArchiveEncrypted("it is encrypted by a method that cannot be read here; agree on AES") from None


class SpannedFile(io.RawIOBase):
    """Reads several files as if they were one; nothing is held in memory."""

    def __init__(self, parts: Sequence[Path]) -> None:
        self._sizes = [part.stat().st_size for part in parts]
        self.starts = [0, *accumulate(self._sizes)]
        self._files = [part.open("rb") for part in parts]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.starts[-1]}[whence]
        if base + offset < 0:
            raise OSError("seek before the start of the archive")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        done = 0
        while done < len(view) and self._position < self.starts[-1]:
            number = bisect_right(self.starts, self._position) - 1
            left = self.starts[number + 1] - self._position
            self._files[number].seek(self._position - self.starts[number])
            read = self._files[number].readinto(view[done : done + left])
            if not read:
                raise ArchiveRefused("a part of the archive became shorter while it was read")
            done += read
            self._position += read
        return done

    def close(self) -> None:
        for file in self._files:
            file.close()
        super().close()


class MemberStream:
    """The unpacked bytes of one file; every way in which damage can show becomes one refusal."""

    def __init__(self, member: IO[bytes], table: str, size: int, damage: tuple[type[Exception], ...]) -> None:
        self._member, self._table, self._size, self._read = member, table, size, 0
        self._damage = damage

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, all when negative; b"" at the end. Raises `ArchiveRefused` when they are damaged."""
        try:
            data = self._member.read(size)
        except self._damage as problem:
            raise ArchiveRefused(
                f"{self._table}.csv is damaged after byte {self._read}: its data does not fit the archive's checksum"
            ) from problem
        self._read += len(data)
        if (size < 0 or (size > 0 and not data)) and self._read != self._size:
            raise ArchiveRefused(f"{self._table}.csv ends after {self._read} bytes; the archive promised {self._size}")
        return data


def _end_record(last: Path) -> tuple[int, int]:
    """Where the end record starts in the last part, and how many parts come before it."""
    size = last.stat().st_size
    if size == 0:
        raise ArchiveRefused(f"empty file: {last.name}")
    with last.open("rb") as file:
        file.seek(max(0, size - (1 << 16) - _END_RECORD.size))
        tail = file.read()
    place = tail.rfind(_END_SIGNATURE)
    if place < 0 or len(tail) - place < _END_RECORD.size:
        raise ArchiveRefused(f"{last.name} is not a whole zip file: its end record is missing (byte {size})")
    number = _END_RECORD.unpack_from(tail, place)[1]
    return size - len(tail) + place, number


def _correct_offsets(archive: zipfile.ZipFile, spanned: SpannedFile, parts: Sequence[Path]) -> None:
    """Make every header offset count from the start of the first part (sources 2.2, tested)."""
    end_at, last_number = _end_record(parts[-1])
    if last_number != len(parts) - 1:
        raise ArchiveRefused(f"{parts[-1].name} says it is part {last_number + 1}, but {len(parts)} parts were given")
    spanned.seek(spanned.starts[-2] + end_at)
    record = _END_RECORD.unpack(spanned.read(_END_RECORD.size) or b"")
    # zipfile takes the directory's offset for one in the whole file and shifts all entries by the difference.
    shift = spanned.starts[-2] + end_at - record[5] - record[6]
    for info in archive.infolist():
        if info.volume >= len(parts):
            raise ArchiveRefused("an entry says it lies in a part that does not exist")
        info.header_offset = info.header_offset - shift + spanned.starts[info.volume]
        if hasattr(info, "_end_offset"):
            info._end_offset = None  # worked out from the wrong offsets; `_refuse_overlaps` does its work


def _refuse_unsafe(archive: zipfile.ZipFile, limits: ArchiveLimits, may_be_encrypted: bool) -> None:
    infos = archive.infolist()
    if len(infos) > limits.entries:
        raise ArchiveRefused(f"{len(infos)} entries; at most {limits.entries} are allowed")
    seen: set[str] = set()
    for place, info in enumerate(infos, start=1):
        if not _PLAIN_NAME.fullmatch(info.orig_filename) or _DEVICE.fullmatch(info.orig_filename):
            raise ArchiveRefused(f"entry {place} is not a plain CSV file of its own: unsafe or unexpected name")
        if info.filename.lower() in seen:
            raise ArchiveRefused(f"entry {place} repeats the name of an earlier entry")
        seen.add(info.filename.lower())
        mode = info.external_attr >> 16
        if (mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)) or info.external_attr & 0x10:
            raise ArchiveRefused(f"entry {place} is a link, folder or device, not a file")
        if info.flag_bits & encrypted.ENCRYPTED and not may_be_encrypted:
            raise ArchiveEncrypted(f"entry {place} is encrypted, and there is no password for it")
        if info.compress_type not in _ALLOWED_METHODS:
            raise ArchiveRefused(f"entry {place} is packed by a method that is not allowed")
        if info.file_size > limits.entry_bytes:
            raise ArchiveRefused(f"entry {place} would unpack to more than {limits.entry_bytes} bytes")
        if info.file_size > _RATIO_IS_NORMAL_BELOW and info.file_size > limits.ratio * max(1, info.compress_size):
            raise ArchiveRefused(f"entry {place} is packed more than {limits.ratio} to 1: not an honest extract")
    if sum(info.file_size for info in infos) > limits.total_bytes:
        raise ArchiveRefused(f"the archive would unpack to more than {limits.total_bytes} bytes")


def _refuse_overlaps(archive: zipfile.ZipFile, spanned: SpannedFile) -> None:
    """Entries must lie one behind the other, before the directory; older Pythons do not check this themselves."""
    end_before = 0
    for info in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        if info.header_offset < end_before:
            raise ArchiveRefused("two entries of the archive overlap")
        spanned.seek(info.header_offset)
        header = spanned.read(_LOCAL_HEADER.size) or b""
        if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
            raise ArchiveRefused("an entry of the archive is not where the directory says")
        *_, name_size, extra_size = _LOCAL_HEADER.unpack(header)
        end_before = info.header_offset + _LOCAL_HEADER.size + name_size + extra_size + info.compress_size
    if end_before > archive.start_dir:
        raise ArchiveRefused("an entry of the archive overlaps its directory")
