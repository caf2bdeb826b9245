"""The Liquidlogic door against a real database: what it reads, what it holds back, what it never doubles or loses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from connectors.base import DeliveryProblem, Past
from connectors.database import open_database
from connectors.database_snapshot import DatabaseConnector, refreshed_at
from connectors.liquidlogic.connector import make
from connectors.synthetic import liquidlogic
from domain.profile import Profile, ProfileError, SourceSettings
from domain.run import RunState
from tests.support.liquidlogic_world import Desk, event, person, record, world

LEDGER = "select name, state, code, times_seen, mode, as_known_at from ledger.delivery order by delivery_id"
TABLES = "select dataset, mode, records from ledger.landed_table order by landed_id"
PEOPLE = 40


@pytest.fixture(scope="module")
def supply(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nights of forty people with a request and an assessment each; some told, changed or deleted later."""
    events = [event(n, "request", of=n) for n in range(1, PEOPLE + 1)]
    events += [event(100 + n, "assessment", of=n) for n in range(1, PEOPLE + 1)]
    events[0].deleted_night = 1
    events[1].changed_night, events[1].changed_facts = 2, {"outcome": "NFA: Other"}
    events[1].changed_status, events[1].changed_end_at = "completed", events[1].end_at
    events.append(event(900, "request", recorded_night=1))
    numbers = range(1, PEOPLE + 1)
    home = tmp_path_factory.mktemp("liquidlogic")
    liquidlogic.write(
        world([person(n) for n in numbers], [record(n) for n in numbers], events, nights=4), home / "supply"
    )
    return home


@pytest.fixture
def desk(database: Profile, supply: Path) -> Desk:
    """The door in front of a mart that holds the first night."""
    desk = Desk(database, supply)
    desk.rebuild(0)
    return desk


def connector(desk: Desk, **options: str) -> DatabaseConnector:
    source = desk.profile.source("liquidlogic")
    return make(desk.profile, replace(source, options={**source.options, **options}))


def test_the_first_night_is_read_whole_and_kept_as_it_was_read(desk: Desk) -> None:
    result = desk.collect()
    assert (result.state, result.counts["deliveries"]) == (RunState.DONE, 1)
    records = {row["dataset"]: (row["mode"], row["records"]) for row in desk.rows(TABLES)}
    assert len(records) == 28
    assert records["liquidlogic__person"] == ("full", PEOPLE)
    assert records["liquidlogic__request"] == ("full", PEOPLE)
    [kept] = desk.rows("select raw_path, sha256 from ledger.file where name = 'FACT_CONTACTS.parquet'")
    original = pq.read_table(kept["raw_path"])
    assert str(original.schema.field("FACT_CONTACT_ID").type) == "int64"
    assert "OUTCOME_COMMENTS" not in original.schema.names, "case-note text stays in the mart"


def test_landed_values_are_text_just_as_the_mart_holds_them(desk: Desk) -> None:
    desk.tamper('update "Adult_Social"."FACT_CONTACTS" set "COMPLETED_DTTM" = \'2026-01-21 10:30:00.5\' '
                'where "FACT_CONTACT_ID" = 10000003')  # fmt: skip
    desk.collect()
    [table] = desk.rows("select parquet_path from ledger.landed_table where dataset = 'liquidlogic__request'")
    row = pq.read_table(table["parquet_path"]).to_pylist()[2]
    assert row["landed_line"] == 3
    assert (row["request_id"], row["contact_source_id"]) == ("10000003", "-1")
    assert (row["contact_at"], row["completed_at"]) == ("2026-01-12 10:30:00", "2026-01-21 10:30:00.500000")
    assert row["outcome_assessment"] == "Y"


def test_later_nights_bring_only_changed_facts_and_the_overlap_doubles_nothing(desk: Desk) -> None:
    desk.collect()
    desk.accept()
    desk.rebuild(1)
    desk.collect()
    assert desk.accept()["request", "delta"].inserted == 1
    desk.rebuild(2)
    desk.collect()
    counts = desk.accept()["request", "delta"]
    assert (counts.inserted, counts.updated, counts.unchanged) == (0, 1, 1), "the overlap re-reads the row of night 1"
    assert counts.duplicate == counts.superseded == 0
    modes = desk.rows("select mode, window_from from ledger.delivery order by delivery_id")
    assert [row["mode"] for row in modes] == ["bulk", "delta", "delta"]
    assert modes[2]["window_from"] == datetime(2026, 3, 24, 4, 17, tzinfo=UTC), "three days before the last refresh"


def test_keys_are_read_on_the_chosen_day_and_when_that_day_was_missed(desk: Desk) -> None:
    monday = datetime(2026, 3, 30, 3, 38, tzinfo=UTC)
    desk.rebuild(4)

    def modes(past: Past, **options: str) -> set[str]:
        [snapshot] = connector(desk, **options).discover(past)
        return {table.mode for table in snapshot.land(desk.profile.landing, past).tables}

    yesterday = Past(last_known_at=monday.replace(day=29), last_keys_read_at=monday.replace(day=29))
    assert modes(yesterday) == {"full", "delta"}
    assert modes(yesterday, keys_weekday="Monday") == {"full", "delta", "keys"}
    assert modes(replace(yesterday, last_keys_read_at=monday.replace(day=22))) == {"full", "delta", "keys"}
    assert modes(Past()) == {"full"}, "a whole read needs no keys beside it"


