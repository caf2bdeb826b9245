"""The register of flows: complete pages only, agreements in force, licence hours, dated controllers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.permission import write_synthetic_flows
from connectors.registry import SUPPLIERS
from connectors.spec import table_specs
from governance import flows

REQUIRED = flows._REQUIRED


@pytest.fixture
def page(tmp_path: Path) -> Path:
    write_synthetic_flows(tmp_path, {"carefirst": {"connector": "carefirst"}})
    return tmp_path / "carefirst.yml"


def change(page: Path, field: str, value: Any) -> None:
    raw = yaml.safe_load(page.read_text())
    *way, last = field.split(".")
    place = raw
    for part in way:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    page.write_text(yaml.safe_dump(raw))


def test_law_2_the_page_written_for_a_synthetic_council_is_complete(page: Path) -> None:
    flow = flows.load_flow(page)
    assert (flow.system, flow.connection_limit, flow.purpose_class) == ("carefirst", 1, "direct_care")
    assert set(flow.columns) == set(table_specs("carefirst"))
    assert flow.columns["CF_TEAM"] == table_specs("carefirst")["CF_TEAM"].fields


def test_law_2_every_supplier_has_a_valid_example(tmp_path: Path) -> None:
    write_synthetic_flows(tmp_path, {name: {"connector": name} for name in SUPPLIERS})
    assert set(flows.load_flows(tmp_path)) == set(SUPPLIERS)


@pytest.mark.parametrize("field", REQUIRED)
def test_law_2_a_page_that_lacks_a_field_is_refused_with_the_field_named(page: Path, field: str) -> None:
    change(page, field, None)
    with pytest.raises(flows.FlowError, match=rf"carefirst\.yml.*\b{field}\b.*missing"):
        flows.load_flow(page)


@pytest.mark.parametrize(
    ("field", "value"),
    [("purpose_class", "curiosity"), ("agreement.state", "agreed"), ("agreement.end", "soon"), ("owner", ""),
     ("source.hours", "at night"), ("source.connection_limit", 0), ("optout", "some")],
)  # fmt: skip
def test_law_2_a_field_outside_its_vocabulary_is_refused_and_named(page: Path, field: str, value: object) -> None:
    change(page, field, value)
    with pytest.raises(flows.FlowError, match=field.replace(".", r"\.")):
        flows.load_flow(page)


def test_law_2_two_pages_of_one_name_are_refused(page: Path) -> None:
    page.with_name("again.yml").write_text(page.read_text())
    with pytest.raises(flows.FlowError, match="repeats carefirst"):
        flows.load_flows(page.parent)


@pytest.mark.parametrize("state", ["draft", "suspended", "expired", "terminated"])
def test_law_3_an_agreement_that_is_not_active_refuses_and_names_the_owner(page: Path, state: str) -> None:
    change(page, "agreement.state", state)
    finding = flows.not_in_force(flows.load_flow(page), date(2026, 4, 1))
    assert finding and state in finding.message and "head.of.performance@council.example" in finding.remedy


@pytest.mark.parametrize(
    ("day", "in_force"),
    [("2026-03-31", False), ("2026-04-01", True), ("2028-03-31", True), ("2028-04-01", False)],
)
def test_law_3_an_agreement_holds_from_its_first_to_its_last_day(page: Path, day: str, in_force: bool) -> None:
    change(page, "agreement.start", date(2026, 4, 1))
    change(page, "agreement.end", date(2028, 3, 31))
    finding = flows.not_in_force(flows.load_flow(page), date.fromisoformat(day))
    assert (finding is None) is in_force


def test_law_7_the_controller_of_a_row_is_the_one_on_the_day_of_its_event(tmp_path: Path) -> None:
    write_synthetic_flows(tmp_path, {"liquidlogic": {"connector": "liquidlogic"}}, date(2026, 7, 1))
    flow = flows.load_flow(tmp_path / "liquidlogic.yml")
    before, on = flows.controller_on(flow, date(2026, 6, 30)), flows.controller_on(flow, date(2026, 7, 1))
    assert before != on
    change(tmp_path / "liquidlogic.yml", "controllers", [{"name": "New body", "from": date(2026, 7, 1)}])
    with pytest.raises(flows.FlowError, match="controllers names nobody for 2026-06-30"):
        flows.controller_on(flows.load_flow(tmp_path / "liquidlogic.yml"), date(2026, 6, 30))


@pytest.mark.parametrize(
    ("hours", "at", "allowed"),
    [
        ("20:00-05:00", "2026-01-10T19:59+00:00", False),
        ("20:00-05:00", "2026-01-10T20:00+00:00", True),
        ("20:00-05:00", "2026-01-11T04:59+00:00", True),
        ("20:00-05:00", "2026-01-11T05:00+00:00", False),
        ("20:00-05:00", "2026-07-10T19:30+00:00", True),  # half past eight in the evening by British summer time
        ("09:00-17:00", "2026-01-10T17:00+00:00", False),
        ("00:00-24:00", "2026-01-10T12:00+00:00", True),
    ],
)
def test_law_8_the_licences_hours_are_london_hours(page: Path, hours: str, at: str, allowed: bool) -> None:
    change(page, "source.hours", hours)
    moment = datetime.fromisoformat(at).astimezone(UTC)
    assert (flows.outside_hours(flows.load_flow(page), moment) is None) is allowed
