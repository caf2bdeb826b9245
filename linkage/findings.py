"""What a person should know after a link run: conflicts that wait, and people who are one, or two, from now on.

Counts only; which pairs wait, and who was joined or parted, is in the identity zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.run import Finding
from linkage.identity import Assignment

if TYPE_CHECKING:
    import duckdb

_CONTRADICTED = """select count(*) from decided_edge
                    where decision = 'review' and reason in ('number_contradiction', 'number_shared_in_one_source')"""
_CONTRADICTING = "select count(*) from decided_edge where decision = 'review' and reason = 'needs_attention'"
# What was decided stands; what the two records say by themselves has changed, and says the opposite now (F72).
_OVERTAKEN = """select count(*) from decided_edge
                 where reason = 'human_decision' and (left_id in (from changed) or right_id in (from changed))
                   and (decision = 'reject' and pair_decision = 'link'
                        or decision = 'link' and rule = 'human_decision')"""


def findings_of(calculation: duckdb.DuckDBPyConnection, assignment: Assignment) -> tuple[Finding, ...]:
    """Findings of the run whose decided pairs are in `calculation` (F35, F37, F38, F71, F72)."""
    pairs, contradicting, overtaken = (
        calculation.execute(query).fetchall()[0][0] for query in (_CONTRADICTED, _CONTRADICTING, _OVERTAKEN)
    )
    told = (
        (
            pairs,
            "NUMBER_ON_TWO_PEOPLE",
            f"{pairs} pairs of records share an NHS number and are clearly different people; they were not joined",
            "ask the owners of the records whose number it is; a review of the pair decides until then",
        ),
        (
            contradicting,
            "DECISIONS_CONTRADICT",
            f"reviewers contradict each other about {contradicting} pairs of records; nothing was guessed",
            "have somebody hear both reasons and decide; withdraw the answer that does not hold",
        ),
        (
            overtaken,
            "DECISION_OVERTAKEN",
            f"records changed, and {overtaken} pairs now say the opposite of what was decided; the decisions stand",
            "have the pairs looked at again; only people change a decision",
        ),
        (
            assignment.merged,
            "PEOPLE_JOINED",
            f"{assignment.merged} people of the last run were joined to others; what was believed before is kept",
            "nothing to do; if they are two after all, record a split notice",
        ),
        (
            assignment.split,
            "PEOPLE_PARTED",
            f"{assignment.split} people were parted from others they were taken for until the last run",
            "list who was given releases that showed them as one, and tell them",
        ),
    )
    return tuple(Finding(code, message, remedy) for count, code, message, remedy in told if count)
