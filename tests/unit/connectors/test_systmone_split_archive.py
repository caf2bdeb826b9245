"""Split archives: ours read by us, Info-ZIP's read by us, and the parts checked before anything is opened."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest

from connectors.synthetic.split_zip import Member, Packer, write_split_zip
from connectors.systmone.split_archive import (
    ArchiveIncomplete,
    ArchiveRefused,
    SpannedFile,
    open_archive,
    parts_of,
)

# What `zip -X -0 -s 64k SRExtract.zip SRManifest.csv SRCode.csv` (Info-ZIP 3.0) wrote before and behind the data.
_INFO_ZIP_HEAD = base64.b64decode(
    "UEsHCFBLAwQKAAAAAAAAACFcWaxu/EYAAABGAAAADgAAAFNSTWFuaWZlc3QuY3N2IkZpbGVOYW1lIiwiSXNEZWx0YSIsIklzUmVmZXJlbmNlIiwi"
    "RGF0ZUV4dHJhY3RGcm9tIiwiRGF0ZUV4dHJhY3RUbyINClBLAwQKAAAAAAAAACFcXS0MrtNVAgDTVQIACgAAAFNSQ29kZS5jc3Y="
)
_INFO_ZIP_TAIL = base64.b64decode(
    "UEsBAh4DCgAAAAAAAAAhXFmsbvxGAAAARgAAAA4AAAAAAAAAAAAAAKSBBAAAAFNSTWFuaWZlc3QuY3N2UEsBAh4DCgAAAAAAAAAhXF0tDK7TVQIA"
    "01UCAAoAAAAAAAAAAAAAAKSBdgAAAFNSQ29kZS5jc3ZQSwUGAgACAAIAAgB0AAAAcVYAAAAA"
)
_INFO_ZIP_DATA = b'"RowIdentifier","IDOrganisationVisibleTo"\r\n' + b"".join(
    b'"%05d","NLF11"\r\n' % n for n in range(9000)
)


def member(name: str, content: bytes) -> Member:
    packer = Packer(name)
    for start in range(0, len(content), 1000):
        packer.write(content[start : start + 1000])
    return packer.close()


def contents(last: Path) -> dict[str, bytes]:
    found = {}
    with open_archive(parts_of(last)) as archive:
        for entry in archive.entries:
            with archive.open(entry.table) as stream:
                found[entry.table] = b"".join(iter(lambda: stream.read(777), b""))
    return found


@pytest.mark.parametrize("part_size", [1024, 1500, 4096, 65_536, 10_000_000])
def test_what_is_written_in_parts_of_any_size_is_read_again(tmp_path: Path, part_size: int) -> None:
    chance = random.Random(3)
    files = {f"SR{n}": chance.randbytes(n * 2311) for n in range(6)}
    parts = write_split_zip(tmp_path, "SRExtract", [member(f"{k}.csv", v) for k, v in files.items()], part_size)
    assert all(part.stat().st_size <= part_size for part in parts)
    assert parts == parts_of(tmp_path / "SRExtract.zip")
    assert contents(tmp_path / "SRExtract.zip") == files


def test_the_same_content_always_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_split_zip(tmp_path / name, "SRExtract", [member("SRCode.csv", b"x" * 5000)], 1024)
    assert [p.read_bytes() for p in parts_of(tmp_path / "one/SRExtract.zip")] == [
        p.read_bytes() for p in parts_of(tmp_path / "two/SRExtract.zip")
    ]


def test_an_archive_that_info_zip_split_is_read(tmp_path: Path) -> None:
    whole = _INFO_ZIP_HEAD + _INFO_ZIP_DATA + _INFO_ZIP_TAIL
    for number, suffix in enumerate(("z01", "z02", "zip")):
        end = None if suffix == "zip" else 65_536 * (number + 1)
        (tmp_path / f"SRExtract.{suffix}").write_bytes(whole[65_536 * number : end])
    found = contents(tmp_path / "SRExtract.zip")
    assert list(found) == ["SRManifest", "SRCode"]
    assert found["SRCode"] == _INFO_ZIP_DATA


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    parts = write_split_zip(tmp_path, "SRExtract", [member("SRCode.csv", random.Random(1).randbytes(5000))], 1024)
    parts[1].unlink()
    parts[3].unlink()
    with pytest.raises(ArchiveIncomplete, match=r"missing: SRExtract\.z02, SRExtract\.z04"):
        parts_of(tmp_path / "SRExtract.zip")


def test_a_part_too_many_is_refused(tmp_path: Path) -> None:
    parts = write_split_zip(tmp_path, "SRExtract", [member("SRCode.csv", random.Random(1).randbytes(3000))], 1024)
    (tmp_path / f"SRExtract.z{len(parts):02d}").write_bytes(b"x")
    with pytest.raises(ArchiveRefused, match="do not belong"):
        parts_of(tmp_path / "SRExtract.zip")


def test_exchanged_parts_are_refused(tmp_path: Path) -> None:
    parts = write_split_zip(tmp_path, "SRExtract", [member("SRCode.csv", random.Random(1).randbytes(5000))], 1024)
    first, second = parts[1].read_bytes(), parts[2].read_bytes()
    parts[1].write_bytes(second)
    parts[2].write_bytes(first)
    with pytest.raises(ArchiveRefused, match=r"SRCode\.csv is damaged"):
        contents(tmp_path / "SRExtract.zip")


def test_a_spanned_file_reads_like_the_joined_one(tmp_path: Path) -> None:
    chance = random.Random(5)
    paths = []
    for number in range(5):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(chance.randbytes(chance.randrange(0, 40)))
    joined = b"".join(path.read_bytes() for path in paths)
    with SpannedFile(paths) as spanned:
        for _ in range(300):
            start, size = chance.randrange(len(joined) + 3), chance.randrange(60)
            spanned.seek(start)
            assert spanned.read(size) == joined[start : start + size]
