"""Faults at CareFirst's door, each meeting the points of survival (governance section 6) from dump to conformed rows.

A council that never met a fault tells what must stand in the end. Where rows were kept or left out under a fault, the
history rightly says since when the right value is known, so what is believed now is compared; else everything is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.profile import Profile
from domain.run import RunState
from tests.support import canaries
from tests.support.care_door import CANARY, Dump, believed
from tests.support.carefirst_door import NIGHTS, PEOPLE, CareFirstDoor
from tests.support.survival import Survival

REQUESTS = "select event_key from payload.request where known_to is null order by event_key"


@pytest.fixture(scope="module")
def straight(new_council: Callable[[Path], Profile], tmp_path_factory: pytest.TempPathFactory) -> list[Dump]:
    """What stands after each of three nights without any fault."""
    home = tmp_path_factory.mktemp("straight")
    door, dumps = CareFirstDoor(new_council(home), home), []
    for night in range(3):
        door.night(night).whole_night()
        dumps.append(door.dump())
    assert [len(believed(dump)["payload.request"]) for dump in dumps] == [PEOPLE + 1, PEOPLE + 1, PEOPLE + 2]
    assert dumps[0] != dumps[1] != dumps[2]
    return dumps


@pytest.fixture
def door(database: Profile, tmp_path: Path) -> CareFirstDoor:
    return CareFirstDoor(database, tmp_path)


@pytest.fixture
def survival(door: CareFirstDoor) -> Survival:
    return Survival(door.profile, (CANARY, CANARY.upper()))


def unsigned(door: CareFirstDoor) -> None:
    door.desk.tamper("PERSON", door.desk.file("PERSON").read_bytes().replace(b"MARLOW", b"HARLOW"), sign=False)


def lone_return(door: CareFirstDoor) -> None:
    door.change("PERSON", b"TITLE", b"Mr\rs")


REFUSED: dict[str, tuple[Callable[[CareFirstDoor], object], str]] = {
    "f01 an empty file": (lambda door: door.desk.tamper("PERSON", b""), "EMPTY_FILE"),
    "f06 cut off": (lambda d: d.desk.tamper("PERSON", d.desk.file("PERSON").read_bytes()[:-25]), "CUT_OFF"),
    "f11 another hash": (unsigned, "HASH_DIFFERS"),
    "f25 a quote too many": (lambda door: door.change("PERSON", b"TITLE", b'"Mrs'), "CUT_OFF"),
    "f26 a lone return outside quotes": (lone_return, "WRONG_DIALECT"),
    "f28 a mandatory column is missing": (lambda door: door.without("PERSON", b"NHS_NUMBER"), "MISSING_COLUMN"),
}


def test_f01_f06_f11_f25_f26_f28_a_spoilt_dump_is_refused_and_the_right_one_loads_by_itself(
    door: CareFirstDoor, straight: list[Dump], survival: Survival, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for fault, (inflict, code) in REFUSED.items():
        door.night(0)
        inflict(door)
        result = door.land()
        survival.ended(result, RunState.REFUSED, code)
        if fault.startswith("f11"):
            assert "security event" in result.findings[0].remedy and "HARLOW" not in str(result.findings)
        assert door.rows("select 1 as one from ledger.landed_table") == [], fault
        assert door.land().counts["repeats"] == 1, "the same wrong files are not tried again"
    door.night(0).whole_night()
    assert door.dump() == straight[0]
    survival.stands(caplog.text)


def test_f03_a_dump_whose_file_is_late_is_held_and_loads_by_itself_when_it_comes(
    door: CareFirstDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0)
    away = door.desk.file("ACTIVITY").rename(door.desk.home / "away.csv")
    survival.ended(door.land(), RunState.HELD, "FILE_MISSING")
    assert door.rows("select 1 as one from ledger.landed_table") == []
    away.rename(door.desk.file("ACTIVITY"))
    door.whole_night()
    assert door.dump() == straight[0]


def test_f12_f13_what_comes_twice_under_any_name_changes_nothing(
    door: CareFirstDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0).whole_night()
    again = door.night(0).whole_night().landed
    survival.ended(again, RunState.DONE, "NOTHING_NEW")
    assert (again.counts["repeats"], again.counts["deliveries"]) == (1, 0)
    for path in list(door.desk.arrived.iterdir()):
        content = path.read_bytes()
        path.unlink()
        renamed = path.with_name(path.name.replace("20260326", "20260405"))
        renamed.write_bytes(content.replace(b"_20260326.csv", b"_20260405.csv") if "CONTROL" in path.name else content)
    landed = door.through().landed
    survival.ended(landed, RunState.DONE, "REPEATED")
    assert (landed.counts["repeats"], landed.counts["deliveries"]) == (1, 0)
    (delivery,) = door.rows("select times_seen from ledger.delivery")
    assert delivery["times_seen"] == 3 and door.dump() == straight[0]


def test_f15_f51_an_older_dump_after_a_newer_one_fills_history_and_revives_nothing(
    door: CareFirstDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(1).whole_night()
    newest = door.rows(REQUESTS)
    gone, added = "request:1100000201", "request:1100000202"
    assert {"event_key": added} in newest and {"event_key": gone} not in newest
    late = door.night(0).whole_night()
    accounts = "select sum(inserted + updated)::int as new from ledger.row_account where file_id in "
    older = "(select max(file_id) from ledger.file where name like 'CF_ACTIVITY_20260326%')"
    assert late.landed.counts["deliveries"] == 1 and door.rows(accounts + older) == [{"new": 0}]
    assert door.rows(REQUESTS) == newest, "the deleted request stays deleted"
    assert door.believed() == believed(straight[1])
    landing = {name for name in straight[1] if name.startswith("landing.")}
    then = [believed(dump, at=NIGHTS[0]) for dump in (door.dump(), straight[1])]
    assert [then[0][name] for name in landing] == [then[1][name] for name in landing], "night 0 as it was known then"
    assert door.night(2).whole_night() and door.believed() == believed(straight[2])
    survival.stands()


def test_f51_a_row_gone_from_a_full_dump_is_closed_and_no_older_replay_revives_it(
    door: CareFirstDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0).whole_night()
    told = door.night(1).whole_night()
    assert told.checked.counts["closed_by_absence"] > 0 and door.dump() == straight[1]
    ended = (
        "select event_key, known_to is not null as ended from payload.request where event_key = 'request:1100000201'"
    )
    assert door.rows(ended) == [{"event_key": "request:1100000201", "ended": True}], "closed, not erased"
    teams = door.lines("TEAM")
    door.put("TEAM", [teams[0], *reversed(teams[1:])])  # the same older night sent anew with other content
    assert door.whole_night().landed.counts["deliveries"] == 1
    assert door.believed() == believed(straight[1])
    survival.stands()


def test_f20_f48_people_for_tests_and_repeated_rows_are_counted_and_change_nothing(
    door: CareFirstDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0)
    people, activities = door.lines("PERSON"), door.lines("ACTIVITY")
    key = people[1].split(b"|")[0]
    trainee = people[1].replace(key, b"9999001").replace(b"MARLOW", b"ZZCANARYTRAINEE")
    hangs_on = next(line for line in activities[1:] if key in line).replace(key, b"9999001")
    number = hangs_on.split(b"|")[0]
    door.put("PERSON", [*people, trainee, people[1], people[2]])
    door.put("ACTIVITY", [*activities, hangs_on.replace(number, b"9" + number[1:]), activities[1]])
    door.whole_night()
    assert door.left_out() == {("person", "test_person"): 1, ("activity", "test_person"): 1}
    accounts = """select dataset, duplicate from ledger.row_account where duplicate > 0 order by dataset"""
    assert [tuple(row.values()) for row in door.rows(accounts)] == [
        ("carefirst__activity", 1), ("carefirst__person", 2)
    ]  # fmt: skip
    assert believed(door.dump(), at=NIGHTS[0]) == believed(straight[0]), "one of each, and nobody for tests"
    survival.stands()
    door.night(1).whole_night()
    assert door.believed() == believed(straight[1])


def test_f26_control_characters_go_from_the_working_copy_and_the_original_stays(
    door: CareFirstDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0)
    people = door.lines("PERSON")
    spoilt = [people[0], people[1].replace(b"MARLOW", b"MAR\x00LO\x1bW\x0b"), people[2].replace(b"Mrs", b"\x07Mrs")]
    door.put("PERSON", [*spoilt, *people[3:]])
    survival.ended(door.through().landed, RunState.DONE, "CONTROL_CHARACTERS")
    (kept,) = door.rows("select raw_path, records, physical_lines from ledger.file where name like 'CF_PERSON%'")
    assert (kept["records"], kept["physical_lines"]) == (PEOPLE, PEOPLE + 1)
    assert Path(kept["raw_path"]).read_bytes() == door.desk.file("PERSON").read_bytes()
    assert door.dump() == straight[0]


def test_f28_f29_a_missing_optional_and_a_new_column_are_told_and_the_rest_is_loaded(
    door: CareFirstDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0).without("PERSON", b"UPDATED_DATE")
    header, *rest = door.lines("REFERENCE")
    door.put("REFERENCE", [header[:-1] + b"|PRONOUNS\n", *(line[:-1] + b"|Zzcanaryaside\n" for line in rest)])
    wider, *people = door.lines("PERSON")
    door.put("PERSON", [wider[:-1] + b"|PRONOUNS\n", *(line[:-1] + b"|Zzcanaryaside\n" for line in people)])
    landed = door.through().landed
    for code in ("OPTIONAL_COLUMN_MISSING", "UNKNOWN_COLUMN"):
        survival.ended(landed, RunState.DONE, code)
    listed = door.rows("select column_name, rows_filled from ledger.unknown_column where dataset = 'carefirst__person'")
    assert listed == [{"column_name": "PRONOUNS", "rows_filled": PEOPLE}]
    dump = door.dump()
    assert "Zzcanaryaside" not in str(dump), "kept aside, not loaded"
    assert {name for name in dump if dump[name] != straight[0][name]} <= {"landing.carefirst__person"}
    door.night(1).whole_night()
    assert door.believed() == believed(straight[1])
    survival.stands()


def test_f50_rows_whose_person_is_not_there_are_held_and_come_back_by_themselves_with_the_person(
    door: CareFirstDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0)
    people = door.lines("PERSON")
    door.put("PERSON", [*people[:7], *people[8:]])
    survival.ended(door.through().checked, RunState.DONE, "CHECK-WARNED")
    assert ("activity", ("REF-001",)) in door.held() and {rules for _, rules in door.held()} == {("REF-001",)}
    told = door.night(1).whole_night()
    assert told.checked.counts["released"] > 0 and door.held() == []
    assert door.believed() == believed(straight[1])
    survival.stands()


def test_f52_f53_unknown_codes_read_as_unknown_restricted_ones_stay_outside_and_the_right_ones_mend_it(
    door: CareFirstDoor, straight: list[Dump], survival: Survival, admin_url: str
) -> None:
    door.night(0)
    for row in range(1, 28):
        door.change("PERSON", b"ETHNIC_ORIGIN", b"Q9    ", row=row)
    door.change("CLASSIFICATION", b"CLASS_CODE", b"lrc01 ")
    asked = next(n for n, line in enumerate(door.lines("OBSERVATION")) if b"Asked for help at home" in line)
    door.change("OBSERVATION", b"OBS_VALUE", b"Goes to the Sexual Health drop-in", row=asked)
    checked = door.through().checked
    survival.ended(checked, RunState.DONE, "CODES-ALARM")
    (alarm,) = [finding for finding in checked.findings if finding.code == "CODES-ALARM"]
    assert "COD-002 27 of 30" in alarm.message and "mapping" in alarm.remedy
    known = "select count(ethnicity_code) as n from identity.source_person where known_to is null"
    assert door.rows(known) == [{"n": PEOPLE - 27}], "the others read as not known; their rows are kept"
    assert door.left_out() == {("classification", "restricted_code"): 1, ("observation", "restricted_code"): 1}
    said = ["LRC01", "sexual health"]
    assert canaries.in_database(admin_url, said) == [] == canaries.in_files(door.profile.landing, said)
    door.night(1).whole_night()
    assert door.believed() == believed(straight[1])
    survival.stands()


def test_f54_who_is_told_to_be_a_child_stays_outside_with_everything_until_the_birthday_is_mended(
    door: CareFirstDoor, straight: list[Dump], survival: Survival, admin_url: str
) -> None:
    door.night(0).change("PERSON", b"DATE_OF_BIRTH", b"04-MAY-2016", row=7)
    door.whole_night()
    left = door.left_out()
    assert left["person", "child"] == 1 and left["activity", "child"] == 1 and left["service_agreement", "child"] == 1
    child = [f"{CANARY}7 ", "04-MAY-2016", "2016-05-04"]
    assert canaries.in_database(admin_url, child) == [] == canaries.in_files(door.profile.landing, child)
    survival.stands()
    door.night(1).whole_night()
    assert door.believed() == believed(straight[1])
    survival.stands()
