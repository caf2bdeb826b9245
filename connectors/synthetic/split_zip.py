"""Writes multi-part zip archives (`stem.z01`, `stem.z02`, …, `stem.zip`) as SystmOne's Gateway client leaves them.

The standard library can only write whole archives. The layout follows the zip application note, sections 4.4.11 and
8.5: the first part opens with the split signature, offsets count from the start of their own part, a header never
crosses a part border. Timestamps are fixed so that the same content always gives the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

_SPLIT_SIGNATURE: Final = b"PK\x07\x08"
#: Stands in its place when all fitted into one part after all (application note 8.5.4).
_ONE_PART_SIGNATURE: Final = b"PK00"
_LOCAL_HEADER: Final = struct.Struct("<4s5H3L2H")
_DIRECTORY_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_END_RECORD: Final = struct.Struct("<4s4H2LH")
_VERSION_NEEDED: Final = 20
_MADE_BY_DOS: Final = 20
_DEFLATED: Final = 8
#: 1 January 2026, 00:00 in the MS-DOS form of zip headers.
_FIXED_TIME: Final = 0
_FIXED_DATE: Final = ((2026 - 1980) << 9) | (1 << 5) | 1
_LARGEST_WITHOUT_ZIP64: Final = 0xFFFF_FFFE


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive, already compressed, so that its header can be written before it."""

    name: str
    checksum: int
    size: int
    packed: tuple[bytes, ...]

    @property
    def packed_size(self) -> int:
        return sum(map(len, self.packed))


class Packer:
    """Compresses one file piece by piece; only the compressed form is kept in memory."""

    def __init__(self, name: str, level: int = 6) -> None:
        self._name = name
        self._compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._packed: list[bytes] = []
        self._checksum = self._size = 0

    def write(self, data: bytes) -> None:
        """Add data to the end of the file."""
        self._checksum = zlib.crc32(data, self._checksum)
        self._size += len(data)
        self._packed.append(self._compressor.compress(data))

    def close(self) -> Member:
        """The whole file, ready for an archive. Raises `ValueError` when it needs zip64, which is not written here."""
        self._packed.append(self._compressor.flush())
        if self._size > _LARGEST_WITHOUT_ZIP64:
            raise ValueError(f"{self._name} is larger than 4 GiB, which needs zip64; the simulator does not write that")
        return Member(self._name, self._checksum, self._size, tuple(filter(None, self._packed)))


def write_split_zip(folder: Path, stem: str, members: Iterable[Member], part_size: int) -> list[Path]:
    """Write the members, in the order given, as parts of at most `part_size` bytes; returns the parts in order.

    An archive that fits into one part is a plain `stem.zip`.
    """
    if part_size < 1024:
        raise ValueError("a part must hold at least 1024 bytes")
    parts = _PartWriter(folder, stem, part_size)
    directory = []
    for member in members:
        name = member.name.encode("ascii")
        sizes = (member.checksum, member.packed_size, member.size, len(name))
        stamp = (_VERSION_NEEDED, 0, _DEFLATED, _FIXED_TIME, _FIXED_DATE)
        part, offset = parts.write_whole(_LOCAL_HEADER.pack(b"PK\x03\x04", *stamp, *sizes, 0) + name)
        entry = _DIRECTORY_ENTRY.pack(b"PK\x01\x02", _MADE_BY_DOS, *stamp, *sizes, 0, 0, part, 0, 0, offset)
        directory.append(entry + name)
        for chunk in member.packed:
            parts.write(chunk)
    listing = b"".join(directory)
    # The directory and the end record stay together in the last part, which keeps every offset in it plain.
    part, offset = parts.reserve(len(listing) + _END_RECORD.size)
    parts.write(listing)
    count = len(directory)
    parts.write(_END_RECORD.pack(b"PK\x05\x06", part, part, count, count, len(listing), offset, 0))
    return parts.close()


class _PartWriter:
    """Cuts what is written into numbered parts; the last becomes `.zip` on closing."""

    def __init__(self, folder: Path, stem: str, part_size: int) -> None:
        self._folder, self._stem, self._part_size = folder, stem, part_size
        self._paths: list[Path] = []
        self._file: BinaryIO
        self._used = 0
        self._open_next()
        self.write(_SPLIT_SIGNATURE)

    def _open_next(self) -> None:
        if self._paths:
            self._file.close()
        self._paths.append(self._folder / f"{self._stem}.z{len(self._paths) + 1:02d}")
        self._file = self._paths[-1].open("wb")
        self._used = 0

    def write(self, data: bytes) -> None:
        """Write data that may cross part borders."""
        view = memoryview(data)
        while view:
            if self._used == self._part_size:
                self._open_next()
            piece = view[: self._part_size - self._used]
            self._file.write(piece)
            self._used += len(piece)
            view = view[len(piece) :]

    def reserve(self, size: int) -> tuple[int, int]:
        """Make sure `size` bytes fit into one part; returns the number of that part (from 0) and the offset in it."""
        if size > self._part_size - self._used:
            self._open_next()
        return len(self._paths) - 1, self._used

    def write_whole(self, data: bytes) -> tuple[int, int]:
        """Write data that must not cross a part border; returns where it went, as `reserve` does."""
        place = self.reserve(len(data))
        self.write(data)
        return place

    def close(self) -> list[Path]:
        """Close the last part under its final name; returns all parts in order."""
        if len(self._paths) == 1:
            self._file.seek(0)
            self._file.write(_ONE_PART_SIGNATURE)
        self._file.close()
        last = self._folder / f"{self._stem}.zip"
        self._paths[-1].rename(last)
        return [*self._paths[:-1], last]
