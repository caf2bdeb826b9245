"""The simulated SystmOne extract against the world it was written from."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from connectors.spec import table_specs
from connectors.synthetic.keys import person_key, second_unit_key
from connectors.synthetic.systmone_tables import COLUMNS, UNSPECIFIED
from connectors.systmone.split_archive import open_archive, parts_of
from tests.support.systmone_world import Desk, address, event, record, world


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


TOLD = ("SRReferralIn", "SRAppointment", "SRVisit", "SRCarePlanFrequency", "SRConfiguredListOption")


def sent(desk: Desk, table: str, night: int) -> list[dict[str, str]]:
    """The records of one table as one night's batch has them."""
    text = io.StringIO(desk.members(night)[table].removeprefix(b"\xef\xbb\xbf").decode("cp1252", "replace"), newline="")
    return list(csv.DictReader(text, strict=True))


def test_every_specification_names_the_columns_of_the_current_layout_in_order() -> None:
    specified = {t: tuple(c.name for c in spec.columns) for t, spec in table_specs("systmone").items() if t != "*"}
    assert specified == {t: columns for t, columns in COLUMNS.items() if t not in UNSPECIFIED}


def test_the_same_world_always_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Desk(tmp_path / name).write(world(events=[event(n, "visit") for n in range(1, 60)], quality=2.0))
    first, second = (
        {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in (tmp_path / name).rglob("*.z*")}
        for name in ("one", "two")
    )
    assert len(first) >= 2
    assert first == second


def test_the_first_night_is_whole_and_a_delta_tells_only_what_changed(desk: Desk) -> None:
    people = [record(1), record(2, later={1: {"surname": "Ward"}}), record(3, night=2)]
    events = [
        event(1, "referral", changed_night=1, changed_end_at=datetime(2026, 3, 26, 9, 0)),
        event(2, "appointment", of=2),
        event(3, "appointment", of=3, night=2, start=datetime(2026, 3, 27, 9, 0)),
    ]
    desk.write(world(people, events, nights=2))
    desk.release(0, 1, 2)
    assert [r["RowIdentifier"] for r in sent(desk, "SRPatient", 0)] == ["35161000001", "35161000002"]
    assert [(r["RowIdentifier"], r["Surname"]) for r in sent(desk, "SRPatient", 1)] == [("35161000002", "Ward")]
    assert [r["RowIdentifier"] for r in sent(desk, "SRPatient", 2)] == ["35161000003"]
    assert [r["DateDischarge"] for r in sent(desk, "SRReferralIn", 0)] == [""]
    assert [r["DateDischarge"] for r in sent(desk, "SRReferralIn", 1)] == ["26 Mar 2026 09:00:00"]
    assert sent(desk, "SRReferralIn", 2) == []
    assert [len([r for r in sent(desk, "SRAppointment", n) if r["RemovedData"] == "0"]) for n in (0, 1, 2)] == [1, 0, 1]
    assert {len(sent(desk, "SRMapping", n)) for n in (0, 1, 2)} == {len(sent(desk, "SRMapping", 0))}, "lists come whole"


def test_windows_join_each_other_and_drift(desk: Desk) -> None:
    desk.write(world(nights=5))
    desk.release(*range(6))
    windows = []
    for night in range(6):
        manifest = sent(desk, "SRManifest", night)
        assert [m["FileName"] for m in manifest] == list(COLUMNS)[3:]
        (patient,) = [m for m in manifest if m["FileName"] == "SRPatient"]
        windows.append((patient["IsDelta"], patient["DateExtractFrom"], patient["DateExtractTo"]))
    assert windows[0][:2] == ("N", "")
    assert [w[1] for w in windows[1:]] == [w[2] for w in windows[:-1]]
    assert len({w[2][-4:] for w in windows}) > 1


