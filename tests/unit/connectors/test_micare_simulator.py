"""The simulated MiCare: its dialect, its merged files, its faults of whole nights, defects at the catalogue's rates."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import get_args

import pytest

from connectors.micare.person_number import is_right
from connectors.synthetic.keys import event_key
from connectors.synthetic.setting import load_setting
from connectors.synthetic.world import FileFault, FileFaultKind, World
from tests.support.carefirst_world import address, person
from tests.support.micare_world import Desk, event, key, record, world

KINDS = ("request", "assessment", "review", "service", "involvement", "safeguarding", "dols")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def town(nights: int = 2, size: int = 1_200, quality: float = 1.0) -> World:
    """Many people with events, with every defect at its typical rate."""
    people = [person(n) for n in range(1, size + 1)]
    events = [event(n, KINDS[n % 7], of=n % size + 1) for n in range(1, 7 * size + 1)]
    return world(people, [record(n) for n in range(1, size + 1)], events, nights, quality)


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_council_is_written_byte_for_byte_the_same(tmp_path: Path) -> None:
    desks, logs = [Desk(tmp_path / "a"), Desk(tmp_path / "b")], []
    for desk in desks:
        council = town(nights=1, size=60)
        desk.write(council)
        desk.release(0, 1)
        logs.append(council.defects)
    first, second = (content_of(desk.arrived) for desk in desks)
    assert len(first) == 20 and first == second and logs[0] == logs[1]


def test_files_have_tabs_capitals_dates_without_separators_and_a_trailer(desk: Desk) -> None:
    told = event(1, "request", facts={"description": 'He said "no"\tand\r\nleft'})
    desk.write(world(events=[told], nights=0))
    desk.release(0)
    raw = desk.file("CLIENT").read_bytes()
    assert raw.startswith(b"CLIENT_NO\tSURNAME\tFORENAME1\t") and raw.endswith(b"*** END OF FILE 1 RECORDS ***\r\n")
    client = desk.rows("CLIENT")[0]
    assert (client["SURNAME"], client["DOB"], client["DOB_FLAG"], client["DIED"]) == (
        "MARLOW", "09071941", "V", "00000000",
    )  # fmt: skip
    episode = next(row for row in desk.rows("EPISODE") if row["EP_TYPE"] == "REF")
    assert episode["DESCR"] == 'He said "no" and left', "tabs and line ends become blanks, quotes stay"


def test_note_headings_are_in_an_older_code_page_than_everything_else(desk: Desk) -> None:
    fields = {"surname": "Müller", "previous_surname": "Ménard"}
    desk.write(world(records=[record(1, fields=fields)], nights=0))
    desk.release(0)
    assert b"M\xdcLLER" in desk.file("CLIENT").read_bytes(), "cp1252"
    assert b"M\x90NARD" in desk.file("NOTEHDR").read_bytes(), "cp850"


def test_a_duplicate_gets_a_pointer_from_its_night_on(desk: Desk) -> None:
    merged = replace(record(2, marked_duplicate_night=1), person_id=1, duplicate_of=key(1))
    desk.write(world(records=[record(1), merged], nights=1))
    desk.release(0, 1)
    told = [[(row["STATUS"], row["XREF_CLIENT_NO"]) for row in desk.rows("CLIENT", night)] for night in (0, 1)]
    assert told == [[("C", ""), ("C", "")], [("C", ""), ("X", key(1))]]


def test_merged_files_stand_in_chains_and_circles_and_belong_to_true_people(desk: Desk) -> None:
    council = town(nights=0, size=300)
    before = {a.key for a in council.appearances}
    desk.write(council)
    desk.release(0)
    clients = desk.rows("CLIENT")
    points = {r["CLIENT_NO"]: r["XREF_CLIENT_NO"] for r in clients if r["STATUS"] == "X"}
    assert {a.key for a in council.appearances} - before == points.keys()
    ends = []
    for start in points:
        seen, at = set(), start
        while at in points and at not in seen:
            seen.add(at)
            at = points[at]
        ends.append((at in seen, len(seen)))
    circles = [length for is_circle, length in ends if is_circle]
    assert circles and max(length for is_circle, length in ends if not is_circle) >= 2
    assert all(is_right(number) for number in points)
    assert {d.key for d in council.defects if d.defect_id == "D12"} == points.keys()


def test_a_client_is_open_while_work_is_and_dead_or_closed_afterwards(desk: Desk) -> None:
    ends = {"changed_night": 1, "changed_status": "completed", "changed_end_at": datetime(2026, 3, 25)}
    service = event(1, "service", end_at=None, status="open", facts={"end_outcome": ""}, **ends)
    versions = {
        0: {"surname": "A", "birth_date": ""},
        2: {"surname": "A", "birth_date": "", "death_date": "2026-03-26"},
    }
    desk.write(world(records=[record(1, versions=versions)], events=[service]))
    desk.release(0, 1, 2)
    told = [(c["STATUS"], c["DIED"], c["DOB_FLAG"]) for night in range(3) for c in desk.rows("CLIENT", night)]
    assert told == [("O", "00000000", "U"), ("C", "00000000", "U"), ("D", "26032026", "U")]


def test_a_move_is_told_on_the_night_after_it(desk: Desk) -> None:
    moved = date(2026, 3, 26)
    addresses = [address(until=date(2026, 3, 25)), address("Willow Road", "AR7 9ZZ", since=moved)]
    desk.write(world(records=[record(1, addresses=addresses)]))
    desk.release(0, 1)
    assert [row["DATE_TO"] for row in desk.rows("ADDRESS", 0)] == ["00000000"]
    assert [row["DATE_TO"] for row in desk.rows("ADDRESS", 1)] == ["25032026", "00000000"]
    current = [desk.rows("CLIENT", night)[0]["ADDR_KEY"] for night in (0, 1)]
    assert current == [desk.rows("ADDRESS", 1)[place]["ADDR_KEY"] for place in (0, 1)]


def test_a_record_removed_is_missing_with_all_that_hangs_on_it(desk: Desk) -> None:
    events = [event(n, kind) for n, kind in enumerate(KINDS, start=1)]
    desk.write(world(records=[record(1, removed_night=1, fields={"previous_surname": "Holt"})], events=events))
    desk.release(0, 1)
    for table in ("CLIENT", "ADDRESS", "EPISODE", "ASSESS", "SERVICE", "REVIEW", "ALLOC", "NOTEHDR"):
        assert desk.rows(table, 0) and not desk.rows(table, 1), table


def test_every_fault_of_a_night_arrives_as_agreed_and_is_logged(desk: Desk) -> None:
    kinds = get_args(FileFaultKind)
    council = town(nights=16, size=30, quality=0.0)
    council.file_faults = [FileFault("micare", 2 * place + 1, kind) for place, kind in enumerate(kinds)]
    desk.write(council)
    logged = {(d.table, d.field, d.night) for d in council.defects if d.defect_id == "D91"}
    arrived: list[dict[str, bytes]] = [{}]
    for night in range(16):
        desk.release(night)
        arrived.append(content_of(desk.arrived))
    final = arrived[-1]

    def came(night: int) -> set[str]:
        new, old = arrived[night + 1], arrived[night]
        return {name.split("/")[0] for name in new if new[name] != old.get(name)}

    def stamp(night: int) -> str:
        return desk.folder(night).name

    at = {kind: 2 * place + 1 for place, kind in enumerate(kinds)}
    assert logged == {(f"MICARE_{stamp(night)}", kind, night) for kind, night in at.items()}
    for kind in ("missing", "out_of_order"):
        assert came(at[kind]) == set(), kind
    assert came(at["missing"] + 1) == {stamp(at["missing"]), stamp(at["missing"] + 1)}
    late = at["out_of_order"] + 1
    assert came(late) == {stamp(late), f"{stamp(late)}_2"}
    assert came(at["duplicated"]) == {stamp(at["duplicated"]), f"{stamp(at['duplicated'])}_2"}
    assert arrived[at["empty"] + 1][f"{stamp(at['empty'])}/MICARE_CLIENT.TXT"] == b""
    assert final[f"{stamp(at['empty'])}/MICARE_CLIENT.TXT"].endswith(b"***\r\n"), "made good on the next night"
    cut = arrived[at["truncated"] + 1][f"{stamp(at['truncated'])}/MICARE_EPISODE.TXT"]
    assert b"***" not in cut and not cut.endswith(b"\r\n")
    extra = [n for n in range(16) if b"BAND_CODE" in final.get(f"{stamp(n)}/MICARE_SERVICE.TXT", b"")]
    assert extra == [at["extra_column"]]
    renamed = [n for n in range(16) if b"NHS_NUMBER" in final.get(f"{stamp(n)}/MICARE_CLIENT.TXT", b"")]
    assert renamed == list(range(at["renamed_column"], 16))


def test_the_batch_job_falls_silent_after_dual_running(desk: Desk) -> None:
    council = town(nights=8, size=20, quality=0.0)
    council.setting = load_setting("manchester_like").over(8)
    assert council.setting.cutover is not None
    last = council.setting.cutover.dual_running_until_night
    assert last < 8
    desk.write(council)
    desk.release(*range(9))
    assert sorted(path.name for path in desk.arrived.iterdir()) == [desk.folder(n).name for n in range(last + 1)]


def test_a_good_council_has_no_defects_of_its_own(desk: Desk) -> None:
    council = town(size=200, quality=0.0)
    desk.write(council)
    assert {defect.defect_id for defect in council.defects} <= {"D84"}, "only the two edited labels (D84) are left"


def test_defects_come_at_the_catalogues_rates_and_name_the_event(desk: Desk) -> None:
    council = town()
    desk.write(council)
    each = len(council.events) / 7
    seen = Counter((d.defect_id, d.table.removeprefix("MICARE_"), d.field) for d in council.defects)
    expected = {
        ("D86", "SERVICE", "EPISODE_NO"): 0.02 * each,
        ("D86", "ASSESS", "WORKER"): 0.01 * each,
        ("D88", "REVIEW", "DESCR"): 0.03 * each,
        ("D84", "ASSESS", "OUTCOME1"): 0.035 * each,
        ("D84", "EPISODE", "ROUTE"): 0.03 * each,
    }
    for place, rate in expected.items():
        assert rate / 2 <= seen[place] <= rate * 2, (place, seen[place], rate)
    by_id = Counter(defect_id for defect_id, _, _ in seen.elements())
    assert by_id.keys() == {"D12", "D70", "D84", "D85", "D86", "D88", "D89", "D93"}
    keys = {event_key(e) for e in council.events}
    of_events = {"MICARE_ASSESS", "MICARE_REVIEW", "MICARE_SERVICE", "MICARE_ALLOC"}
    assert all(d.key in keys for d in council.defects if d.table in of_events and d.field)
    assert len({(d.defect_id, d.key, d.field) for d in council.defects}) == len(council.defects), "each logged once"
