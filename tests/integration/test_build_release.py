"""The build stage: what a release holds, what a correction leaves behind, and when nothing is published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from domain.profile import Profile
from domain.run import RunState
from governance.store import Store
from tests.support.small_warehouse import NIGHT_0, NIGHT_1, NIGHT_2, SmallWarehouse, everyday
from warehouse.build import EVENTS
from warehouse.lineage import UnknownRow, lines_of


@pytest.fixture
def database(unreleased: Profile) -> Profile:
    """Before the first release: these tests publish it themselves."""
    return unreleased


@pytest.fixture
def warehouse(database: Profile, admin_url: str) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(database, admin_url) as small:
        everyday(small)
        yield small


def as_analyst(warehouse: SmallWarehouse, query: str, release: int | None = None) -> list[tuple[object, ...]]:
    with Store(warehouse.profile).snapshot("analyst", "planning", release) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_a_first_build_shows_every_person_and_every_event_once(warehouse: SmallWarehouse) -> None:
    result = warehouse.build()
    assert result.state is RunState.DONE
    assert result.facts["release"] == "1"
    assert result.as_known_at == NIGHT_0
    for kind in EVENTS:
        person = "person-bea" if kind == "caring" else "person-ada"
        assert as_analyst(warehouse, f"select person_id from release.{kind}") == [(person,)]
    assert as_analyst(
        warehouse, "select person_id, birth_month::text, sex, death_date::text from release.person order by 1"
    ) == [("person-ada", "1950-05-01", "2", None), ("person-bea", "1961-02-01", "1", "2026-01-05")]
    assert as_analyst(
        warehouse, "select person_id, source, reason, link_weight from release.identity order by 1, 2"
    ) == [
        ("person-ada", "liquidlogic", "nhs_verified", 17.25),
        ("person-ada", "systmone", "nhs_verified", 17.25),
        ("person-bea", "liquidlogic", "nhs_verified", None),
    ]


def test_a_contact_points_to_its_referral_and_a_carer_to_the_adult(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    assert as_analyst(
        warehouse, "select count(*) from release.contact c join release.referral r on r.event_id = c.referral_event_id"
    ) == [(1,)]
    assert as_analyst(warehouse, "select cared_for_person_id from release.caring") == [("person-ada",)]
    assert as_analyst(warehouse, "select valid_to - valid_from from release.contact") == [(timedelta(minutes=30),)]


def test_building_again_without_news_publishes_nothing(warehouse: SmallWarehouse) -> None:
    first = warehouse.build()
    again = warehouse.build("another run")
    assert (again.state, again.facts) == (RunState.DONE, first.facts)
    assert warehouse.one("select count(*) from ledger.release") == 1


def test_a_correction_closes_the_old_version_and_the_old_release_still_tells_it(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    warehouse.night(NIGHT_1)
    warehouse.event("service", "liquidlogic:L1", "service-1", unit_cost="99.00")
    assert warehouse.build().facts["release"] == "2"
    assert warehouse.connection.execute(
        "select unit_cost::text, known_from, known_to from core.service order by version_id"
    ).fetchall() == [("512.50", NIGHT_0, NIGHT_1), ("99.00", NIGHT_1, None)]
    cost = "select unit_cost::text from release.service"
    assert as_analyst(warehouse, cost) == as_analyst(warehouse, cost, release=2) == [("99.00",)]
    assert as_analyst(warehouse, cost, release=1) == [("512.50",)]
    number = "select event_id from release.service"
    assert as_analyst(warehouse, number, release=1) == as_analyst(warehouse, number, release=2)


def test_an_event_withdrawn_by_its_source_leaves_the_next_release_only(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    warehouse.night(NIGHT_1)
    warehouse.end("payload.review", event_key="review-1")
    warehouse.build()
    assert as_analyst(warehouse, "select count(*) from release.review") == [(0,)]
    assert as_analyst(warehouse, "select count(*) from release.review", release=1) == [(1,)]


def test_two_people_found_to_be_one_are_one_from_then_on(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    warehouse.night(NIGHT_1)
    warehouse.person("person-ada", "liquidlogic:L2")
    warehouse.end("identity.person_detail", person_id="person-bea")
    warehouse.build()
    assert as_analyst(warehouse, "select person_id from release.person") == [("person-ada",)]
    assert as_analyst(warehouse, "select person_id from release.caring") == [("person-ada",)]
    assert as_analyst(warehouse, "select person_id from release.caring", release=1) == [("person-bea",)]


def test_only_a_later_line_saying_the_same_makes_no_version(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    warehouse.night(NIGHT_1)
    warehouse.event("request", "liquidlogic:L1", "request-1", landed_version_id=7)
    result = warehouse.build()
    assert (result.counts["request_changed"], result.counts["request_unchanged"]) == (0, 1)
    assert warehouse.one("select landed_version_id from core.request") == 1


def test_a_change_without_a_later_delivery_still_gets_a_moment_of_its_own(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    warehouse.event("request", "liquidlogic:L1", "request-1", route_of_access="Planned entry (transition)")
    second = warehouse.build()
    assert second.as_known_at == NIGHT_0 + timedelta(microseconds=1)
    route = "select route_of_access from release.request"
    assert as_analyst(warehouse, route, release=1) == [(None,)]
    assert as_analyst(warehouse, route) == [("Planned entry (transition)",)]


def test_a_record_that_has_not_been_linked_yet_holds_the_release(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    warehouse.night(NIGHT_1)
    warehouse.record("liquidlogic:new")
    warehouse.event("request", "liquidlogic:new", "request-2")
    result = warehouse.build()
    assert result.state is RunState.HELD
    assert [finding.code for finding in result.findings] == ["PERSONS"]
    assert "records to link: 1, events to link: 1" in result.findings[0].message
    assert as_analyst(warehouse, "select release from release.about") == [(1,)]
    assert warehouse.one("select count(*) from core.event where event_key = 'request-2'") == 0


def test_events_of_a_record_its_supplier_withdrew_are_withheld_and_counted(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    warehouse.night(NIGHT_1)
    for table in ("identity.source_person", "identity.membership"):
        warehouse.end(table, source_record_id=warehouse.record_number("liquidlogic:L1"))
    result = warehouse.build()
    assert (result.state, [finding.code for finding in result.findings]) == (RunState.DONE, ["WITHHELD"])
    assert result.findings[0].message.startswith("6 events are withheld")  # five of Ada's, and that Bea cares for her
    assert as_analyst(warehouse, "select count(*) from release.request") == [(0,)]
    assert as_analyst(warehouse, "select count(*) from release.caring") == [(0,)]
    assert as_analyst(warehouse, "select count(*) from release.contact") == [(1,)]
    assert as_analyst(warehouse, "select count(*) from release.request", release=1) == [(1,)]


def land(warehouse: SmallWarehouse, *, read: int | None, verdict: str | None) -> None:
    delivery = warehouse.one("select max(delivery_id) from ledger.delivery")
    file = warehouse.one(
        "insert into ledger.file (delivery_id, name, size_bytes, sha256, records, raw_path) "
        "values (%s, 'SRPatient.csv', 1, 'abc', 10, '') returning file_id",
        delivery,
    )
    table = warehouse.one(
        "insert into ledger.landed_table (delivery_id, file_id, dataset, mode, parquet_path, records, state) "
        "values (%s, %s, 'systmone__patient', 'bulk', '', 10, 'checked') returning landed_id",
        delivery,
        file,
    )
    if read is not None:
        warehouse.connection.execute(
            "insert into ledger.row_account (file_id, dataset, read, inserted) "
            "values (%s, 'systmone__patient', %s, %s)",
            (file, read, read),
        )
    if verdict:
        warehouse.connection.execute(
            "insert into ledger.verdict (landed_id, verdict) values (%s, %s)", (table, verdict)
        )


@pytest.mark.parametrize(
    ("read", "verdict", "code"),
    [(9, "accepted", "ROW_ACCOUNTING"), (None, "accepted", "ROW_ACCOUNTING"), (10, None, "VERDICTS")],
)
def test_a_table_without_balanced_account_or_verdict_holds_the_release(
    warehouse: SmallWarehouse, read: int | None, verdict: str | None, code: str
) -> None:
    land(warehouse, read=read, verdict=verdict)
    result = warehouse.build()
    assert (result.state, [finding.code for finding in result.findings]) == (RunState.HELD, [code])
    assert warehouse.one("select count(*) from ledger.release") == 0


def test_a_balanced_account_is_recorded_with_the_release(warehouse: SmallWarehouse) -> None:
    land(warehouse, read=10, verdict="warned")
    assert warehouse.build().is_done
    gates = warehouse.one("select gates -> 'gates' from ledger.release")
    assert gates["ROW_ACCOUNTING"] == {
        "tables": 1,
        "rows_read": 10,
        "rows_accounted_for": 10,
        "tables_out_of_balance": 0,
        "files_out_of_balance": 0,
    }


def test_before_anything_is_linked_the_build_waits(database: Profile, admin_url: str) -> None:
    with SmallWarehouse(database, admin_url) as empty:
        result = empty.build()
        assert (result.state, result.findings[0].code) == (RunState.HELD, "NOTHING_LINKED")
        assert as_analyst(empty, "select count(*) from release.person") == [(0,)]


@pytest.mark.parametrize("wish", ["7", "one", "-1"])
def test_pinning_a_release_that_never_was_is_refused_not_shown_as_empty(warehouse: SmallWarehouse, wish: str) -> None:
    warehouse.build()
    with Store(warehouse.profile).connect("analyst") as connection, pytest.raises(DBAPIError, match="never published"):
        connection.exec_driver_sql(f"set local onestory.release = '{wish}'")
        connection.exec_driver_sql("select count(*) from release.person")


def test_the_returns_officer_sees_who_people_were_as_at_the_release(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    warehouse.night(NIGHT_1)
    warehouse.person("person-ada", postcode="AA1 1AA")
    warehouse.build()
    warehouse.night(NIGHT_2)
    warehouse.person("person-ada", postcode="BB2 2BB")  # linked, not yet released
    store = Store(warehouse.profile)
    for release, postcode in ((1, "ZZ99 3VZ"), (2, "AA1 1AA"), (None, "AA1 1AA")):
        with store.snapshot("returns_officer", "statutory_return", release) as connection:
            told = connection.exec_driver_sql(
                "select postcode from returns.person where person_id = 'person-ada'"
            ).all()
            assert [row[0] for row in told] == [postcode]
            assert connection.exec_driver_sql("select event_reference from returns.request").scalar_one() == "request-1"


def test_every_row_leads_back_to_the_line_of_the_file_it_came_from(warehouse: SmallWarehouse) -> None:
    land(warehouse, read=10, verdict="accepted")
    file = warehouse.one("select file_id from ledger.file")
    version = warehouse.one(
        "insert into landing.systmone__patient (row_key, is_removed, landed_file_id, landed_line, row_digest, "
        "known_from) values ('k', false, %s, 4, '', %s) returning version_id",
        file,
        NIGHT_0,
    )
    warehouse.event("referral", "systmone:S1", "referral-1", landed_version_id=version)
    warehouse.build()
    store = Store(warehouse.profile)
    number = str(as_analyst(warehouse, "select event_id from release.referral")[0][0])
    (line,) = lines_of(store, "referral", number)
    assert (line.source, line.file_name, line.sha256, line.line) == ("systmone", "SRPatient.csv", "abc", 4)
    assert len(lines_of(store, "person", "person-ada")) == 1  # the other record's landing row is not in this test
    with pytest.raises(UnknownRow):
        lines_of(store, "referral", "0")


def test_f80_a_running_query_finishes_on_its_release(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    warehouse.night(NIGHT_1)
    warehouse.event("request", "liquidlogic:L2", "request-2")
    query = """declare reader cursor for
               select p.person_id, (select count(*) from release.request r where r.person_id = p.person_id),
                      (select release from release.about where p.person_id is not null)
                 from release.person p order by p.person_id"""
    with Store(warehouse.profile).connect("analyst") as connection:
        connection.exec_driver_sql(query)
        first = connection.exec_driver_sql("fetch 1 from reader").one()
        assert warehouse.build().facts["release"] == "2"  # while the reader is half way through
        second = connection.exec_driver_sql("fetch 1 from reader").one()
        afresh = connection.exec_driver_sql("select count(*) from release.request").scalar_one()
    assert [tuple(first), tuple(second), afresh] == [("person-ada", 1, 1), ("person-bea", 0, 1), 2]


def test_f80_a_report_of_several_statements_pins_its_release(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    with Store(warehouse.profile).connect("analyst") as connection:
        connection.exec_driver_sql("set local onestory.release = '1'")
        before = connection.exec_driver_sql("select count(*) from release.request").scalar_one()
        warehouse.night(NIGHT_1)
        warehouse.event("request", "liquidlogic:L2", "request-2")
        warehouse.build()
        after = connection.exec_driver_sql("select count(*) from release.request").scalar_one()
    assert (before, after) == (1, 1)
