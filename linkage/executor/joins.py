"""Which records meet: each blocking rule as a join that leaves out what earlier rules found.

The order of rules is Splink's: a pair belongs to the first rule that finds it. Leaving out is nearly free, because what
the join already proves is struck from the earlier rules first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from linkage.executor.distances import write_condition
from linkage.executor.expressions import Facts, Tree, facts_of, sql
from linkage.executor.records import LEFT, RIGHT
from linkage.executor.settings import CompiledModel, Rule, SettingsRefused
from linkage.executor.weights import excluded


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two prepared tables whose records meet, and the condition that keeps a pair from being met twice."""

    left: str
    right: str
    order: tuple[str, ...]
    sources: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """One way of one rule: what to do first, where its pairs come from, and what is known about them."""

    rule: int
    prepare: tuple[str, ...]
    source: str
    facts: Facts


def meetings(model: CompiledModel, *, two_files: bool) -> tuple[Meeting, ...]:
    """The meetings of a link type. Raises `SettingsRefused` when the files do not suit it."""
    if model.link_type == "dedupe_only":
        if two_files:
            raise SettingsRefused("dedupe_only takes one file")
        return (Meeting(LEFT, LEFT, ('l."__id" < r."__id"',)),)
    if two_files:
        between = Meeting(LEFT, RIGHT, (), ("left", "right"))
        if model.link_type == "link_only":
            return (Meeting(LEFT, RIGHT, ()),)
        by_text = ('l."__id"::varchar < r."__id"::varchar',)
        return (
            between,
            Meeting(LEFT, LEFT, by_text, ("left", "left")),
            Meeting(RIGHT, RIGHT, by_text, ("right", "right")),
        )
    whole = 'l."__source" || \'-__-\' || l."__id" < r."__source" || \'-__-\' || r."__id"'
    apart = ('l."__source" <> r."__source"',) if model.link_type == "link_only" else ()
    return (Meeting(LEFT, LEFT, (whole, *apart)),)


def joins(model: CompiledModel, meeting: Meeting, conditions: tuple[str, ...]) -> Iterator[Join]:
    """The joins of all rules in order; `conditions` further limit the records on either side."""
    earlier: list[Tree] = []
    pair_tables: list[str] = []
    always = (*meeting.order, *conditions)
    for rule in model.rules:
        for way in rule.ways:
            facts = Facts() if rule.exploded else facts_of(way, model.derived)
            left_out = excluded(earlier, facts)
            if left_out is not None:
                seen = [
                    f"not exists (select 1 from {table} e where e.l = l.rowid and e.r = r.rowid)"
                    for table in pair_tables
                ]
                where = " and ".join([*always, *left_out, *seen]) or "true"
                if rule.exploded:
                    table = f"executor_exploded_{rule.number}"
                    pair_tables.append(table)
                    source = f"{table} e join {meeting.left} l on l.rowid = e.l join {meeting.right} r on r.rowid = e.r"
                    yield Join(
                        rule.number, (_exploded(rule, meeting, table, always),), f"{source} where {where}", facts
                    )
                else:
                    on = write_condition(way)
                    yield Join(rule.number, (), f"{meeting.left} l join {meeting.right} r on {on} where {where}", facts)
            if not rule.exploded:
                earlier.append(way)


def rule_trees(model: CompiledModel) -> list[Tree]:
    """The conditions of all rules."""
    return [way for rule in model.rules for way in rule.ways]


def _exploded(rule: Rule, meeting: Meeting, table: str, always: tuple[str, ...]) -> str:
    """The pairs of a rule that meets the values of lists one by one, each pair once, by row."""
    way = rule.ways[0]
    sides = []
    for side, records in (("l", meeting.left), ("r", meeting.right)):
        select = f"select *, rowid as __row from {records}"
        for column in rule.exploded:
            select = f'select * exclude ("{column}"), unnest("{column}") as "{column}" from ({select})'
        sides.append(f"({select}) {side}")
    where = " and ".join(always) or "true"
    return f"""create or replace temp table {table} as
        select distinct l.__row as l, r.__row as r from {sides[0]} join {sides[1]} on {sql(way)} where {where}"""
