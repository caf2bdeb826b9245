"""One delivery through the rules: staged, judged table by table, and then written in one transaction or not at all.

Staging is scratch and may be left behind by a killed run; landing, quarantine and ledger change together at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from domain.profile import Profile
from domain.run import Finding, RunContext, StageFailure, Verdict
from expectations import overtaken, quarantine, staging
from expectations.accounts import digests_of_excluded, left_out_at_door, write_account, write_exclusions
from expectations.exclusions import Remembered, RowDigests, mark_excluded, remembered
from expectations.rule import Place
from expectations.runner import CheckResult, Runner
from expectations.suites import CompiledSuite, Suite, compile_suite, in_order, suite_of
from expectations.verdicts import TableVerdict, judge
from expectations.withdrawals import people_to_withdraw, withdraw
from governance.history import Mode, RowCounts, apply_rows
from governance.sql import FEW, run_page
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Delivery:
    delivery_id: int
    name: str
    mode: str
    as_known_at: datetime


@dataclass(frozen=True, slots=True)
class LandedTable:
    landed_id: int
    file_id: int
    dataset: str
    mode: Mode
    parquet: Path
    records: int  # all rows that were read …
    left_out: int  # … and those of them that did not pass the source's door


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """A staged table with its verdict; `table` is its name in staging."""

    landed: LandedTable
    table: str
    facts: staging.DatasetFacts
    fields: tuple[str, ...]
    results: tuple[CheckResult, ...]
    verdict: TableVerdict
    is_staged: bool = True  # False: it brought no rows and changes nothing; there is its account to write


@dataclass(frozen=True, slots=True)
class CheckedDelivery:
    tables: tuple[CheckedTable, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict on any of its tables: one held table holds the whole delivery."""
        order = list(Verdict)
        return max((t.verdict.verdict for t in self.tables), key=order.index, default=Verdict.ACCEPTED)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(t.verdict.finding for t in self.tables if t.verdict.finding)


def landed_tables(connection: Connection, delivery: Delivery) -> list[LandedTable]:
    """The tables of a delivery, parents before children, fuller reads before deltas."""
    rows = connection.exec_driver_sql(
        """select landed_id, file_id, dataset, mode, parquet_path, records, left_out from ledger.landed_table
            where delivery_id = %(id)s order by mode <> 'full' and mode <> 'bulk', landed_id""",
        {"id": delivery.delivery_id},
    )
    tables = [LandedTable(i, file, d, m, Path(path), n, left) for i, file, d, m, path, n, left in rows]
    order = in_order(frozenset(table.dataset for table in tables))
    return sorted(tables, key=lambda table: order.index(table.dataset))