def test_a_mart_in_its_rebuild_window_is_held_and_nothing_of_it_is_taken(desk: Desk) -> None:
    desk.collect()
    desk.rebuild(1, half_filled=True)
    held = desk.collect()
    assert (held.state, held.findings[0].code) == (RunState.HELD, "MART_BEING_REBUILT")
    assert len(desk.rows(LEDGER)) == 1
    desk.rebuild(1)
    assert desk.collect().counts["deliveries"] == 1, "it loads by itself once the rebuild is complete"


def test_a_table_that_lost_more_than_a_twentieth_is_held_until_a_person_accepts_it(desk: Desk) -> None:
    desk.collect()
    desk.accept()
    desk.rebuild(1)
    desk.tamper('delete from "Adult_Social"."FACT_ADULT_ASSESSMENT" where "DIM_PERSON_ID" <= 100011')
    held = desk.collect()
    assert (held.state, held.findings[0].code) == (RunState.HELD, "SHRANK")
    assert held.findings[0].message == "FACT_ADULT_ASSESSMENT: 29 rows after 40"
    assert desk.rows("select state from ledger.delivery order by delivery_id")[1]["state"] == "held"
    past = Past(datetime(2026, 3, 26, 4, 10, tzinfo=UTC), {"liquidlogic__assessment": PEOPLE})
    [snapshot] = connector(desk, shrink_accepted="2026-03-27T04:17:00").discover(past)
    assert snapshot.land(desk.profile.landing, past).mode == "delta"


def test_f02_an_emptied_table_is_held_however_small_it_was(desk: Desk) -> None:
    desk.collect()
    desk.rebuild(1)
    desk.tamper('truncate "Adult_Social"."FACT_REFERRALS"')
    assert desk.collect().findings[0].code == "SHRANK"
    desk.rebuild(1)
    desk.tamper('truncate "Adult_Social"."DIM_PERSON"')
    [snapshot] = connector(desk).discover(Past())
    with pytest.raises(DeliveryProblem, match="DIM_PERSON: 0 rows"):
        snapshot.land(desk.profile.landing, Past())


def test_a_mart_refreshed_while_it_is_read_is_held(desk: Desk) -> None:
    [snapshot] = connector(desk).discover(Past())
    desk.rebuild(1)
    with pytest.raises(DeliveryProblem, match="MART_BEING_REBUILT"):
        snapshot.land(desk.profile.landing, Past())
    assert not list((desk.profile.landing / "tables").rglob("*.parquet")), "nothing of it is left in the landing area"


def test_a_retyped_column_refuses_the_snapshot_and_names_no_value(desk: Desk) -> None:
    desk.tamper(
        'alter table "Adult_Social"."DIM_PERSON_ADDRESS" alter "DIM_PERSON_ADDRESS_ID" type numeric '
        'using "DIM_PERSON_ADDRESS_ID" + 0.5'
    )
    refused = desk.collect()
    assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "WRONG_TYPE")
    assert "2000020" not in refused.findings[0].message


def test_a_mart_that_does_not_answer_is_held_without_showing_its_address(database: Profile) -> None:
    lost = SourceSettings("liquidlogic", "liquidlogic", {"url": "postgresql://hdm_reader@/hdm?host=/nowhere/at/all"})
    with pytest.raises(DeliveryProblem, match="MART_UNREACHABLE") as problem:
        list(make(database, lost).discover(Past()))
    assert "/nowhere" not in problem.value.finding.message


def test_the_login_can_read_the_mart_and_change_nothing(desk: Desk) -> None:
    reader = sa.create_engine(desk.url.replace("admin@", "hdm_reader@").replace("postgresql:", "postgresql+psycopg:"))
    for statement in ('delete from "Adult_Social"."DIM_PERSON"', "create table public.mine (a integer)"):
        with pytest.raises(sa.exc.DBAPIError), reader.begin() as connection:
            connection.exec_driver_sql("set transaction read write")
            connection.exec_driver_sql(statement)


def test_a_reader_at_work_sees_one_night_while_the_next_one_waits(desk: Desk) -> None:
    from threading import Thread

    plan = make(desk.profile, desk.profile.source("liquidlogic")).plan
    rebuild = Thread(target=desk.rebuild, args=(1,))
    with open_database(plan.access) as session:
        first = refreshed_at(session, plan)
        rebuild.start()
        rebuild.join(timeout=0.5)
        assert rebuild.is_alive(), "the swap waits for the reader"
        assert refreshed_at(session, plan) == first
    rebuild.join(timeout=20)
    with open_database(plan.access) as session:
        assert refreshed_at(session, plan) > first


@pytest.mark.parametrize(("options", "said"), [
    ({}, "url"),
    ({"url": "x", "keys_weekday": "Sonntag"}, "keys_weekday"),
    ({"url": "x", "overlap_days": "-1"}, "overlap_days"),
])  # fmt: skip
def test_settings_that_cannot_be_used_are_named(database: Profile, options: dict[str, str], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        make(database, SourceSettings("liquidlogic", "liquidlogic", options))
