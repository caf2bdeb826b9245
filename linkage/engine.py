"""The calculation of a link run, from source rows to groups, without any database: the same for all records and for a
delta.

A record has changed when its digest has: everything a comparison or a blocking rule reads. Pairs of two unchanged
records keep their edge; only groups that touch a change are formed anew. A test holds the delta equal to the full
run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from linkage import blocking
from linkage.clustering import Constraints, Edge, Grouping, Node, group_records
from linkage.compiled import score_pairs
from linkage.deterministic import Rule, apply_ladder
from linkage.inputs import Before, Sources
from linkage.model import Model
from linkage.standardise import StandardisedCounts, standardise

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

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
    calculation: duckdb.DuckDBPyConnection, sources: Sources, model: Model, *, synthetic: bool, before: Before | None
) -> EdgeFigures:
    """Fill `edge_now`: every pair of current records that matters, compared now or kept from `before`.

    Also fills `standard`, `digest_now`, `digest_before`, `changed` (records that are new, different or gone) and
    `scored`.
    """
    counts = standardise(
        calculation, sources.persons, sources.addresses, sources.references, model=model, synthetic=synthetic
    )
    rules = blocking.make_keys(calculation, model.bands)
    blocking.make_stated_pairs(calculation)
    _find_changed(calculation, before)
    records, changed = calculation.execute(
        "select (select count(*) from standard), (select count(*) from standard semi join changed using (record_id))"
    ).fetchall()[0]
    is_full = before is None or before.model_version != model.version or changed > records * _ALL_ANEW_ABOVE
    if is_full:
        calculation.execute("create or replace table changed as select record_id from digest_now union from changed")
    pairs = blocking.make_pairs(calculation, model.bands, rules, only_changed=not is_full)
    score_pairs(calculation, model)
    apply_ladder(calculation, model)
    _keep_unchanged(calculation, before)
    return EdgeFigures(counts, pairs, int(records), int(changed), is_full)


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
        _register_records(calculation, "affected_found", _affected(calculation, constraints))
        calculation.execute("create or replace table affected as from affected_found")
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


def _find_changed(calculation: duckdb.DuckDBPyConnection, before: Before | None) -> None:
    calculation.execute("""
        create or replace table digest_now as
        with keys as (select record_id, bit_xor(key) as keys, count(*) as blocks from left_out_key group by record_id),
             stated as (select record_id, count(*) || ':' || sum(hash(other, kind)) as pairs
                          from (select left_id as record_id, right_id as other, by_mark as kind from stated_pair
                                union all select right_id, left_id, by_mark from stated_pair) group by record_id),
             place as (select source_record_id as record_id, max(valid_from) as since from source_address
                        where valid_to is null group by source_record_id)
        select s.record_id, md5(concat_ws('|', s::varchar, k.keys, k.blocks, t.pairs)) as standard_digest,
               md5(concat_ws('|', p.forename, p.surname, p.death_date, p.sex, p.ethnicity_code, p.postcode,
                 p.gp_practice_code,
                             p.is_marked_duplicate, p.known_from, a.since)) as detail_digest
          from standard s join source_person p on p.source_record_id = s.record_id
          left join keys k using (record_id) left join stated t using (record_id) left
            join place a using (record_id)""")
    if before is None:
        calculation.execute(
            "create or replace table digest_before (record_id bigint, standard_digest varchar, detail_digest varchar)"
        )
    else:
        calculation.register("digests_read", before.standard_digests)
        calculation.execute("create or replace table digest_before as from digests_read")
    calculation.execute("""
        create or replace table changed as
        select record_id from digest_now n full join digest_before b using (record_id)
         where n.standard_digest is distinct from b.standard_digest""")


def _keep_unchanged(calculation: duckdb.DuckDBPyConnection, before: Before | None) -> None:
    calculation.execute("""
        create or replace table edge_now as
        select left_id, right_id, rule, decision as pair_decision, reason as pair_reason, weight, weight_without_number,
               by_demographics, numbers, levels::varchar as levels, null::varchar as stored_decision,
               null::varchar as stored_reason from edge""")
    if before is not None:
        calculation.register("edges_read", before.edges)
        calculation.execute(f"""
            insert into edge_now
            select left_id, right_id, rule, pair_decision, pair_reason, weight, weight_without_number,
              by_demographics, numbers,
                   levels, stored_decision, stored_reason
              from edges_read
             where rule <> '{Rule.HUMAN}' and left_id not in (from changed) and right_id not in (from changed)""")


def _affected(calculation: duckdb.DuckDBPyConnection, constraints: Constraints) -> set[int]:
    """Every record tied, by an edge of now or before, a decision or a shared person, to one that changed."""
    ties = calculation.execute("""
        select left_id, right_id from edge_now union select left_id, right_id from edges_read union
        select record_id, min(record_id) over (partition by person_id) from membership_believed
       qualify count(*) over (partition by person_id) > 1""").fetchall()
    decided = constraints.decided | constraints.never
    # A decision that was withdrawn no longer ties anything, but what it decided has to be looked at again.
    seeds = {
        row[0]
        for row in calculation.execute(f"""
        with withdrawn as (select left_id, right_id from edges_read where rule = '{Rule.HUMAN}'
                              or stored_reason in ('{Rule.HUMAN}', 'undecided', 'needs_attention', 'needs_notice',
                                'do_not_link'))
        select record_id from changed union select left_id from withdrawn union select right_id
          from withdrawn""").fetchall()
    }
    seeds |= {record for pair in decided for record in pair} | constraints.alone
    return _reach(seeds, [*ties, *decided])


def _reach(seeds: set[int], ties: Iterable[tuple[int, int]]) -> set[int]:
    neighbours: dict[int, list[int]] = {}
    for left, right in ties:
        neighbours.setdefault(left, []).append(right)
        neighbours.setdefault(right, []).append(left)
    reached, waiting = set(seeds), list(seeds)
    while waiting:
        for other in neighbours.get(waiting.pop(), ()):
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached


def _register_records(calculation: duckdb.DuckDBPyConnection, name: str, records: Iterable[int]) -> None:
    import pyarrow as pa

    calculation.register(name, pa.table({"record_id": pa.array(sorted(records), pa.int64())}))
