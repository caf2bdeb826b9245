"""Results by step: section 4 of the linkage report, counts and weights only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linkage.deterministic import REASON_MEANING, RULE_MEANING, Rule
from linkage.model import Bands
from linkage.quality import wilson

if TYPE_CHECKING:
    import duckdb

# Of each record the candidates by weight that the engine kept, as odds: linkage handbook 12.
_AMBIGUITY = f"""
with side as (
  select left_id as record_id, right_id as other_id, weight from decided_edge
    where rule = '{Rule.PROBABILISTIC}' and weight is not null and reason <> 'restricted'
  union all
  select right_id, left_id, weight from decided_edge
    where rule = '{Rule.PROBABILISTIC}' and weight is not null and reason <> 'restricted'
), odds as (
  select record_id, weight, max(weight) over one as best, pow(2, least(weight, 60)) as odds,
         pow(2, least(weight, 60)) / sum(pow(2, least(weight, 60))) over one as share
    from side window one as (partition by record_id)
), told as (
  select record_id, count(*) filter (where weight >= best - $margin) as close, 1 / (1 + sum(odds)) as no_match,
         pow(2, -sum(share * log2(share))) as effective
    from odds group by record_id
)
select count(*) filter (where close > 1), coalesce(avg(no_match), 0), coalesce(avg(effective), 0),
       (select count(*) from standard where record_id not in
          (select left_id from decided_edge union all select right_id from decided_edge))
  from told"""

_BY_NUMBER = (Rule.NHS_VERIFIED.value, Rule.NHS_CROSS_CHECKED.value)
_RANKS = ", ".join(f"('{rule.value}', {rank})" for rank, rule in enumerate(Rule))

_STEPS = f"""
with rank(rule, rank) as (values {_RANKS}),
pair as (
  select e.rule, e.decision, k.rank, e.numbers = 'same' and e.weight_without_number >= $link as is_confirmed,
    least(l.source, r.source) as one, greatest(l.source, r.source) as other
    from decided_edge e join rank k using (rule)
    join standard l on l.record_id = e.left_id join standard r on r.record_id = e.right_id
)
select one, other, rule, count(*) as pairs, count(*) filter (where decision = 'link') as accepted,
       count(*) filter (where decision = 'review') as reviewed,
       count(*) filter (where decision = 'link' and is_confirmed) as confirmed
  from pair group by grouping sets ((one, other, rule, rank), (rule, rank)) order by one nulls first, other, rank"""

# By which step a record first found a partner: of any source, and of each.
_FIRST_LINKED = f"""
with rank(rule, rank) as (values {_RANKS}),
side as (
  select e.left_id as record_id, e.right_id as other_id, k.rank from decided_edge e join rank k using (rule)
    where decision = 'link'
  union all
  select e.right_id, e.left_id, k.rank from decided_edge e join rank k using (rule) where decision = 'link'
), first as (
  select a.source as one, b.source as other, s.record_id, min(s.rank) as rank
    from side s join standard a on a.record_id = s.record_id join standard b on b.record_id = s.other_id group by all
)
select one, other, rank, count(*) from first group by all
union all
select null, null, rank, count(*) from (select record_id, min(rank) as rank
  from first group by record_id) group by rank"""


def results(calculation: duckdb.DuckDBPyConnection, bands: Bands) -> dict[str, Any]:
    """Section 4: the table by step, for each source pair and overall, and what else tells how linking went."""
    records = dict(calculation.execute("select source, count(*) from standard group by 1 order by 1").fetchall())
    first: dict[tuple[str | None, str | None], dict[int, int]] = {}
    for one, other, rank, count in calculation.execute(_FIRST_LINKED).fetchall():
        first.setdefault((one, other), {})[rank] = count
    tables: dict[tuple[str | None, str | None], list[tuple[Any, ...]]] = {}
    for one, other, *row in calculation.execute(_STEPS, {"link": bands.link}).fetchall():
        tables.setdefault((one, other), []).append(tuple(row))
    return {
        "counts": _counts(calculation, len(records)),
        "steps": [_table(key, rows, first.get(key, {}), records) for key, rows in tables.items()],
        "weights": _weights(calculation),
        "review_reasons": _review_reasons(calculation),
        "people_by_records": _sizes(calculation),
        "number_agreement": _number_agreement(calculation),
        "ambiguity": _ambiguity(calculation, bands),
    }


def _table(
    key: tuple[str | None, str | None], rows: list[tuple[Any, ...]], first: dict[int, int], records: dict[str, int]
) -> dict[str, Any]:
    one, other = key
    base = sum(records.values()) if one is None else records[one]
    links = sum(row[2] for row in rows)
    lines, reached = [], 0
    for rule, pairs, accepted, reviewed, confirmed in rows:
        reached += first.get(list(Rule).index(Rule(rule)), 0)
        lines.append(
            {
                "step": rule,
                "rule": RULE_MEANING[Rule(rule)],
                "pairs": pairs,
                "accepted": accepted,
                "share_of_links": accepted / links if links else None,
                "cumulative_linkage_rate": reached / base if base else None,
                "sent_to_review": reviewed,
                # A link by number that the rest of the record would have made as well is very likely right.
                "confirmed_by_demographics": wilson(confirmed, accepted).as_dict() if rule in _BY_NUMBER else None,
                "estimated_precision": "not measured, because no pair of this step has been reviewed yet"
                if one is None
                else "not measured by pair of sources, because the sample is too small; see the overall table",
            }
        )
    title = "overall" if one is None else f"within {one}" if one == other else f"{one} – {other}"
    return {
        "sources": title,
        "records": base,
        "linkage_rate_is_of": "all records" if one is None else f"records of {one}",
        "rows": lines,
    }


def _counts(calculation: duckdb.DuckDBPyConnection, sources: int) -> dict[str, Any]:
    records, people, alone = calculation.execute("""
        select sum(n), count(*), count(*) filter (where n = 1) from
          (select count(*) as n from membership_wanted group by person_id)""").fetchall()[0]
    links, reviews = calculation.execute("""
        select count(*) filter (where decision = 'link'), count(*) filter (where decision = 'review')
          from decided_edge""").fetchall()[0]
    care, linked = calculation.execute("""
        with health as (select distinct person_id from membership_wanted join standard using (record_id)
          where source = 'systmone'),
             care as (select distinct person_id from membership_wanted join standard using (record_id)
               where source <> 'systmone')
        select count(*), count(*) filter (where person_id in (from health)) from care""").fetchall()[0]
    rate = {**wilson(linked, care).as_dict(), "how": "people known to care who are linked to a health record"}
    return {
        "records": int(records or 0),
        "sources": sources,
        "people": people,
        "people_with_one_record": alone,
        "links": links,
        "reviews": reviews,
        "linkage_rate": rate,
    }


def _weights(calculation: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = calculation.execute("""
        select (floor(weight / 2) * 2)::int as bits_from, count(*) filter (where decision = 'link'),
               count(*) filter (where decision = 'review'), count(*) filter (where decision = 'reject')
          from decided_edge where weight is not null group by 1 order by 1""").fetchall()
    return [
        {"from": low, "to": low + 2, "link": link, "review": review, "reject": reject}
        for low, link, review, reject in rows
    ]


def _review_reasons(calculation: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = calculation.execute("""
        select reason, count(*) from decided_edge where decision = 'review' group by 1 order by 2 desc, 1""").fetchall()
    return [{"reason": reason, "meaning": REASON_MEANING.get(reason, reason), "pairs": pairs} for reason, pairs in rows]


def _sizes(calculation: duckdb.DuckDBPyConnection) -> list[dict[str, int]]:
    rows = calculation.execute("""
        select n, count(*) from (select count(*) as n from membership_wanted group by person_id)
         group by n order by n""").fetchall()
    return [{"records": records, "people": people} for records, people in rows]


def _number_agreement(calculation: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    same, both, without, one_field = calculation.execute("""
        select count(*) filter (where numbers = 'same'), count(*) filter (where numbers <> 'missing'),
               count(*) filter (where numbers = 'missing'),
               count(*) filter (where numbers = 'same' and weight_without_number < 0)
          from decided_edge where decision = 'link'""").fetchall()[0]
    return {
        "links_where_both_have_a_number": both,
        "numbers_agree": wilson(same, both).as_dict(),
        "links_where_a_number_is_missing": without,
        "links_resting_on_the_number_alone": one_field,
    }


def _ambiguity(calculation: duckdb.DuckDBPyConnection, bands: Bands) -> dict[str, Any]:
    close, no_match, effective, alone = calculation.execute(_AMBIGUITY, {"margin": bands.margin}).fetchall()[0]
    return {
        "margin": bands.margin,
        "without_candidate": alone,
        "with_close_candidates": close,
        "no_match": round(no_match, 9),  # means, however they were added up
        "effective_candidates": round(effective, 9),
    }
