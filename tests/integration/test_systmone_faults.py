"""Bad batches at SystmOne's door: transport and archives, named after the fault catalogue (governance 9.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.base import Past
from connectors.systmone.split_archive import ArchiveLimits
from domain.profile import Profile
from domain.run import RunState
from tests.support.systmone_door import door, land, refusal, small_desk, table
from tests.support.systmone_world import Desk, collect, rows


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


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


def test_f01_an_empty_archive_is_refused(desk: Desk) -> None:
    desk.archive().write_bytes(b"")
    assert "empty file: SRExtract.zip" in refusal(desk)


def test_f03_a_file_that_the_manifest_names_holds_the_batch_until_it_comes(database: Profile, desk: Desk) -> None:
    members = desk.members()
    desk.repack({name: content for name, content in members.items() if name != "SRVisit"})
    result = collect(database)
    assert result.state is RunState.HELD
    assert "SRVisit.csv" in result.findings[0].message
    assert rows(database, "select * from ledger.landed_table") == []

    desk.repack(members)
    assert collect(database).state is RunState.DONE
    assert len(rows(database, "select * from ledger.landed_table")) == len(members)


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


def test_f06_a_cut_off_archive_is_refused(desk: Desk) -> None:
    desk.archive().write_bytes(desk.archive().read_bytes()[:-100])
    assert "end record is missing" in refusal(desk)


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


def test_f08_a_file_packed_beyond_reason_is_refused(desk: Desk) -> None:
    desk.spoil("SRVisit", lambda text: text + b'"0"\r\n' * 1_000_000)
    assert "not an honest extract" in refusal(desk)


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
    ],
)
def test_f09_an_entry_with_an_unsafe_name_is_refused_and_nothing_is_written(desk: Desk, name: str) -> None:
    content = desk.archive().read_bytes()
    padded = name.ljust(len("SRPatientContactDetails.csv"), "_") if not name.endswith((".csv", ".zip")) else name
    desk.archive().write_bytes(_renamed(content, b"SRVisit.csv", padded.encode()))
    before = sorted(desk.home.rglob("*"))
    message = refusal(desk)
    assert "unsafe or unexpected name" in message or "repeats the name" in message
    new = [path for path in desk.home.rglob("*") if path not in before and path.is_file()]
    assert all("raw" in path.parts for path in new)


def test_f09_a_link_is_refused(desk: Desk) -> None:
    content = bytearray(desk.archive().read_bytes())
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRVisit.csv"))
    content[place + 38 : place + 42] = (0o120777 << 16).to_bytes(4, "little")
    desk.archive().write_bytes(bytes(content))
    assert "link, folder or device" in refusal(desk)


def test_f09_overlapping_entries_are_refused(desk: Desk) -> None:
    content = bytearray(desk.archive().read_bytes())
    visit = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRVisit.csv"))
    code = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRCode.csv"))
    content[code + 42 : code + 46] = content[visit + 42 : visit + 46]
    desk.archive().write_bytes(bytes(content))
    assert "overlap" in refusal(desk)


def test_f16_a_gap_holds_the_later_batch_and_names_both_moments(database: Profile, desk: Desk) -> None:
    collect(database)
    desk.release(2)
    result = collect(database)
    assert result.state is RunState.HELD
    assert "the last batch taken ends 26 Mar 2026" in result.findings[0].message
    assert "this one begins 27 Mar 2026" in result.findings[0].message
    assert len(rows(database, "select * from ledger.delivery where state = 'landed'")) == 1

    desk.release(1)
    assert collect(database).state is RunState.DONE
    taken = rows(database, "select name from ledger.delivery where state = 'landed' order by as_known_at")
    assert [row["name"] for row in taken] == sorted(str(row["name"]) for row in taken)
    assert len(taken) == 3


def test_f16_a_delta_without_any_full_extract_before_it_is_held(desk: Desk) -> None:
    desk.withdraw(0)
    desk.release(1)
    assert "no full extract was taken before it" in refusal(desk, RunState.HELD)


def test_f17_an_overlapping_delta_is_taken(desk: Desk) -> None:
    known = land(desk).as_known_at
    desk.withdraw(0)
    desk.release(1)
    later = Past(last_known_at=datetime(2026, 3, 26, 23, 0, tzinfo=UTC))
    assert known < datetime(2026, 3, 26, 23, 0, tzinfo=UTC)
    assert land(desk, later).mode == "delta"


def test_batches_are_ordered_by_window_not_by_name(desk: Desk) -> None:
    desk.release(1)
    desk.folder(0).rename(desk.inbox / "99990101_0000")
    assert [batch.name for batch in door(desk).discover(Past())] == ["99990101_0000", desk.folder(1).name]


def _renamed(archive: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with an entry renamed everywhere; a change of length moves all that follows."""
    import struct

    shift = len(new) - len(old)
    end = archive.rindex(b"PK\x05\x06")
    directory_at = struct.unpack_from("<L", archive, end + 16)[0]
    local = archive.index(old) - 30
    head = bytearray(archive[:directory_at].replace(old, new, 1))
    head[local + 26 : local + 28] = struct.pack("<H", len(new))
    directory, place = bytearray(), directory_at
    while archive[place : place + 4] == b"PK\x01\x02":
        size = struct.unpack_from("<H", archive, place + 28)[0]
        entry = bytearray(archive[place : place + 46])
        name = archive[place + 46 : place + 46 + size]
        offset = struct.unpack_from("<L", entry, 42)[0]
        if offset > local:
            struct.pack_into("<L", entry, 42, offset + shift)
        if name == old:
            name = new
            struct.pack_into("<H", entry, 28, len(new))
        directory += entry + name
        place += 46 + size
    record = bytearray(archive[end:])
    struct.pack_into("<LL", record, 12, len(directory), len(head))
    return bytes(head + directory + record)
