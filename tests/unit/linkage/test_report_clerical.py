"""The clerical sample and the agreement of reviewers: by the textbook, and with reviewers who know the truth."""

from __future__ import annotations

import pytest

from linkage import report_clerical
from linkage.inputs import Decision
from linkage.quality import stratified, wilson
from tests.support.linkage_run import LinkedCouncil, linked_council, one


@pytest.fixture(scope="module")
def linked() -> LinkedCouncil:
    found = linked_council(1234, 0.15)
    report_clerical.clerical(found.run.calculation, [])  # draws the sample
    return found


def test_kappa_is_that_of_the_textbook() -> None:
    answers = [("same", "same")] * 20 + [("same", "not_same")] * 5
    answers += [("not_same", "same")] * 10 + [("not_same", "not_same")] * 15
    found = report_clerical.agreement(answers)
    assert (found.pairs, found.agreed) == (50, 35)
    assert found.kappa == pytest.approx(0.4)
    assert found.low == pytest.approx(0.4 - 1.96 * (0.7 * 0.3 / 50) ** 0.5 / 0.5, abs=1e-4)
    assert found.prevalence_adjusted == pytest.approx(0.4)
    assert report_clerical.agreement([("same", "same")] * 5).kappa is None, "chance alone agrees as often"
    assert report_clerical.agreement([]).pairs == 0


def test_a_stratified_sample_is_weighted_back_and_its_interval_is_that_of_a_simple_one_where_there_is_one_stratum() -> (
    None
):
    told = stratified([(900, 30, 30), (100, 10, 20), (5000, 0, 0)])
    assert told.value == pytest.approx(0.95)
    assert told.low is not None and told.high is not None and told.low < 0.95 < told.high
    simple, plain = stratified([(1000, 81, 263)]), wilson(81, 263)
    assert simple.low == pytest.approx(plain.low, abs=2e-3)
    assert simple.high == pytest.approx(plain.high, abs=2e-3)
    assert stratified([(10, 0, 0)]).value is None


def answered(linked: LinkedCouncil, reviewer: str, wrong: frozenset[tuple[int, int]] = frozenset()) -> list[Decision]:
    pairs = linked.run.calculation.execute("select left_id, right_id from clerical_sample order by all").fetchall()
    return [
        Decision(a, b, "same" if (linked.truth[a] == linked.truth[b]) != ((a, b) in wrong) else "not_same", reviewer)
        for a, b in pairs
    ]


def test_reviewers_who_know_the_truth_make_the_sample_say_what_the_truth_says(linked: LinkedCouncil) -> None:
    decisions = answered(linked, "Pat")
    told = report_clerical.clerical(linked.run.calculation, decisions)["sample"]
    assert told["reviewed"] == len(decisions) > 200
    links = linked.run.calculation.execute(
        "select left_id, right_id from decided_edge where pair_decision = 'link' and rule <> 'human_decision'"
    ).fetchall()
    right = sum(linked.truth[a] == linked.truth[b] for a, b in links) / len(links)
    estimate = told["precision"]
    assert estimate["share_covered"] == 1.0
    assert estimate["low"] <= right <= estimate["high"]
    assert abs(estimate["value"] - right) < 0.005
    assert sum(line["drawn"] for line in told["strata"]) == told["reviewed"]
    assert sum(line["pairs"] for line in told["strata"]) == one(
        linked.run,
        """select count(*) from decided_edge where weight is not null
             and left_id not in (select record_id from standard where is_restricted)
             and right_id not in (select record_id from standard where is_restricted)""",
    )
    steps = report_clerical.precision_by_step({"sample": told})
    assert steps["nhs_verified"]["value"] == 1.0


def test_double_reviews_give_kappa_and_notices_are_no_review(linked: LinkedCouncil) -> None:
    pat = answered(linked, "Pat")
    wrong = frozenset((d.left, d.right) for d in pat[:12])
    decisions = [*pat, *answered(linked, "Sam", wrong), Decision(1, 2, "same", "an officer", is_authorised=True)]
    told = report_clerical.clerical(linked.run.calculation, decisions)
    assert told["reviewed"] == {
        "pairs": len(pat), "by_two_or_more": len(pat), "in_conflict": 12, "unresolved": 12,
    }  # fmt: skip
    expected = report_clerical.agreement(
        [(a.answer, b.answer) for a, b in zip(pat, answered(linked, "Sam", wrong), strict=True)]
    )
    assert told["agreement"]["kappa"]["value"] == expected.kappa
    assert told["agreement"]["agreed"]["hits"] == len(pat) - 12
    assert told["agreement"]["needs_action"] is ((expected.kappa or 0) < 0.8 or (expected.low or 0) < 0.7)
