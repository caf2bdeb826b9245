"""How many links of people without a number are missed: told by their own candidates, not by people who have numbers.

People without a number are harder to link than their source, age and missing fields say. What they leave behind is
seen in review: candidates that wait, less as many as strangers alone would bring, which the hidden-number test counts;
and what reaches not even review, which it measures on the hidden links (linkage handbook 14; governance 4.1, 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linkage.model import Model
from linkage.quality import wilson

if TYPE_CHECKING:
    import duckdb

# Care records without a number: in all, linked to health, and unlinked with a candidate in health that waits.
_OWN = """
with health as (select person_id from membership_wanted join standard using (record_id) where source = 'systmone'),
own as (
  select s.record_id, w.person_id in (from health) as is_linked
    from standard s join membership_wanted w using (record_id)
   where s.nhs_number is null and s.source <> 'systmone' and s.is_restricted = false
), waiting as (
  select unnest([left_id, right_id]) as record_id from decided_edge e
    join standard l on l.record_id = e.left_id join standard r on r.record_id = e.right_id
   where e.decision = 'review' and e.weight >= $review and (l.source = 'systmone') <> (r.source = 'systmone')
)
select count(*), count(*) filter (where is_linked),
       count(*) filter (where not is_linked and record_id in (from waiting)) from own"""

# Of the hidden records: those that meet a stranger of health at the review line, and those whose partner does not.
_HIDDEN = """
with pair as (
  select h.record_id, h.partner_id, s.weight_without_number as weight,
         case when s.left_id = h.record_id then s.right_id else s.left_id end as other_id
    from hidden_link h join {pairs} s on h.record_id in (s.left_id, s.right_id)
   where s.by_demographics and s.weight_without_number >= $review
), told as (
  select p.record_id, bool_or(p.other_id = p.partner_id) as has_partner,
         bool_or(o.source = 'systmone' and o.nhs_number <> r.nhs_number and a.person_id <> b.person_id) as has_stranger
    from pair p join standard o on o.record_id = p.other_id join standard r on r.record_id = p.record_id
    join membership_wanted a on a.record_id = p.other_id join membership_wanted b on b.record_id = p.record_id
   group by p.record_id, p.partner_id
)
select count(distinct h.record_id), count(distinct t.record_id) filter (where t.has_stranger),
       count(distinct h.record_id) - count(distinct t.record_id) filter (where t.has_partner)
  from hidden_link h left join told t using (record_id)"""


def by_own_candidates(calculation: duckdb.DuckDBPyConnection, model: Model, *, is_full: bool) -> dict[str, Any]:
    """Recall of the links to health of care records without a number, with its 95 % interval.

    Reads `standard`, `decided_edge`, `membership_wanted`, `hidden_link` and the pairs of the run. `value` is None
    without hidden links or without any link to judge.
    """
    line = {"review": model.bands.review}
    records, linked, waiting = calculation.execute(_OWN, line).fetchall()[0]
    pairs = "scored" if is_full else "edge_now"
    sample, strangers, lost = calculation.execute(_HIDDEN.format(pairs=pairs), line).fetchall()[0]
    facts: dict[str, Any] = {
        "records": records,
        "linked": linked,
        "waiting": waiting,
        "strangers": wilson(strangers, sample).as_dict(),
        "not_even_in_review": wilson(lost, sample).as_dict(),
        "how": "records without a number that wait with a candidate, less as many as meet a stranger in the "
        "hidden-number test, and on top the share of hidden links that reach not even review",
    }
    if not sample or not linked:
        return facts | {"value": None, "low": None, "high": None}
    unlinked, never = records - linked, lost / sample
    in_review = max(0.0, waiting - unlinked * strangers / sample)
    there = (linked + in_review) / (1 - never) if never < 1 else float(records)
    estimate = wilson(min(round(linked), round(there)), round(there))
    return facts | {"value": linked / there, "low": estimate.low, "high": estimate.high}
