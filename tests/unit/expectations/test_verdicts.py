"""Verdicts follow the suite's thresholds, and small deltas are not judged by shares."""

from __future__ import annotations

from domain.run import Verdict
from expectations.runner import CheckResult
from expectations.suites import Suite, Thresholds
from expectations.verdicts import TableVerdict, judge

_SUITE = Suite("liquidlogic__service", "Brokerage team", (), Thresholds(0.10, 0.50, 25))


def _judge(held: int, rows: int, severity: str = "hold", accepted: bool = False) -> TableVerdict:
    results = (CheckResult("DAT-001", severity, rows, held),)  # type: ignore[arg-type]
    return judge(_SUITE, results, rows=rows, held=held if severity == "hold" else 0, accepted_by_person=accepted)


def test_a_table_without_a_broken_rule_is_accepted_without_a_word() -> None:
    assert _judge(0, 100) == TableVerdict(Verdict.ACCEPTED)


def test_counts_for_information_do_not_make_a_warning() -> None:
    assert _judge(40, 100, "info").verdict is Verdict.ACCEPTED


def test_a_few_held_rows_only_warn_and_the_owner_is_named() -> None:
    verdict = _judge(5, 100)
    assert verdict.verdict is Verdict.WARNED
    assert verdict.finding is not None
    assert "Brokerage team" in verdict.finding.remedy
    assert "DAT-001 5" in verdict.message


def test_a_large_share_of_a_small_delta_only_warns() -> None:
    assert _judge(25, 26).verdict is Verdict.WARNED


def test_a_tenth_is_still_good_and_more_is_held_until_somebody_accepts_it() -> None:
    assert _judge(100, 1000).verdict is Verdict.WARNED
    assert _judge(101, 1000).verdict is Verdict.HELD
    assert _judge(101, 1000, accepted=True).verdict is Verdict.WARNED


def test_more_than_half_is_refused_whoever_accepts_it() -> None:
    assert _judge(501, 1000, accepted=True).verdict is Verdict.REFUSED
