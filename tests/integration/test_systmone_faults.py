"""Bad batches at SystmOne's door: transport and archives, named after the fault catalogue (governance 9.1)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from connectors.base import Past
from connectors.systmone.split_archive import ArchiveLimits
from domain.run import RunState
from tests.support.systmone_door import door, land, refusal, renamed, small_desk, table
from tests.support.systmone_world import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes were unpacked, by every look into an archive."""
    counted: list[int] = []
    read = zipfile.ZipExtFile.read

    def counting(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        data = read(self, n)
        counted.append(len(data))
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counting)
    return counted


def test_a_whole_batch_lands_with_every_file_counted(desk: Desk) -> None:
    landed = land(desk)
    members = desk.members()
    files = {f.name: f for f in landed.files}
    assert set(files) == {"SRExtract.zip", *(f"{name}.csv" for name in members)}
    for name, content in members.items():
        assert files[f"{name}.csv"].size_bytes == len(content)
        assert files[f"{name}.csv"].physical_lines == content.count(b"\n")
    assert (landed.mode, landed.window_from) == ("bulk", None)
    assert [row["row_id"] for row in table(landed, "patient")] == ["35161000001", "35161000002"]
    assert [row["landed_line"] for row in table(landed, "patient")] == [1, 2]


def test_f01_an_empty_file_is_refused(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda _: b"")
    assert "SRPatient.csv: empty file" in refusal(desk)


@pytest.mark.parametrize("name", ["SRManifest", "SRMapping", "SRMappingGroup"])
def test_f03_a_batch_without_a_file_that_is_always_there_is_held(desk: Desk, name: str) -> None:
    desk.repack({table: content for table, content in desk.members().items() if table != name})
    assert f"{name}.csv" in refusal(desk, RunState.HELD)


def test_f03_a_missing_part_of_the_archive_is_named_and_waited_for(desk: Desk) -> None:
    desk.repack(desk.members(), part_size=8_000)
    first = desk.folder() / "SRExtract.z01"
    content = first.read_bytes()
    first.unlink()
    assert "missing: SRExtract.z01" in refusal(desk, RunState.HELD)
    first.write_bytes(content)
    assert land(desk).tables


def test_f06_a_file_cut_off_in_a_record_is_refused_with_the_byte(desk: Desk) -> None:
    whole = desk.members()["SRPatient"]
    desk.spoil("SRPatient", lambda text: text[:-20])
    message = refusal(desk)
    assert f"cut off at byte {len(whole) - 20}" in message
    assert not list((desk.home / "landing").rglob("*patient.parquet"))


def test_f07_a_wrong_checksum_inside_the_archive_is_refused_and_the_original_kept(desk: Desk) -> None:
    content = bytearray(desk.archive().read_bytes())
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRPatient.csv"))
    local = content.index(b"PK\x03\x04", content.index(b"SRPatient.csv") - 30)
    for at in (place + 16, local + 14):
        content[at] ^= 0xFF
    desk.archive().write_bytes(bytes(content))
    assert "SRPatient.csv is damaged" in refusal(desk)
    kept = [path for path in (desk.home / "landing" / "raw").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [bytes(content)]


def test_f07_a_flipped_byte_of_packed_data_is_refused(desk: Desk) -> None:
    content = bytearray(desk.archive().read_bytes())
    start = content.index(b"SRPatientAddressHistory.csv") + len("SRPatientAddressHistory.csv")
    content[start + 40] ^= 0x55
    desk.archive().write_bytes(bytes(content))
    assert "SRPatientAddressHistory.csv is damaged" in refusal(desk)


def test_f08_a_file_packed_beyond_reason_is_refused_before_a_byte_of_it_is_unpacked(
    desk: Desk, unpacked: list[int]
) -> None:
    desk.spoil("SRVisit", lambda text: text + b'"0"\r\n' * 1_000_000)
    unpacked.clear()  # the desk looked into the batch to spoil it
    assert "not an honest extract" in refusal(desk)
    assert sum(unpacked) == 0, "the directory says enough"


def test_f08_a_bomb_whose_directory_lies_is_unpacked_no_further_than_it_promised(
    desk: Desk, unpacked: list[int]
) -> None:
    others = sum(len(text) for name, text in desk.members().items() if name != "SRVisit")
    desk.spoil("SRVisit", lambda text: text + b'"0"\r\n' * 1_000_000)
    content = bytearray(desk.archive().read_bytes())
    promised = 100_000
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRVisit.csv"))
    local = content.index(b"SRVisit.csv") - 30
    for at in (place + 24, local + 22):
        content[at : at + 4] = promised.to_bytes(4, "little")
    desk.archive().write_bytes(bytes(content))
    unpacked.clear()
    assert "SRVisit.csv" in refusal(desk)
    assert sum(unpacked) <= 2 * others + promised, "of five million bytes"


def test_f08_too_many_files_and_too_large_a_file_are_refused(desk: Desk) -> None:
    assert "at most 5 are allowed" in refusal(desk, limits=ArchiveLimits(entries=5))
    assert "would unpack to more than 500 bytes" in refusal(desk, limits=ArchiveLimits(entry_bytes=500))


@pytest.mark.parametrize(
    "name",
    [
        "../SRVisit.csv",
        "/SRVisit.csv",
        "C:SRVisit.csv",
        "x/SRVisit.csv",
        "SRVisit\n.csv",
        "inner.zip",
        "srpatient.csv",
        "CON.csv",
        "nul.csv",
        "LPT1.csv",
        "\\\\host\\SRVisit.csv",
    ],
)
def test_f09_an_entry_with_an_unsafe_name_is_refused_and_nothing_is_written(desk: Desk, name: str) -> None:
    content = desk.archive().read_bytes()
    padded = name.ljust(len("SRPatientContactDetails.csv"), "_") if not name.endswith((".csv", ".zip")) else name
    desk.archive().write_bytes(renamed(content, b"SRVisit.csv", padded.encode()))
    before = sorted(desk.home.rglob("*"))
    message = refusal(desk)
    assert "unsafe or unexpected name" in message or "repeats the name" in message
    new = [path for path in desk.home.rglob("*") if path not in before and path.is_file()]
    assert all("raw" in path.parts for path in new)


@pytest.mark.parametrize("kind", [0o120777, 0o020666, 0o060666, 0o010666, 0o040777])
def test_f09_a_link_a_device_a_pipe_or_a_folder_is_refused(desk: Desk, kind: int) -> None:
    content = bytearray(desk.archive().read_bytes())
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRVisit.csv"))
    content[place + 38 : place + 42] = (kind << 16).to_bytes(4, "little")
    desk.archive().write_bytes(bytes(content))
    assert "link, folder or device" in refusal(desk)


def test_f09_overlapping_entries_are_refused(desk: Desk) -> None:
    content = bytearray(desk.archive().read_bytes())
    visit = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRVisit.csv"))
    code = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRCode.csv"))
    content[code + 42 : code + 46] = content[visit + 42 : visit + 46]
    desk.archive().write_bytes(bytes(content))
    assert "overlap" in refusal(desk)


def test_f16_a_delta_without_any_full_extract_before_it_is_held(desk: Desk) -> None:
    desk.withdraw(0)
    desk.release(1)
    assert "no full extract was taken before it" in refusal(desk, RunState.HELD)


def test_batches_are_ordered_by_window_not_by_name(desk: Desk) -> None:
    desk.release(1)
    desk.folder(0).rename(desk.inbox / "99990101_0000")
    assert [batch.name for batch in door(desk).discover(Past())] == ["99990101_0000", desk.folder(1).name]
