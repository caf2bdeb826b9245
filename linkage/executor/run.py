"""The whole step: identifiers first, then one streaming join a rule, weighed on the way, into `scored_pair`.

Nothing but the result is written down: pairs flow from the join through the weights to the line, so that memory
holds the prepared records and one hash table. `chunks` cuts the left file by hash of the id for files beyond memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkage.executor.distances import write_condition
from linkage.executor.expressions import Facts, parse_level, settle_one_sided
from linkage.executor.identifiers import IDENTIFIED, IdentifierStage, find_identified
from linkage.executor.joins import Join, Meeting, joins, meetings, rule_trees
from linkage.executor.records import LEFT, RIGHT, model_trees, prepare_frequencies, prepare_records, quoted
from linkage.executor.settings import CompiledModel
from linkage.executor.weights import Frequencies, level_column, total_weight, weight_column
from linkage.model import Guard

if TYPE_CHECKING:
    import duckdb

SCORED = "scored_pair"
BY_IDENTIFIER = -1  # rule_number of pairs that the identifier stage accepted


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """What one blocking rule yielded: candidates (None unless asked for) and pairs kept."""

    rule: int
    candidates: int | None
    kept: int


@dataclass(frozen=True, slots=True)
class ExecutorCounts:
    """What a run did: counts only."""

    identifier_pairs: int
    identifier_accepted: int
    rules: tuple[RuleCounts, ...]

    @property
    def kept(self) -> int:
        """All pairs in `scored_pair`."""
        return self.identifier_accepted + sum(rule.kept for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Output:
    """What is written for each pair, and from which line on."""

    keep_above: float | None
    guards: tuple[Guard, ...]
    levels: bool


def run_executor(
    con: duckdb.DuckDBPyConnection,
    compiled: CompiledModel,
    left: str,
    right: str | None,
    *,
    keep_above: float | None = None,
    identifier: IdentifierStage | None = None,
    guards: Sequence[Guard] = (),
    chunks: int = 1,
    levels: bool = False,
    frequencies: Mapping[str, str] | None = None,
    count_candidates: bool = False,
) -> ExecutorCounts:
    """Fill the table `scored_pair` (left_id, right_id, rule_number, match_weight) for all candidates of two files or one.

    `left` and `right` name tables or views (views over Parquet keep memory low); ids must be unique in each.
    `match_weight` is Splink's, to 1e-9. With `guards` follow `guard_<n>` and `weight`, the sum after the guards; with
    `levels` the columns `gamma_<comparison>`; with link_and_dedupe of two files `left_source` and `right_source`.
    `keep_above` keeps pairs of at least that weight, after the guards. Pairs that `identifier` accepts are always kept,
    have rule_number -1 and, between two files, take their records out of blocking. `frequencies` maps a column to a
    look-up table as Splink's (column, tf_column). Raises `SettingsRefused` when files and link type do not suit.
    """
    plan = meetings(compiled, two_files=right is not None)
    output = Output(keep_above, tuple(guards), levels)
    between = compiled.link_type == "link_only" and right is not None
    with _unordered(con):
        found = accepted = 0
        if identifier is not None:
            found, accepted = find_identified(con, identifier, compiled.unique_id, left, right if between else None)
        parts = _prepare(
            con, compiled, left, right, plan, output, identifier if between else None, chunks, frequencies or {}
        )
        _open_result(con, compiled, plan, parts, output)
        if identifier is not None:
            _keep_identified(con, compiled, plan[0], parts, output, identifier)
        apart = identifier is not None and not between
        counts = _keep_candidates(
            con, compiled, plan, parts, output, chunks, between and identifier is not None, apart, count_candidates
        )
        for table in {meeting.left for meeting in plan} | {meeting.right for meeting in plan}:
            con.execute(f"drop table {table}")
    return ExecutorCounts(found, accepted, counts)


def _prepare(
    con: duckdb.DuckDBPyConnection,
    model: CompiledModel,
    left: str,
    right: str | None,
    plan: Sequence[Meeting],
    output: Output,
    settling: IdentifierStage | None,
    chunks: int,
    frequencies: Mapping[str, str],
) -> Frequencies:
    read = [*model_trees(model), *rule_trees(model), *_guard_trees(model, output.guards)]
    lookups = prepare_frequencies(con, model, [t for t in (left, right) if t is not None], frequencies)
    both_ways = len(plan) > 1 or plan[0].left == plan[0].right
    extra = [f't.{quoted(model.source_column)} as "__source"'] if "__source" in "".join(plan[0].order) else []
    identity = f"t.{quoted(model.unique_id)}"
    parts = Frequencies({}, {})
    for source, side, target in ((left, "l", LEFT), (right, "r", RIGHT)):
        if source is None:
            continue
        columns = list(extra)
        if chunks > 1:
            columns.append(f'(hash({identity}) % {int(chunks)})::integer as "__chunk"')
        if settling is not None:
            settled = side == "l" or settling.settles_both
            name = "left_id" if side == "l" else "right_id"
            among = f"exists (select 1 from {IDENTIFIED} i where i.accepted and i.{name} = {identity})"
            columns.append(f'not {among} as "__open"' if settled else 'true as "__open"')
        made = prepare_records(con, model, source=source, side="both" if both_ways else side, target=target, read=read,
                               lookups=lookups, extra=columns)  # fmt: skip
        parts = made if side == "l" else parts
    for table in lookups.values():
        con.execute(f"drop table {table}")
    return parts


def _open_result(
    con: duckdb.DuckDBPyConnection, model: CompiledModel, plan: Sequence[Meeting], parts: Frequencies, output: Output
) -> None:
    meeting = plan[0]
    everybody = Join(0, (), f"{meeting.left} l cross join {meeting.right} r", Facts())
    con.execute(f"create or replace table {SCORED} as {_select(model, meeting, everybody, parts, output)} limit 0")


def _keep_identified(
    con: duckdb.DuckDBPyConnection,
    model: CompiledModel,
    meeting: Meeting,
    parts: Frequencies,
    output: Output,
    stage: IdentifierStage,
) -> None:
    if not stage.weigh:
        con.execute(f"""insert into {SCORED} by name select left_id, right_id, {BY_IDENTIFIER} as rule_number
                          from {IDENTIFIED} where accepted""")
        return
    source = f"""{IDENTIFIED} i join {meeting.left} l on l."__id" = i.left_id join {meeting.right} r
                 on r."__id" = i.right_id where i.accepted"""
    always = Output(None, output.guards, output.levels)
    con.execute(
        f"insert into {SCORED} {_select(model, meeting, Join(BY_IDENTIFIER, (), source, Facts()), parts, always)}"
    )


def _keep_candidates(
    con: duckdb.DuckDBPyConnection,
    model: CompiledModel,
    plan: Sequence[Meeting],
    parts: Frequencies,
    output: Output,
    chunks: int,
    only_open: bool,
    not_accepted: bool,
    count: bool,
) -> tuple[RuleCounts, ...]:
    kept = dict.fromkeys((rule.number for rule in model.rules), 0)
    candidates = dict.fromkeys(kept, 0)
    for chunk in range(chunks):
        conditions = [f'l."__chunk" = {chunk}'] if chunks > 1 else []
        if only_open:
            conditions += ['l."__open"', 'r."__open"']
        for meeting in plan:
            for join in joins(model, meeting, tuple(conditions)):
                for statement in join.prepare:
                    con.execute(statement)
                if count:
                    candidates[join.rule] += _one(con, f"select count(*) from {join.source}")
                select = _select(model, meeting, join, parts, output, not_accepted=not_accepted)
                kept[join.rule] += _one(con, f"insert into {SCORED} {select}")
    return tuple(RuleCounts(rule, candidates[rule] if count else None, kept[rule]) for rule in kept)


def _select(
    model: CompiledModel,
    meeting: Meeting,
    join: Join,
    parts: Frequencies,
    output: Output,
    *,
    not_accepted: bool = False,
) -> str:
    """The pairs of one join with their weights, as a select."""
    gammas = {c: level_column(c, join.facts) for c in model.comparisons} if output.levels else {}
    weight = total_weight(model, [weight_column(c, join.facts, parts, gammas.get(c)) for c in model.comparisons])
    line = output.keep_above
    inner = ['l."__id" as left_id', 'r."__id" as right_id']
    # Without something that may change, DuckDB pushes the line below the sum and works every distance out twice.
    inner.append(f"{weight} as match_weight" if line is None else f"{weight} + 0.0 * random() as match_weight")
    inner += [f'{gamma}::tinyint as "{c.gamma}"' for c, gamma in gammas.items()]
    for number, (guard, tree) in enumerate(zip(output.guards, _guard_trees(model, output.guards), strict=True)):
        asked = f"coalesce({write_condition(tree)}, false)"
        if line is not None and all(g.bits <= 0 for g in output.guards):
            asked = f"case when {weight} >= {line!r} then {asked} else false end"
        inner.append(f"{asked} as guard_{number}")
    outer = ["left_id", "right_id", f"{join.rule}::integer as rule_number", "match_weight"]
    guarded = "match_weight"
    for number, guard in enumerate(output.guards):
        outer.append(f"guard_{number}")
        guarded += f" + case when guard_{number} then {guard.bits!r}::double else 0.0 end"
    if output.guards:
        outer.append(f"{guarded} as weight")
    outer += [f'"{c.gamma}"' for c in gammas]
    if meeting.sources is not None:
        outer += [
            f"'{source}' as {side}_source" for source, side in zip(meeting.sources, ("left", "right"), strict=True)
        ]
    where = [] if line is None else [f"{guarded} >= {line!r}"]
    if not_accepted:
        where.append(f"""not exists (select 1 from {IDENTIFIED} i
            where i.accepted and i.left_id = found.left_id and i.right_id = found.right_id)""")
    limit = f" where {' and '.join(where)}" if where else ""
    return f"select {', '.join(outer)} from (select {', '.join(inner)} from {join.source}) found{limit}"


def _guard_trees(model: CompiledModel, guards: Sequence[Guard]) -> list[object]:
    return [settle_one_sided(parse_level(guard.condition), model.derived) for guard in guards]


def _one(con: duckdb.DuckDBPyConnection, statement: str) -> int:
    return int(con.execute(statement).fetchall()[0][0])


@contextmanager
def _unordered(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let rows come in any order while the executor runs: keeping it costs memory."""
    before = con.execute("select current_setting('preserve_insertion_order')").fetchall()[0][0]
    con.execute("set preserve_insertion_order = false")
    try:
        yield
    finally:
        con.execute(f"set preserve_insertion_order = {str(before).lower()}")