class DeliveryCheck:
    """Stages and judges the tables of one delivery, one after the other.

    `scratch` commits every statement: the runner looks at staging over a connection of its own.
    """

    def __init__(
        self, context: RunContext, store: Store, runner: Runner, scratch: Connection, delivery: Delivery
    ) -> None:
        self._store, self._runner, self._scratch, self._delivery = store, runner, scratch, delivery
        self._digests = RowDigests(context.profile)
        self._staged: dict[str, tuple[str, ...]] = {}
        self._brought: dict[str, tuple[str, ...]] = {}  # those of them with whole rows, not keys only
        self._accepted = str(delivery.delivery_id) in context.settings.get("accept_deliveries", "").split(",")

    def run(self) -> CheckedDelivery:
        """Stage and judge every table. Nothing but staging is written."""
        landed = landed_tables(self._scratch, self._delivery)
        parents = {parent for table in landed for parent in suite_of(table.dataset).parents}
        known = remembered(self._scratch, {table.dataset for table in landed} | parents)
        return CheckedDelivery(tuple(self._check(table, known) for table in landed))

    def _check(self, landed: LandedTable, known: Remembered) -> CheckedTable:
        facts, suite = staging.facts_of(landed.parquet), suite_of(landed.dataset)
        if landed.records == landed.left_out and landed.mode in ("bulk", "delta"):
            verdict = judge(suite, (), rows=0, held=0, accepted_by_person=self._accepted)
            return CheckedTable(landed, landed.dataset, facts, self._fields(landed), (), verdict, is_staged=False)
        table = landed.dataset if landed.dataset not in self._staged else f"{landed.dataset}__{landed.landed_id}"
        fields = self._stage(landed, table, facts)
        results: tuple[CheckResult, ...] = ()
        held, judged = 0, landed.records - landed.left_out
        if judged and landed.mode != "keys":
            compiled, judged = self._prepare(table, facts, suite, fields, known, judged <= FEW)
            if judged:
                results = self._runner.validate(compiled.view, compiled.checks, judged)
                held = self._mark_held(table, compiled, results)
        self._staged[landed.dataset] = (*self._staged.get(landed.dataset, ()), table)
        if landed.mode != "keys":
            self._brought[landed.dataset] = (*self._brought.get(landed.dataset, ()), table)
        verdict = judge(suite, results, rows=judged, held=held, accepted_by_person=self._accepted)
        return CheckedTable(landed, table, facts, fields, results, verdict)

    def _stage(self, landed: LandedTable, table: str, facts: staging.DatasetFacts) -> tuple[str, ...]:
        fields = self._fields(landed)
        staging.create(self._scratch, table, fields, facts.key)
        if staging.load(self._store, table, landed.parquet) != landed.records - landed.left_out:
            raise StageFailure(
                f"{landed.dataset} of {self._delivery.name} does not have the rows the ledger says",
                remedy="Land the delivery again.",
                retry_helps=False,
            )
        return fields

    def _fields(self, landed: LandedTable) -> tuple[str, ...]:
        fields = staging.landing_fields(self._scratch, landed.dataset)
        if not fields:
            raise StageFailure(
                f"there is no table landing.{landed.dataset}", remedy="Migrate the warehouse.", retry_helps=False
            )
        return fields

    def _prepare(
        self,
        table: str,
        facts: staging.DatasetFacts,
        suite: Suite,
        fields: tuple[str, ...],
        known: Remembered,
        few: bool,
    ) -> tuple[CompiledSuite, int]:
        own = {facts.dataset: (*self._staged.get(facts.dataset, ()), table)}  # steps of one table name each other
        place = Place(
            facts.dataset, facts.key, fields, self._delivery.as_known_at, self._staged | own, table if few else None
        )
        compiled = compile_suite(suite, place, facts.removed, table)
        mark_excluded(self._scratch, table, facts, suite, self._staged, known, self._digests, few, self._brought)
        run_page(self._scratch, f"create view staging.{compiled.view} as {compiled.select}")
        judged = self._scratch.exec_driver_sql(f"select count(*) from staging.{table} where disposition is null")
        return compiled, int(judged.scalar_one())

    def _mark_held(self, table: str, compiled: CompiledSuite, results: Sequence[CheckResult]) -> int:
        broken = {result.code for result in results if result.failed and result.severity == "hold"}
        columns = [(check.code, check.column) for check in compiled.checks if check.code in broken]
        if not columns:
            return 0
        listed = ", ".join(f"case when {column} then '{code}' end" for code, column in columns)
        either = " or ".join(column for _, column in columns)
        self._scratch.exec_driver_sql(f"drop table if exists staging.{table}__failing")
        self._scratch.exec_driver_sql(
            f"create unlogged table staging.{table}__failing as select landed_line, "
            f"array_remove(array[{listed}], null) as rules from staging.{compiled.view} where {either}"
        )
        return self._scratch.exec_driver_sql(
            f"update staging.{table} s set disposition = 'held' from staging.{table}__failing f "
            "where s.landed_line = f.landed_line"
        ).rowcount


