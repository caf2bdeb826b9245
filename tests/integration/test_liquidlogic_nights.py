"""Nights of the Liquidlogic mart through the real stages: landing, checks, quarantine and conforming."""

from __future__ import annotations

from pathlib import Path

from connectors import conform, stage
from domain.profile import Profile
from domain.run import RunContext, RunState
from expectations import stage as check
from tests.support.liquidlogic_world import Desk, event, person, record, world

REQUESTS = "select event_key from payload.request where known_to is null order by event_key"
BALANCE = """select count(*) as off from ledger.row_account
    where read <> inserted + updated + unchanged + duplicate + superseded + quarantined + excluded_by_policy"""


def run_night(desk: Desk, night: int) -> None:
    desk.rebuild(night)
    for door in (stage.run, check.run, conform.run):
        result = door(RunContext(desk.profile, f"night-{night}", "test", source="liquidlogic"))
        assert result.state is RunState.DONE, result.findings


def test_f50_facts_before_their_person_wait_in_quarantine_until_the_person_comes(
    database: Profile, tmp_path: Path
) -> None:
    desk = Desk(database, tmp_path)
    new = record(2, versions={1: record(2).versions[0]})
    events = [event(1, "request"), event(2, "request", of=2, recorded_night=1)]
    events += [event(3, "service", deleted_night=2), event(4, "service")]
    desk.write(world([person(1), person(2)], [record(1), new], events, quality=0.01))  # the new person is a night late
    run_night(desk, 0)
    run_night(desk, 1)
    assert desk.rows(REQUESTS) == [{"event_key": "request:10000001"}]
    held = desk.rows("select dataset, rule from quarantine.held_row where state = 'held' order by dataset")
    assert {"dataset": "liquidlogic__request", "rule": "REF-001"} in held
    run_night(desk, 2)
    assert desk.rows(REQUESTS) == [{"event_key": "request:10000001"}, {"event_key": "request:10000002"}]
    assert desk.rows("select 1 from quarantine.held_row where state = 'held'") == []
    run_night(desk, 3)
    services = desk.rows("select event_key from payload.service where known_to is null")
    assert services == [{"event_key": "service:610000004"}], "Sunday's keys ended the other one (F51)"
    assert desk.rows(BALANCE) == [{"off": 0}]
