"""The calculation of a link run, from source rows to groups, without any database: the same for all records and for a
delta.

A record has changed when its digest has: everything a comparison or a blocking rule reads. Pairs of two unchanged
records keep their edge; only groups that touch a change are formed anew. A test holds the delta equal to the full
run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from linkage import blocking
from linkage.changed import find_changed, write_digests
from linkage.clustering import Constraints, Edge, Grouping, Node, group_records
from linkage.compiled import score_pairs
from linkage.deterministic import Rule, apply_ladder
from linkage.inputs import Before, Changes, Sources
from linkage.kept import Kept
from linkage.kept_night import every_block, refresh
from linkage.model import Model
from linkage.standardise import StandardisedCounts, standardise

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_NO_PAIRS = blocking.BlockingCounts((), 0, 0)
_ALL_ANEW_ABOVE = 0.3  # share of changed records above which comparing all is cheaper than telling them apart


@dataclass(frozen=True, slots=True)
class EdgeFigures:
    """What finding the edges took: counts only."""

    standardised: StandardisedCounts
    blocking: blocking.BlockingCounts
    records: int
    changed: int
    is_full: bool


@dataclass(slots=True)
class Grouped:
    """The groups that were formed, of the records looked at, with the final decision on each of their edges."""

    nodes: dict[int, Node]
    grouping: Grouping
    affected: frozenset[int]  # with records that left
    person_of: dict[int, str]  # as believed until now


def open_calculation(scratch: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection of this run's own, kept in memory and within limits.

    What does not fit goes to `scratch`, a folder of the council's own; without one nothing is ever written to disk.
    """
    import duckdb

    return duckdb.connect(
        config={
            "memory_limit": "1000MB",
            "preserve_insertion_order": False,
            "temp_directory": str(scratch) if scratch else "",
        }
    )


def find_edges(
    calculation: duckdb.DuckDBPyConnection,
    sources: Sources,
    model: Model,
    *,
    synthetic: bool,
    before: Before | None,
    kept: Kept | None = None,
) -> EdgeFigures:
    """Fill `edge_now`: every pair of current records that matters, compared now or kept from `before`.

    Also fills `standard`, `digest_now`, `digest_before`, `changed` (records that are new, different or gone) and
    `scored`. What was made of the records is left in `kept` for the next night (`find_edges_near`).
    """
    counts = standardise(
        calculation, sources.persons, sources.addresses, sources.references, model=model, synthetic=synthetic
    )
    rules = blocking.make_keys(calculation, model.bands)
    blocking.make_stated_pairs(calculation)
    write_digests(calculation, "digest_now")
    if kept is not None:
        kept.keep_all()
    calculation.execute("drop table all_block_key")
    _read_before(calculation, before)
    find_changed(calculation)
    records, changed = _count(calculation)
    is_full = before is None or before.model_version != model.version or changed > records * _ALL_ANEW_ABOVE
    return _compare(calculation, model, rules, EdgeFigures(counts, _NO_PAIRS, records, changed, is_full))


def find_edges_near(
    calculation: duckdb.DuckDBPyConnection, changes: Changes, model: Model, *, synthetic: bool, kept: Kept
) -> EdgeFigures:
    """The same from what the run before kept and what is different since: the work grows with the changes.

    `digest_now` and `digest_before` hold only records that could differ; everything else is as after `find_edges`.
    """
    counts, rules = refresh(calculation, kept, changes, model, synthetic=synthetic)
    find_changed(calculation)
    records, changed = _count(calculation)
    is_full = changed > records * _ALL_ANEW_ABOVE
    if is_full:
        every_block(calculation, model)
    figures = EdgeFigures(counts, _NO_PAIRS, records, changed, is_full)
    return _compare(calculation, model, rules, figures)


