"""Writes encrypted multi-part archives as a supplier's packer would: AES by pyzipper, ZipCrypto by its own rule."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from connectors.synthetic.split_zip import _PartWriter

_CRC = [0] * 256
for _n in range(256):
    _value = _n
    for _ in range(8):
        _value = (_value >> 1) ^ (0xEDB88320 if _value & 1 else 0)
    _CRC[_n] = _value


def aes_archive(members: Mapping[str, bytes], password: str) -> bytes:
    """A zip whose entries are encrypted with AES-256."""
    import pyzipper

    whole = io.BytesIO()
    with pyzipper.AESZipFile(whole, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        for table, content in members.items():
            archive.writestr(f"{table}.csv", content)
    return whole.getvalue()


def zipcrypto_archive(members: Mapping[str, bytes], password: str) -> bytes:
    """A zip whose entries are encrypted with the old PKWARE cipher (application note 6.1)."""
    body, directory = b"", b""
    for table, content in members.items():
        name, checksum = f"{table}.csv".encode(), zlib.crc32(content)
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        header = hashlib.sha256(name).digest()[:11] + bytes([checksum >> 24])  # its own for each entry
        packed = _encrypted(header + packer.compress(content) + packer.flush(), password.encode())
        stamp = (20, 0x1, 8, 0, 0x5C21, checksum, len(packed), len(content), len(name))
        place = len(body)
        body += struct.pack("<4s5H3L2H", b"PK\x03\x04", *stamp, 0) + name + packed
        directory += struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *stamp, 0, 0, 0, 0, 0, place) + name
    end = (0, 0, len(members), len(members), len(directory), len(body), 0)
    return body + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", *end)


def put(archive: bytes, folder: Path, stem: str, part_size: int) -> list[Path]:
    """Cut a whole zip into parts: entries as they are, their places in the directory counted within their part."""
    for old in folder.iterdir():
        old.unlink()
    parts, listing = _PartWriter(folder, stem, part_size), b""
    count, size, start = struct.unpack_from("<HLL", archive, archive.rindex(b"PK\x05\x06") + 10)
    place = start
    for _ in range(count):
        fields = bytearray(archive[place : place + 46 + sum(struct.unpack_from("<3H", archive, place + 28))])
        (offset,) = struct.unpack_from("<L", fields, 42)
        header = 30 + sum(struct.unpack_from("<2H", archive, offset + 26))
        number, new = parts.write_whole(archive[offset : offset + header])
        parts.write(archive[offset + header : offset + header + struct.unpack_from("<L", fields, 20)[0]])
        struct.pack_into("<H", fields, 34, number)
        struct.pack_into("<L", fields, 42, new)
        listing += fields
        place += len(fields)
    number, offset = parts.reserve(len(listing) + 22)
    parts.write(listing)
    parts.write(struct.pack("<4s4H2LH", b"PK\x05\x06", number, number, count, count, size, offset, 0))
    return parts.close()


def _encrypted(plain: bytes, password: bytes) -> bytes:
    keys = [0x12345678, 0x23456789, 0x34567890]
    for byte in password:
        _turn(keys, byte)
    out = bytearray()
    for byte in plain:
        k = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ ((k * (k ^ 1)) >> 8) & 0xFF)
        _turn(keys, byte)
    return bytes(out)


def _turn(keys: list[int], byte: int) -> None:
    keys[0] = (keys[0] >> 8) ^ _CRC[(keys[0] ^ byte) & 0xFF]
    keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
    keys[2] = (keys[2] >> 8) ^ _CRC[(keys[2] ^ (keys[1] >> 24)) & 0xFF]
