"""Front door of linkage: link what is new, respect what people decided, publish who is who.

Reads the current rows of `identity.source_*` and the active decisions; writes persons, memberships, links and the best
value of each identifier, with history, and the linkage report as data – all in one transaction, as the role `linker`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.run import Finding, RunContext, RunResult, RunState, StageFailure
from governance.ledger import Lease, latest_moment, recorded, still_holds
from governance.secrets import key_for
from governance.store import Store
from linkage import adoption, bearers, established, inputs, outcome, promotion, publish, report
from linkage.decisions import constraints_of
from linkage.engine import EdgeFigures, find_edges, find_edges_near, form_groups, open_calculation
from linkage.findings import findings_of
from linkage.identity import Assignment, assign_people
from linkage.kept import Kept, discard
from linkage.model import Model, load_model

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_STAGE = "link"
_KEPT = Path("kept", "linkage.duckdb")  # in the council's home
_NOTHING = Finding("NOTHING_CONFORMED", "nothing has been conformed yet", "run the stages before this one")
_LOST = Finding("LEASE_LOST", "another link run has begun since", "nothing to do: the other run publishes")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is asked of the database before anything is calculated."""

    moment: datetime | None
    digest: str
    last: tuple[str, str] | None
    last_id: str | None
    decisions: list[inputs.Decision]
    kept_apart: list[inputs.KeptApart]
    believed: frozenset[tuple[int, int]]  # pairs under a decision that were last believed to be one person
    persons_seen: int | None  # the last version of a person's row that this run reads
    report: dict[str, Any] | None  # of the last run

    @property
    def run(self) -> str:
        """The last run and what it read, by which its kept file is known; like no run's before the first."""
        return f"{self.last_id}|{self.last[0]}" if self.last else ""


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run worked out and has not published yet."""

    calculation: duckdb.DuckDBPyConnection
    kept: Kept | None
    versions: pa.Table
    figures: EdgeFigures
    assignment: Assignment
    numbers: dict[str, int]
    reborn: frozenset[int]  # records whose key has another bearer now
    facts: dict[str, Any]

    def keep(self, run_id: str, digest: str) -> None:
        """Make what was kept the published run's; where that fails the next run works from all records."""
        import duckdb

        with suppress(duckdb.Error):
            if self.kept is not None:
                self.kept.finish(f"{run_id}|{digest}", self.versions)


def run(context: RunContext) -> RunResult:
    """Link every current source record to a person.

    Ends `done`; without any change when nothing is new since the last run. Ends `held` when nothing has been
    conformed yet or another link run is at work. Raises `StageFailure` when blocking would make too many pairs; the
    people of the last run stay as they are.
    """
    return recorded(_STAGE, "linker", context, lambda store, lease: _link(context, store, lease))


def _link(context: RunContext, store: Store, lease: Lease) -> RunResult:
    try:
        with store.connect("linker") as connection:
            choice = adoption.choose(connection, context.settings.get("model_version"))
    except adoption.AdoptionRefused as problem:
        gone = Finding("MODEL_GONE", str(problem), "put its files back, or install the release that holds them")
        return RunResult(_STAGE, "", RunState.HELD, findings=(gone,))
    try:
        return _link_under(context, store, lease, choice)
    except _Obstacles as held:  # a new version is not put to use, and the night goes on with the one in use
        return _link_under(context, store, lease, adoption.not_adopted(choice, held.findings))


