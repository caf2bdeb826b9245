"""A delivery that does not come, or comes and cannot be taken, is told with whom to call once its grace is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from connectors import conform, stage
from connectors.alarms import alarm_of
from connectors.base import Past
from connectors.permission import write_synthetic_flows
from domain.periods import london
from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from governance.flows import FlowError, load_flow
from governance.timetable import overdue
from onestory.cli import app
from tests.support.carefirst_world import Desk, person, record, world
from tests.support.survival import Survival, canonical_dump

OWNER = "head.of.performance@council.example"
FIRST_DAY = "2026-03-26T08:00:00+00:00"
IN_GRACE, AFTER_GRACE = "2026-03-27T20:00:00+00:00", "2026-03-28T12:00:00+00:00"


@pytest.fixture
def council(database: Profile, tmp_path: Path) -> Profile:
    """A council whose CareFirst flow is due daily with a grace of a day, and a desk with two nights."""
    with_register(tmp_path)
    return replace(database, flows=tmp_path / "flows")


def with_register(home: Path) -> None:
    write_synthetic_flows(home / "flows", {"carefirst": {"connector": "carefirst"}})
    page = home / "flows" / "carefirst.yml"
    raw = {**yaml.safe_load(page.read_text()), "timetable": {"every_hours": 24, "grace_hours": 24}}
    page.write_text(yaml.safe_dump(raw))


def desk_at(home: Path) -> Desk:
    desk = Desk(home)
    desk.write(world([person(1), person(2)], [record(1), record(2)], nights=1))
    desk.release(0)
    return desk


def land(council: Profile, moment: str) -> RunResult:
    return stage.run(RunContext(council, "run-1", "test", source="carefirst", settings={"now": moment}))


def load(council: Profile) -> None:
    for step in (check, conform):
        assert step.run(RunContext(council, "run-1", "test", source="carefirst")).is_done


def test_f01_after_the_grace_of_its_flow_an_empty_file_has_an_alarm_that_names_the_owner(
    council: Profile, tmp_path: Path, new_council: Callable[[Path], Profile], tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk, survival = desk_at(tmp_path), Survival(council, ("Edith", "EDITH", "Marlow", "MARLOW"))
    assert land(council, FIRST_DAY).is_done
    load(council)
    desk.release(1)
    right = desk.file("PERSON", 1).read_bytes()
    desk.file("PERSON", 1).write_bytes(b"")
    refused = land(council, IN_GRACE)
    survival.ended(refused, RunState.REFUSED, "EMPTY_FILE")
    assert "OVERDUE" not in {f.code for f in refused.findings}, "within its grace nobody is called"

    late = land(council, AFTER_GRACE)
    survival.ended(late, late.state, "OVERDUE")
    (alarm,) = [f for f in late.findings if f.code == "OVERDUE"]
    assert OWNER in alarm.remedy and "due by 2026-03-27" in alarm.message

    desk.file("PERSON", 1).write_bytes(right)
    taken = land(council, AFTER_GRACE)
    assert (taken.state, taken.counts["deliveries"]) == (RunState.DONE, 1)
    assert "OVERDUE" not in {f.code for f in taken.findings}, "the alarm ends with the delivery"
    load(council)
    survival.stands()
    straight = new_council(tmp_path_factory.mktemp("straight"))
    other = desk_at(straight.home)
    for night in (1, None):
        assert land(straight, FIRST_DAY).is_done
        load(straight)
        if night:
            other.release(night)
    assert canonical_dump(council, "carefirst") == canonical_dump(straight, "carefirst")


def test_f03_a_delivery_that_never_comes_is_told_and_the_other_sources_do_not_wait_for_it(
    council: Profile, tmp_path: Path
) -> None:
    desk_at(tmp_path)
    assert land(council, FIRST_DAY).is_done
    nothing = land(council, AFTER_GRACE)
    assert nothing.state is RunState.DONE, "late, but nothing of ours failed: who is linked does not wait"
    assert [f.code for f in nothing.findings] == ["OVERDUE", "NOTHING_NEW"]
    assert nothing.counts["overdue"] == 1, "the asset event of the run says so, too"
    page = tmp_path / "council.yml"
    page.write_text(
        f"""name: Test council
la_code: "990"
synthetic: true
warehouse_url: {council.warehouse_url}
flows: {council.flows}
reporting_period: {{start: 2025-04-01, end: 2026-03-31}}
sources:
  carefirst: {{connector: carefirst, inbox: {tmp_path / "inbox" / "carefirst"}}}
"""
    )
    status = ["status", "--profile", str(page), "--at"]
    late = CliRunner().invoke(app, [*status, AFTER_GRACE])
    assert late.exit_code == 3 and "OVERDUE" in late.output and OWNER in late.output
    early = CliRunner().invoke(app, [*status, "2026-03-26T12:00:00+00:00"])
    assert early.exit_code == 0 and "in time" in early.output


def test_the_alarm_comes_after_the_grace_to_the_minute_also_over_a_change_of_the_clocks(tmp_path: Path) -> None:
    with_register(tmp_path)
    flow = load_flow(tmp_path / "flows" / "carefirst.yml")
    last = london(datetime(2026, 3, 28, 2, 0))  # the clocks go forward on the 29th
    end = last + timedelta(hours=48)
    assert overdue(flow, last, end) is None
    assert overdue(flow, last, end + timedelta(minutes=1)) is not None
    first_day = london(datetime.combine(flow.agreement.start, datetime.min.time()))
    assert overdue(flow, None, first_day + timedelta(hours=48)) is None
    never = overdue(flow, None, first_day + timedelta(hours=49))
    assert never is not None and "none has ever been taken" in never.message


def test_a_timetable_that_cannot_be_read_is_named_and_without_one_nobody_is_called(tmp_path: Path) -> None:
    with_register(tmp_path)
    page = tmp_path / "flows" / "carefirst.yml"
    raw = yaml.safe_load(page.read_text())
    for wrong in ({"every_hours": 24}, {"every_hours": 0, "grace_hours": 3}, "daily", {"every_hours": True}):
        page.write_text(yaml.safe_dump({**raw, "timetable": wrong}))
        with pytest.raises(FlowError, match="timetable has every_hours and grace_hours"):
            load_flow(page)
    del raw["timetable"]
    page.write_text(yaml.safe_dump(raw))
    assert overdue(load_flow(page), None, london(datetime(2098, 1, 1))) is None


def test_an_archive_that_rightly_fell_silent_is_never_overdue(database: Profile, tmp_path: Path) -> None:
    write_synthetic_flows(tmp_path / "flows", {"micare": {"connector": "micare"}})
    page = tmp_path / "flows" / "micare.yml"
    page.write_text(
        yaml.safe_dump(
            {**yaml.safe_load(page.read_text()), "timetable": {"every_hours": 24, "grace_hours": 1}}, sort_keys=False
        )
    )
    council = replace(database, flows=tmp_path / "flows")
    options = {"inbox": str(tmp_path / "inbox"), "archive_from": "2026-04-01"}
    last, long_after = Past(london(datetime(2026, 3, 31, 23, 0))), london(datetime(2026, 9, 1))
    assert alarm_of(council, SourceSettings("micare", "micare", options), last, long_after) is None
    still_live = {"inbox": options["inbox"]}
    assert alarm_of(council, SourceSettings("micare", "micare", still_live), last, long_after) is not None
