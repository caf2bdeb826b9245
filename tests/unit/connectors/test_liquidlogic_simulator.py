"""The simulated mart, night by night: what is there, what changed when, what was spoiled and logged."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from connectors.conform import load_code_map
from connectors.synthetic import liquidlogic
from connectors.synthetic.liquidlogic_codes import CODES, OUTCOME_FLAGS
from connectors.synthetic.liquidlogic_tables import mart_tables
from connectors.synthetic.reporting_database import night_rows
from connectors.synthetic.world import World
from tests.support.liquidlogic_world import address, busy_world, event, person, record, world


def rows(supply: Path, night: int, table: str) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], night_rows(supply, "liquidlogic", night, table).to_pylist())


def write(council: World, supply: Path) -> Path:
    liquidlogic.write(council, supply)
    return supply


def test_each_night_holds_every_table_and_a_stamp_of_its_own(tmp_path: Path) -> None:
    supply = write(world(nights=2), tmp_path)
    assert {p.stem for p in (supply / "liquidlogic" / "live").iterdir()} == set(mart_tables())
    stamps = [rows(supply, night, "MART_REFRESH")[0]["REFRESHED_DTTM"] for night in range(3)]
    assert [s.date() for s in stamps] == [date(2026, 3, 26), date(2026, 3, 27), date(2026, 3, 28)]


def test_an_event_appears_changes_and_vanishes_on_its_nights(tmp_path: Path) -> None:
    told = event(1, "request", status="open", end_at=None, facts={"outcome": ""}, changed_night=2,
                 changed_status="completed", changed_end_at=datetime(2026, 3, 27, 15),
                 changed_facts={"outcome": "NFA: Support declined"}, recorded_night=1, deleted_night=3)  # fmt: skip
    supply = write(world(events=[told]), tmp_path)
    seen = [rows(supply, night, "FACT_CONTACTS") for night in range(4)]
    assert [len(s) for s in seen] == [0, 1, 1, 0]
    before, after = seen[1][0], seen[2][0]
    assert (before["DIM_LOOKUP_STEP_SUBSTATUS_CODE"], after["DIM_LOOKUP_STEP_SUBSTATUS_CODE"]) == ("OPN", "COM")
    assert [flag for flag in OUTCOME_FLAGS.values() if after[flag] == "Y"] == ["OUTCOME_DECLINED_FLAG"]
    assert not [flag for flag in OUTCOME_FLAGS.values() if before[flag] == "Y"]
    assert before["MODIF_DTTM"].date() == date(2026, 3, 26), (
        "in the office hours before the refresh that first tells it"
    )
    assert after["MODIF_DTTM"].date() == date(2026, 3, 27)


def test_an_unchanged_row_is_the_same_row_every_night(tmp_path: Path) -> None:
    supply = write(
        world(events=[event(1, "service"), event(2, "review"), event(3, "assessment")], quality=1.0), tmp_path
    )
    for table in ("DIM_PERSON", "FACT_SERVICE_PROVISION", "FACT_ADULT_REVIEW", "FACT_ADULT_ASSESSMENT"):
        assert rows(supply, 0, table) == rows(supply, 3, table)


def test_the_same_world_gives_the_same_files(tmp_path: Path) -> None:
    first, second = write(busy_world(40), tmp_path / "a"), write(busy_world(40), tmp_path / "b")
    for path in sorted(first.rglob("*.parquet")):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def test_a_marked_duplicate_names_the_record_that_won(tmp_path: Path) -> None:
    lost = record(2, of=1, duplicate_of="100001", marked_duplicate_night=1)
    supply = write(world(records=[record(1), lost]), tmp_path)
    tonight = {row["DIM_PERSON_ID"]: row for row in rows(supply, 0, "DIM_PERSON")}
    tomorrow = {row["DIM_PERSON_ID"]: row for row in rows(supply, 1, "DIM_PERSON")}
    assert (tonight[100002]["DUPLICATED_DTTM"], tonight[100002]["DUPLICATE_OF_DIM_PERSON_ID"]) == (None, -1)
    assert tomorrow[100002]["DUPLICATED_DTTM"] is not None
    assert tomorrow[100002]["DUPLICATE_OF_DIM_PERSON_ID"] == 100001
    assert tomorrow[100001]["DUPLICATED_DTTM"] is None


def test_a_move_is_told_on_the_night_after_the_day(tmp_path: Path) -> None:
    old = address(until=date(2026, 3, 27))
    new = address("Willow Road", "AR7 9ZZ", "care_home", since=date(2026, 3, 27))
    supply = write(world(records=[record(1, addresses=[old, new])]), tmp_path)
    assert [len(rows(supply, night, "DIM_PERSON_ADDRESS")) for night in range(4)] == [1, 1, 2, 2]
    ended, placement = rows(supply, 2, "DIM_PERSON_ADDRESS")
    assert (ended["ADDSS_TYPE_CODE"], ended["END_DTTM"]) == ("PREV", datetime(2026, 3, 27))
    assert placement["ADDSS_TYPE_CODE"] == "PLACEMENT"


def test_defects_come_at_about_their_rates_and_every_one_is_logged_with_its_event(tmp_path: Path) -> None:
    council = busy_world(500)
    write(council, tmp_path)
    logged = Counter(defect.defect_id for defect in council.defects)
    events = len(council.events)
    assert 0.020 < logged["D84"] / events < 0.045
    assert 0.015 < logged["D88"] / events < 0.045
    assert logged["D81"] == sum(1 for e in council.events if e.deleted_night is not None)
    assert {"D70", "D80", "D81", "D82", "D84", "D86", "D88", "D93"} <= set(logged)
    orphans = {d.key for d in council.defects if d.defect_id == "D86" and d.field == "DIM_PERSON_ID"}
    contacts = rows(tmp_path, 0, "FACT_CONTACTS")
    assert all(f"request:{row['FACT_CONTACT_ID']}" in orphans for row in contacts if row["DIM_PERSON_ID"] == -1)


def test_a_council_without_faults_has_none(tmp_path: Path) -> None:
    council = busy_world(200, events_each=4)
    council.quality = 0.0
    write(council, tmp_path)
    spoiled = {d.defect_id for d in council.defects if d.table != "DIM_LOOKUP"}
    assert spoiled == {"D80", "D81", "D82"}, "only what the truth itself did"
    assert all(row["DIM_PERSON_ID"] != -1 for row in rows(tmp_path, 5, "FACT_CONTACTS"))


def test_wording_that_no_code_list_knows_stops_the_writing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write(world(events=[event(1, "request", facts={"route_of_access": "By parachute"})]), tmp_path)


def test_every_local_code_is_mapped_to_the_wording_it_was_picked_for() -> None:
    mapped: dict[tuple[str, str], str] = {}

    class Recorder:
        """Takes the rows that would go to the code map."""

        def exec_driver_sql(self, statement: str, values: Any = None) -> None:
            if statement.startswith("insert"):
                mapped.update({(row["code_set"], row["raw"]): row["clean"] for row in values})

    load_code_map(Recorder(), "liquidlogic")  # type: ignore[arg-type]
    for code_set, codes in CODES.items():
        for clean, code in codes.items():
            assert mapped[code_set, code] == clean
    assert {flag: mapped["outcome_flag", flag] for flag in OUTCOME_FLAGS.values()} == {
        f: c for c, f in OUTCOME_FLAGS.items()
    }


def test_a_carer_points_to_the_adult_cared_for(tmp_path: Path) -> None:
    carer, adult = person(1, relations={"cares_for": [2]}), person(2, relations={"cared_for_by": [1]})
    supply = write(world([carer, adult], [record(1, role="carer"), record(2)]), tmp_path)
    [relation] = rows(supply, 0, "FACT_PERSON_RELATION")
    assert (relation["DIM_PERSON_ID"], relation["DIM_RELATED_PERSON_ID"]) == (100001, 100002)
    assert relation["DIM_LOOKUP_RELTN_TYPE_CODE"] == "CARER"


def test_one_person_at_least_reaches_the_mart_a_night_after_their_first_event(tmp_path: Path) -> None:
    new = record(2, versions={1: record(2).versions[0]})
    council = world(
        [person(1), person(2)], [record(1), new], [event(1, "request", of=2, recorded_night=1)], quality=1.0
    )
    supply = write(council, tmp_path)
    assert len(rows(supply, 1, "FACT_CONTACTS")) == 1
    assert [len(rows(supply, night, "DIM_PERSON")) for night in range(4)] == [1, 1, 2, 2]
    assert ("D86", "person:100002", 1) in {(d.defect_id, d.key, d.night) for d in council.defects}