class _Obstacles(Exception):
    """A new model version met what promotion refuses."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__("a new model version met obstacles")


def _link_under(context: RunContext, store: Store, lease: Lease, choice: adoption.Choice) -> RunResult:
    model = load_model(choice.version)
    known = _look(store, model)
    if known.moment is None:
        return RunResult(_STAGE, "", RunState.HELD, findings=(_NOTHING,))
    if known.last == (known.digest, model.version):
        return RunResult(
            _STAGE, "", RunState.DONE, {"changed_records": 0}, as_known_at=known.moment, findings=choice.findings
        )
    work = _begin(context, store, model, known)
    try:
        calculation, figures, assignment, facts = work.calculation, work.figures, work.assignment, work.facts
        against = promotion.findings(facts, promotion.read_explanations(context.profile.home / promotion.EXPLANATIONS))
        if against and choice.is_new:
            raise _Obstacles(against)
        told = (*choice.findings, *findings_of(calculation, assignment), *against)
        with store.connect("linker") as connection:
            if not still_holds(connection, lease):
                return RunResult(_STAGE, "", RunState.HELD, findings=(_LOST,))
            bearers.note(connection, work.reborn)
            publish.write_people(connection, assignment, work.numbers, known.moment)
            changes = publish.write_history(connection, calculation, known.moment, is_full=figures.is_full)
            publish.write_digests(connection, calculation)
            connection.exec_driver_sql(
                """insert into ledger.link_run (run_id, as_known_at, model_version, input_digest, persons_seen, report)
                   values (%(run)s, %(moment)s, %(model)s, %(digest)s, %(seen)s, %(report)s)""",
                {
                    "run": context.run_id,
                    "moment": known.moment,
                    "model": model.version,
                    "digest": known.digest,
                    "seen": known.persons_seen,
                    "report": json.dumps(facts),
                },
            )
            told = (*told, *established.findings(connection, assignment))
        work.keep(context.run_id, known.digest)
    finally:
        work.calculation.close()
    return RunResult(
        _STAGE,
        "",
        RunState.DONE,
        counts=_counts(figures, facts, assignment, changes),
        as_known_at=known.moment,
        findings=told,
    )


def calculate_anew(
    context: RunContext, store: Store, model: Model, calculation: duckdb.DuckDBPyConnection
) -> tuple[datetime, Assignment]:
    """What a run over all records under `model` would believe: as known when, and who would be who.

    Leaves its tables in `calculation` and writes nothing else. Raises `StageFailure` when nothing has been conformed.
    """
    known = replace(_look(store, model), last=None)
    if known.moment is None:
        raise StageFailure(_NOTHING.message, remedy=_NOTHING.remedy, retry_helps=False)
    sources = inputs.read_sources(store)
    figures = find_edges(calculation, sources, model, synthetic=context.profile.synthetic, before=None)
    return known.moment, _assign(context, store, model, known, calculation, figures)[0]


def _look(store: Store, model: Model) -> _Known:
    with store.connect("linker") as connection:
        return _Known(
            latest_moment(connection),
            inputs.input_digest(connection, model.version),
            inputs.last_run(connection),
            inputs.last_run_id(connection),
            inputs.read_decisions(connection),
            inputs.read_kept_apart(connection),
            inputs.read_believed_together(connection),
            inputs.last_person_version(connection),
            report.last_report(connection),
        )


def _begin(context: RunContext, store: Store, model: Model, known: _Known) -> _Work:
    """Work the run out from what the last one kept where that holds, else from all records, with the same result."""
    import duckdb

    with store.loading("linker"):
        try:
            return _work_out(context, store, model, known, keeping=True)
        except duckdb.Error:  # what was kept cannot be read or written: nothing depends on it
            discard(context.profile.home / _KEPT)
            return _work_out(context, store, model, known, keeping=False)


def _work_out(context: RunContext, store: Store, model: Model, known: _Known, *, keeping: bool) -> _Work:
    home, synthetic = context.profile.home, context.profile.synthetic
    assert known.moment is not None
    calculation = open_calculation(home / "scratch")
    try:
        kept = Kept.attach(calculation, home / _KEPT, model, synthetic=synthetic, run=known.run) if keeping else None
        versions = inputs.read_versions(store)
        if kept is not None and kept.is_usable:
            changes = inputs.read_changes(store, kept.changed_since(versions))
            figures = find_edges_near(calculation, changes, model, synthetic=synthetic, kept=kept)
        else:
            before = inputs.read_before(store, *known.last) if known.last else None
            sources = inputs.read_sources(store)
            figures = find_edges(calculation, sources, model, synthetic=synthetic, before=before, kept=kept)
        assignment, numbers, reborn = _assign(context, store, model, known, calculation, figures)
        facts = report.build(
            calculation, context, model, known.moment, figures, assignment, known.report, known.decisions
        )
    except BaseException:
        calculation.close()
        raise
    return _Work(calculation, kept, versions, figures, assignment, numbers, reborn, facts)


def _assign(
    context: RunContext,
    store: Store,
    model: Model,
    known: _Known,
    calculation: duckdb.DuckDBPyConnection,
    figures: EdgeFigures,
) -> tuple[Assignment, dict[str, int], frozenset[int]]:
    constraints = constraints_of(known.decisions, known.kept_apart, known.believed)
    memberships = inputs.read_memberships(store)
    grouped = form_groups(calculation, model, constraints, memberships, is_full=figures.is_full)
    with store.connect("linker") as connection:
        believed = inputs.read_believed(connection, grouped.person_of)
        since = inputs.read_since(connection, memberships)
    assignment = assign_people(
        grouped.grouping.groups,
        grouped.nodes,
        believed.person_of,
        believed.people,
        key=key_for(context.profile, "person ids"),
        next_number=believed.next_number,
        since=since,
    )
    outcome.write_memberships(calculation, grouped, assignment)
    outcome.write_edges(calculation, grouped, grouped.grouping.constraints, known.decisions, model)
    calculation.execute((files("linkage") / "sql" / "survivorship.sql").read_text(encoding="utf-8"))
    publish.prepare_rows(calculation)
    born = (change.person_id for change in assignment.changes if change.is_new)
    numbers = {name: believed.next_number + place for place, name in enumerate(born)}
    return assignment, numbers, since.reborn


def _counts(
    figures: EdgeFigures, facts: Mapping[str, object], assignment: Assignment, changes: Mapping[str, publish.Changes]
) -> dict[str, int]:
    headline = facts["counts"]
    assert isinstance(headline, dict)
    return {
        "records": figures.records,
        "changed_records": figures.changed,
        "pairs_compared": figures.blocking.pairs_compared,
        "people": headline["people"],
        "links": headline["links"],
        "reviews": headline["reviews"],
        "people_born": sum(c.is_new for c in assignment.changes),
        "people_merged": assignment.merged,
        "people_split": assignment.split,
        **{
            f"{table.partition('.')[2]}_{kind}": getattr(change, kind)
            for table, change in changes.items()
            for kind in ("added", "ended")
        },
    }
