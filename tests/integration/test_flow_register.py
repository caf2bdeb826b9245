"""Landing asks the register first: without an agreement in force nothing of a source is looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from connectors import stage
from connectors.permission import write_synthetic_flows
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from governance.flows import licence, load_flow
from governance.store import Store
from tests.support.carefirst_world import Desk, rows, world


@pytest.fixture
def council(database: Profile, tmp_path: Path) -> Profile:
    """A council with a register, and a dump that waits at CareFirst's door."""
    write_synthetic_flows(tmp_path / "flows", {"carefirst": {"connector": "carefirst"}})
    desk = Desk(tmp_path)
    desk.write(world(nights=0))
    desk.release(0)
    return replace(database, flows=tmp_path / "flows")


def change(council: Profile, part: str, **fields: object) -> None:
    page = council.flows / "carefirst.yml"  # type: ignore[operator]
    raw = yaml.safe_load(page.read_text())
    (raw[part] if part else raw).update(fields)
    page.write_text(yaml.safe_dump(raw))


def land(council: Profile, now: str = "2026-03-27T12:00:00+00:00") -> RunResult:
    return stage.run(RunContext(council, "run-1", "test", source="carefirst", settings={"now": now}))


def nothing_was_read(council: Profile) -> bool:
    return not rows(council, "select * from ledger.delivery") and not (council.landing / "raw").exists()


def test_law_1_a_source_without_a_flow_is_refused_before_anything_is_read(council: Profile) -> None:
    (council.flows / "carefirst.yml").unlink()  # type: ignore[operator]
    refused = land(council)
    assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "FLOW_REGISTER")
    assert nothing_was_read(council)


def test_law_1_a_table_the_flow_does_not_name_stops_the_run(council: Profile) -> None:
    raw = yaml.safe_load((council.flows / "carefirst.yml").read_text())  # type: ignore[operator]
    change(council, "", columns={t: f for t, f in raw["columns"].items() if t != "CF_OBSERVATION"})
    refused = land(council)
    assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "TABLE_NOT_IN_FLOW")
    assert "CF_OBSERVATION" in refused.findings[0].message and nothing_was_read(council)


def test_law_2_a_column_the_flow_does_not_name_is_not_taken(council: Profile) -> None:
    raw = yaml.safe_load((council.flows / "carefirst.yml").read_text())  # type: ignore[operator]
    person = [field for field in raw["columns"]["CF_PERSON"] if field not in ("national_insurance_number", "known_as")]
    change(council, "", columns={**raw["columns"], "CF_PERSON": person})
    assert land(council).state is RunState.DONE
    (landed,) = (council.landing / "tables").rglob("carefirst__person.parquet")
    told = pq.read_table(landed).to_pylist()
    assert [(row["national_insurance_number"], row["known_as"]) for row in told] == [(None, None)]
    assert told[0]["surname"] == "MARLOW"


def test_law_2_a_flow_that_leaves_out_who_a_row_is_about_is_refused(council: Profile) -> None:
    raw = yaml.safe_load((council.flows / "carefirst.yml").read_text())  # type: ignore[operator]
    person = [field for field in raw["columns"]["CF_PERSON"] if field != "date_of_birth"]
    change(council, "", columns={**raw["columns"], "CF_PERSON": person})
    refused = land(council)
    assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "COLUMN_NOT_IN_FLOW")
    assert "CF_PERSON.date_of_birth" in refused.findings[0].message and nothing_was_read(council)


def test_law_3_agreements_out_of_force_refuse_and_a_mended_one_lets_the_dump_in(council: Profile) -> None:
    for fields in ({"state": "suspended"}, {"state": "active", "start": date(2026, 3, 28)}):
        change(council, "agreement", **fields)
        refused = land(council)
        assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "NO_AGREEMENT")
        assert "head.of.performance@council.example" in refused.findings[0].remedy
        assert nothing_was_read(council)
    ledger = rows(council, "select state from ledger.run where stage = 'land'")
    assert ledger == [{"state": "refused"}] * 2, "the refusal itself is on record"
    assert land(council, now="2026-03-28T12:00:00+00:00").state is RunState.DONE
    assert rows(council, "select state from ledger.delivery") == [{"state": "landed"}]


def test_chi_1_children_need_a_flow_that_names_them_and_its_basis(council: Profile) -> None:
    keeping = replace(
        council.source("carefirst"), options={**council.source("carefirst").options, "children": "Care Act 2014 s.58"}
    )
    council = replace(council, sources=(keeping,))
    refused = land(council)
    assert refused.findings[0].code == "CHILDREN_WITHOUT_BASIS" and nothing_was_read(council)
    write_synthetic_flows(council.flows, {"carefirst": {"connector": "carefirst", "children": "Care Act 2014 s.58"}})  # type: ignore[arg-type]
    assert land(council).state is RunState.DONE


def test_law_8_outside_the_licences_hours_and_with_every_connection_in_use_the_source_is_not_asked(
    council: Profile,
) -> None:
    change(council, "source", hours="20:00-05:00")
    held = land(council)
    assert (held.state, held.findings[0].code) == (RunState.HELD, "OUTSIDE_HOURS") and nothing_was_read(council)
    night = "2026-03-27T23:00:00+00:00"
    with licence(Store(council), load_flow(council.flows / "carefirst.yml")) as in_use:  # type: ignore[operator]
        assert in_use is None
        held = land(council, now=night)
        assert (held.state, held.findings[0].code) == (RunState.HELD, "LICENCE_IN_USE") and nothing_was_read(council)
    assert land(council, now=night).state is RunState.DONE, "the connection was given back"