def apply(connection: Connection, context: RunContext, delivery: Delivery, checked: CheckedDelivery) -> list[RowCounts]:
    """Move held rows to quarantine, apply the others, write every account: all in the caller's transaction."""
    digests, counted = RowDigests(context.profile), []
    people = people_to_withdraw(
        connection, [(t.table, t.facts.people[0]) for t in checked.tables if t.facts.is_person_table and t.is_staged]
    )
    for done in checked.tables:
        landed = done.landed
        excluded: dict[str, list[str]] = {}
        if done.is_staged:
            excluded = digests_of_excluded(connection, done.table, landed.dataset, done.facts.removed, digests)
        repeats = 0
        origin = quarantine.Origin(landed.landed_id, landed.file_id, landed.dataset, delivery.as_known_at)
        if any(result.failed and result.severity == "hold" for result in done.results):
            repeats = quarantine.hold(connection, context.profile, done.table, origin, done.fields)
        if done.results:
            overtaken.settle(connection, context.profile, done.table, origin, done.facts.key)
        counts = RowCounts()
        if done.is_staged:
            counts = apply_rows(
                connection,
                staging=f"staging.{done.table}",
                target=f"landing.{landed.dataset}",
                fields=done.fields,
                key=done.facts.key,
                removed=done.facts.removed,
                mode=landed.mode,
                file_id=landed.file_id,
                as_known_at=delivery.as_known_at,
            )
        counts = replace(counts, quarantined=counts.quarantined - repeats, unchanged=counts.unchanged + repeats)
        if people and done.facts.people and not done.facts.is_person_table:
            named, moment = done.facts.people, delivery.as_known_at
            gone = withdraw(connection, landed.dataset, named, done.fields, people, landed.file_id, moment)
            counts = replace(counts, closed_by_absence=counts.closed_by_absence + gone)
        at_door = left_out_at_door(connection, landed.file_id, landed.dataset) if landed.left_out else {}
        write_exclusions(connection, landed.file_id, landed.dataset, counts.excluded, excluded)
        counts = replace(counts, excluded=dict(Counter(counts.excluded) + Counter(at_door)))
        write_account(connection, landed.file_id, landed.dataset, landed.records, counts)
        counted.append(counts)
    return counted


def write_verdicts(connection: Connection, checked: CheckedDelivery) -> None:
    """The results and verdict of every table; again for a delivery that was held before."""
    for done in checked.tables:
        facts = {
            "landed": done.landed.landed_id,
            "verdict": done.verdict.verdict.value,
            "message": done.verdict.message,
        }
        connection.exec_driver_sql(
            """insert into ledger.verdict (landed_id, verdict, message) values (%(landed)s, %(verdict)s, %(message)s)
               on conflict (landed_id) do update set verdict = excluded.verdict, message = excluded.message""",
            facts,
        )
        state = {Verdict.HELD: "held", Verdict.REFUSED: "refused"}.get(done.verdict.verdict, "checked")
        connection.exec_driver_sql(
            "update ledger.landed_table set state = %(state)s where landed_id = %(landed)s", {**facts, "state": state}
        )
        rows = [
            {
                "landed": done.landed.landed_id,
                "rule": r.code,
                "severity": r.severity,
                "n": r.evaluated,
                "failed": r.failed,
            }
            for r in done.results
        ]
        if rows:
            connection.exec_driver_sql(
                """insert into ledger.rule_result (landed_id, rule, severity, evaluated, failed)
                   values (%(landed)s, %(rule)s, %(severity)s, %(n)s, %(failed)s)
                   on conflict (landed_id, rule) do update set severity = excluded.severity,
                     evaluated = excluded.evaluated, failed = excluded.failed""",
                rows,
            )


def give_up(profile: Profile, delivery_id: int, *, reason: str, decided_by: str) -> bool:
    """Refuse for good a delivery that this stage holds; later ones stop waiting for it and nothing of it is loaded.

    Returns whether it was held. Raises `QuarantineError` without a reason or a name.
    """
    quarantine.require(reason, decided_by)
    with Store(profile).connect("loader") as connection:
        changed = connection.exec_driver_sql(
            """update ledger.delivery set state = 'refused', code = 'CHECK-GIVEN-UP', message = %(message)s
                where delivery_id = %(id)s and state = 'held' and starts_with(code, 'CHECK-')""",
            {"id": delivery_id, "message": f"given up by {decided_by.strip()}: {reason.strip()}"},
        )
        return changed.rowcount > 0


def drop_staging(connection: Connection, checked: CheckedDelivery) -> None:
    """Staging holds plain values: it goes as soon as it has served."""
    for done in (table for table in checked.tables if table.is_staged):
        staging.drop(connection, done.table)
        connection.exec_driver_sql(f"drop table if exists staging.{done.table}__failing")
