"""Which records meet: every blocking rule as a join of keys, its pairs as two row numbers.

A pair belongs to the first rule that finds it, as with Splink. Splink has every rule ask again what all earlier rules
asked, which drags their columns through every join; here the joins read one number a record, and a pair found twice is
put together only after the sieve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkage.executor.distances import write_condition
from linkage.executor.expressions import sql
from linkage.executor.records import LEFT, RIGHT
from linkage.executor.settings import CompiledModel, Rule, SettingsRefused
from linkage.executor.ways import Way, Ways

if TYPE_CHECKING:
    import duckdb

MET, PAIRS = "executor_met", "executor_pair"


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two prepared tables whose records meet, and the conditions that keep a pair from being met twice.

    `carried`: whether the right table carries the values worked out beforehand; `row`: the column pairs are told by.
    """

    left: str
    right: str
    order: tuple[str, ...]
    carried: bool = True
    sources: tuple[str, str] | None = None
    row: str = "rowid"


def meetings(model: CompiledModel, *, two_files: bool) -> tuple[Meeting, ...]:
    """The meetings of a link type. Raises `SettingsRefused` when the files do not suit it."""
    if model.link_type == "dedupe_only":
        if two_files:
            raise SettingsRefused("dedupe_only takes one file")
        return (Meeting(LEFT, LEFT, ('l."__id" < r."__id"',)),)
    if two_files and model.link_type == "link_only":
        return (Meeting(LEFT, RIGHT, (), carried=False),)
    if two_files:
        by_text = ('l."__id"::varchar < r."__id"::varchar',)
        return (
            Meeting(LEFT, RIGHT, (), sources=("left", "right")),
            Meeting(LEFT, LEFT, by_text, sources=("left", "left")),
            Meeting(RIGHT, RIGHT, by_text, sources=("right", "right")),
        )
    whole = 'l."__source" || \'-__-\' || l."__id" < r."__source" || \'-__-\' || r."__id"'
    apart = ('l."__source" <> r."__source"',) if model.link_type == "link_only" else ()
    return (Meeting(LEFT, LEFT, (whole, *apart)),)


def make_pairs(
    con: duckdb.DuckDBPyConnection,
    model: CompiledModel,
    meeting: Meeting,
    ways: Ways,
    *,
    left: str,
    ready: Sequence[str],
    left_out: str | None,
) -> dict[int, int]:
    """Fill `executor_met` (l, r, rule): the rows of every candidate of a meeting, once for each rule that found it.

    Gives back how many pairs each rule found, found before or not. `left` stands in for the meeting's left table: it
    holds the records still open, with their row in `__row`; `ready` are selects of pairs (l, r, rule) found before;
    rows of the right file in `left_out`, a select, do not take part.
    """
    con.execute(f"create or replace temp table {MET} (l uinteger, r uinteger, rule smallint)")
    for select in ready:
        con.execute(f"insert into {MET} {select}")
    where = " and ".join(meeting.order) or "true"
    found = dict.fromkeys((rule.number for rule in model.rules), 0)
    for way in ways.ways:
        rule = way.rule
        columns, source = _exploded(rule, meeting, left) if rule.exploded else _plain(model, way, meeting, left)
        select = f"select {columns}, {rule.number} {source} where {where}"
        found[rule.number] += int(con.execute(f"insert into {MET} {select}").fetchall()[0][0])
    if left_out:
        con.execute(f"delete from {MET} where rule >= 0 and r in ({left_out})")
    return found


def _plain(model: CompiledModel, way: Way, meeting: Meeting, left: str) -> tuple[str, str]:
    asked = [] if way.keys is None else [f'l."{way.keys[0]}" = r."{way.keys[1]}"']
    on = " and ".join([*asked, *(f"({write_condition(part)})" for part in way.rest)])
    if not meeting.carried:
        on = model.derived.spelled_out(on, "r")
    return 'l."__row", r.rowid::uinteger', f"from {left} l join {meeting.right} r on {on}"


def _exploded(rule: Rule, meeting: Meeting, left: str) -> tuple[str, str]:
    """The pairs of a rule that meets the values of lists one by one."""
    sides = []
    for side, records, row in (("l", left, '"__row"'), ("r", meeting.right, "rowid::uinteger")):
        select = f'select *, {row} as "__met" from {records}'
        for column in rule.exploded:
            select = f'select * exclude ("{column}"), unnest("{column}") as "{column}" from ({select})'
        sides.append(f"({select}) {side}")
    return 'distinct l."__met", r."__met"', f"from {sides[0]} join {sides[1]} on {sql(rule.ways[0])}"
