"""The faults of whole deliveries that the simulated SystmOne makes: each on its night, logged, mended a night later."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.synthetic import systmone
from connectors.synthetic.systmone_calendar import calendar_of
from connectors.synthetic.world import FileFault, FileFaultKind
from connectors.systmone.split_archive import ArchiveRefused, open_archive, parts_of
from tests.support.systmone_world import event, record, world


def faulty(home: Path, kind: FileFaultKind) -> dict[int, dict[str, dict[str, bytes]]]:
    """Night -> delivery -> file -> bytes, of four nights; the second is faulted, unreadable archives are empty."""
    council = world([record(1), record(2, night=2)], [event(1, "visit", changed_night=2)], nights=4)
    council.file_faults = [FileFault("systmone", 2, kind)]
    systmone.write(council, home)
    assert [(d.defect_id, d.field, d.night) for d in council.defects] == [("D91", kind, 2)]
    return {n: {f.name: _files(f) for f in sorted((home / "systmone" / f"night_{n}").iterdir())} for n in range(5)}


def _files(folder: Path) -> dict[str, bytes]:
    try:
        with open_archive(parts_of(folder / "SRExtract.zip")) as archive:
            found = {}
            for entry in archive.entries:
                with archive.open(entry.table) as stream:
                    found[entry.table] = stream.read()
            return found
    except ArchiveRefused:
        return {}


def rows(content: bytes) -> int:
    return content.count(b"\r\n") - 1


def test_a_missing_delivery_comes_with_the_next_nights(tmp_path: Path) -> None:
    nights = faulty(tmp_path, "missing")
    assert nights[2] == {}
    late, own = nights[3]
    assert late < own
    assert rows(nights[3][late]["SRPatient"]) == 1


def test_an_empty_delivery_has_files_without_a_byte_and_comes_right_later(tmp_path: Path) -> None:
    nights = faulty(tmp_path, "empty")
    (hollow,) = nights[2].values()
    assert hollow["SRPatient"] == b"" and hollow["SRVisit"] == b"" and hollow["SRManifest"]
    own, again = nights[3]
    assert rows(nights[3][again]["SRPatient"]) == 1 and rows(nights[3][own]["SRPatient"]) == 0


def test_a_truncated_delivery_cannot_be_opened_and_comes_right_later(tmp_path: Path) -> None:
    nights = faulty(tmp_path, "truncated")
    assert list(nights[2].values()) == [{}]
    assert len(nights[3]) == 2


def test_a_duplicated_delivery_is_the_same_under_two_names(tmp_path: Path) -> None:
    first, second = faulty(tmp_path, "duplicated")[2].values()
    assert first == second != {}


def test_a_delivery_out_of_order_is_stamped_later_than_its_successor(tmp_path: Path) -> None:
    nights = faulty(tmp_path, "out_of_order")
    assert nights[2] == {}
    own, late = nights[3]
    assert rows(nights[3][late]["SRPatient"]) == 1 and rows(nights[3][own]["SRPatient"]) == 0


@pytest.mark.parametrize(
    ("kind", "table", "heading", "on"),
    [
        ("extra_column", "SRVisit", b'"PathwayStage"', [2]),
        ("renamed_column", "SRReferralIn", b'"DateOfReferral"', [2, 3, 4]),
    ],
)
def test_a_column_is_new_for_one_night_or_renamed_for_good(
    tmp_path: Path, kind: FileFaultKind, table: str, heading: bytes, on: list[int]
) -> None:
    nights = faulty(tmp_path, kind)
    assert [n for n in nights if heading in next(iter(nights[n].values()))[table].partition(b"\r\n")[0]] == on


def test_a_long_run_skips_a_night_and_delivers_two_together_and_one_late(tmp_path: Path) -> None:
    council = world([record(1)], nights=20, quality=1e-9)
    calendar = calendar_of(council)
    assert None not in (calendar.skipped, calendar.together, calendar.late, calendar.rebulk)
    systmone.write(council, tmp_path)
    arrived = [len(list((tmp_path / "systmone" / f"night_{n}").iterdir())) for n in range(21)]
    assert arrived[calendar.skipped] == arrived[calendar.together] == arrived[calendar.late] == 0  # type: ignore[index]
    assert arrived[calendar.together + 1] == arrived[calendar.late + 1] == 2  # type: ignore[operator]
    assert sum(arrived) == 20
