"""Faults of a mart, each meeting the points of survival (governance section 6) from the database to conformed rows.

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
from tests.support.liquidlogic_door import FIRST, PEOPLE, LiquidlogicDoor, write
from tests.support.survival import Survival

GONE = "request:10000202"
REQUESTS = "select event_key from payload.request where known_to is null order by event_key"


@pytest.fixture(scope="module")
def supply(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("liquidlogic"))


@pytest.fixture(scope="module")
def straight(
    new_council: Callable[[Path], Profile], supply: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Dump]:
    """What stands after each of four nights without any fault."""
    door, dumps = LiquidlogicDoor(new_council(tmp_path_factory.mktemp("straight")), supply), []
    for night in range(4):
        door.whole_nights(night)
        dumps.append(door.dump())
    assert [len(believed(dump)["payload.request"]) - PEOPLE for dump in dumps] == [2, 3, 4, 3], "keys end one on Sunday"
    return dumps


@pytest.fixture
def door(database: Profile, supply: Path) -> LiquidlogicDoor:
    return LiquidlogicDoor(database, supply)


@pytest.fixture
def survival(door: LiquidlogicDoor) -> Survival:
    return Survival(door.profile, (CANARY, CANARY.upper()))


TURNED_AWAY = {
    "f02 the people are gone": ("truncate {}.\"DIM_PERSON\"", RunState.HELD, "SHRANK"),
    "f28 a mandatory column under a new heading": (
        'alter table {}."FACT_CONTACTS" rename "CONTACT_DTTM" to "CONTACT_DATE"', RunState.HELD, "COLUMN_RENAMED"
    ),
    "f28 a mandatory column is missing": (
        'alter table {}."DIM_PERSON" drop "NHS_NUMBER", drop "NHS_NUMBER_STATUS_CODE"', RunState.REFUSED,
        "MISSING_COLUMN"
    ),
    "f28 no column tells what changed": (
        'alter table {}."FACT_ADULT_REVIEW" drop "MODIF_DTTM"', RunState.REFUSED, "MISSING_COLUMN"
    ),
    "a key that is no number": (
        'alter table {}."DIM_PERSON_ADDRESS" alter "DIM_PERSON_ADDRESS_ID" type numeric '
        'using "DIM_PERSON_ADDRESS_ID" + 0.5', RunState.REFUSED, "WRONG_TYPE"
    ),
}  # fmt: skip


def test_f02_f28_a_spoilt_snapshot_is_turned_away_and_the_right_one_loads_by_itself(
    door: LiquidlogicDoor, straight: list[Dump], survival: Survival, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for fault, (statement, state, code) in TURNED_AWAY.items():
        survival.ended(door.night(0).spoil(statement).land(), state, code)
        assert door.rows("select 1 as one from ledger.landed_table") == [], fault
    door.whole_nights(0)
    assert door.dump() == straight[0]
    survival.stands(caplog.text)


def test_f12_f13_the_same_night_read_again_is_a_repeat_however_it_is_reached(
    door: LiquidlogicDoor, straight: list[Dump], survival: Survival
) -> None:
    door.whole_nights(0)
    again = door.whole_nights(0).landed
    survival.ended(again, RunState.DONE, "NOTHING_NEW")
    assert (again.counts["repeats"], again.counts["deliveries"], again.counts["rows"]) == (1, 0, 0)
    (delivery,) = door.rows("select name, times_seen from ledger.delivery")
    assert delivery == {"name": "2026-03-26T04:10:00", "times_seen": 2}
    assert door.dump() == straight[0]


def test_f15_f51_a_vanished_row_is_ended_by_the_keys_of_sunday_and_an_older_night_revives_nothing(
    door: LiquidlogicDoor, straight: list[Dump], survival: Survival
) -> None:
    door.whole_nights(0)
    assert {"event_key": GONE} in door.rows(REQUESTS), "a delta cannot tell that a row has gone"
    told = door.whole_nights(3)  # two nights never came: the window since the last one brings what they brought
    assert told.checked.counts["closed_by_absence"] > 0 and {"event_key": GONE} not in door.rows(REQUESTS)
    (ended,) = door.rows(f"select is_removed from landing.liquidlogic__request where row_key = '{GONE[8:]}'"
                         " and known_to is null")  # fmt: skip
    assert ended["is_removed"] and door.believed() == believed(straight[3])
    for older in (1, 2):
        assert door.whole_nights(older).landed.counts["deliveries"] == 1
    assert door.believed() == believed(straight[3]), "history is filled; nothing is revived, nothing is ended"
    survival.stands()


def test_f26_f28_f29_f50_f52_f53_f54_a_night_of_small_faults_is_loaded_and_told_and_later_ones_mend_it(
    door: LiquidlogicDoor, straight: list[Dump], survival: Survival, admin_url: str
) -> None:
    many, nobody, child = FIRST + 29, FIRST + 34, FIRST + 36
    door.night(0).spoil(
        'alter table {}."DIM_PERSON" drop "RELIGION_MAIN_CODE", add "SHOE_SIZE" text default \'Zzcanaryaside\'',
        f'update {{}}."DIM_PERSON" set "ETHNICITY_MAIN_CODE" = \'Q9\' where "DIM_PERSON_ID" < {many}',
        'update {}."DIM_PERSON" set "SURNAME" = "SURNAME" || chr(7) || chr(27)',
        'update {}."FACT_CONTACTS" set "DIM_LOOKUP_CONTACT_REASON_CODE" = \'lrc01 \' '
        'where "FACT_CONTACT_ID" = 10000201',
        'update {}."FACT_CONTACTS" set "DIM_LOOKUP_CONTACT_REASON_DESC" = \'Sexual Health drop-in\' '
        'where "FACT_CONTACT_ID" = 10000005',
        f'delete from {{}}."DIM_PERSON" where "DIM_PERSON_ID" = {nobody}',
        f'update {{}}."DIM_PERSON" set "BIRTH_DTTM" = \'2016-05-04\' where "DIM_PERSON_ID" = {child}',
    )
    night = door.through()
    for code in ("OPTIONAL_COLUMN_MISSING", "UNKNOWN_COLUMN", "CONTROL_CHARACTERS"):
        survival.ended(night.landed, RunState.DONE, code)
    survival.ended(night.checked, RunState.DONE, "CODES-ALARM")
    (alarm,) = [finding for finding in night.checked.findings if finding.code == "CODES-ALARM"]
    assert "COD-002 29 of 38" in alarm.message
    known = "select count(ethnicity_code) as n from identity.source_person where known_to is null"
    assert door.rows(known) == [{"n": 38 - 29}], "the others read as not known; their rows are kept"
    assert {("request", ("REF-001",)), ("service", ("REF-001",))} <= set(door.held()), "of whom nobody knows yet"
    left = door.left_out()
    assert (left["request", "restricted_code"], left["person", "child"], left["service", "child"]) == (2, 1, 1)
    assert len(door.rows(REQUESTS)) == PEOPLE + 2 - 1 - 1 - 2, (
        "not of the child, the unknown person, nor the restricted"
    )
    aside = door.rows("select dataset, column_name from ledger.unknown_column")
    assert aside == [{"dataset": "liquidlogic__person", "column_name": "SHOE_SIZE"}]
    dump = str(door.dump())
    assert "Zzcanaryaside" not in dump and "\\u0007" not in dump, "kept aside, and the working copy is clean"
    said = ["lrc01", "sexual health", f'{CANARY}37"', "2016-05-04"]
    assert canaries.in_database(admin_url, said) == [] == canaries.in_files(door.profile.landing / "tables", said)

    mended = door.whole_nights(1)
    assert mended.checked.counts["released"] > 0 and door.held() == []
    assert door.believed() == believed(straight[1]), "the facts of who is no child came, though nobody changed them"
    assert door.rows("select 1 as one from ledger.left_out_person") == []
    door.whole_nights(2)
    assert door.believed() == believed(straight[2])
    survival.stands()
