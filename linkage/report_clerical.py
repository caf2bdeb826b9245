"""What people's answers say: a stratified sample weighted back to all pairs, and how far two reviewers agree.

The sample is fixed by a hash of the keys, the same pairs every time, a number of them in each stratum of step and
weight; answers about other pairs steer linkage but are no sample. Sections 5 and 6 of the report (governance 4.1,
linkage handbook 12 and 14). Counts only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from linkage.deterministic import Rule
from linkage.inputs import Decision
from linkage.quality import stratified, wilson

if TYPE_CHECKING:
    import duckdb

DRAWN = 60  # pairs of each stratum
LEAST_KAPPA, LEAST_LOW = 0.8, 0.7  # governance 4.1, section 6
_FEWEST_DOUBLE = 10
_Z = 1.959963984540054
_BANDS = ((None, 0.0), (0.0, 8.0), (8.0, 16.0), (16.0, None))

_SAMPLE = f"""create or replace table clerical_sample as
with pair as (
  select e.left_id, e.right_id, e.rule, e.pair_decision,
         case when weight < 0 then 0 when weight < 8 then 1 when weight < 16 then 2 else 3 end as band,
         hash(least(l.record_key, r.record_key) || greatest(l.record_key, r.record_key)) as place
    from decided_edge e join standard l on l.record_id = e.left_id join standard r on r.record_id = e.right_id
   where e.rule <> '{Rule.HUMAN}' and e.weight is not null and e.reason <> 'restricted'
     and l.is_restricted = false and r.is_restricted = false
)
select *, count(*) over stratum as pairs from pair
 window stratum as (partition by rule, pair_decision, band)
qualify row_number() over (partition by rule, pair_decision, band order by place, left_id, right_id) <= {DRAWN}"""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two reviewers agree beyond chance, with its 95 % interval, and with prevalence taken out."""

    pairs: int
    agreed: int
    kappa: float | None
    low: float | None
    high: float | None
    prevalence_adjusted: float | None


def clerical(calculation: duckdb.DuckDBPyConnection, decisions: Sequence[Decision]) -> dict[str, Any]:
    """Section 6, and the sample of section 5: from `decided_edge`, `standard` and the active decisions.

    Leaves the table `clerical_sample`: the pairs a reviewer should be given for it.
    """
    calculation.execute(_SAMPLE)
    answers = answers_of(decisions)
    return {
        "sample": _sample(calculation, answers),
        "reviewed": _reviewed(answers),
        "agreement": _agreement(answers),
        "not_measured": {
            "median time": "not measured, because decisions are not timed yet",
            "agreement by reviewer pair": "not shown, because a pair of reviewers is a person or two",
            "repeat-reviewer consistency": "not measured, because no reviewer is shown a pair twice yet",
            "training and guidance version": "not recorded with a decision yet",
        },
    }


def answers_of(decisions: Sequence[Decision]) -> dict[tuple[int, int], list[str]]:
    """Pair -> the answers of different reviewers, in the order they gave them; notices are no review."""
    found: dict[tuple[int, int], dict[str, str]] = {}
    for decision in decisions:
        if not decision.is_authorised:
            pair = min(decision.left, decision.right), max(decision.left, decision.right)
            found.setdefault(pair, {})[decision.reviewer] = decision.answer
    return {pair: list(given.values()) for pair, given in found.items()}


def agreement(first_and_second: Sequence[tuple[str, str]]) -> Agreement:
    """Cohen's kappa of pairs of answers. Its standard error is sqrt(p(1 - p) / (n (1 - e)^2)) (Cohen 1960).

    `kappa` is None where there is nothing to compare, or only one answer was ever given, so that chance explains all.
    """
    count = len(first_and_second)
    if not count:
        return Agreement(0, 0, None, None, None, None)
    agreed = sum(one == other for one, other in first_and_second)
    observed = agreed / count
    ones, others = Counter(one for one, _ in first_and_second), Counter(other for _, other in first_and_second)
    chance = sum(ones[answer] * others[answer] for answer in ones) / count**2
    adjusted = 2 * observed - 1
    if chance == 1:
        return Agreement(count, agreed, None, None, None, adjusted)
    kappa = (observed - chance) / (1 - chance)
    half = _Z * sqrt(observed * (1 - observed) / count) / (1 - chance)
    return Agreement(count, agreed, kappa, max(-1.0, kappa - half), min(1.0, kappa + half), adjusted)


