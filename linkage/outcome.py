"""From groups to rows: which person every record belongs to and why, and what became of every pair.

Records that no change concerned keep the person and the reason they had; their pairs keep their decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from linkage.clustering import Constraints
from linkage.deterministic import Rule
from linkage.engine import Grouped, reasons
from linkage.identity import Assignment
from linkage.inputs import Decision
from linkage.masked_evidence import constraint_rows
from linkage.model import Model

if TYPE_CHECKING:
    import duckdb

ENGINE = "linkage engine"


def write_memberships(calculation: duckdb.DuckDBPyConnection, grouped: Grouped, assignment: Assignment) -> None:
    """Fill `membership_wanted` (record_id, person_id, reason) for every current record, and `touched_person`.

    Touched are the persons whose best values have to be chosen anew: their records changed, came or went.
    """
    import pyarrow as pa

    reason_of = reasons(grouped)
    records = sorted(assignment.person_of)
    calculation.register(
        "membership_new",
        pa.table(
            {
                "record_id": pa.array(records, pa.int64()),
                "person_id": pa.array([assignment.person_of[r] for r in records], pa.string()),
                "reason": pa.array([reason_of[r] for r in records], pa.string()),
            }
        ),
    )
    calculation.execute("""
        create or replace table membership_wanted as
        select record_id, person_id, reason from membership_new
        union all
        select record_id, person_id, reason from membership_believed b semi join standard using (record_id)
         where b.is_current and record_id not in (select record_id from membership_new);
        create or replace table touched_person as
        with detail_changed as (
          select record_id from digest_now n full join digest_before b using (record_id)
           where n.detail_digest is distinct from b.detail_digest
        )
        select person_id from membership_new
        union select person_id from membership_believed semi join affected using (record_id)
        union select person_id from membership_wanted semi join detail_changed using (record_id)""")


def write_edges(
    calculation: duckdb.DuckDBPyConnection,
    grouped: Grouped,
    constraints: Constraints,
    decisions: Sequence[Decision],
    model: Model,
) -> None:
    """Fill `decided_edge`: every edge with its final decision, its reason and who decided it; and `constraint_used`.

    A pair that only reviewers named has an edge too, without weight, so that the decision can be explained and a
    later run sees that it was taken back; also while one of the records has left.
    """
    import pyarrow as pa

    reviewer = {(d.left, d.right): d.reviewer for d in decisions}
    known, unmet = grouped.grouping.outcomes, grouped.grouping.unmet
    rows = [
        (*pair, *known[pair], reviewer.get(pair, ENGINE) if _is_decided(constraints, pair) else ENGINE)
        for pair in sorted(known)
    ]
    _register(calculation, "outcome_now", rows)
    alone = [
        (left, right, decision, reason, reviewer.get((left, right), ENGINE))
        for pairs, decision, reason in (
            (constraints.never, "reject", "do_not_link"),
            (constraints.together - constraints.never - unmet.keys(), "link", Rule.HUMAN.value),
            (constraints.apart - constraints.never, "reject", Rule.HUMAN.value),
            (constraints.undecided - constraints.never, "review", "undecided"),
            (constraints.attention - constraints.never, "review", "needs_attention"),
            *(({pair}, "review", reason) for pair, reason in unmet.items() if pair not in constraints.never),
        )
        for left, right in sorted(pairs)
        if (left, right) not in known
    ]
    _register(calculation, "outcome_alone", alone)
    register_constraints(calculation, constraints)
    calculation.register("model_used", pa.table({"model_version": [model.version]}))
    calculation.execute(f"""
        create or replace table decided_edge as
        select e.left_id, e.right_id, e.rule, coalesce(o.decision, e.stored_decision) as decision,
               coalesce(o.reason, e.stored_reason) as reason, round(e.weight, 6) as weight,
               round(e.weight_without_number, 6) as weight_without_number, e.by_demographics,
                 e.numbers,
               e.levels, e.pair_decision, e.pair_reason, m.model_version, coalesce(o.decided_by,
                 '{ENGINE}') as decided_by
          from edge_now e cross join model_used m left join outcome_now o on o.left_id = e.left_id
            and o.right_id = e.right_id
        union all
        select left_id, right_id, '{Rule.HUMAN}', decision, reason, null, null, false, 'missing', '{{}}', 'review', '',
               m.model_version, decided_by from outcome_alone cross join model_used m""")


def _is_decided(constraints: Constraints, pair: tuple[int, int]) -> bool:
    return pair in constraints.together or pair in constraints.apart or pair in constraints.undecided


def register_constraints(calculation: duckdb.DuckDBPyConnection, constraints: Constraints) -> None:
    """Fill `constraint_used` (kind, left_id, right_id): what people decided, for the report and its tests."""
    import pyarrow as pa

    columns = list(zip(*constraint_rows(constraints), strict=True)) or [()] * 3
    kinds = (pa.string(), pa.int64(), pa.int64())
    names = ("kind", "left_id", "right_id")
    calculation.register(
        "constraint_used", pa.table({n: pa.array(c, k) for n, c, k in zip(names, columns, kinds, strict=True)})
    )


def _register(calculation: duckdb.DuckDBPyConnection, name: str, rows: Sequence[tuple[object, ...]]) -> None:
    import pyarrow as pa

    fields = (
        ("left_id", pa.int64()),
        ("right_id", pa.int64()),
        ("decision", pa.string()),
        ("reason", pa.string()),
        ("decided_by", pa.string()),
    )
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(fields)
    calculation.register(name, pa.table({n: pa.array(c, kind) for (n, kind), c in zip(fields, columns, strict=True)}))
