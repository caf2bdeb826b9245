"""The whole step: identifiers first, then one streaming join a rule, weighed on the way, into `scored_pair`.

Nothing but the result is written down: pairs flow from the join through the weights to the line, so that memory
holds the prepared records and one hash table. Files beyond memory are taken in chunks of the left file, cut by hash of
the id; DuckDB spills the prepared records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linkage.executor.expressions import columns
from linkage.executor.identifiers import IDENTIFIED, IdentifierStage, find_identified, stage_trees
from linkage.executor.ids import refuse_repeated
from linkage.executor.joins import MET, PAIRS, Meeting, make_pairs, meetings
from linkage.executor.memory import parts_for
from linkage.executor.records import LEFT, RIGHT, model_trees, prepare_frequencies, prepare_records, quoted
from linkage.executor.settings import CompiledModel
from linkage.executor.ways import Ways, plan_ways
from linkage.executor.weighing import Output, guard_trees, select_first, select_pairs, select_sieved
from linkage.executor.weights import Frequencies
from linkage.model import Guard

if TYPE_CHECKING:
    import duckdb

SCORED, OPEN = "scored_pair", "executor_open"
_FEW = 3  # candidates a record: below that most are near, and asking the hopeless first saves nothing (measured)
BY_IDENTIFIER = -1  # rule_number of pairs that the identifier stage accepted


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """What one blocking rule yielded: pairs it found, whether others did or not, and pairs kept that it found first."""

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


def run_executor(
    con: duckdb.DuckDBPyConnection,
    compiled: CompiledModel,
    left: str,
    right: str | None,
    *,
    keep_above: float | None = None,
    identifier: IdentifierStage | None = None,
    guards: Sequence[Guard] = (),
    chunks: int | None = None,
    levels: bool = False,
    frequencies: Mapping[str, str] | None = None,
) -> ExecutorCounts:
    """Fill the table `scored_pair` (left_id, right_id, rule_number, match_weight): all candidates of two files or one.

    `left` and `right` name tables or views (views over Parquet keep memory low); ids must be unique in each.
    `match_weight` is Splink's, to 1e-9. With `guards` follow `guard_<n>` and `weight`, the sum after the guards; with
    `levels` the columns `gamma_<comparison>`; with link_and_dedupe of two files `left_source` and `right_source`.
    `keep_above` keeps pairs of at least that weight, after the guards. Pairs that `identifier` accepts are always kept,
    have rule_number -1 and, between two files, take their records out of blocking. `frequencies` maps a column to a
    look-up table as Splink's (column, tf_column). `chunks` is worked out from the records and the memory limit when it
    is not given. Raises `SettingsRefused` when files and link type do not suit, `RecordsRefused` for repeated ids.
    """
    plan = meetings(compiled, two_files=right is not None)
    step = _Step(con, compiled, Output(keep_above, tuple(guards), levels), identifier, chunks)
    with _unordered(con):
        step.prepare(left, right, plan, frequencies or {})
        found = accepted = 0
        if identifier is not None:
            found, accepted = find_identified(con, identifier, plan[0], once=step.settles(plan[0]))
        candidates = dict.fromkeys((rule.number for rule in compiled.rules), 0)
        for meeting in plan:
            step.run(meeting, candidates, first=meeting is plan[0])
        if identifier is not None and not step.weighs_settled(plan[0]):
            con.execute(f"""insert into {SCORED} by name select left_id, right_id, {BY_IDENTIFIER} as rule_number
                              from {IDENTIFIED} where accepted""")
        kept = dict(con.execute(f"select rule_number, count(*) from {SCORED} group by all").fetchall())
        for table in {meeting.left for meeting in plan} | {meeting.right for meeting in plan}:
            con.execute(f"drop table {table}")
    counts = (RuleCounts(rule, met, kept.get(rule, 0)) for rule, met in candidates.items())
    return ExecutorCounts(found, accepted, tuple(counts))


@dataclass(slots=True)
class _Step:
    """One run: the connection, what was asked for, and where the frequency parts stand."""

    con: duckdb.DuckDBPyConnection
    model: CompiledModel
    output: Output
    identifier: IdentifierStage | None
    chunks: int | None
    parts: Frequencies = field(default_factory=lambda: Frequencies({}, {}))
    ways: Ways = field(default_factory=lambda: Ways((), {}, {}))

    def settles(self, meeting: Meeting) -> bool:
        """Whether accepted pairs take their records out: between two files, never within one."""
        return self.identifier is not None and not meeting.carried

    def weighs_settled(self, meeting: Meeting) -> bool:
        """Whether accepted pairs are weighed: where somebody asks, and where blocking finds them as well."""
        return self.identifier is not None and (self.identifier.weigh or not self.settles(meeting))

    def prepare(self, left: str, right: str | None, plan: Sequence[Meeting], given: Mapping[str, str]) -> None:
        """Make the tables of prepared records."""
        carried = plan[0].carried
        files = [(left, "lr" if carried else "l"), *([] if right is None else [(right, "lr" if carried else "r")])]
        self.ways = plan_ways(self.con, self.model, files)
        read = [*model_trees(self.model), *self.ways.trees, *guard_trees(self.model, self.output.guards)]
        if self.identifier is not None:
            read += stage_trees(self.identifier)
        lookups = prepare_frequencies(self.con, self.model, [t for t in (left, right) if t is not None], given)
        by_source = any("__source" in condition for condition in plan[0].order)
        sources = [f't.{quoted(self.model.source_column)} as "__source"'] if by_source else []
        for source, side, target in ((left, "l", LEFT), (right, "r", RIGHT)):
            if source is not None:
                ways = self.ways
                keys = ways.left | ways.right if carried else ways.left if side == "l" else ways.right
                extra = [*sources, *(f'{text} as "{name}"' for name, text in keys.items())]
                made = prepare_records(self.con, self.model, source=source, side="both" if carried else side,
                                       target=target, read=read, lookups=lookups, extra=extra)  # fmt: skip
                self.parts = made if side == "l" else self.parts
                which = "the file" if right is None else "the left file" if side == "l" else "the right file"
                refuse_repeated(self.con, target, which, ("__source", "__id") if by_source else ("__id",))
        for table in lookups.values():
            self.con.execute(f"drop table {table}")

    def run(self, meeting: Meeting, candidates: dict[int, int], *, first: bool) -> None:
        """Pairs of one meeting, chunk by chunk, into `scored_pair`; adds to the candidates of each rule."""
        chunks = self.chunks or parts_for(self.con, *(self._rows(table) for table in (meeting.left, meeting.right)))
        weighs, settles = first and self.weighs_settled(meeting), self.settles(meeting)
        gone = None
        if self.identifier is not None and settles and self.identifier.settles_both:
            gone = f"select r from {IDENTIFIED} where accepted"
        for chunk in range(chunks):
            of_chunk = f"hash({{}}) % {chunks} = {chunk}" if chunks > 1 else "true"
            limit = of_chunk.format('"__id"')
            if settles:
                limit += f" and rowid not in (select l from {IDENTIFIED} where accepted)"
            ready = f"select l, r, {BY_IDENTIFIER} from {IDENTIFIED} where accepted and {of_chunk.format('left_id')}"
            opened = self._open(meeting, limit)
            found = make_pairs(self.con, self.model, meeting, self.ways, left=OPEN,
                               ready=[ready] if weighs else [], left_out=gone)  # fmt: skip
            for rule, pairs in found.items():
                candidates[rule] += pairs
            self.con.execute(f"drop table {OPEN}")
            if chunk == chunks - 1 and not meeting.carried:  # their memory serves the weighing
                for key in self.ways.right:
                    self.con.execute(f'alter table {RIGHT} drop column "{key}"')
            self._weigh(meeting, few=sum(found.values()) <= _FEW * opened, anew=first and not chunk)

    def _open(self, meeting: Meeting, limit: str) -> int:
        """Make the table of left records to be compared, with what rules read of them; gives their number."""
        by_source = any("__source" in condition for condition in meeting.order)
        read = ["__id", *(["__source"] if by_source else []), *self.ways.left, *sorted(columns(self.ways.trees, "l"))]
        names = ", ".join(f'"{name}"' for name in read)
        self.con.execute(f"""create or replace temp table {OPEN} as
            select {names}, rowid::uinteger as "__row" from {meeting.left} where {limit}""")
        return self._rows(OPEN)

    def _weigh(self, meeting: Meeting, *, few: bool, anew: bool) -> None:
        """Pairs that met, each once, into `scored_pair`; of many, only those that can reach the line are weighed."""
        line = self.output.keep_above
        if line is None or few:
            pairs = select_first(MET)
        else:
            pairs = select_sieved(self.model, meeting, self.parts, self.output, line, MET)
        self.con.execute(f"create or replace temp table {PAIRS} as {pairs}")
        self.con.execute(f"drop table {MET}")
        into = f"create or replace table {SCORED} as" if anew else f"insert into {SCORED}"
        self.con.execute(f"{into} {select_pairs(self.model, meeting, self.parts, self.output)}")
        self.con.execute(f"drop table {PAIRS}")

    def _rows(self, table: str) -> int:
        return int(self.con.execute(f"select count(*) from {table}").fetchall()[0][0])


@contextmanager
def _unordered(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let rows come in any order while the executor runs: keeping it costs memory."""
    before = con.execute("select current_setting('preserve_insertion_order')").fetchall()[0][0]
    con.execute("set preserve_insertion_order = false")
    try:
        yield
    finally:
        con.execute(f"set preserve_insertion_order = {str(before).lower()}")
