"""The return stage over a real warehouse: the file, its accounts, refusal of what is partial, one pinned release."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from governance.store import Store
from statutory import stage
from statutory.client_level_data import collection, reading
from tests.support.small_warehouse import SmallWarehouse

LAST_DAY = datetime(2026, 3, 31, 2, tzinfo=UTC)
KINDS = ("request", "assessment", "review", "service")


@pytest.fixture
def database(unreleased: Profile) -> Profile:
    """Before the first release: these tests publish it themselves."""
    return unreleased


@pytest.fixture
def warehouse(database: Profile, admin_url: str) -> Iterator[SmallWarehouse]:
    """Ada with three events of each kind in every month, Bea who cares for her; all sources known to the last day."""
    with SmallWarehouse(database, admin_url) as small:
        with small.connection.transaction():
            deliver(small, LAST_DAY)
            small.person("person-ada", "liquidlogic:L1", "systmone:S1")
            small.person("person-bea", "liquidlogic:L2", nhs_number="9990000026", sex="1", birth_date="1961-02-03")
            for month in range(12):
                add_events(small, month, date(2025 + (month + 3) // 12, (month + 3) % 12 + 1, 10))
            small.event("caring", "liquidlogic:L2", "caring:1", cared_for="liquidlogic:L1")
            open_request = {"client_type": "Service user", "status": "open", "end_date": None}
            small.event("request", "liquidlogic:L1", "request:open", **open_request)
        yield small


def add_events(warehouse: SmallWarehouse, month: int, day: date) -> None:
    told = {
        "client_type": "Service user",
        "status": "completed",
        "end_date": str(day),
        "primary_support_reason": "Mental health support",
        "outcomes": ["Continuation of support or services"],
    }
    own = {
        "request": {"route_of_access": "Prison"},
        "assessment": {"assessment_type": "Short term assessment", "method": "Service user only"},
        "review": {"review_reason": "Planned", "outcomes_achieved": "Not met", "method": "Service user only"},
        "service": {
            "service_type": "Short term support: ST-Max",
            "service_component": "Reablement",
            "delivery_mechanism": "CASSR commissioned support",
        },
    }
    for kind in KINDS:
        for number in range(3):
            started = str(day - timedelta(days=number + 1))
            key = f"{kind}:{month}-{number}"
            warehouse.event(kind, "liquidlogic:L1", key, **told, **own[kind], start_date=started)


def deliver(warehouse: SmallWarehouse, moment: datetime, *sources: str, state: str = "conformed") -> None:
    """Deliveries of `sources` (all but SystmOne, which comes with the night) known up to `moment`."""
    if state == "conformed":
        warehouse.night(moment)
    for source in sources or ("liquidlogic", "carefirst"):
        warehouse.connection.execute(
            """insert into ledger.delivery (source, name, content_hash, mode, as_known_at, state)
               values (%s, %s, %s, 'full', %s, %s)""",
            (source, f"{source} {moment}", f"{source} {moment} {state}", moment, state),
        )


def prepare(warehouse: SmallWarehouse, **settings: str) -> RunResult:
    return stage.run(RunContext(warehouse.profile, "a run", "an officer", settings=settings))


def sent(result: RunResult) -> list[dict[str, str]]:
    with Path(result.facts["path"]).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_a_complete_release_becomes_a_submission_with_its_accounts(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    result = prepare(warehouse)
    assert result.state is RunState.DONE, result.findings
    assert result.counts["rows"] == 145
    assert {name: result.counts[f"rows_{name}"] for name in KINDS} == dict.fromkeys(KINDS, 36)
    assert result.counts["rows_carer_by_association"] == 1
    assert result.counts["left_out_request_still_open"] == 1
    assert result.counts["errors"] == 0
    path = Path(result.facts["path"])
    assert path.name == "990_CLD_2025-04-01_2026-03-31.csv"
    assert path.is_relative_to(warehouse.profile.returns)
    rows = sent(result)
    assert rows[0]["Event Reference"] == "liquidlogic:request:0-0"
    assert rows[0]["NHS Number"] == "9990000018"
    assert rows[-1]["Client Type"] == "Unpaid carer known by association"
    assert rows[-1]["Adult 1 Linked Person_ID"] == "person-ada"
    for name in ("validation_path", "failures_path", "selection_path", "summary_path", "account_path"):
        assert Path(result.facts[name]).stat().st_size > 0
    entry = warehouse.connection.execute(
        "select collection, release, rows, errors, status, file_sha256, facts ->> 'path' from ledger.prepared_return"
    ).fetchall()
    assert entry == [("client_level_data", 1, 145, 0, "submission", result.facts["sha256"], str(path))]


def test_preparing_again_gives_the_same_bytes_and_no_second_entry(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    before = {p.name: p.read_bytes() for p in Path(prepare(warehouse).facts["path"]).parent.iterdir()}
    after = {p.name: p.read_bytes() for p in Path(prepare(warehouse).facts["path"]).parent.iterdir()}
    assert before == after
    assert warehouse.one("select count(*) from ledger.prepared_return") == 1


def test_no_personal_value_reaches_the_ledger_or_the_accounts(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    result = prepare(warehouse)
    told = str(warehouse.connection.execute("select * from ledger.run").fetchall()) + str(result)
    for path in Path(result.facts["path"]).parent.iterdir():
        if str(path) != result.facts["path"]:
            told += path.read_text(encoding="utf-8")
    for secret in ("9990000018", "Zzyxcanary", "1950-05-17", "17/05/1950", "ZZ99 3VZ"):
        assert secret not in told


def test_nothing_published_is_held(database: Profile) -> None:
    result = stage.run(RunContext(database, "a run", "an officer"))
    assert result.state is RunState.HELD
    assert [finding.code for finding in result.findings] == ["NOTHING_PUBLISHED"]


@pytest.mark.parametrize("late", ["liquidlogic", "carefirst"])
def test_a_source_that_stops_before_the_period_ends_makes_the_file_partial(
    database: Profile, admin_url: str, late: str
) -> None:
    with SmallWarehouse(database, admin_url) as small:
        small.night(LAST_DAY)
        for source in ("liquidlogic", "carefirst"):
            deliver(small, LAST_DAY - timedelta(days=3 if source == late else 0), source)
        small.person("person-ada", "liquidlogic:L1")
        add_events(small, 1, date(2025, 5, 10))
        small.build()
        result = prepare(small)
        assert result.state is RunState.HELD
        assert result.facts["status"] == "partial"
        assert result.facts["path"].endswith("_PARTIAL.csv")
        assert [finding.code for finding in result.findings][:1] == ["SOURCE_MISSING"]
        assert late in result.findings[0].message
        assert result.findings[0].remedy
        deliver(small, LAST_DAY - timedelta(days=1), late, state="held")
        assert prepare(small).findings[0].code == "SOURCE_HELD"
        assert small.one("select string_agg(status, ',') from ledger.prepared_return") == "partial"


def test_a_month_without_events_is_refused_as_partial(warehouse: SmallWarehouse) -> None:
    for kind in KINDS:
        for number in range(3):
            warehouse.end(f"payload.{kind}", source="liquidlogic", event_key=f"{kind}:5-{number}")
    warehouse.build()
    result = prepare(warehouse)
    assert result.state is RunState.REFUSED
    assert result.facts["path"].endswith("_PARTIAL.csv")
    assert "2025-09" in next(f.message for f in result.findings if f.code == "PERIOD_NOT_COVERED")


def test_there_is_no_setting_that_calls_a_partial_file_a_submission(warehouse: SmallWarehouse) -> None:
    for number in range(3):
        for kind in KINDS:
            warehouse.end(f"payload.{kind}", source="liquidlogic", event_key=f"{kind}:0-{number}")
    warehouse.build()
    anything = {"force": "yes", "override": "yes", "status": "submission", "allow_partial": "true"}
    assert prepare(warehouse, **anything).facts["status"] == "partial"


def test_a_service_missing_since_the_last_submission_is_named(warehouse: SmallWarehouse) -> None:
    still_open = {"client_type": "Service user", "status": "open", "service_type": "Long term support: Community"}
    warehouse.event("service", "liquidlogic:L1", "service:lost", **still_open)
    warehouse.build()
    assert prepare(warehouse).facts["status"] == "submission"
    warehouse.moment = LAST_DAY + timedelta(hours=20)
    deliver(warehouse, warehouse.moment)
    warehouse.end("payload.service", source="liquidlogic", event_key="service:lost")
    assert warehouse.build().facts["release"] == "2"
    result = prepare(warehouse)
    assert result.facts["release"] == "2"
    assert next(f.message for f in result.findings if f.code == "V18").startswith("warning, 1 rows")
    failures = Path(result.facts["failures_path"]).read_text(encoding="utf-8")
    assert "V18,V18,warning,liquidlogic:service:lost" in failures


def test_an_older_release_can_be_prepared_again_unchanged(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    first = prepare(warehouse)
    warehouse.moment = LAST_DAY + timedelta(hours=20)
    deliver(warehouse, warehouse.moment)
    warehouse.event("request", "liquidlogic:L1", "request:new", client_type="Service user")
    warehouse.build()
    assert prepare(warehouse).counts["rows"] == 146
    again = prepare(warehouse, release="1")
    assert (again.facts["sha256"], again.facts["path"]) == (first.facts["sha256"], first.facts["path"])


def test_f80_a_release_published_while_the_return_reads_changes_nothing(
    warehouse: SmallWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.build()
    quiet = prepare(warehouse)
    original, flipped = reading._frame, threading.Event()

    def read_and_publish_meanwhile(connection: object, name: str) -> object:
        if name == "assessment" and not flipped.is_set():  # after the requests, before all else
            flipped.set()
            warehouse.moment = LAST_DAY + timedelta(hours=20)
            deliver(warehouse, warehouse.moment)
            for kind in KINDS:
                warehouse.end(f"payload.{kind}", source="liquidlogic", event_key=f"{kind}:3-1")
            assert warehouse.build().facts["release"] == "2"
        return original(connection, name)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "_frame", read_and_publish_meanwhile)
    disturbed = prepare(warehouse)
    assert flipped.is_set()
    assert disturbed.facts["release"] == "1"
    assert disturbed.facts["sha256"] == quiet.facts["sha256"]


def test_f73_killed_before_its_entry_the_stage_runs_again_to_the_same_end(
    warehouse: SmallWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.build()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(stage, "_enter", die)
        with pytest.raises(KeyboardInterrupt):
            prepare(warehouse)
    assert warehouse.one("select count(*) from ledger.prepared_return") == 0
    result = prepare(warehouse)
    assert result.state is RunState.DONE
    assert not list(Path(result.facts["path"]).parent.glob(".*"))
    assert warehouse.one("select count(*) from ledger.prepared_return") == 1


def test_the_returns_officer_alone_is_enough(warehouse: SmallWarehouse) -> None:
    warehouse.build()
    with Store(warehouse.profile).snapshot("returns_officer", "statutory_return") as connection:
        release = stage.pinned_release(connection)
        assert release is not None
        prepared = collection.ClientLevelData().prepare(connection, release, warehouse.profile)
    assert prepared.rows == 145
