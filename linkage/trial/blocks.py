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
#: A rule is left out for a wider one whose pairs hold all of its own, when those are no more than this share.
_CHEAP = 0.02
#: Comparisons that capture–recapture tells rules apart by.
ABOUT = ("name", "birth_date")
CANDIDATES = "candidate"


@dataclass(frozen=True, slots=True)
class RuleUse:
    """One rule as it was used: the largest block looked into, its pairs, and what the limit left out."""

    rule: Rule
    cap: int
    pairs: int
    largest_block: int
    blocks_left_out: int
    is_used: bool


def choose_rules(
    con: duckdb.DuckDBPyConnection, fields: Sequence[str], *, across: bool, within: bool
) -> tuple[RuleUse, ...]:
    """The rules that `standard` allows, counted: those in use first, the cheapest first."""
    records = int(con.execute("select count(*) from standard").fetchall()[0][0])
    budget = min(max(_LEAST_BUDGET, _PAIRS_PER_RECORD * records), _MOST_BUDGET)
    counted: list[RuleUse] = []
    wide: list[Rule] = []
    for rule in sorted(rules_for(fields), key=lambda rule: len(rule.implied)):
        if any(rule.implied > other.implied for other in wide):
            continue
        use = _count(con, rule, budget, across=across, within=within)
        counted.append(use)
        if rule.implied and not use.blocks_left_out and use.pairs <= _CHEAP * budget:
            wide.append(rule)
    total, used = 0, []
    for use in sorted(counted, key=lambda use: (not use.rule.is_identifier, use.pairs, use.rule.name)):
        affordable = use.is_used and total + use.pairs <= min(budget * _OVERLAP, _MOST_JOINED)
        total += use.pairs if affordable else 0
        used.append(replace(use, is_used=affordable))
    used.sort(key=lambda use: not use.is_used)
    return tuple(used)


def make_candidates(
    con: duckdb.DuckDBPyConnection,
    uses: Sequence[tuple[int, RuleUse]],
    *,
    across: bool,
    within: bool,
    table: str = CANDIDATES,
    settled: str | None = None,
) -> None:
    """Fill `table` (left_id, right_id, rule, without) from `standard` with the pairs that numbered rules find.

    `rule` is the smallest number of the rules that find a pair; `without` has a bit for each of `ABOUT` that is set
    when a rule not using it finds the pair. `across` pairs stand between side 0 and side 1, `within` pairs inside one
    side; left is the smaller number. Records in `settled`, a table, take no part.
    """
    con.execute("create or replace temp table met (l uinteger, r uinteger, rule usmallint, without utinyint)")
    sides = "true" if across and within else ("a.side <> b.side" if across else "a.side = b.side")
    for number, use in uses:
        _keys(con, use, across=across, settled=settled)
        con.execute(f"""insert into met select a.record_id, b.record_id, {number}, {_without(use.rule)}
            from block_key a join block_key b on a.key = b.key and a.record_id < b.record_id and {sides}""")
    con.execute("drop table if exists block_key")
    con.execute(f"""create or replace table {table} as
        select l::integer as left_id, r::integer as right_id, min(rule) as rule, bit_or(without) as without
          from met group by l, r""")
    con.execute("drop table met")


def _keys(con: duckdb.DuckDBPyConnection, use: RuleUse, *, across: bool, settled: str | None) -> None:
    """`block_key` (record_id, side, key): the rule's key of every record that may meet another."""
    gone = f"and record_id not in (select record_id from {settled})" if settled else ""
    con.execute(f"create or replace temp table block_key as {_hashed(use.rule)} {gone}")
    if use.blocks_left_out:
        con.execute(f"""delete from block_key where key in (
            select key from block_key group by key having count(*) > {use.cap})""")


def _hashed(rule: Rule) -> str:
    """The keys of a rule as a select that ends in its condition."""
    values = f"(select distinct record_id, value from ({rule.select})) join standard using (record_id)"
    if rule.is_plain:
        values = f"({rule.select.replace('select record_id,', 'select record_id, side,', 1)})"
    return f"select record_id::uinteger as record_id, side, hash(value) as key from {values} where value is not null"


def _count(con: duckdb.DuckDBPyConnection, rule: Rule, budget: int, *, across: bool, within: bool) -> RuleUse:
    """Count the rule by group-by alone, and choose the largest block it may look into."""
    con.execute(f"""create or replace temp table block_size as
        select count(*) filter (where side = 0) as a, count(*) filter (where side = 1) as b
          from ({_hashed(rule)}) group by key having count(*) > 1""")
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


def _without(rule: Rule) -> int:
    return sum(1 << bit for bit, about in enumerate(ABOUT) if about not in rule.about)
