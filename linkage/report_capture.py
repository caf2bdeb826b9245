"""What blocking can never find: links known by number as a check, and rules of different fields as catches of one lake.

A true pair is lost when it fails every rule. How many that are is estimated twice, each with its assumption; the
estimates bracket the truth on councils whose truth is known (linkage handbook 6 and 14; governance 4.1, section 5).
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from linkage.deterministic import Rule
from linkage.model import Bands
from linkage.quality import wilson

if TYPE_CHECKING:
    import duckdb

_BY_NUMBER = f"('{Rule.NHS_VERIFIED}', '{Rule.NHS_CROSS_CHECKED}')"
_LINKS = f"""
select count(*) filter (where rule in {_BY_NUMBER}) as by_number,
       count(*) filter (where by_demographics and weight_without_number >= $link) as by_demographics,
       count(*) filter (where rule in {_BY_NUMBER} and by_demographics and weight_without_number >= $link) as by_both,
       count(*) filter (where rule in {_BY_NUMBER} and is_compared) as compared,
       count(*) filter (where rule in {_BY_NUMBER} and is_compared and by_demographics) as found_without_number
  from (select e.*, l.is_restricted = false and r.is_restricted = false as is_compared
          from decided_edge e join standard l on l.record_id = e.left_id join standard r on r.record_id = e.right_id)
 where numbers <> 'missing' and decision = 'link'"""

# Which fields agree, asked of the records themselves: rules of blocking that share no field but the name's initial.
_CATCHES = """
with pair as (
  select (coalesce(l.birth_text = r.birth_text, false)) as by_birth_date,
         (coalesce(l.forename = r.forename and l.surname = r.surname, false)
           or coalesce(l.forename_sound = r.forename_sound and l.surname_sound = r.surname_sound, false)) as by_name
    from decided_edge e join standard l on l.record_id = e.left_id join standard r on r.record_id = e.right_id
   where e.rule in ({rules}) and e.decision = 'link' and l.source <> r.source
     and l.is_restricted = false and r.is_restricted = false
)
select count(*) filter (where by_name), count(*) filter (where by_birth_date),
       count(*) filter (where by_name and by_birth_date), count(*) from pair"""


def capture(calculation: duckdb.DuckDBPyConnection, bands: Bands) -> dict[str, Any]:
    """The estimates of this run, from `decided_edge` and `standard`."""
    by_number, by_demographics, both, compared, found = calculation.execute(_LINKS, {"link": bands.link}).fetchall()[0]
    return {
        "design": "links by number and links by demographics as two catches of the same pairs, both records "
        "having a number",
        "by_number": by_number,
        "by_demographics": by_demographics,
        "by_both": both,
        **chapman(by_number, by_demographics, both),
        "assumption": "the two catches are independent; they are not quite (poor records miss both), so recall is "
        "likely to be estimated too high",
        "blocking": _blocking(calculation, compared, found),
    }


def chapman(first: int, second: int, both: int) -> dict[str, float | None]:
    """Recall of two catches together, with its 95 % interval: those caught over all there probably are (Chapman 1951).

    All None when nothing was caught twice.
    """
    if not both:
        return {"recall": None, "low": None, "high": None}
    total = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    half, caught = 1.96 * sqrt(variance), first + second - both
    return {
        "recall": min(1.0, caught / total),
        "low": caught / (total + half),
        "high": min(1.0, caught / max(caught, total - half)),
    }


def _blocking(calculation: duckdb.DuckDBPyConnection, compared: int, found: int) -> dict[str, Any]:
    known = ", ".join(f"'{rule}'" for rule in (Rule.NHS_VERIFIED, Rule.NHS_CROSS_CHECKED))
    names, dates, both, pairs = calculation.execute(_CATCHES.format(rules=known)).fetchall()[0]
    caught = chapman(names, dates, both)
    return {
        "never_a_candidate": {
            **wilson(compared - found, compared).as_dict(),
            "how": "of the pairs linked by number, those that no rule on names, birth dates, places or contacts finds; "
            "protected people are not among them, because they are compared by number only",
            "assumption": "people without a number are as easy to find as people with one; their records are "
            "poorer, so the share among them is likely to be higher",
        },
        "two_catches": {
            "by_name": names,
            "by_birth_date": dates,
            "by_both": both,
            "pairs": pairs,
            "missed_by_both": None if caught["recall"] is None else 1 - caught["recall"],
            "low": None if caught["high"] is None else 1 - caught["high"],
            "high": None if caught["low"] is None else 1 - caught["low"],
            "missed_in_truth": wilson(pairs - names - dates + both, pairs).as_dict(),
            "how": "pairs linked by number whose full names agree or sound alike, and those whose birth dates agree, "
            "are two catches that share no field; what both miss is left to rules on parts, places and contacts, and "
            "the known pairs say how far the estimate is from the truth here",
        },
    }
