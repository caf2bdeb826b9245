"""Front door of landing: collect everything due from one source, prove it complete and continuous, land it.

Purpose: what a supplier sent is kept exactly, before anything reads it. Takes: the source's deliveries. Produces: rows
in `ledger.delivery`, `ledger.file`, `ledger.landed_table` and Parquet files. When it goes wrong: the delivery is held
or refused with its reason; nothing of it is landed, later ones of the same source are tried on their own merits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.alarms import alarm_of, with_alarm
from connectors.base import DeliveryProblem, Incoming, LandedDelivery, MayFallSilent, NotLiveYet, Past, RawFile
from connectors.conform import load_code_map
from connectors.credentials import credentials_of, lent
from connectors.door import Door, open_door
from connectors.left_out import note_left_out
from connectors.mapping import MappingError, decisions_of, in_force
from connectors.permission import moment_of, permission
from connectors.questions import note_questions
from connectors.registry import connector_for
from connectors.side import note_unknown_columns, reviewed_columns
from connectors.transport import after_bringing, bring
from domain.run import Finding, RunContext, RunResult, RunState
from governance.incidents import open_incident
from governance.ledger import Lease, recorded
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

STAGE = "land"


def run(context: RunContext) -> RunResult:
    """Land every delivery of `context.source` that has arrived and was not taken before.

    Returns counts `deliveries`, `repeats`, `tables`, `rows`, `held`, `refused`. State `held` or `refused` when any
    delivery is; those landed beside it stay landed.
    """
    return recorded(STAGE, "loader", context, lambda store, lease: _land_if_permitted(context, store, lease))


def _land_if_permitted(context: RunContext, store: Store, lease: Lease) -> RunResult:
    """Land under the source's flow, when its agreement, hours and licence allow it now."""
    source = context.profile.source(context.source or "")
    with permission(context, store, source) as refusal:
        if refusal is not None:
            return RunResult(STAGE, source.name, refusal.state, findings=(refusal.finding,))
        return _land_as_decided(context, store, lease)


def _land_as_decided(context: RunContext, store: Store, lease: Lease) -> RunResult:
    """Bring what is new, and land under the decisions people made about the source's headings."""
    source = context.profile.source(context.source or "")
    try:
        decisions = decisions_of(context.profile, source.name)
    except MappingError as problem:
        finding = Finding("MAPPING_PAGE", str(problem), "mend the page, or take the entry out and decide again")
        return RunResult(STAGE, source.name, RunState.HELD, findings=(finding,))
    login = credentials_of(source, context.secrets)
    brought = bring(context.profile, source, login, lambda sha256: _has_landed(store, source.name, sha256))
    _note_incidents(store, source.name, brought.findings)
    with store.connect("loader") as connection:
        decisions = replace(decisions, reviewed=reviewed_columns(connection, source.name))
    with in_force(decisions), lent(login):
        landed = after_bringing(brought, _land(context, store, lease))
    alarm = alarm_of(context.profile, source, past_of(store, source.name), moment_of(context))
    return with_alarm(landed, alarm)


def _note_incidents(store: Store, source: str, findings: tuple[Finding, ...]) -> None:
    """What happened on the way in and is an incident is opened as one (F21)."""
    with store.connect("loader") as connection:
        for finding in findings:
            open_incident(connection, finding, source)


def _has_landed(store: Store, source: str, sha256: str) -> bool:
    with store.connect("loader") as connection:
        return bool(
            connection.exec_driver_sql(
                """select exists (select from ledger.file f join ledger.delivery d using (delivery_id)
                    where d.source = %(source)s and f.sha256 = %(hash)s)""",
                {"source": source, "hash": sha256},
            ).scalar_one()
        )


