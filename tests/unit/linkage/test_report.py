"""Every figure of the linkage report against what is known otherwise: by hand, by counting, or from a known truth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from math import log2
from pathlib import Path
from typing import Any

import pytest

from domain.profile import Profile
from domain.run import RunContext
from linkage import report, report_groups, report_quality, report_results, report_safety
from linkage.clustering import Constraints
from linkage.inputs import Decision
from linkage.masked import relink
from linkage.report_capture import capture, chapman
from linkage.report_change import overturned, parameters_changed
from linkage.report_small import CONFIDENTIAL, protected
from tests.support.linkage_numbers import nhs_number
from tests.support.linkage_run import LinkedCouncil, LinkedRun, link_all, linked_council, one, rows_of, sources_of
from tests.support.linkage_tables import person

MOMENT = datetime(2026, 3, 31)
SECTIONS = {
    "front_page", "lawfulness", "source_data", "method", "results", "quality", "measured", "clerical", "why_linked",
    "change", "limits", "decision", "counts",
}  # fmt: skip


@pytest.fixture(scope="module")
def linked() -> LinkedCouncil:
    return linked_council(1234, 0.15)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    home = tmp_path_factory.mktemp("home")
    period = (date(2025, 4, 1), date(2026, 3, 31))
    return RunContext(Profile(home, "A council", "000", True, home, "", period, (), home / "secret"), "run-1", "a test")


@pytest.fixture(scope="module")
def first(linked: LinkedCouncil, context: RunContext) -> dict[str, Any]:
    run = linked.run
    return report.build(run.calculation, context, run.model, MOMENT, run.figures, run.assignment)


def test_every_section_of_the_template_is_there_and_what_is_not_measured_says_why(first: dict[str, Any]) -> None:
    assert set(first) == SECTIONS
    assert first["change"]["note"] == "not measured, because this is the first run"
    assert first["clerical"]["sample"]["note"].startswith("not measured, because")
    assert all("because" in why or "not recorded" in why for why in first["clerical"]["not_measured"].values())
    assert all("because" in why for why in first["measured"]["groups"]["not_measured"].values())
    assert {line["subject"] for line in first["lawfulness"]["framework"]} == set(report_safety._SUBJECTS)
    assert all(line["status"] in ("red", "amber", "green") and line["why"] for line in first["lawfulness"]["framework"])


def test_results_by_step_add_up_to_the_links_and_to_the_records_linked(
    linked: LinkedCouncil, first: dict[str, Any]
) -> None:
    overall = first["results"]["steps"][0]
    assert sum(row["accepted"] for row in overall["rows"]) == first["counts"]["links"]
    with_partner = one(
        linked.run,
        """select count(distinct r) from (select unnest([left_id, right_id]) as r
             from decided_edge where decision = 'link')""",
    )
    assert overall["rows"][-1]["cumulative_linkage_rate"] == pytest.approx(with_partner / overall["records"])
    assert sum(row["link"] for row in first["results"]["weights"]) == first["counts"]["links"]
    by_pair = [t for t in first["results"]["steps"] if t["sources"] != "overall"]
    assert sum(row["accepted"] for t in by_pair for row in t["rows"]) == first["counts"]["links"]


def test_effective_candidates_and_the_chance_of_no_match_are_those_of_the_formula() -> None:
    # One care record, two equally good health records: odds alike, two effective candidates (linkage handbook 12).
    same = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV1 1AA"}
    twice = [person(n, "systmone", **same, nhs_number_supplied=nhs_number(n)) for n in (1, 2)]
    run = link_all(sources_of([*twice, person(3, "liquidlogic", **same)]))
    told = report_results.results(run.calculation, run.model.bands)["ambiguity"]
    edges = rows_of(run, "select left_id, right_id, weight from decided_edge where rule = 'probabilistic'")
    odds = {record: [2**weight for *pair, weight in edges if record in pair] for record in (1, 2, 3)}
    assert odds[3][0] == odds[3][1]
    assert (told["with_close_candidates"], told["without_candidate"]) == (1, 0)
    effective = [2 ** -sum(o / sum(of) * log2(o / sum(of)) for o in of) for of in odds.values()]
    assert effective[2] == pytest.approx(2.0)
    assert told["effective_candidates"] == pytest.approx(sum(effective) / 3)
    assert told["no_match"] == pytest.approx(sum(1 / (1 + sum(of)) for of in odds.values()) / 3, abs=1e-9)


def test_two_catches_are_estimated_as_in_the_book_and_an_empty_lake_is_not_measured() -> None:
    found = chapman(10, 10, 5)  # 11 x 11 / 6 - 1 = 19.17 there, 15 caught
    assert found["recall"] == pytest.approx(15 / (121 / 6 - 1))
    assert found["low"] is not None and found["low"] < 15 / (121 / 6 - 1) <= (found["high"] or 0)
    assert chapman(3, 4, 0) == {"recall": None, "low": None, "high": None}


def test_what_blocking_never_finds_is_estimated_as_the_truth_has_it(linked: LinkedCouncil) -> None:
    told = capture(linked.run.calculation, linked.run.model.bands)["blocking"]
    never = told["never_a_candidate"]
    rows = linked.run.calculation.execute("""
        select s.record_id, s.source, s.nhs_number is not null, s.is_restricted = false from standard s""").fetchall()
    compared = {
        (left, right)
        for left, right in linked.run.calculation.execute(
            "select left_id, right_id from pair where by_demographics"
        ).fetchall()
    }
    people: dict[int, list[tuple[int, str]]] = {}
    for record, source, _, is_open in rows:
        if is_open:
            people.setdefault(linked.truth[record], []).append((record, source))
    true = [
        (min(a, b), max(a, b))
        for members in people.values()
        for place, (a, one_source) in enumerate(members)
        for b, other in members[place + 1 :]
        if one_source != other
    ]
    missed = sum(pair not in compared for pair in true) / len(true)
    assert len(true) > 400
    assert never["low"] <= missed <= never["high"] + 0.005, "poorer records are a little harder to find"
    catches = told["two_catches"]
    assert catches["low"] <= catches["missed_in_truth"]["value"] <= catches["high"] + 0.005


def test_impossible_things_are_counted_among_people_and_not_among_records() -> None:
    number = {"nhs_number_supplied": nhs_number(1), "nhs_number_verified": True}
    iris = {"forename": "Iris", "surname": "Oakhampton", "sex": "2", "postcode": "AV1 1AA"}
    walter = {"forename": "Walter", "surname": "Pym", "birth_date": "1972-08-30", "sex": "1", "postcode": "AV9 9ZZ"}
    persons = [
        person(1, "systmone", **iris, birth_date="1941-03-17", **number, death_date=date(2026, 1, 5)),
        person(2, "liquidlogic", **iris | {"sex": "1"}, birth_date="1941-03-18", **number, death_date=date(2026, 1, 6)),
        person(3, "systmone", **walter),
        person(4, "systmone", **walter | {"birth_date": "1899-05-06", "forename": "Ada", "surname": "Old"}),
    ]
    run = link_all(sources_of(persons))
    told = report_quality.estimates(run.calculation, run.model.bands, MOMENT)["impossible_things"]
    counts = {line["what"]: line["hits"] for line in told["counts"]}
    assert told["people"] == 3
    assert counts == {
        "more than one verified NHS number": 0, "conflicting sex": 1, "more than one exact birth date": 1,
        "two death dates": 1, "death before birth": 0, "age above 115": 1, "more than two records of one source": 0,
    }  # fmt: skip


def people_of(run: LinkedRun) -> dict[int, str]:
    return dict(run.calculation.execute("select record_id, person_id from membership_wanted").fetchall())


def test_the_change_since_the_last_run_tells_who_merged_and_split_and_why(
    linked: LinkedCouncil, context: RunContext, first: dict[str, Any]
) -> None:
    before = people_of(linked.run)
    apart, noticed = [
        (a, b)
        for a, b in linked.run.calculation.execute("""
            select left_id, right_id from decided_edge e where decision = 'link' and weight is not null
               and (select count(*) from membership_wanted m join membership_wanted n using (person_id)
                     where m.record_id = e.left_id) = 2 order by 1, 2""").fetchall()
    ][:2]
    singles = [
        record
        for (record,) in rows_of(
            linked.run,
            """select any_value(record_id) from membership_wanted join standard using (record_id)
                where not is_restricted and nhs_number is null group by person_id having count(*) = 1 order by 1""",
        )
    ][:2]
    joined = min(singles), max(singles)
    decisions = [Decision(*apart, "not_same", "Pat"), Decision(*noticed, "not_same", "an officer", True),
                 Decision(*joined, "same", "Pat")]  # fmt: skip
    constraints = Constraints(
        together=frozenset({joined}), apart=frozenset({apart, noticed}), ordinary=frozenset({joined})
    )
    run = link_all(linked.records.sources, constraints, decisions, believed=before)
    links = "select left_id, right_id, rule, decision as stored_decision from decided_edge"
    run.calculation.register("edges_read_table", linked.run.calculation.sql(links).to_arrow_table())
    run.calculation.execute("create or replace temp table edges_read as from edges_read_table")
    again = replace(context, run_id="run-2")
    told = report.build(run.calculation, again, run.model, MOMENT, run.figures, run.assignment, first, decisions)[
        "change"
    ]
    assert told["since_run"] == "run-1"
    assert told["merged"] == {"people": 1, "reasons": {"review decision": 1}}
    assert told["split"] == {"people": 2, "reasons": {"correction notice": 1, "review decision": 1}}
    assert told["overturned_decisions"] == {"overturned": 0, "in_force": 3, "waiting": 0}
    after = people_of(run)
    people = told["people"]
    assert people["records_with_the_same_id"] == sum(after[r] == p for r, p in before.items()) == len(before) - 3
    assert people["people_in_both"] - people["people_unchanged"] == 4
    now = set(run.calculation.execute("select left_id, right_id from decided_edge where decision = 'link'").fetchall())
    then = set(
        linked.run.calculation.execute("select left_id, right_id from decided_edge where decision = 'link'").fetchall()
    )
    assert (told["links"]["new"], told["links"]["removed"]) == (len(now - then), len(then - now)) == (1, 2)
    assert told["links"]["kept"] + told["links"]["kept_by_another_step"] == len(now & then)
    assert told["parameters"] == []
    assert all(row["records"] == row["records_before"] and not row["completeness"] for row in told["inputs"])
    assert not any(row["is_named"] for row in told["measures"])


def test_a_decision_that_does_not_hold_is_counted_as_overturned(linked: LinkedCouncil) -> None:
    a, b = rows_of(linked.run, "select left_id, right_id from decided_edge where decision = 'link' order by 1, 2")[0]
    holds, does_not = Decision(a, b, "same", "Pat"), Decision(a, b, "not_same", "Sam")
    calculation = linked.run.calculation
    assert overturned(calculation, [holds]) == {"overturned": 0, "in_force": 1, "waiting": 0}
    assert overturned(calculation, [does_not]) == {"overturned": 1, "in_force": 1, "waiting": 0}
    assert overturned(calculation, [holds, does_not]) == {"overturned": 0, "in_force": 0, "waiting": 1}
    assert overturned(calculation, [Decision(a, b, "cannot_tell", "Pat")])["in_force"] == 0


def test_the_difference_of_parameters_is_exact() -> None:
    before = {"lines": {"link": 8.0}, "comparisons": [{"name": "sex", "levels": [{"level": "equal", "m": 0.9}]}]}
    now = {"lines": {"link": 9.0}, "comparisons": [{"name": "sex", "levels": [{"level": "equal", "m": 0.95}]}]}
    assert parameters_changed(before, now) == [
        {"where": "comparisons/sex/levels/equal/m", "before": 0.9, "now": 0.95},
        {"where": "lines/link", "before": 8.0, "now": 9.0},
    ]


def test_the_named_measures_at_the_line_in_use_are_those_of_the_run(
    linked: LinkedCouncil, first: dict[str, Any]
) -> None:
    here = next(row for row in first["measured"]["sensitivity"] if row["moved_by"] == 0)
    care, numbered, health = linked.run.calculation.execute("""
        with one as (select person_id, bool_or(source <> 'systmone') as care, bool_or(source = 'systmone') as health,
                            bool_or(nhs_number is not null) as numbered
                       from membership_wanted join standard using (record_id) group by 1)
        select count(*) filter (where care), count(*) filter (where care and numbered),
               count(*) filter (where care and health) from one""").fetchall()[0]
    values = list(here["measures"].values())
    assert (values[0], values[1]["hits"], values[2]["hits"]) == (care, numbered, health)
    assert here["links"] == first["counts"]["links"]
    assert here["precision"]["value"] == 1 - here["false_share"]["value"]


def test_leaving_out_a_field_finds_less_and_each_field_is_there(linked: LinkedCouncil, first: dict[str, Any]) -> None:
    told = {row["without"]: row for row in first["measured"]["fields_left_out"]["rows"]}
    assert set(told) == {c.name for c in linked.run.model.comparisons} - {"nhs_number"}
    here = next(row for row in first["measured"]["sensitivity"] if row["moved_by"] == 0)
    assert told["name"]["recall"]["value"] < here["recall"]["value"]
    assert told["name"]["links"] < here["links"]


def test_deprivation_is_measured_from_the_councils_own_list_and_a_bad_line_is_named(
    linked: LinkedCouncil, context: RunContext, tmp_path: Path
) -> None:
    assert (
        "deprivation fifth"
        in report_groups.groups(
            linked.run.calculation,
            relink(linked.run.calculation, linked.run.model, is_full=True),
            MOMENT,
        )["not_measured"]
    )
    outcodes = [o for (o,) in linked.run.calculation.execute(
        "select distinct outcode from standard where outcode is not null order by 1").fetchall()]  # fmt: skip
    path = tmp_path / report_groups.DEPRIVATION
    path.write_text("place,fifth\n" + "".join(f"{o},{1 + n % 5}\n" for n, o in enumerate(outcodes)))
    relinked = relink(linked.run.calculation, linked.run.model, is_full=True)
    told = report_groups.groups(linked.run.calculation, relinked, MOMENT, path)
    rows = {row["group"]: row["records"] for row in told["rows"] if row["dimension"] == "deprivation"}
    expected = one(
        linked.run,
        f"""select count(*) from standard where source <> 'systmone'
        and outcode in ({", ".join(f"'{o}'" for o in outcodes[::5])})""",
    )
    assert rows["fifth 1 (most deprived)"] == expected
    assert "deprivation fifth" not in told["not_measured"]
    path.write_text("place,fifth\nAV1,9\n")
    with pytest.raises(ValueError, match="line 2"):
        report_groups.read_deprivation(path)


def numbers_in(row: Mapping[str, Any]) -> list[float]:
    counts = [row[name] for name in ("records", "hidden_links")]
    return [value for value in counts if not isinstance(value, str)]


def test_small_numbers_of_sub_groups_are_not_shown_and_all_else_is_rounded(first: dict[str, Any]) -> None:
    shown = protected(first)
    groups, true = shown["measured"]["groups"], first["measured"]["groups"]
    assert all(value % 5 == 0 and value >= 5 for row in groups["rows"] for value in numbers_in(row))
    for row, was in zip(groups["rows"], true["rows"], strict=True):
        for name in ("missed", "false"):
            if was[name]["value"] is not None and was[name]["hits"] < 5:
                assert row[name] == CONFIDENTIAL or "value" not in row[name], "a rate of few is a count of few"
        few = min(was["linkage_rate"]["hits"], was["linkage_rate"]["base"] - was["linkage_rate"]["hits"])
        assert (row["linkage_rate"] == CONFIDENTIAL) is (0 <= few < 5) or few == 0
    planted = json.loads(json.dumps(first))
    planted["measured"]["groups"]["largest_gap"] = gap = {
        "dimension": "sex", "group": "female", "best": "male", "points": 3.21, "low": 1.1, "high": 5.4, "missed": 4,
        "is_flagged": True,
    }  # fmt: skip
    planted["front_page"]["headlines"]["largest_group_gap"] = gap
    planted["measured"]["groups"]["gaps_to_explain"] = [gap]
    text = json.dumps(protected(planted))
    assert "3.21" not in text and '"missed": 4' not in text
    assert first["measured"]["groups"]["rows"] == true["rows"], "the true numbers stay with the run"


def test_the_hash_is_of_the_report_as_stored_and_changes_with_any_figure(first: dict[str, Any]) -> None:
    stored = json.loads(json.dumps(first))
    assert report_safety.digest(stored) == first["decision"]["hash"]
    stored["counts"]["links"] += 1
    assert report_safety.digest(stored) != first["decision"]["hash"]
    signed = json.loads(json.dumps(first)) | {"decision": {"status": "approved"}}
    assert report_safety.digest(signed) == first["decision"]["hash"], "signing does not change what is signed"
