"""A challenger to the model in use: a logistic regression learnt on decisions, judged on decisions it never saw.

It decides nothing. Where it ranks reviewers' pairs clearly better than the model's weights do, the model lacks
something that people see, and a new version is worth training (linkage handbook 12, 14 and 16).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from linkage.deterministic import Rule
from linkage.model import Model
from linkage.quality import wilson
from linkage.second_opinion import chance_by_regression

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

#: Fewer decisions than this, or fewer of one answer, teach a regression of six features little that would hold.
FEWEST_LABELS = 100
FEWEST_OF_AN_ANSWER = 30
FOLDS = 5
_LINE = 0.5
_BETTER = "the challenger judges the reviewed pairs better than the model in use: train a new version and compare"
_NOT_BETTER = "no evidence that the challenger judges the reviewed pairs better than the model in use"

# What reviewers settled, protected people left out (PRO-1). The fold hangs on one record's key, so that most pairs of
# one person are learnt from or judged, not both.
_LABELS = f"""
select d.left_id, d.right_id, d.decision = 'link' as is_same, coalesce(d.pair_decision = 'link', false) as linked_here,
       coalesce(d.weight, s.weight) as weight, (hash(least(l.record_key, r.record_key)) % {FOLDS})::int as fold
  from decided_edge d
  join standard l on l.record_id = d.left_id join standard r on r.record_id = d.right_id
  left join scored s on s.left_id = d.left_id and s.right_id = d.right_id
 where d.reason = '{Rule.HUMAN}' and d.decision in ('link', 'reject')
   and not l.is_restricted and not r.is_restricted
 order by least(l.record_key, r.record_key), greatest(l.record_key, r.record_key)"""


def challenge(calculation: duckdb.DuckDBPyConnection, model: Model) -> dict[str, Any]:
    """What the challenger says, as facts for the linkage report; counts and estimates only.

    Reads `decided_edge`, `standard` and `scored`, so after a run that compared all pairs. With too few decisions it
    says how many there are and how many it takes, and nothing else.
    """
    pairs = calculation.execute(_LABELS).df()
    same = int(pairs["is_same"].sum())
    facts: dict[str, Any] = {
        "method": "logistic regression (recordlinkage) on string, date and code comparisons of the pairs that "
        f"reviewers decided, cross-validated in {FOLDS} folds",
        "model_version": model.version,
        "labels": len(pairs),
        "same": same,
        "not_same": len(pairs) - same,
        "needed": {"labels": FEWEST_LABELS, "of_each_answer": FEWEST_OF_AN_ANSWER},
    }
    if len(pairs) < FEWEST_LABELS or min(same, len(pairs) - same) < FEWEST_OF_AN_ANSWER:
        said = f"not measured, because {FEWEST_LABELS} decisions, {FEWEST_OF_AN_ANSWER} of each answer, are needed"
        return {**facts, "verdict": said}
    records = calculation.execute("""
        select record_id, forename, surname, birth_text, postcode, sex, gp_practice from standard
         where record_id in (select left_id from decided_edge union select right_id from decided_edge)""").df()
    chance = chance_by_regression(records.set_index("record_id"), pairs, pairs["fold"], pairs["is_same"])
    return facts | _judged(pairs, chance)


def _judged(pairs: pd.DataFrame, chance: pd.Series[float]) -> dict[str, Any]:
    truth, here = pairs["is_same"].to_numpy(), pairs["linked_here"].to_numpy()
    there = (chance >= _LINE).to_numpy()
    weights = pairs["weight"].fillna(float("-inf")).tolist()
    ranks = ranked_rightly(weights, truth.tolist()), ranked_rightly(chance.tolist(), truth.tolist())
    only_here = int(((here == truth) & (there != truth)).sum())
    only_there = int(((there == truth) & (here != truth)).sum())
    apart = wilson(only_there, only_here + only_there)
    by_rank = ranks[1] > ranks[0]
    better = by_rank and apart.low is not None and apart.low > 0.5
    return {
        "model": {**_side(here, truth), "ranked_rightly": ranks[0]},
        "challenger": {**_side(there, truth), "ranked_rightly": ranks[1]},
        "right_only_by_the_model": only_here,
        "right_only_by_the_challenger": only_there,
        "challenger_is_better": better,
        "verdict": _BETTER if better else _NOT_BETTER,
        "caution": "reviewed pairs are those in doubt, where the model leaves the decision to people by rule; the "
        "shares say nothing of all pairs",
    }


def _side(linked: Any, truth: Any) -> dict[str, Any]:
    """Of one judge: the share of same pairs it links, and of its links that are not the same."""
    return {
        "found": wilson(int((linked & truth).sum()), int(truth.sum())).as_dict(),
        "false": wilson(int((linked & ~truth).sum()), int(linked.sum())).as_dict(),
    }


def ranked_rightly(scores: Sequence[float], is_same: Sequence[bool]) -> float:
    """The chance that a same pair stands above a different one (ties count half); 0.5 is no better than a coin."""
    others = sorted(score for score, same in zip(scores, is_same, strict=True) if not same)
    own = [score for score, same in zip(scores, is_same, strict=True) if same]
    if not own or not others:
        return 0.5
    above = sum(bisect_left(others, score) + bisect_right(others, score) for score in own)
    return above / (2 * len(own) * len(others))