def _land(context: RunContext, store: Store, _: Lease) -> RunResult:
    source = context.profile.source(context.source or "")
    with store.connect("loader") as connection:
        load_code_map(connection, source.connector)  # checking asks which codes are known, before conforming does
    counts = dict.fromkeys(("deliveries", "repeats", "tables", "rows", "held", "refused", "not_live"), 0)
    findings: list[Finding] = []
    try:
        connector, before = connector_for(context.profile, source), past_of(store, source.name)
        arrived = list(connector.discover(before))
    except DeliveryProblem as problem:
        return RunResult(STAGE, source.name, problem.state, counts, (problem.finding,))
    for incoming in arrived:
        content_hash = incoming.content_hash()
        first_name = _seen_before(store, source.name, content_hash, incoming.name)
        if first_name is not None:
            counts["repeats"] += 1
            findings += _renamed(source.name, incoming.name, first_name)
            continue
        try:
            past = past_of(store, source.name)
            with open_door(context.profile, source) as door:
                landed = incoming.land(context.profile.landing, past)
        except NotLiveYet as reason:
            counts["not_live"] += 1
            findings.append(reason.finding)
            continue
        except DeliveryProblem as problem:
            counts[problem.state.value] += 1
            findings.append(problem.finding)
            _note_problem(store, source.name, incoming, content_hash, problem)
            continue
        findings += _note_landed(store, source.name, incoming, content_hash, landed, door, past)
        counts["deliveries"] += 1
        counts["tables"] += len(landed.tables)
        counts["rows"] += sum(table.records for table in landed.tables)
        findings += [*landed.findings, *(f for table in landed.tables for f in table.findings)]
    is_silent = isinstance(connector, MayFallSilent) and connector.is_silent(before)
    if not (is_silent or any(counts[name] for name in ("deliveries", "held", "refused", "not_live"))):
        findings.append(
            Finding(
                "NOTHING_NEW",
                f"{source.name}: nothing has arrived that was not taken before",
                "if a delivery was due, ask the supplier; what comes late is taken by itself",
            )
        )
    state = RunState.REFUSED if counts["refused"] else RunState.HELD if counts["held"] else RunState.DONE
    return RunResult(STAGE, source.name, state, counts, tuple(findings))


def past_of(store: Store, source: str) -> Past:
    """What the ledger knows of the source's earlier deliveries."""
    with store.connect("loader") as connection:
        taken = {"source": source, "taken": ["landed", "checked", "conformed"], "held": "CHECK-"}
        known = connection.exec_driver_sql(
            """select split_part(name, '/', 2), max(as_known_at) from ledger.delivery where source = %(source)s
                and (state = any(%(taken)s) or (state = 'held' and starts_with(code, %(held)s))) group by 1""",
            taken,
        ).all()
        by_part: dict[str, datetime] = {str(part): moment for part, moment in known}
        records = connection.exec_driver_sql(
            """with whole as (  -- the last time each table came whole; of bulks with what deltas added since
                 select distinct on (t.dataset) t.dataset, t.records, t.mode, d.as_known_at
                   from ledger.landed_table t join ledger.delivery d using (delivery_id)
                  where d.source = %(source)s and d.state = any(%(taken)s)
                    and (t.mode in ('full', 'keys') or (t.mode = 'bulk' and position('/' in d.name) = 0))
                  order by t.dataset, d.as_known_at desc, t.landed_id desc)
               select w.dataset, w.records + coalesce((select sum(a.inserted) from ledger.row_account a
                   join ledger.landed_table t using (file_id, dataset) join ledger.delivery d using (delivery_id)
                  where a.dataset = w.dataset and d.source = %(source)s and w.mode = 'bulk'
                    and d.as_known_at > w.as_known_at), 0) from whole w""",
            taken,
        ).all()
        keys_read = connection.exec_driver_sql(
            """select max(d.as_known_at) from ledger.landed_table t join ledger.delivery d using (delivery_id)
                where d.source = %(source)s and d.state = any(%(taken)s) and t.mode = 'keys'""",
            taken,
        ).scalar_one()
        before = connection.exec_driver_sql(
            "select content_hash, name from ledger.delivery where source = %(source)s and state = any(%(taken)s)", taken
        ).all()
    hashes, names = frozenset(str(h) for h, _ in before), frozenset(str(n) for _, n in before)
    moment = max(by_part.values(), default=None)
    return Past(moment, {str(d): int(n) for d, n in records}, keys_read, hashes, by_part, names)


def _seen_before(store: Store, source: str, content_hash: str, name: str) -> str | None:
    """The name the same content came under first: "" when it has come under this one too; None when it is new."""
    # A delivery held here is looked at again each time: what it waited for may have come. A refused one stays refused;
    # one that the check stage holds is landed already, and checking looks at it again.
    with store.connect("loader") as connection:
        return connection.exec_driver_sql(
            """with before as (select delivery_id, name, also_named from ledger.delivery
                 where source = %(source)s and content_hash = %(hash)s
                   and (state <> 'held' or starts_with(code, 'CHECK-')))
               update ledger.delivery d set times_seen = times_seen + 1, last_seen_at = clock_timestamp(),
                   also_named = case when %(name)s = any(b.also_named) or b.name = %(name)s then b.also_named
                                     else b.also_named || %(name)s end
                 from before b where d.delivery_id = b.delivery_id
               returning case when b.name = %(name)s or %(name)s = any(b.also_named) then '' else b.name end""",
            {"source": source, "hash": content_hash, "name": name},
        ).scalar_one_or_none()


