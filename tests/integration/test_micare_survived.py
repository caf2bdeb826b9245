"""Faults at MiCare's door, each meeting the points of survival (governance section 6) from batch to conformed rows.

A council that never met a fault tells what must stand in the end. Where rows were kept or left out under a fault, the
history rightly says since when the right value is known, so what is believed now is compared; else everything is.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.profile import Profile
from domain.run import RunState
from tests.support import canaries
from tests.support.care_door import CANARY, Dump, believed
from tests.support.micare_door import NIGHTS, PEOPLE, MiCareDoor
from tests.support.micare_world import key
from tests.support.survival import Survival

REQUESTS = "select event_key from payload.request where known_to is null order by event_key"


@pytest.fixture(scope="module")
def straight(new_council: Callable[[Path], Profile], tmp_path_factory: pytest.TempPathFactory) -> list[Dump]:
    """What stands after each of two nights without any fault."""
    home = tmp_path_factory.mktemp("straight")
    door, dumps = MiCareDoor(new_council(home), home), []
    for night in range(2):
        door.night(night).whole_night()
        dumps.append(door.dump())
    assert [len(believed(dump)["payload.request"]) for dump in dumps] == [PEOPLE + 1] * 2
    assert dumps[0] != dumps[1]
    return dumps


@pytest.fixture
def door(database: Profile, tmp_path: Path) -> MiCareDoor:
    return MiCareDoor(database, tmp_path)


@pytest.fixture
def survival(door: MiCareDoor) -> Survival:
    return Survival(door.profile, (CANARY, CANARY.upper()))


def without_its_key(door: MiCareDoor) -> None:
    door.desk.put("REVIEW", [line.split("\t", 1)[1] for line in door.desk.lines("REVIEW")])


def another_delimiter(door: MiCareDoor) -> None:
    door.desk.put("SERVICE", [line.replace("\t", "|") for line in door.desk.lines("SERVICE")])


def lost_field(door: MiCareDoor) -> None:
    header, first, *rest = door.desk.lines("SERVICE")
    door.desk.put("SERVICE", [header, first.rsplit("\t", 1)[0], *rest])


TURNED_AWAY: dict[str, tuple[Callable[[MiCareDoor], object], RunState, str]] = {
    "f01 an empty file": (lambda door: door.spoil("CLIENT", lambda _: b""), RunState.REFUSED, "EMPTY_FILE"),
    "f03 a file is missing": (lambda door: door.desk.file("ALLOC").unlink(), RunState.HELD, "FILE_MISSING"),
    "f06 cut off": (lambda door: door.spoil("EPISODE", lambda whole: whole[:400]), RunState.REFUSED, "CUT_OFF"),
    "f25 a field too few": (lost_field, RunState.REFUSED, "WRONG_DIALECT"),
    "f25 another delimiter": (another_delimiter, RunState.REFUSED, "NO_HEADER"),
    "f28 a mandatory column is missing": (without_its_key, RunState.REFUSED, "MISSING_COLUMN"),
}


def test_f01_f03_f06_f25_f28_a_spoilt_night_is_turned_away_and_the_right_one_loads_by_itself(
    door: MiCareDoor, straight: list[Dump], survival: Survival, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for fault, (inflict, state, code) in TURNED_AWAY.items():
        door.night(0)
        inflict(door)
        survival.ended(door.land(), state, code)
        assert door.rows("select 1 as one from ledger.landed_table") == [], fault
    door.night(0).whole_night()
    assert door.dump() == straight[0]
    survival.stands(caplog.text)


def test_f12_f13_what_comes_twice_under_any_name_changes_nothing(
    door: MiCareDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0).whole_night()
    shutil.copytree(door.desk.folder(0), door.desk.arrived / "20260405")
    again = door.through().landed
    survival.ended(again, RunState.DONE, "REPEATED")
    assert (again.counts["repeats"], again.counts["deliveries"]) == (2, 0)
    assert door.dump() == straight[0]


def test_f15_f51_an_older_night_after_a_newer_one_fills_history_and_revives_nothing(
    door: MiCareDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(1).whole_night()
    newest = door.rows(REQUESTS)
    assert {"event_key": "request:110000201"} not in newest and {"event_key": "request:110000202"} in newest
    door.night(0).desk.folder(0).rename(door.desk.arrived / "20260327_2")
    assert door.whole_night().landed.counts["deliveries"] == 1
    assert door.rows(REQUESTS) == newest and door.believed() == believed(straight[1])
    landing = {name for name in straight[1] if name.startswith("landing.")}
    then = [believed(dump, at=NIGHTS[0]) for dump in (door.dump(), straight[1])]
    assert [then[0][name] for name in landing] == [then[1][name] for name in landing], "night 0 as it was known then"
    survival.stands()


def test_f51_acceptance_13_micare_a_row_gone_from_the_next_night_is_end_dated_not_erased(
    door: MiCareDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0).whole_night()
    assert door.night(1).whole_night().checked.counts["closed_by_absence"] > 0
    ended = "select event_key, known_to is not null as ended from payload.request where event_key = 'request:110000201'"
    assert door.rows(ended) == [{"event_key": "request:110000201", "ended": True}]
    assert door.dump() == straight[1]
    survival.stands()


def test_f20_f26_f28_f29_f48_f50_a_night_of_small_faults_is_loaded_and_told_and_the_next_one_mends_it(
    door: MiCareDoor, straight: list[Dump], survival: Survival
) -> None:
    door.night(0)
    door.desk.put("REVIEW", [line.rsplit("\t", 1)[0] for line in door.desk.lines("REVIEW")])
    header, *services = door.desk.lines("SERVICE")
    door.desk.put("SERVICE", [f"{header}\tBAND_CODE", *(f"{line}\tZzcanaryaside" for line in services)])
    clients = door.desk.lines("CLIENT")
    trainee = clients[3].replace(key(3), "00999999X")
    group = clients[0].split("\t").index("CLIENT_GROUP")
    told = trainee.split("\t")
    told[group] = "TEST"
    assert clients[5].startswith(key(5))
    door.desk.put("CLIENT", [*clients[:5], *clients[6:], "\t".join(told)])  # nobody knows client 5 yet
    episodes = door.desk.lines("EPISODE")
    door.desk.put("EPISODE", [*episodes, episodes[1], episodes[1]])
    door.spoil("EPISODE", lambda whole: whole.replace(b"Asked for help", b"Asked\rfor\x00he\x0bp", 1))
    arrived = door.desk.file("EPISODE").read_bytes()

    night = door.through()
    for code in ("OPTIONAL_COLUMN_MISSING", "UNKNOWN_COLUMN", "CONTROL_CHARACTERS"):
        survival.ended(night.landed, RunState.DONE, code)
    survival.ended(night.checked, RunState.DONE, "CHECK-WARNED")
    assert {("episode", ("REF-001",)), ("service", ("REF-001",))} <= set(door.held())
    assert len(door.rows(REQUESTS)) == PEOPLE + 1 - 1, "all but the one of whom nobody knows yet"
    assert door.left_out()["client", "test_person"] == 1
    accounts = door.rows("select duplicate, superseded from ledger.row_account where dataset = 'micare__episode'")
    assert sum(accounts[0].values()) == 2, "two lines of one key again"
    aside = door.rows("select dataset, column_name, rows_filled from ledger.unknown_column")
    assert aside == [{"dataset": "micare__service", "column_name": "BAND_CODE", "rows_filled": PEOPLE}]
    assert "Zzcanaryaside" not in str(door.dump()) and "\x00" not in str(door.dump())
    (kept,) = door.rows("select raw_path from ledger.file where name like '%EPISODE%'")
    assert Path(kept["raw_path"]).read_bytes() == arrived, "the original is kept as it came"

    mended = door.night(1).whole_night()
    assert mended.checked.counts["released"] > 0 and door.held() == []
    assert door.believed() == believed(straight[1])
    survival.stands()


def test_f53_f54_restricted_facts_and_children_stay_outside_until_the_source_says_otherwise(
    door: MiCareDoor, straight: list[Dump], survival: Survival, admin_url: str
) -> None:
    door.night(0).change_client(7, lambda line: line.replace("\t09071941\t", "\t04052016\t"))
    lines = door.desk.lines("EPISODE")
    asked = next(place for place, line in enumerate(lines) if "Asked for help at home" in line)
    lines[asked] = lines[asked].replace("Asked for help at home", "Goes to the Sexual Health drop-in")
    door.desk.put("EPISODE", lines)
    door.whole_night()
    left = door.left_out()
    assert left["client", "child"] == 1 and left["service", "child"] == 1 and left["episode", "restricted_code"] == 1
    said = ["sexual health", f"{CANARY}7\t", "04052016"]
    assert canaries.in_database(admin_url, said) == [] == canaries.in_files(door.profile.landing, said)
    survival.stands()
    door.night(1).whole_night()
    assert door.believed() == believed(straight[1])
    survival.stands()