def _count(calculation: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """All current records, and how many of them changed."""
    records, changed = calculation.execute(
        "select (select count(*) from standard), (select count(*) from changed semi join standard using (record_id))"
    ).fetchall()[0]
    return int(records), int(changed)


def _compare(
    calculation: duckdb.DuckDBPyConnection,
    model: Model,
    rules: tuple[blocking.RuleCount, ...],
    figures: EdgeFigures,
) -> EdgeFigures:
    if figures.is_full:
        calculation.execute("create or replace table changed as select record_id from standard union from changed")
    pairs = blocking.make_pairs(calculation, model.bands, rules, only_changed=not figures.is_full)
    score_pairs(calculation, model)
    apply_ladder(calculation, model)
    _keep_unchanged(calculation)
    return replace(figures, blocking=pairs)


def form_groups(
    calculation: duckdb.DuckDBPyConnection,
    model: Model,
    constraints: Constraints,
    memberships: pa.Table | None,
    *,
    is_full: bool,
) -> Grouped:
    """Form the groups of every record that a change, directly or through others, could concern.

    `memberships` are those believed until now (none, in a calculation without a database); they are left in
    `membership_believed`, the records looked at in `affected`.
    """
    if memberships is None:
        calculation.execute("""create or replace table membership_believed
            (record_id bigint, person_id varchar, reason varchar, is_current boolean)""")
    else:
        calculation.register("membership_believed", memberships)
    if is_full:
        calculation.execute("""create or replace table affected as
            select record_id from standard union select record_id from membership_believed""")
    else:
        _find_affected(calculation, constraints)
    nodes = {
        row[0]: Node(*row)
        for row in calculation.execute("""
            select record_id, record_key, source, case when nhs_verified then nhs_number end,
                   case when not birth_estimated then year(birth_date) end, is_restricted is distinct from false
              from standard semi join affected using (record_id) order by record_id""").fetchall()
    }
    edges = [
        Edge(*row)
        for row in calculation.execute("""
            select left_id, right_id, rule, pair_decision, pair_reason, round(weight, 6)
              from edge_now semi join affected on left_id = record_id order by left_id, right_id""").fetchall()
    ]
    person_of = dict(
        calculation.execute(
            "select record_id, person_id from membership_believed semi join affected using (record_id)"
        ).fetchall()
    )
    affected = frozenset(row[0] for row in calculation.execute("from affected").fetchall())
    # Who had left joins like anybody new; who was there all along stays down to the lower line.
    present = dict(
        calculation.execute(
            "select record_id, person_id from membership_believed semi join affected using (record_id) where is_current"
        ).fetchall()
    )
    grouping = group_records(nodes, edges, constraints, model.bands, present)
    return Grouped(nodes, grouping, affected, person_of)


def reasons(grouped: Grouped) -> dict[int, str]:
    """Record -> the strongest rule that puts it with somebody; `single` when it is alone."""
    rank = {rule.value: place for place, rule in enumerate(Rule)}
    best: dict[int, str] = {r: "single" for group in grouped.grouping.groups for r in group if len(group) == 1}
    for edge, (decision, reason) in grouped.grouping.outcomes.items():
        rule = Rule.HUMAN.value if reason == Rule.HUMAN.value else grouped.grouping.rules[edge]
        if decision == "link" and reason != "joined_by_other_links":
            for record in edge:
                if record not in best or rank[rule] < rank.get(best[record], len(rank)):
                    best[record] = rule
    return {record: best.get(record, Rule.HUMAN.value) for group in grouped.grouping.groups for record in group}


def _read_before(calculation: duckdb.DuckDBPyConnection, before: Before | None) -> None:
    """Make known what the run before left: `digest_before` and `edges_read`, both empty before the first."""
    if before is None:
        calculation.execute("""create or replace temp table digest_before
            (record_id bigint, standard_digest varchar, detail_digest varchar)""")
        calculation.execute("""create or replace temp table edges_read (left_id bigint, right_id bigint, rule varchar,
            pair_decision varchar, pair_reason varchar, weight double, weight_without_number double,
            by_demographics boolean, numbers varchar, levels varchar, stored_decision varchar,
            stored_reason varchar)""")
    else:
        calculation.register("digest_before", before.standard_digests)
        calculation.register("edges_read", before.edges)


def _keep_unchanged(calculation: duckdb.DuckDBPyConnection) -> None:
    calculation.execute(f"""
        create or replace table edge_now as
        select left_id, right_id, rule, decision as pair_decision, reason as pair_reason, weight, weight_without_number,
               by_demographics, numbers, levels::varchar as levels, null::varchar as stored_decision,
               null::varchar as stored_reason from edge
        union all
        select left_id, right_id, rule, pair_decision, pair_reason, weight, weight_without_number, by_demographics,
               numbers, levels, stored_decision, stored_reason
          from edges_read
         where rule <> '{Rule.HUMAN}' and left_id not in (from changed) and right_id not in (from changed)""")


def _find_affected(calculation: duckdb.DuckDBPyConnection, constraints: Constraints) -> None:
    """Fill `affected`: records tied, by an edge of now or before, a decision or one person, to one that changed."""
    decided = {record for pair in constraints.decided | constraints.never for record in pair} | constraints.alone
    _register_records(calculation, "decided_record", decided)
    calculation.execute("""
        create or replace temp table tie as
        with edges as (select left_id, right_id from edge_now union select left_id, right_id from edges_read)
        select left_id as one, right_id as other from edges union all select right_id, left_id from edges""")
    # A decision that was withdrawn no longer ties anything, but what it decided has to be looked at again.
    calculation.execute(f"""
        create or replace temp table frontier as
        with withdrawn as (select left_id, right_id from edges_read where rule = '{Rule.HUMAN}'
                              or stored_reason in ('{Rule.HUMAN}', 'undecided', 'needs_attention', 'needs_notice',
                                'do_not_link'))
        select record_id from changed union from decided_record union select left_id from withdrawn
        union select right_id from withdrawn""")
    calculation.execute("create or replace table affected as from frontier")
    while calculation.execute("select 1 from frontier limit 1").fetchall():
        calculation.execute("""
            create or replace temp table frontier as
            with reached as (
              select other as record_id from tie where one in (from frontier)
              union select record_id from membership_believed where person_id in (
                select person_id from membership_believed where record_id in (from frontier)))
            from reached where record_id not in (from affected)""")
        calculation.execute("insert into affected from frontier")


def _register_records(calculation: duckdb.DuckDBPyConnection, name: str, records: Iterable[int]) -> None:
    import pyarrow as pa

    calculation.register(name, pa.table({"record_id": pa.array(sorted(records), pa.int64())}))
