"""Which pairs a trial compares: the union of the equality rules that the fields allow and the budget can bear.

Every possible rule is counted before any pair is made; blocks too large for the rule's share of the budget are left
out and reported, and the cheapest rules come first (linkage handbook 6). Nothing is chosen by the name of a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linkage.trial.rules import Rule, rules_for

if TYPE_CHECKING:
    import duckdb

_LEAST_BUDGET, _MOST_BUDGET, _PAIRS_PER_RECORD = 1_500_000, 25_000_000, 60
_CAPS = (10_000, 5_000, 2_000, 1_000, 500, 250, 120, 60, 30, 15)
_SHARE_OF_ONE_RULE = 0.3
#: The same true pair is found by many rules, so all rules together may make this many times the budget before union.
_OVERLAP = 6
#: And no more than this: beyond some hundred thousand records time and memory decide, the costliest rules go.
_MOST_JOINED = 40_000_000
#: Comparisons that capture–recapture tells rules apart by.
ABOUT = ("name", "birth_date")


@dataclass(frozen=True, slots=True)
class RuleUse:
    """One rule as it was used: the largest block looked into, its pairs, and what the limit left out."""

    rule: Rule
    cap: int
    pairs: int
    largest_block: int
    blocks_left_out: int
    is_used: bool


def make_candidates(
    con: duckdb.DuckDBPyConnection, fields: Sequence[str], *, across: bool, within: bool
) -> tuple[RuleUse, ...]:
    """Fill `candidate` (left_id, right_id, rule, without) from `standard`.

    `rule` is the number of the first rule, in the order returned, that finds the pair; `without` has a bit for each of
    `ABOUT` that is set when a rule not using it finds the pair. `across` pairs stand between side 0 and side 1,
    `within` pairs inside one side. Left is the smaller number.
    """
    records = int(con.execute("select count(*) from standard").fetchall()[0][0])
    budget = min(max(_LEAST_BUDGET, _PAIRS_PER_RECORD * records), _MOST_BUDGET)
    uses = [_count(con, rule, budget, across=across, within=within) for rule in rules_for(fields)]
    total, used = 0, []
    for use in sorted(uses, key=lambda use: (not use.rule.is_identifier, use.pairs, use.rule.name)):
        affordable = use.is_used and total + use.pairs <= min(budget * _OVERLAP, _MOST_JOINED)
        total += use.pairs if affordable else 0
        used.append(replace(use, is_used=affordable))
    used.sort(key=lambda use: not use.is_used)
    _join(con, [use for use in used if use.is_used], across=across, within=within)
    return tuple(used)


def _count(con: duckdb.DuckDBPyConnection, rule: Rule, budget: int, *, across: bool, within: bool) -> RuleUse:
    """Count the rule by group-by alone, and choose the largest block it may look into."""
    con.execute(f"""create or replace temp table block_size as
        select count(*) filter (where side = 0) as a, count(*) filter (where side = 1) as b
          from (select distinct record_id, value from ({rule.select}) where value is not null)
          join standard using (record_id) group by value having count(*) > 1""")
    pairs = " + ".join(["a * b"] * across + ["a * (a - 1) // 2 + b * (b - 1) // 2"] * within)
    caps = (rule.cap,) if rule.cap else _CAPS
    allowed = budget if rule.is_identifier else int(budget * _SHARE_OF_ONE_RULE)
    for cap in caps:
        found, largest, left_out = con.execute(f"""
            select coalesce(sum({pairs}) filter (where a + b <= {cap}), 0)::bigint,
                   coalesce(max(a + b) filter (where a + b <= {cap}), 0), count(*) filter (where a + b > {cap})
              from block_size""").fetchall()[0]
        if found <= allowed:
            return RuleUse(rule, cap, found, largest, left_out, found > 0)
    return RuleUse(rule, 0, 0, 0, left_out, False)


def _join(con: duckdb.DuckDBPyConnection, used: Sequence[RuleUse], *, across: bool, within: bool) -> None:
    con.execute("create or replace table candidate (left_id bigint, right_id bigint, rule usmallint, without utinyint)")
    if not used:
        return
    keys = " union all ".join(
        f"select {number}::usmallint as rule, {_without(use.rule)}::utinyint as without, record_id,"
        f" hash({number}, value) as key from (select distinct record_id, value from ({use.rule.select})"
        f" where value is not null) qualify count(*) over (partition by value) between 2 and {use.cap}"
        for number, use in enumerate(used)
    )
    con.execute(f"create or replace temp table block_key as select k.*, s.side from ({keys}) k join standard s using "
                "(record_id)")  # fmt: skip
    sides = "true" if across and within else ("a.side <> b.side" if across else "a.side = b.side")
    con.execute(f"""insert into candidate
        select a.record_id, b.record_id, min(a.rule), bit_or(a.without)
          from block_key a join block_key b on a.key = b.key and a.record_id < b.record_id and {sides}
         group by all order by all""")
    con.execute("drop table block_key")


def _without(rule: Rule) -> int:
    return sum(1 << bit for bit, about in enumerate(ABOUT) if about not in rule.about)