def precision_by_step(section: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Step -> estimated precision of its links, weighted over bands; only steps of which pairs have been reviewed."""
    lines = [line for line in section["sample"]["strata"] if line["decision"] == "link" and line["reviewed"]]
    steps: dict[str, list[tuple[int, int, int]]] = {}
    for line in lines:
        steps.setdefault(line["step"], []).append((line["pairs"], line["same"], line["reviewed"]))
    return {step: stratified(strata).as_dict() for step, strata in steps.items()}


def _sample(calculation: duckdb.DuckDBPyConnection, answers: Mapping[tuple[int, int], Sequence[str]]) -> dict[str, Any]:
    rows = calculation.execute("""select rule, pair_decision, band, pairs, left_id, right_id from clerical_sample
        order by all""").fetchall()
    strata: dict[tuple[str, str, int, int], list[bool | None]] = {}
    for rule, decision, band, pairs, left, right in rows:
        strata.setdefault((rule, decision, band, pairs), []).append(_settled(answers.get((left, right), ())))
    lines = [_stratum(key, judged) for key, judged in strata.items()]
    reviewed = sum(line["reviewed"] for line in lines)
    return {
        "design": f"{DRAWN} pairs of each step, decision and band of weight, or all where there are fewer, chosen by a "
        "hash of the keys; the same pairs in every run, so that answers add up over time",
        "strata": lines,
        "reviewed": reviewed,
        "precision": _weighed_back(lines, "link"),
        "true_among_those_waiting": _weighed_back(lines, "review"),
        "note": "" if reviewed else "not measured, because no pair of the sample has been reviewed yet",
    }


def _stratum(key: tuple[str, str, int, int], judged: Sequence[bool | None]) -> dict[str, Any]:
    rule, decision, band, pairs = key
    known = [answer for answer in judged if answer is not None]
    return {
        "step": rule,
        "decision": decision,
        "weight_from": _BANDS[band][0],
        "weight_to": _BANDS[band][1],
        "pairs": pairs,
        "drawn": len(judged),
        "reviewed": len(known),
        "same": sum(known),
        "share_same": wilson(sum(known), len(known)).as_dict(),
    }


def _weighed_back(lines: Sequence[Mapping[str, Any]], decision: str) -> dict[str, Any]:
    chosen = [line for line in lines if line["decision"] == decision]
    estimate = stratified([(line["pairs"], line["same"], line["reviewed"]) for line in chosen])
    covered, pairs = sum(line["pairs"] for line in chosen if line["reviewed"]), sum(line["pairs"] for line in chosen)
    return {
        **estimate.as_dict(),
        "pairs": pairs,
        "share_covered": covered / pairs if pairs else None,
        "how": "answers of each stratum weighted by its pairs, Wilson interval of the effective sample; strata nobody "
        "has looked at are left out",
    }


def _settled(given: Sequence[str]) -> bool | None:
    """The answer of the sample: None while nobody, or not everybody, could tell the same."""
    told = set(given) - {"cannot_tell"}
    return told == {"same"} if len(told) == 1 else None


def _reviewed(answers: Mapping[tuple[int, int], Sequence[str]]) -> dict[str, int]:
    return {
        "pairs": len(answers),
        "by_two_or_more": sum(len(given) > 1 for given in answers.values()),
        "in_conflict": sum({"same", "not_same"} <= set(given) for given in answers.values()),
        "unresolved": sum(_settled(given) is None for given in answers.values()),
    }


def _agreement(answers: Mapping[tuple[int, int], Sequence[str]]) -> dict[str, Any]:
    found = agreement([(given[0], given[1]) for given in answers.values() if len(given) > 1])
    facts: dict[str, Any] = {
        "pairs": found.pairs,
        "action_level": f"kappa below {LEAST_KAPPA}, or its lower limit "
        f"below {LEAST_LOW}: no release on reviewed links until trained and sampled again",
    }
    if found.pairs < _FEWEST_DOUBLE:
        return facts | {"note": f"not measured, because fewer than {_FEWEST_DOUBLE} pairs were reviewed by two people"}
    if found.kappa is None or found.low is None:
        return facts | {"note": "not measured, because all answers were the same: chance alone would agree as often"}
    return facts | {
        "agreed": wilson(found.agreed, found.pairs).as_dict(),
        "kappa": {"value": found.kappa, "low": found.low, "high": found.high},
        "prevalence_adjusted": found.prevalence_adjusted,
        "needs_action": found.kappa < LEAST_KAPPA or found.low < LEAST_LOW,
    }
