"""From counts to a verdict on one table: accepted, warned, held or refused, with a plain message and a remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.run import Finding, Verdict
from expectations.runner import CheckResult
from expectations.suites import Suite, Thresholds

CODES_ALARM = "CODES-ALARM"
ID_USED_AGAIN = "ID_USED_AGAIN"  # by KEY-007


@dataclass(frozen=True, slots=True)
class TableVerdict:
    verdict: Verdict
    finding: Finding | None = None  # what a person should know; none when accepted

    @property
    def message(self) -> str:
        return self.finding.message if self.finding else ""


def judge(
    suite: Suite, results: Sequence[CheckResult], *, rows: int, held: int, accepted_by_person: bool = False
) -> TableVerdict:
    """The verdict on a table of `rows` rows of which `held` would go to quarantine.

    Shares count only above the suite's smallest number of held rows, because small deltas have wild shares. A person
    may accept a table that would be held; nobody can accept one that would be refused.
    """
    broken = ", ".join(f"{r.code} {r.failed}" for r in results if r.failed and r.severity != "info")
    if not broken:
        return TableVerdict(Verdict.ACCEPTED)
    limits = suite.thresholds
    share = held / rows if rows and held > limits.at_least else 0.0
    told = f"{suite.dataset}: {held} of {rows} rows go to quarantine; rows by rule: {broken}"
    if share > limits.refuse_above:
        return TableVerdict(
            Verdict.REFUSED,
            Finding("CHECK-REFUSED", told, f"ask {suite.owner} for a new extract, then give this delivery up"),
        )
    if share > limits.hold_above and not accepted_by_person:
        return TableVerdict(
            Verdict.HELD,
            Finding(
                "CHECK-HELD",
                told,
                f"ask {suite.owner}; then mend the mapping, accept the delivery, or have it sent again",
            ),
        )
    if again := sum(r.failed for r in results if r.code == "KEY-007"):
        return TableVerdict(
            Verdict.WARNED,
            Finding(
                ID_USED_AGAIN,
                f"{told}; under {again} ids known before came another number, birth date and name",
                f"ask {suite.owner} who bears these ids now; release the held rows for new bearers, discard mistakes",
            ),
        )
    if unknown := [r for r in results if _is_alarming(r, limits)]:
        codes = ", ".join(f"{r.code} {r.failed} of {r.evaluated}" for r in unknown)
        return TableVerdict(
            Verdict.WARNED,
            Finding(
                CODES_ALARM,
                f"{suite.dataset}: far more codes than usual are unknown and read as unknown: {codes}",
                f"ask {suite.owner} which codes are new, and add them to the mapping of the source",
            ),
        )
    return TableVerdict(
        Verdict.WARNED, Finding("CHECK-WARNED", told, f"tell {suite.owner} which rules their rows break")
    )


def _is_alarming(result: CheckResult, limits: Thresholds) -> bool:
    is_about_codes = result.code.startswith("COD-") and result.failed > limits.at_least
    return is_about_codes and result.failed > limits.codes_alarm_above * result.evaluated