def test_a_deleted_row_keeps_only_its_key_its_view_and_the_flag(desk: Desk) -> None:
    desk.write(world(events=[event(1, "visit", deleted_night=1)]))
    desk.release(1)
    (gone,) = [r for r in sent(desk, "SRVisit", 1) if r["RowIdentifier"] == "741200000001"]
    assert {k: v for k, v in gone.items() if v} == {
        "RowIdentifier": "741200000001",
        "IDOrganisationVisibleTo": "NLF11",
        "RemovedData": "1",
    }


def test_a_merge_sends_the_losers_events_again_under_the_survivor_and_a_tombstone(desk: Desk) -> None:
    loser = record(1, removed_night=1, duplicate_of=person_key("systmone", 2))
    desk.write(world([loser, record(2)], [event(1, "referral")]))
    desk.release(0, 1)
    assert [r["IDPatient"] for r in sent(desk, "SRReferralIn", 0)] == ["35161000001"]
    assert [r["IDPatient"] for r in sent(desk, "SRReferralIn", 1)] == ["35161000002"]
    assert [(r["RowIdentifier"], r["RemovedData"]) for r in sent(desk, "SRPatient", 1)] == [("35161000001", "1")]


def test_a_move_closes_the_old_address_on_the_night_it_is_told(desk: Desk) -> None:
    homes = [address("Old Lane", until=date(2026, 3, 26)), address("New Lane", since=date(2026, 3, 27))]
    desk.write(world([record(1, addresses=homes)], nights=2))
    desk.release(0, 1, 2)
    told = [[(r["NameOfRoad"], r["DateTo"]) for r in sent(desk, "SRPatientAddressHistory", n)] for n in range(3)]
    assert told == [[("Old Lane", "")], [], [("Old Lane", "26 Mar 2026 00:00:00"), ("New Lane", "")]]


def test_an_address_left_without_a_next_one_is_closed_too(desk: Desk) -> None:
    desk.write(world([record(1, addresses=[address("Old Lane", until=date(2026, 3, 26))])], nights=3))
    desk.release(0, 1, 2, 3)
    told = [[r["DateTo"] for r in sent(desk, "SRPatientAddressHistory", n)] for n in range(4)]
    assert told == [[""], [], ["26 Mar 2026 00:00:00"], []]


def test_a_letter_that_cp1252_lacks_shows_as_a_question_mark(desk: Desk) -> None:
    desk.write(world([record(1, fields={"surname": "Wałęsa", "forename": "Zoë"})]))
    desk.release(0)
    assert [(r["FirstName"], r["Surname"]) for r in sent(desk, "SRPatient", 0)] == [("Zoë", "Wa??sa")]


def test_nobody_is_written_as_minus_one_bare_or_quoted_as_blank_or_as_nought(desk: Desk) -> None:
    desk.write(world(events=[event(n, "referral") for n in range(1, 200)]))
    desk.release(0)
    assert {r["IDCaseload"] for r in sent(desk, "SRReferralIn", 0)} == {"-1", "", "0", "'-1'"}


def test_event_defects_come_at_their_rates_and_every_one_is_logged_where_it_sits(desk: Desk) -> None:
    clock_change = datetime(2025, 10, 26, 9, 0)
    events = [event(n, "referral") for n in range(1, 2001)]
    events += [event(n, "appointment", facts={"referral_event_id": "1"}) for n in range(2001, 6001)]
    events += [event(n, "visit", start=clock_change) for n in range(6001, 7001)]
    trust = world(events=events, nights=3, quality=1.0)
    desk.write(trust)
    desk.release(0, 1, 2, 3)
    rows = {t: [r for n in range(4) for r in sent(desk, t, n)] for t in TOLD}
    logged: dict[str, set[tuple[str, str]]] = {}
    for defect in trust.defects:
        logged.setdefault(defect.defect_id, set()).add((defect.table, defect.key))
    assert {"D85", "D88", "D89"} <= set(logged)
    keys = {(t, r["RowIdentifier"]) for t, found in rows.items() for r in found}
    assert {place for d in ("D84", "D86", "D90") for place in logged[d]} <= keys

    strangers = {r["RowIdentifier"] for r in rows["SRAppointment"] if r["IDPatient"] >= "35170000000"}
    assert len(strangers) == 12 and strangers <= {key for _, key in logged["D86"]}
    night_hours = [r for r in rows["SRVisit"] if r["DateBooked"] == "26 Oct 2025 01:30:00"]
    assert 8 <= len(night_hours) <= 40 and len(night_hours) == len(logged["D90"])
    lists = {r["RowIdentifier"]: r["Mapping"] for r in sent(desk, "SRMapping", 0)}
    unresolved = [r for r in rows["SRReferralIn"] if r["PrimaryReason"] not in lists]
    retired = [r for r in rows["SRReferralIn"] if lists.get(r["PrimaryReason"], "").startswith("zz ")]
    assert 2 <= len(unresolved) <= 25 and 8 <= len(retired) <= 40
    assert any(mark in r["RotaName"] for r in rows["SRAppointment"] for mark in "\n")
    free_text = [r for r in rows["SRVisit"] if r["IDPatient"] == "-1"]
    assert len(free_text) == 6


