"""Quality without truth: what the hidden-number test says of a council is what its truth says, group by group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from domain.profile import Profile
from domain.run import RunContext
from linkage import outcome, promotion, report, report_groups, report_quality
from linkage.clustering import Constraints
from linkage.engine import EdgeFigures, find_edges, form_groups, open_calculation
from linkage.identity import Assignment, assign_people
from linkage.masked import Relinked, relink
from linkage.model import load_model
from linkage.quality import difference, weighted, wilson
from linkage.report_groups import standardised_difference
from review import linkage_report
from tests.support.linkage_world import council, records_after

MOMENT = datetime(2026, 3, 31)


@dataclass
class Linked:
    """A small council after a run over all pairs."""

    calculation: duckdb.DuckDBPyConnection
    truth: dict[str, int]
    people: int
    figures: EdgeFigures
    assignment: Assignment


@pytest.fixture(scope="module")
def linked() -> Linked:
    records, model, calculation = records_after(council(1234, 0.15), 5), load_model(), open_calculation()
    figures = find_edges(calculation, records.sources, model, synthetic=True, before=None)
    grouped = form_groups(calculation, model, Constraints(), None, is_full=True)
    assignment = assign_people(grouped.grouping.groups, grouped.nodes, {}, {}, key=b"k" * 32, next_number=1)
    outcome.write_memberships(calculation, grouped, assignment)
    outcome.write_edges(calculation, grouped, Constraints(), [], model)
    return Linked(
        calculation,
        records.truth,
        len(grouped.grouping.groups),
        figures,
        assignment,
    )


@pytest.fixture(scope="module")
def relinked(linked: Linked) -> Relinked:
    return relink(linked.calculation, load_model(), is_full=True)


@pytest.fixture(scope="module")
def measured(linked: Linked) -> dict[str, Any]:
    return report_quality.measured(linked.calculation, load_model(), MOMENT, "run-1", is_full=True)


def test_a_fifth_of_the_links_by_number_is_hidden_on_the_side_that_has_fewer_numbers(linked: Linked) -> None:
    relink(linked.calculation, load_model(), is_full=True)
    hidden, by_number, in_health = linked.calculation.execute("""
        select (select count(*) from hidden_link),
               (select count(*) from decided_edge e join standard l on l.record_id = left_id
                  join standard r on r.record_id = right_id
                 where rule in ('nhs_verified', 'nhs_cross_checked') and decision = 'link' and l.source <> r.source),
               (select count(*) from hidden_link join standard using (record_id) where source = 'systmone')
        """).fetchall()[0]
    assert hidden > 70
    assert abs(hidden / by_number - 0.2) < 0.08
    assert in_health == 0


def test_the_hidden_links_that_are_found_again_are_true_and_no_stranger_is(linked: Linked, relinked: Relinked) -> None:
    key = dict(linked.calculation.execute("select record_id, record_key from standard").fetchall())
    same = sum(linked.truth[key[r]] == linked.truth[key[p]] for r, p, found, _ in relinked.judged if found)
    here = next(line for line in relinked.lines if line.moved_by == 0)
    assert same == here.found > 0.98 * here.sample
    assert here.wrong == 0


def test_with_the_line_where_it_is_the_sensitivity_table_says_what_the_run_says(
    linked: Linked, relinked: Relinked
) -> None:
    here = next(line for line in relinked.lines if line.moved_by == 0)
    assert here.people == linked.people
    assert [line.line - 8.0 for line in relinked.lines] == [-5, -2, 0, 2, 5]


def test_a_higher_line_finds_less_and_makes_more_people(relinked: Relinked) -> None:
    found, people = [line.found for line in relinked.lines], [line.people for line in relinked.lines]
    assert found == sorted(found, reverse=True)
    assert people == sorted(people)
    assert (found[0], people[0]) != (found[-1], people[-1])


def test_a_model_that_says_nothing_without_numbers_is_found_out(linked: Linked) -> None:
    model = load_model()
    blind = replace(model, bands=replace(model.bands, link=500.0))
    lines = relink(linked.calculation, blind, is_full=True).lines
    assert all(line.found == 0 for line in lines)


def test_what_the_stored_evidence_says_in_a_run_of_changes_is_what_all_pairs_say(
    linked: Linked, relinked: Relinked
) -> None:
    again = relink(linked.calculation, load_model(), is_full=False)
    assert [line.found for line in again.lines[2:]] == [line.found for line in relinked.lines[2:]]


def test_every_care_record_is_in_one_group_of_each_kind_and_small_groups_are_not_shown(
    linked: Linked, measured: dict[str, Any]
) -> None:
    rows = measured["groups"]["rows"]
    care = linked.calculation.execute("select count(*) from standard where source <> 'systmone'").fetchall()[0][0]
    for dimension in ("sex", "source", "NHS number"):
        shown = sum(row["records"] for row in rows if row["dimension"] == dimension)
        assert care - 10 < shown <= care
    assert min(row["records"] for row in rows) >= report_groups.FEWEST_SHOWN
    names = {row["group"] for row in rows if row["dimension"] == "ethnic group"}
    assert {"not stated", "missing", "White", "Asian"} <= names
    assert {row["group"] for row in rows if row["dimension"] == "NHS number"} == {
        "no number",
        "not verified",
        "verified",
    }


def test_the_estimate_for_people_without_a_number_stands_for_all_of_them(
    linked: Linked, measured: dict[str, Any]
) -> None:
    told = measured["hidden_numbers"]["for_people_without_a_number"]
    without = linked.calculation.execute(
        "select count(*) from standard where nhs_number is null and source <> 'systmone'"
    ).fetchall()[0][0]
    assert told["people_without_a_number"] == without
    assert told["recall"]["low"] < told["recall"]["value"] <= told["recall"]["high"]


def test_calibration_counts_every_pair_once_and_truth_rises_with_the_weight(measured: dict[str, Any]) -> None:
    bands = measured["calibration"]["bands"]
    assert bands[0]["true"]["value"] < 0.05
    assert bands[-1]["true"]["value"] > 0.95
    assert bands[0]["claimed"] < bands[-1]["claimed"]


def test_a_gap_between_groups_stops_a_new_model_until_it_is_explained(tmp_path: Path, measured: dict[str, Any]) -> None:
    rows = [("ethnic group", "White", 900, 600, 400, 399, 0, 399), ("ethnic group", "Asian", 200, 100, 100, 88, 0, 88)]
    lines = report_groups._dimension(rows)
    gaps = [line["gap"] for line in lines if line["gap"]]
    assert [(gap["group"], gap["best"], gap["is_flagged"]) for gap in gaps] == [("Asian", "White", True)]
    told = {"measured": {**measured, "groups": {"gaps_to_explain": gaps}}}
    assert [o.code for o in promotion.obstacles(told)] == ["EQUALITY_GAP"]
    assert "Asian" in promotion.findings(told)[0].message
    path = tmp_path / promotion.EXPLANATIONS
    path.write_text("code,subject,explanation,by,on\nEQUALITY_GAP,ethnic group: Asian,,A. Reviewer,2026-04-01\n")
    assert promotion.obstacles(told, promotion.read_explanations(path)), "an explanation has to say why"
    path.write_text(
        "code,subject,explanation,by,on\nEQUALITY_GAP,ethnic group: Asian,names in another order,A. R.,2026-04-01\n"
    )
    assert promotion.obstacles(told, promotion.read_explanations(path)) == ()


def test_a_small_gap_or_a_small_group_stops_nothing() -> None:
    near = [("sex", "male", 900, 600, 400, 399, 0, 399), ("sex", "female", 900, 600, 400, 395, 0, 395)]
    few = [("sex", "male", 900, 600, 400, 399, 0, 399), ("sex", "not known", 15, 6, 12, 11, 0, 11)]
    assert not any(
        line["gap"]["is_flagged"] for rows in (near, few) for line in report_groups._dimension(rows) if line["gap"]
    )


@pytest.mark.parametrize(("differing", "obstacles"), [(100, 0), (400, 1)])
def test_a_second_opinion_that_disagrees_stops_a_new_model(differing: int, obstacles: int) -> None:
    opinion = {"pairs": 8000, "disagreement": wilson(differing, 8000).as_dict()}
    assert len(promotion.obstacles({"measured": {"second_opinion": opinion}})) == obstacles


def test_shares_differences_and_weights_are_those_of_the_books() -> None:
    gap = difference(56, 70, 48, 80)  # Newcombe 1998, table II, method 10: 0.0524 to 0.3339
    assert (round(gap.value or 0, 4), round(gap.low or 0, 4), round(gap.high or 0, 4)) == (0.2, 0.0524, 0.3339)
    assert weighted([(1.0, True)] * 9 + [(1.0, False)]) == wilson(9, 10)
    heavy = weighted([(5.0, False), *[(1.0, True)] * 15])
    assert heavy.value == 0.75
    assert standardised_difference(50, 100, 50, 100) == 0.0
    assert standardised_difference(30, 100, 20, 100) == pytest.approx(0.1 / 0.185**0.5)


def test_the_page_shows_groups_sensitivity_calibration_and_second_opinion(tmp_path: Path, linked: Linked) -> None:
    period = (date(2025, 4, 1), date(2026, 3, 31))
    profile = Profile(tmp_path, "A council", "000", True, tmp_path, "", period, (), tmp_path / "secret")
    context = RunContext(profile, "run-1", "a test")
    model, full = load_model(), linked.figures
    first = report.build(linked.calculation, context, model, MOMENT, full, linked.assignment)
    page = linkage_report.write(first, [], [], tmp_path / "page.html").read_text(encoding="utf-8")
    for section in ("7 Who is missed", "8 Sensitivity", "Calibration", "Second opinion"):
        assert section in page
    assert page.count("<table>") == page.count("<caption>")
    night = replace(full, is_full=False)
    next_day = report.build(
        linked.calculation, context, model, MOMENT + timedelta(days=1), night, linked.assignment, first
    )
    assert next_day["measured"] == first["measured"], "what was measured stands for a week"
    week_later = report.build(
        linked.calculation, context, model, MOMENT + timedelta(days=8), night, linked.assignment, first
    )
    assert week_later["measured"]["as_known_at"] == "2026-04-08T00:00:00"
    assert week_later["measured"]["second_opinion"] == first["measured"]["second_opinion"]
    linkage_report.write(week_later, [], [], tmp_path / "page.html")
