"""Held rows put back through the same rules: at every check run where the cause may have gone, or all on request.

What passes is applied with the moment of its own delivery, so that the end state is the one that would have come about
had the row never been held; its file's account moves with it in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from domain.run import RunContext, RunResult, RunState
from expectations import staging
from expectations.accounts import digests_of_excluded, move_account, write_exclusions
from expectations.exclusions import RowDigests, mark_excluded, remembered
from expectations.quarantine import HeldRow, decide, open_rows, require
from expectations.rule import Place
from expectations.rules import all_rules
from expectations.suites import CompiledSuite, compile_suite, in_order, suite_of
from governance.history import apply_rows
from governance.ledger import recorded
from governance.sql import FEW, identifier, run_page
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

STAGE = "check"
#: Of a key told of twice the last line was taken: alone, the other would pass and overwrite it. A person may say so.
_SETTLED = ("KEY-005",)


@dataclass(frozen=True, slots=True)
class Replayed:
    tried: int = 0
    released: int = 0


def replay(context: RunContext) -> RunResult:
    """Try every held row of `context.source` again, whatever rule holds it; for use after a mapping fix.

    Returns counts `tried` and `released`. State `quarantined` when rows are still held.
    """

    def body(store: Store, _: object) -> RunResult:
        with store.loading("loader"):
            done = retry(context, store, all_rows=True)
        state = RunState.DONE if done.tried == done.released else RunState.QUARANTINED
        return RunResult(STAGE, context.source or "", state, {"tried": done.tried, "released": done.released})

    return recorded(STAGE, "loader", context, body)


def release(context: RunContext, held_ids: Sequence[int], *, reason: str, decided_by: str) -> int:
    """Load held rows although they break a rule, because a person says so. Returns how many were loaded.

    Raises:
        QuarantineError: no reason or no name.
    """
    require(reason, decided_by)
    store, released = Store(context.profile), 0
    for dataset in _datasets(store, context.source or "", None, settled=()):
        with store.connect("loader") as connection:
            rows = open_rows(connection, context.profile, dataset, held_ids)
        if rows:
            facts = _stage(context, store, rows)
            released += _apply(context, store, facts, rows, [row.held_id for row in rows], reason, decided_by)
    return released


def retry(context: RunContext, store: Store, *, all_rows: bool = False) -> Replayed:
    """Try held rows again: all of them, or those whose every rule may have been satisfied by what came since."""
    rules = None if all_rows else sorted(code for code, rule in all_rules().items() if rule.retry != "never")
    tried = released = 0
    for dataset in _datasets(store, context.source or "", rules):
        with store.connect("loader") as connection:
            ids = _held_ids(connection, dataset, rules)
            rows = open_rows(connection, context.profile, dataset, ids)
        facts = _stage(context, store, rows)
        passing = _passing(context, store, facts, rows)
        released += _apply(context, store, facts, rows, passing, "no longer breaks a rule", context.actor)
        tried += len(rows)
        if all_rows:
            with store.connect("loader") as connection:
                _count_try(connection, set(ids) - set(passing))
    return Replayed(tried, released)


def _table(dataset: str) -> str:
    return f"{dataset}__again"


def _stage(context: RunContext, store: Store, rows: Sequence[HeldRow]) -> staging.DatasetFacts:
    dataset = rows[0].dataset
    with store.connect("loader") as connection:
        parquet = connection.exec_driver_sql(
            """select parquet_path from ledger.landed_table where file_id = %(file)s and dataset = %(dataset)s""",
            {"file": rows[-1].file_id, "dataset": dataset},
        ).scalar_one()
        facts = staging.facts_of(Path(parquet))
        fields = staging.landing_fields(connection, dataset)
        staging.create(connection, _table(dataset), fields, facts.key, "file_id bigint, held_id bigint, ")
    columns: dict[str, type] = {"landed_line": int, "file_id": int, "held_id": int, **dict.fromkeys(fields, str)}
    content = [{**r.content, "landed_line": r.line, "file_id": r.file_id, "held_id": r.held_id} for r in rows]
    staging.load_rows(store, _table(dataset), content, columns)
    return facts


def _passing(context: RunContext, store: Store, facts: staging.DatasetFacts, rows: Sequence[HeldRow]) -> list[int]:
    table, suite = _table(facts.dataset), suite_of(facts.dataset)
    with store.connect("loader") as connection:
        connection.exec_driver_sql(staging.SETTINGS)
        known = remembered(connection, {*suite.parents, facts.dataset})
        few = len(rows) <= FEW
        mark_excluded(connection, table, facts, suite, {}, known, RowDigests(context.profile), few)
        fields = staging.landing_fields(connection, facts.dataset)
        moment = max(row.as_known_at for row in rows)
        place = Place(facts.dataset, facts.key, fields, moment, {facts.dataset: (table,)}, table if few else None)
        compiled = compile_suite(suite, place, facts.removed, table)
        run_page(connection, f"create view staging.{compiled.view} as {compiled.select}")
        return _not_held(connection, table, compiled)


def _not_held(connection: Connection, table: str, compiled: CompiledSuite) -> list[int]:
    holding = " or ".join(check.column for check in compiled.checks if check.severity == "hold") or "false"
    return list(
        connection.exec_driver_sql(
            f"""select held_id from staging.{compiled.view} where not ({holding})
                union select held_id from staging.{table} where disposition is not null"""
        ).scalars()
    )


def _apply(
    context: RunContext,
    store: Store,
    facts: staging.DatasetFacts,
    rows: Sequence[HeldRow],
    held_ids: Iterable[int],
    reason: str,
    decided_by: str,
) -> int:
    chosen = set(held_ids)
    table = _table(facts.dataset)
    digests = RowDigests(context.profile)
    with store.connect("loader") as connection:
        connection.exec_driver_sql(staging.SETTINGS)
        fields = staging.landing_fields(connection, facts.dataset)
        going = [row for row in rows if row.held_id in chosen]
        for (as_known_at, file_id), group in groupby(going, key=lambda row: (row.as_known_at, row.file_id)):
            ids = [row.held_id for row in group]
            part = _part(connection, table, ids)
            excluded = digests_of_excluded(connection, part, facts.dataset, facts.removed, digests)
            counts = apply_rows(
                connection,
                staging=f"staging.{part}",
                target=f"landing.{facts.dataset}",
                fields=fields,
                key=facts.key,
                removed=facts.removed,
                mode="delta",
                file_id=file_id,
                as_known_at=as_known_at,
            )
            move_account(connection, file_id, facts.dataset, counts)
            write_exclusions(connection, file_id, facts.dataset, counts.excluded, excluded)
            decide(connection, ids, "released", reason, decided_by)
            staging.drop(connection, part)
        staging.drop(connection, table)
        return len(going)


def _part(connection: Connection, table: str, held_ids: Sequence[int]) -> str:
    """The rows of one file, in a staging table of their own."""
    part = f"{identifier(table)}_part"
    staging.drop(connection, part)
    connection.exec_driver_sql(
        f"create unlogged table staging.{part} as select * from staging.{table} where held_id = any(%(ids)s)",
        {"ids": list(held_ids)},
    )
    return part


def _datasets(store: Store, source: str, rules: Sequence[str] | None, settled: Sequence[str] = _SETTLED) -> list[str]:
    with store.connect("loader") as connection:
        found = connection.exec_driver_sql(
            """select distinct h.dataset from quarantine.held_row h
                 join ledger.file f using (file_id) join ledger.delivery d using (delivery_id)
                where h.state = 'held' and d.source = %(source)s
                  and (%(rules)s::text[] is null or h.rules <@ %(rules)s::text[]) and not h.rules && %(settled)s""",
            {"source": source, "rules": rules, "settled": list(settled)},
        )
        return in_order(frozenset(found.scalars()))


def _held_ids(connection: Connection, dataset: str, rules: Sequence[str] | None) -> list[int]:
    return list(
        connection.exec_driver_sql(
            """select held_id from quarantine.held_row where state = 'held' and dataset = %(dataset)s
                  and (%(rules)s::text[] is null or rules <@ %(rules)s::text[]) and not rules && %(settled)s""",
            {"dataset": dataset, "rules": rules, "settled": list(_SETTLED)},
        ).scalars()
    )


def _count_try(connection: Connection, held_ids: set[int]) -> None:
    connection.exec_driver_sql(
        "update quarantine.held_row set tries = tries + 1 where held_id = any(%(ids)s) and state = 'held'",
        {"ids": sorted(held_ids)},
    )