def test_release_shows_a_whole_delivery_and_doing_it_again_changes_nothing(desk: Desk) -> None:
    desk.write(world())
    desk.release(0)
    before = {path: path.stat().st_mtime_ns for path in desk.inbox.rglob("*")}
    desk.release(0)
    assert {path: path.stat().st_mtime_ns for path in desk.inbox.rglob("*")} == before
    assert [path.name for path in desk.inbox.iterdir()] == [desk.folder().name]
    with pytest.raises(FileNotFoundError):
        desk.release(9)


def test_what_a_referral_drags_along_changes_moves_and_goes_with_it(desk: Desk) -> None:
    loser = record(1, removed_night=2, duplicate_of=person_key("systmone", 2))
    told = [event(n, "referral", changed_night=1, changed_end_at=datetime(2026, 3, 26, 9, 0)) for n in range(1, 60)]
    told += [event(n, "referral", of=2, deleted_night=3) for n in range(60, 120)]
    desk.write(world([loser, record(2)], told, nights=3))
    desk.release(0, 1, 2, 3)
    nights = [{r["RowIdentifier"]: r for r in sent(desk, "SRReferralAllocation", n)} for n in range(4)]
    ended = {key for key, row in nights[1].items() if row["DateEnd"] == "26 Mar 2026 09:00:00"}
    assert ended and ended <= set(nights[0])
    assert {nights[2][key]["IDPatient"] for key in ended} == {"35161000002"}
    gone = {key for key, row in nights[3].items() if row["RemovedData"] == "1"}
    assert gone == set(nights[0]) - ended


def test_both_units_see_some_rows_of_a_patient_whom_both_know_and_practices_share_readings(desk: Desk) -> None:
    people = [record(n) for n in range(1, 41)]
    twins = [replace(record(n, night=1), key=second_unit_key(person_key("systmone", n))) for n in range(1, 41)]
    council = world([*people, *twins], [event(n, "visit", of=n) for n in range(1, 41)])
    council.setting = replace(council.setting, second_unit_joins_night=1)
    desk.write(council)
    desk.release(0, 1)
    assert {r["IDOrganisationVisibleTo"] for r in sent(desk, "SRVisit", 0)} == {"NLF11"}
    with open_archive(parts_of(desk.folder(1) / "SRExtract_NLF22.zip")) as archive, archive.open("SRVisit") as stream:
        shared = list(csv.DictReader(io.StringIO(stream.read().decode("cp1252"), newline="")))
    assert 2 <= len(shared) <= 20
    assert {(r["IDOrganisationVisibleTo"], r["IDOrganisation"]) for r in shared} == {("NLF22", "NLF11")}
    entered = {r["IDOrganisation"] for r in sent(desk, "SRCode", 0) if r["CTV3Code"] == "2469."}
    assert entered == {"NLF11", "B82001"}
    assert {r["IDOrganisationVisibleTo"] for r in sent(desk, "SRCode", 0)} == {"NLF11"}
