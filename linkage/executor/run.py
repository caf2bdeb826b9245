"""The whole step: identifiers first, then one streaming join a rule, weighed on the way, into `scored_pair`.

Nothing but the result is written down: pairs flow from the join through the weights to the line, so that memory
holds the prepared records and one hash table. `chunks` cuts the left file by hash of the id for files beyond memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linkage.executor.distances import write_condition
from linkage.executor.expressions import columns, parse_level, settle_one_sided
from linkage.executor.identifiers import IDENTIFIED, IdentifierStage, find_identified, stage_trees
from linkage.executor.joins import PAIRS, Meeting, make_pairs, meetings, rule_trees
from linkage.executor.records import LEFT, RIGHT, model_trees, prepare_frequencies, prepare_records, quoted
from linkage.executor.settings import CompiledModel
from linkage.executor.weights import Frequencies, level_column, total_weight, weight_column
from linkage.model import Guard

if TYPE_CHECKING:
    import duckdb

SCORED, OPEN = "scored_pair", "executor_open"
BY_IDENTIFIER = -1  # rule_number of pairs that the identifier stage accepted


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """What one blocking rule was the first to find: candidates, and pairs kept of them."""

    rule: int
    candidates: int
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
) -> ExecutorCounts:
    """Fill the table `scored_pair` (left_id, right_id, rule_number, match_weight): all candidates of two files or one.

    `left` and `right` name tables or views (views over Parquet keep memory low); ids must be unique in each.
    `match_weight` is Splink's, to 1e-9. With `guards` follow `guard_<n>` and `weight`, the sum after the guards; with
    `levels` the columns `gamma_<comparison>`; with link_and_dedupe of two files `left_source` and `right_source`.
    `keep_above` keeps pairs of at least that weight, after the guards. Pairs that `identifier` accepts are always kept,
    have rule_number -1 and, between two files, take their records out of blocking. `frequencies` maps a column to a
    look-up table as Splink's (column, tf_column). Raises `SettingsRefused` when files and link type do not suit.
    """
    plan = meetings(compiled, two_files=right is not None)
    step = _Step(con, compiled, Output(keep_above, tuple(guards), levels), identifier, chunks)
    with _unordered(con):
        step.prepare(left, right, plan, frequencies or {})
        step.open_result(plan[0])
        found = accepted = 0
        if identifier is not None:
            found, accepted = find_identified(con, identifier, plan[0], once=step.settles(plan[0]))
            if not identifier.weigh:
                con.execute(f"""insert into {SCORED} by name select left_id, right_id, {BY_IDENTIFIER} as rule_number
                                  from {IDENTIFIED} where accepted""")
        counts = dict.fromkeys((BY_IDENTIFIER, *(rule.number for rule in compiled.rules)), (0, 0))
        for meeting in plan:
            step.run(meeting, counts, first=meeting is plan[0])
        for table in {meeting.left for meeting in plan} | {meeting.right for meeting in plan}:
            con.execute(f"drop table {table}")
    del counts[BY_IDENTIFIER]
    return ExecutorCounts(found, accepted, tuple(RuleCounts(rule, *pair) for rule, pair in counts.items()))


@dataclass(slots=True)
class _Step:
    """One run: the connection, what was asked for, and where the frequency parts stand."""

    con: duckdb.DuckDBPyConnection
    model: CompiledModel
    output: Output
    identifier: IdentifierStage | None
    chunks: int
    parts: Frequencies = field(default_factory=lambda: Frequencies({}, {}))

    def settles(self, meeting: Meeting) -> bool:
        """Whether accepted pairs take their records out: between two files, never within one."""
        return self.identifier is not None and not meeting.carried

    def prepare(self, left: str, right: str | None, plan: Sequence[Meeting], given: Mapping[str, str]) -> None:
        """Make the tables of prepared records."""
        read = [*model_trees(self.model), *rule_trees(self.model), *_guard_trees(self.model, self.output.guards)]
        if self.identifier is not None:
            read += stage_trees(self.identifier)
        lookups = prepare_frequencies(self.con, self.model, [t for t in (left, right) if t is not None], given)
        carried = plan[0].carried
        by_source = any("__source" in condition for condition in plan[0].order)
        extra = [f't.{quoted(self.model.source_column)} as "__source"'] if by_source else []
        for source, side, target in ((left, "l", LEFT), (right, "r", RIGHT)):
            if source is not None:
                made = prepare_records(self.con, self.model, source=source, side="both" if carried else side,
                                       target=target, read=read, lookups=lookups, extra=extra)  # fmt: skip
                self.parts = made if side == "l" else self.parts
        for table in lookups.values():
            self.con.execute(f"drop table {table}")

    def open_result(self, meeting: Meeting) -> None:
        """Make `scored_pair`, empty."""
        self.con.execute(f"create or replace temp table {PAIRS} (l uinteger, r uinteger, rule smallint)")
        self.con.execute(f"create or replace table {SCORED} as {self.select(meeting)}")

    def run(self, meeting: Meeting, counts: dict[int, tuple[int, int]], *, first: bool) -> None:
        """Pairs of one meeting, chunk by chunk, into `scored_pair`; adds to the counts of each rule."""
        settles = self.settles(meeting)
        keys = ", ".join(f'"{name}"' for name in self._keys(meeting))
        for chunk in range(self.chunks):
            mine = [f'hash("__id") % {self.chunks} = {chunk}'] if self.chunks > 1 else []
            ready = []
            if self.identifier is not None and first and self.identifier.weigh:
                of_chunk = f"and hash(left_id) % {self.chunks} = {chunk}" if self.chunks > 1 else ""
                ready.append(f"select l, r, {BY_IDENTIFIER} from {IDENTIFIED} where accepted {of_chunk}")
            still = [f"rowid not in (select l from {IDENTIFIED} where accepted)"] if settles else []
            limit = " and ".join([*mine, *still]) or "true"
            self.con.execute(f"""create or replace temp table {OPEN} as
                select {keys}, rowid::uinteger as "__row" from {meeting.left} where {limit}""")
            gone = f"select r from {IDENTIFIED} where accepted" if settles and self.identifier.settles_both else None
            make_pairs(self.con, self.model, meeting, left=OPEN, conditions=(), ready=ready, left_out=gone)
            self.con.execute(f"drop table {OPEN}")
            candidates = dict(self.con.execute(f"select rule, count(*) from {PAIRS} group by rule").fetchall())
            before = self._kept() if len(candidates) else {}
            self.con.execute(f"insert into {SCORED} {self.select(meeting)}")
            after = self._kept() if len(candidates) else {}
            for rule, (met, kept) in counts.items():
                gained = after.get(rule, 0) - before.get(rule, 0)
                counts[rule] = (met + candidates.get(rule, 0), kept + gained)
            self.con.execute(f"drop table {PAIRS}")

    def _keys(self, meeting: Meeting) -> list[str]:
        """The columns of the left side that rules and the order of a pair read."""
        by_source = any("__source" in condition for condition in meeting.order)
        return ["__id", *(["__source"] if by_source else []), *sorted(columns(rule_trees(self.model), "l"))]

    def _kept(self) -> dict[int, int]:
        return dict(self.con.execute(f"select rule_number, count(*) from {SCORED} group by all").fetchall())

    def select(self, meeting: Meeting) -> str:
        """The pairs of `executor_pair` with their weights, as a select."""
        output = self.output
        gammas = {c: level_column(c) for c in self.model.comparisons} if output.levels else {}
        weight = total_weight(self.model, [weight_column(c, self.parts, gammas.get(c)) for c in self.model.comparisons])
        line = output.keep_above
        inner = ['l."__id" as left_id', 'r."__id" as right_id', "p.rule::integer as rule_number"]
        # Without a part that may change, DuckDB pushes the line below the sum and works every distance out twice.
        inner.append(f"{weight} as match_weight" if line is None else f"{weight} + 0.0 * random() as match_weight")
        inner += [f'{gamma}::tinyint as "{c.gamma}"' for c, gamma in gammas.items()]
        for number, tree in enumerate(_guard_trees(self.model, output.guards)):
            asked = f"coalesce({write_condition(tree)}, false)"
            if line is not None and all(guard.bits <= 0 for guard in output.guards):
                asked = f"case when p.rule < 0 or {weight} >= {line!r} then {asked} else false end"
            inner.append(f"{asked} as guard_{number}")
        outer = ["left_id", "right_id", "rule_number", "match_weight"]
        guarded = "match_weight"
        for number, guard in enumerate(output.guards):
            outer.append(f"guard_{number}")
            guarded += f" + case when guard_{number} then {guard.bits!r}::double else 0.0 end"
        outer += [f"{guarded} as weight"] if output.guards else []
        outer += [f'"{c.gamma}"' for c in gammas]
        if meeting.sources is not None:
            outer += [
                f"'{source}' as {side}_source" for source, side in zip(meeting.sources, ("left", "right"), strict=True)
            ]
        where = "" if line is None else f" where rule_number < 0 or {guarded} >= {line!r}"
        source = f"{PAIRS} p join {meeting.left} l on l.rowid = p.l join {meeting.right} r on r.rowid = p.r"
        text = f"select {', '.join(outer)} from (select {', '.join(inner)} from {source}) found{where}"
        return text if meeting.carried else self.model.derived.spelled_out(text, "r")


def _guard_trees(model: CompiledModel, guards: Sequence[Guard]) -> list[object]:
    return [settle_one_sided(parse_level(guard.condition), model.derived) for guard in guards]


@contextmanager
def _unordered(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let rows come in any order while the executor runs: keeping it costs memory."""
    before = con.execute("select current_setting('preserve_insertion_order')").fetchall()[0][0]
    con.execute("set preserve_insertion_order = false")
    try:
        yield
    finally:
        con.execute(f"set preserve_insertion_order = {str(before).lower()}")
