"""How good the links probably are, without any truth: the hidden-number test, capture–recapture, and impossible things.

Every estimate carries its interval and says how it was made; match probabilities are never used as error rates (linkage
handbook 14). Counts only.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from linkage.deterministic import Rule
from linkage.model import Bands
from linkage.quality import wilson

if TYPE_CHECKING:
    import duckdb

_IDENTIFIER_RULES = f"('{Rule.NHS_VERIFIED}', '{Rule.NHS_CROSS_CHECKED}')"
_SHARE_HIDDEN = 20  # per cent, chosen by a hash of the two keys: the same pairs every time

_HIDDEN = f"""
with hidden as (                 -- accepted identifier links whose numbers are hidden; the rest must find them again
  select e.left_id, e.right_id from decided_edge e
    join standard l on l.record_id = e.left_id join standard r on r.record_id = e.right_id
   where e.rule in {_IDENTIFIER_RULES} and e.decision = 'link' and l.source <> r.source
     and hash(least(l.record_key, r.record_key) || greatest(l.record_key, r.record_key)) % 100 < {_SHARE_HIDDEN}
), side as (
  select left_id as record_id, right_id as partner_id from hidden
), candidate as (                -- everything demographics alone would offer to the first record of each hidden pair
  select s.record_id, s.partner_id, o.record_id as other_id, e.numbers = 'same' as is_right,
         case when e.by_demographics then e.weight_without_number end as weight
    from side s
    join decided_edge e on s.record_id in (e.left_id, e.right_id)
    join standard o on o.record_id = case when e.left_id = s.record_id then e.right_id else e.left_id end
    join standard p on p.record_id = s.partner_id and p.source = o.source
   where e.numbers in ('same', 'different', 'different_verified')
), judged as (
  select record_id, partner_id, max(weight) filter (where is_right) as right_weight,
         max(weight) filter (where not is_right) as wrong_weight
    from candidate group by record_id, partner_id
)
select count(*),
       count(*) filter (where right_weight >= $link and coalesce(wrong_weight, -99) <= right_weight - $margin),
       count(*) filter (where wrong_weight >= $link and coalesce(right_weight, -99) <= wrong_weight - $margin)
  from judged"""

_CAPTURE = f"""
select count(*) filter (where rule in {_IDENTIFIER_RULES} and decision = 'link') as by_number,
       count(*) filter (where by_demographics and weight_without_number >= $link
         and decision = 'link') as by_demographics,
       count(*) filter (where rule in {_IDENTIFIER_RULES} and decision = 'link' and by_demographics
                          and weight_without_number >= $link) as by_both
  from decided_edge where numbers <> 'missing'"""

_IMPOSSIBLE = """
with person as (
  select w.person_id, count(distinct s.nhs_number) filter (where s.nhs_verified) as numbers,
         count(distinct s.sex) as sexes,
         count(distinct s.birth_date) filter (where not s.birth_estimated) as birth_dates,
         count(distinct s.death_date) as deaths, min(s.birth_date) as birth_date,
         max(s.death_date) as death_date
    from membership_wanted w join standard s using (record_id) group by w.person_id
), crowded as (
  select w.person_id from membership_wanted w join standard s using (record_id)
   group by w.person_id, s.source having count(*) > 2
)
select count(*), count(*) filter (where numbers > 1), count(*) filter (where sexes > 1),
  count(*) filter (where birth_dates > 1),
       count(*) filter (where deaths > 1), count(*) filter (where death_date < birth_date),
       count(*) filter (where date_diff('year', birth_date, coalesce(death_date, $today)) > 115),
       (select count(distinct person_id) from crowded)
  from person"""

_IMPOSSIBLE_NAMES = (
    "more than one verified NHS number",
    "conflicting sex",
    "more than one exact birth date",
    "two death dates",
    "death before birth",
    "age above 115",
    "more than two records of one source",
)


def estimates(calculation: duckdb.DuckDBPyConnection, bands: Bands, moment: Any) -> dict[str, Any]:
    """Section 5 of the linkage report, from the tables of this run."""
    sample, found, wrong = calculation.execute(_HIDDEN, {"link": bands.link, "margin": bands.margin}).fetchall()[0]
    recall, false_share = wilson(found, sample), wilson(wrong, found + wrong)
    return {
        "hidden_numbers": {
            "design": f"{_SHARE_HIDDEN} per cent of the links by NHS number between sources, chosen by a hash of "
            f"the keys, "
            "linked again with their numbers hidden",
            "sample": sample,
            "recall": recall.as_dict(),
            "false_share": false_share.as_dict(),
            "assumption": "people with a number are as easy to link by demographics as people without; they are "
            "easier, so the "
            "estimate of recall for people without a number is likely to be too high",
        },
        "capture_recapture": _capture(calculation, bands),
        "impossible_things": _impossible(calculation, moment),
        "clerical_sample": "not measured, because no pairs have been reviewed for this purpose yet",
    }


def _capture(calculation: duckdb.DuckDBPyConnection, bands: Bands) -> dict[str, Any]:
    by_number, by_demographics, both = calculation.execute(_CAPTURE, {"link": bands.link}).fetchall()[0]
    facts: dict[str, Any] = {
        "design": "links by number and links by demographics as two catches of the same pairs, both records "
        "having a number",
        "by_number": by_number,
        "by_demographics": by_demographics,
        "by_both": both,
        "assumption": "the two catches are independent; they are not quite (poor records miss both), so recall "
        "is likely to "
        "be estimated too high",
    }
    if not both:
        return {**facts, "recall": None, "low": None, "high": None}
    total = (by_number + 1) * (by_demographics + 1) / (both + 1) - 1  # Chapman
    variance = (
        (by_number + 1)
        * (by_demographics + 1)
        * (by_number - both)
        * (by_demographics - both)
        / ((both + 1) ** 2 * (both + 2))
    )
    half, caught = 1.96 * sqrt(variance), by_number + by_demographics - both
    return {
        **facts,
        "recall": min(1.0, caught / total),
        "low": caught / (total + half),
        "high": min(1.0, caught / max(caught, total - half)),
    }


def _impossible(calculation: duckdb.DuckDBPyConnection, moment: Any) -> dict[str, Any]:
    people, *counts = calculation.execute(_IMPOSSIBLE, {"today": moment.date()}).fetchall()[0]
    return {
        "people": people,
        "counts": [
            {"what": name, **wilson(count, people).as_dict()}
            for name, count in zip(_IMPOSSIBLE_NAMES, counts, strict=True)
        ],
        "not_measured": "events after death, overlapping stays and two places at once are not measured here, "
        "because linkage "
        "never sees events",
    }