def _renamed(source: str, name: str, first_name: str) -> Iterator[Finding]:
    if first_name:
        yield Finding(
            "REPEATED",
            f"{source}: {name} is {first_name} again under another name; nothing was taken",
            "nothing to do; tell the supplier if it happens often",
        )


def _note_problem(store: Store, source: str, incoming: Incoming, content_hash: str, problem: DeliveryProblem) -> None:
    with store.connect("loader") as connection:
        connection.exec_driver_sql(
            """insert into ledger.delivery (source, name, content_hash, mode, as_known_at, state, code, message)
               values (%(source)s, %(name)s, %(hash)s, 'full', '-infinity', %(state)s, %(code)s, %(message)s)
               on conflict (source, content_hash) do update set state = excluded.state, code = excluded.code,
                 message = excluded.message, times_seen = ledger.delivery.times_seen + 1,
                 last_seen_at = clock_timestamp()""",
            {
                "source": source,
                "name": incoming.name,
                "hash": content_hash,
                "state": problem.state.value,
                "code": problem.finding.code,
                "message": f"{problem.finding.message}; {problem.finding.remedy}",
            },
        )
        note_questions(connection, source, incoming.name, problem)
        files = [{"name": f.name, "size_bytes": f.size_bytes, "sha256": f.sha256} for f in problem.files]
        about = {"about": incoming.name, "content_hash": content_hash}
        open_incident(connection, problem.finding, source, **about, files=files)


def _note_landed(
    store: Store, source: str, incoming: Incoming, content_hash: str, landed: LandedDelivery, door: Door, past: Past
) -> tuple[Finding, ...]:
    with store.connect("loader") as connection:
        delivery = connection.exec_driver_sql(
            """insert into ledger.delivery (source, name, content_hash, mode, window_from, as_known_at, state)
               values (%(source)s, %(name)s, %(hash)s, %(mode)s, %(from)s, %(to)s, 'landed')
               on conflict (source, content_hash) do update set state = 'landed', code = '', message = '',
                 mode = excluded.mode, window_from = excluded.window_from, as_known_at = excluded.as_known_at
               returning delivery_id""",
            {
                "source": source,
                "name": incoming.name,
                "hash": content_hash,
                "mode": landed.mode,
                "from": landed.window_from,
                "to": landed.as_known_at,
            },
        ).scalar_one()
        connection.exec_driver_sql(  # the incomplete form in which it was held before
            """update ledger.delivery set state = 'repeat', code = 'COMPLETED', message = 'arrived whole later'
                where source = %(source)s and name = %(name)s and state = 'held' and content_hash <> %(hash)s""",
            {"source": source, "name": incoming.name, "hash": content_hash},
        )
        files = {file.name: _note_file(connection, delivery, file) for file in landed.files}
        note_unknown_columns(connection, source, delivery, landed.tables)
        for table in landed.tables:
            connection.exec_driver_sql(
                """insert into ledger.landed_table
                     (delivery_id, file_id, dataset, mode, parquet_path, records, findings, left_out)
                   values (%(delivery)s, %(file)s, %(dataset)s, %(mode)s, %(path)s, %(records)s, %(findings)s,
                     %(left_out)s)""",
                {
                    "delivery": delivery,
                    "file": files[table.file_name],
                    "dataset": table.dataset,
                    "mode": table.mode,
                    "path": str(table.parquet),
                    "records": table.records,
                    "findings": json.dumps([f.as_dict() for f in table.findings]),
                    "left_out": door.left_out[table.parquet].total if table.parquet in door.left_out else 0,
                },
            )
        return note_left_out(connection, source, door, landed, files, past.last_known_at)


def _note_file(connection: Connection, delivery: int, file: RawFile) -> int:
    return int(
        connection.exec_driver_sql(
            """insert into ledger.file (delivery_id, name, size_bytes, sha256, physical_lines, records, raw_path)
           values (%(delivery)s, %(name)s, %(size)s, %(sha)s, %(lines)s, %(records)s, %(path)s) returning file_id""",
            {
                "delivery": delivery,
                "name": file.name,
                "size": file.size_bytes,
                "sha": file.sha256,
                "lines": file.physical_lines,
                "records": file.records,
                "path": str(file.path),
            },
        ).scalar_one()
    )
