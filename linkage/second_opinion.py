"""A second opinion on a fixed sample of candidates, by another library and another method.

recordlinkage's ECM classifier, with its own comparison functions,
  judges the pairs that stand at a hash-chosen sample of the
candidates; the share on which it disagrees with the model is reported,
  and above an agreed line a new model version is not
put to use. It is not the engine: candidates of a real run are too many
  and too seldom matches for it (linkage handbook 16).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkage.model import Bands
from linkage.quality import Estimate, wilson

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_MOST_PAIRS = 8_000
_FEWEST_PAIRS = 1_000  # fewer are too few to learn from, and to judge a model by

# Pairs with any evidence for a match, so that matches are not rare among them; the same pairs every time.
_SAMPLE = f"""
select left_id, right_id, weight >= $link as is_match
  from scored join standard l on l.record_id = left_id join standard r on r.record_id = right_id
 where by_demographics and l.birth_date is not null and r.birth_date is not null
   and l.full_name is not null and r.full_name is not null and (weight < $review or weight >= $link)
 order by hash(least(l.record_key, r.record_key) || greatest(l.record_key, r.record_key)) limit {_MOST_PAIRS}"""


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """How far the two methods disagree on the sample; None where the sample is too small to say."""

    pairs: int
    disagreement: Estimate | None
    matches_only_here: int
    matches_only_there: int

    def as_dict(self) -> dict[str, object]:
        return {
            "method": "recordlinkage ECM classifier on string and date comparisons, binarised at 0.5",
            "pairs": self.pairs,
            "disagreement": self.disagreement.as_dict() if self.disagreement else None,
            "matches_only_by_the_model": self.matches_only_here,
            "matches_only_by_the_second_opinion": self.matches_only_there,
        }


def second_opinion(calculation: duckdb.DuckDBPyConnection, bands: Bands) -> SecondOpinion:
    """Judge a sample of the table `scored` anew and compare. Pairs between the two lines belong to neither side."""
    pairs = calculation.execute(_SAMPLE, {"link": bands.link, "review": bands.review}).df()
    if len(pairs) < _FEWEST_PAIRS or not pairs["is_match"].any() or pairs["is_match"].all():
        return SecondOpinion(len(pairs), None, 0, 0)
    records = calculation.execute("""
        select record_id, forename, surname, birth_text, sex, postcode from standard
         where record_id in (select left_id from scored union select right_id from scored)""").df()
    there = judged_by_ecm(records.set_index("record_id"), pairs)
    here = pairs["is_match"].to_numpy()
    only_here, only_there = int((here & ~there).sum()), int((there & ~here).sum())
    return SecondOpinion(len(pairs), wilson(only_here + only_there, len(pairs)), only_here, only_there)


def judged_by_ecm(records: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series[bool]:
    """Whether recordlinkage's ECM takes each of `pairs` (left_id, right_id) for one person, in their order."""
    import pandas as pd
    import recordlinkage

    index = pd.MultiIndex.from_frame(pairs[["left_id", "right_id"]])
    compare = recordlinkage.Compare()
    compare.string("forename", "forename", method="jarowinkler", threshold=0.85, label="forename")
    compare.string("surname", "surname", method="jarowinkler", threshold=0.85, label="surname")
    compare.string("birth_text", "birth_text", method="damerau_levenshtein", threshold=0.85, label="birth_date")
    compare.exact("sex", "sex", label="sex")
    compare.string("postcode", "postcode", method="damerau_levenshtein", threshold=0.85, label="postcode")
    features = compare.compute(index, records)
    classifier = recordlinkage.ECMClassifier(binarize=0.5)
    matches = classifier.fit_predict(features)
    return pd.Series(index.isin(matches), index=pairs.index)


def chance_by_regression(
    records: pd.DataFrame, pairs: pd.DataFrame, folds: pd.Series[int], is_same: pd.Series[bool]
) -> pd.Series[float]:
    """For each pair the chance that it is one person, by a logistic regression learnt on the pairs of all other folds.

    `pairs` (left_id, right_id), `folds` and `is_same` are in one order. A missing value says neither yes nor no. Every
    fold needs pairs of both kinds outside it.
    """
    import pandas as pd
    import recordlinkage

    index = pd.MultiIndex.from_frame(pairs[["left_id", "right_id"]])
    compare = recordlinkage.Compare()
    for name in ("forename", "surname"):
        compare.string(name, name, method="jarowinkler", missing_value=0.5, label=name)
    for name in ("birth_text", "postcode"):
        compare.string(name, name, method="damerau_levenshtein", missing_value=0.5, label=name)
    for name in ("sex", "gp_practice"):
        compare.exact(name, name, agree_value=1.0, disagree_value=0.0, missing_value=0.5, label=name)
    features = compare.compute(index, records)
    chance = pd.Series(0.0, index=pairs.index)
    for fold in sorted(set(folds)):
        held_out = (folds == fold).to_numpy()
        learnt = recordlinkage.LogisticRegressionClassifier()
        learnt.fit(features[~held_out], index[~held_out & is_same.to_numpy()])
        chance[held_out] = learnt.prob(features[held_out]).to_numpy()
    return chance
