"""Faults of databases as sources: logins that fail, connections that break, volumes nobody expects, nights half filled.

Each meets the points of governance section 6 as far as taking in goes (tests/support/survival.py). The case system's
mart stands for all: ContrOCC is read by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors import stage
from connectors.database import Access, DatabaseSession, open_database
from connectors.synthetic.reporting_database import night_rows
from connectors.synthetic.world import FileFault, FileFaultKind
from domain.profile import Profile, ProfileError
from domain.run import RunContext, RunResult, RunState
from tests.support.liquidlogic_world import Desk, event, person, record, world
from tests.support.survival import Survival, canonical_dump

pytestmark = pytest.mark.xdist_group("databases")

CANARY = "Zzcanary"
PEOPLE = 60


class Mart(Desk):
    """A mart whose nights are carried through every stage, with options of the test's own."""

    def __init__(self, profile: Profile, home: Path, **options: str) -> None:
        super().__init__(profile, home)
        self.options(owner="the desk of the mart", retry_pause="0", **options)

    def options(self, **options: str) -> None:
        source = self.profile.source("liquidlogic")
        changed = replace(source, options={**source.options, **options})
        self.profile = replace(self.profile, sources=(changed,))

    def night(self, number: int | None = None) -> RunResult:
        """Rebuild, land and check; the result of landing."""
        from connectors import conform
        from expectations import stage as check

        if number is not None:
            self.rebuild(number)
        context = RunContext(self.profile, "night", "test", source="liquidlogic")
        landed = stage.run(context)
        check.run(context)
        conform.run(context)
        return landed

    def dump(self) -> dict[str, list[str]]:
        return canonical_dump(self.profile, "liquidlogic")


@pytest.fixture(scope="module")
def supply(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights of sixty people with a request and a service each, without faults."""
    home = tmp_path_factory.mktemp("mart")
    numbers = range(1, PEOPLE + 1)
    events = [event(n, "request", of=n) for n in numbers] + [event(100 + n, "service", of=n) for n in numbers]
    events += [event(300, "request", of=1, recorded_night=1), event(301, "request", of=2, recorded_night=2)]
    records = [record(n, fields={"forename": CANARY}) for n in numbers]
    from connectors.synthetic import liquidlogic

    liquidlogic.write(world([person(n) for n in numbers], records, events, nights=2), home / "supply")
    return home


@pytest.fixture
def mart(database: Profile, supply: Path) -> Mart:
    return Mart(database, supply)


@pytest.fixture(scope="module")
def straight(
    new_council: Callable[[Path], Profile], supply: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """What two nights without a fault lead to."""
    mart = Mart(new_council(tmp_path_factory.mktemp("straight")), supply)
    assert [mart.night(n).state for n in (0, 1)] == [RunState.DONE, RunState.DONE]
    assert len(mart.dump()["payload.request"]) == PEOPLE + 1
    return mart.dump()


def test_f22_a_login_that_expired_is_tried_a_few_times_and_its_owner_is_named(
    mart: Mart, straight: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("DEBUG")
    mart.night(0)
    mart.rebuild(1)
    survival = Survival(mart.profile, (CANARY,))
    attempts: list[float] = []
    monkeypatch.setattr("connectors.database.time.sleep", attempts.append)
    mart.options(retry_pause="2")
    mart.tamper("alter role hdm_reader nologin")
    try:
        held = mart.night()
    finally:
        mart.tamper("alter role hdm_reader login")
    survival.ended(held, RunState.HELD, "CREDENTIALS")
    assert "the desk of the mart" in held.findings[0].remedy
    assert attempts == [2.0, 6.0], "few attempts with growing pauses: nobody's account gets locked"
    assert "hdm_reader" not in held.findings[0].message + held.findings[0].remedy + caplog.text
    assert mart.night().state is RunState.DONE
    assert mart.dump() == straight, "nothing was lost"


def test_f23_a_connection_lost_in_mid_transfer_leaves_nothing_and_the_next_run_completes(
    mart: Mart, straight: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mart.night(0)
    mart.rebuild(1)
    survival = Survival(mart.profile, (CANARY,))
    whole, seen = DatabaseSession.batches, list[str]()

    def broken(self: DatabaseSession, statement: sa.Select[Any], schema: Any) -> Iterator[Any]:
        seen.append(schema.metadata[b"table"].decode())
        if len(seen) == 6:
            mart.tamper("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hdm_reader'")
        yield from whole(self, statement, schema)

    before = set((mart.profile.landing / "tables").rglob("*.parquet"))
    monkeypatch.setattr(DatabaseSession, "batches", broken)
    survival.ended(mart.night(), RunState.HELD, "CONNECTION_LOST")
    assert len(seen) == 6, "it broke after five tables had been read"
    assert set((mart.profile.landing / "tables").rglob("*")) - before == {
        path for path in (mart.profile.landing / "tables").rglob("*") if path.is_dir()
    }, "no part of the night is visible"
    monkeypatch.undo()
    assert mart.night().state is RunState.DONE
    assert mart.dump() == straight
    survival.stands()


def test_f55_a_night_far_larger_than_usual_waits_for_a_person(mart: Mart, straight: dict[str, list[str]]) -> None:
    mart.night(0)
    mart.rebuild(1)
    survival = Survival(mart.profile, (CANARY,))
    mart.tamper("""insert into "Adult_Social"."FACT_CASENOTES"
        select g, 100001, now(), 'TEL', now()::timestamp, 'x' from generate_series(1, 900) g""")
    held = mart.night()
    survival.ended(held, RunState.HELD, "GREW")
    assert held.findings[0].message == "FACT_CASENOTES: 961 rows after 60"
    assert mart.night(1).state is RunState.DONE
    assert mart.dump() == straight, "the night as it should have been loads by itself"
    survival.stands()


def test_f55_a_night_far_larger_than_usual_loads_when_a_person_has_accepted_it(mart: Mart) -> None:
    mart.night(0)
    mart.rebuild(1)
    mart.tamper("""insert into "Adult_Social"."FACT_CASENOTES"
        select g, 100001, now(), 'TEL', now()::timestamp, 'x' from generate_series(1, 900) g""")
    mart.options(volume_accepted="2026-03-27T04:17:00")
    assert mart.night().state is RunState.DONE, "a person looked at it and accepted it"
    Survival(mart.profile, (CANARY,)).stands()


def test_acceptance_12_a_snapshot_that_shrinks_by_more_than_the_limit_is_refused(
    mart: Mart, straight: dict[str, list[str]]
) -> None:
    mart.night(0)
    mart.rebuild(1)
    survival = Survival(mart.profile, (CANARY,))
    mart.tamper('delete from "Adult_Social"."DIM_PERSON_ADDRESS" where "DIM_PERSON_ID" > 100040')
    held = mart.night()
    survival.ended(held, RunState.HELD, "SHRANK")
    assert held.findings[0].message == "DIM_PERSON_ADDRESS: 40 rows after 60"
    assert mart.night(1).state is RunState.DONE
    assert mart.dump() == straight


def test_a_first_night_half_filled_is_held_although_it_has_its_stamp(mart: Mart) -> None:
    mart.rebuild(0)
    survival = Survival(mart.profile, (CANARY,))
    mart.tamper('delete from "Adult_Social"."DIM_PERSON" where "DIM_PERSON_ID" > 100030')
    held = mart.night()
    survival.ended(held, RunState.HELD, "MART_BEING_REBUILT")
    assert held.findings[0].message.startswith("the mart looks half filled: 30 of 60 rows of")
    assert mart.night(0).state is RunState.DONE


FAULTS: dict[FileFaultKind, str] = {
    "missing": "NOTHING_NEW", "duplicated": "NOTHING_NEW", "out_of_order": "NOTHING_NEW", "empty": "SHRANK",
    "truncated": "SHRANK", "extra_column": "UNKNOWN_COLUMN", "renamed_column": "COLUMN_RENAMED",
}  # fmt: skip


def test_every_fault_of_a_delivery_is_told_and_the_night_loads_when_it_comes_again(
    database: Profile, tmp_path: Path
) -> None:
    """D91 for databases: each kind on a night of its own; the next rebuild of that night is right."""
    numbers = range(1, 41)
    nights = {1 + 2 * place: kind for place, kind in enumerate(FAULTS)}
    events = [event(n, "request", of=n) for n in numbers] + [event(50 + n, "service", of=n) for n in numbers]
    events += [event(200 + n, "request", of=n, recorded_night=n) for n in range(1, 15)]
    council = world([person(n) for n in numbers], [record(n) for n in numbers], events, nights=14)
    council.file_faults = [FileFault("liquidlogic", night, kind) for night, kind in nights.items()]
    mart = Mart(database, tmp_path)
    mart.write(council)
    logged = [(d.defect_id, d.field, d.night) for d in council.defects if d.system == "liquidlogic"]
    assert [entry for entry in logged if entry[0] == "D91"] == [("D91", kind, n) for n, kind in nights.items()]
    told: dict[str, set[str]] = {}
    for night in range(14):
        mart.rebuild(night)
        result = mart.collect()
        if kind := nights.get(night):
            told[kind] = {finding.code for finding in result.findings}
            if kind not in ("extra_column", "renamed_column"):
                mart.rebuild(night)
                assert mart.collect().counts["deliveries"] == 1, "the same night is right when it comes again"
    assert {kind: code in told[kind] for kind, code in FAULTS.items()} == dict.fromkeys(FAULTS, True), told
    states = mart.rows("select state, count(*) as nights from ledger.delivery group by state order by state")
    assert states == [
        {"state": "held", "nights": 1},
        {"state": "landed", "nights": 13},
        {"state": "repeat", "nights": 2},
    ]
    assert len(night_rows(mart.supply, "liquidlogic", 14, "FACT_CONTACTS")) == 54


def test_a_missing_driver_and_an_address_that_is_none_are_told_as_settings() -> None:
    for url, said in (("mssql+pyodbc://reader@server/HDM", "sqlserver"), ("oracle+oracledb://r@s/x", "oracle"),
                      ("nonsense", "no address"), ("sybase://x", "not installed")):  # fmt: skip
        with pytest.raises(ProfileError, match=said), open_database(Access("liquidlogic", url, "Adult_Social")):
            pass


def test_a_statement_that_takes_too_long_is_ended_by_the_database(mart: Mart) -> None:
    from connectors.base import DeliveryProblem

    mart.rebuild(0)
    url = mart.profile.source("liquidlogic").options["url"]
    with (
        pytest.raises(DeliveryProblem, match="CONNECTION_LOST"),
        open_database(Access("liquidlogic", url, "Adult_Social", statement_seconds=1)) as session,
    ):
        session.value(sa.select(sa.func.pg_sleep(5)))
