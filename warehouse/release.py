"""Publishes numbered releases: gates first, then digest, ledger line and the one pointer, in the caller's transaction.

Analysts read through the pointer, so they see the release before or the release after and nothing between (governance
5.2). A gate that fails names what is missing; nothing is published then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import OperationalError

from domain.run import Finding
from governance import ledger
from warehouse.build import EVENTS, TABLES
from warehouse.digest import release_digest

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SERIALIZATION_FAILURE = "40001"


@dataclass(frozen=True, slots=True)
class Release:
    """A published release; `basis` says what it was built from."""

    number: int
    as_known_at: datetime
    digest: str
    basis: dict[str, Any]

    def is_built_from(self, basis: dict[str, Any]) -> bool:
        """Whether a build from `basis` would say the same; another link run with the same answers is no change."""
        return all(self.basis.get(name) == basis[name] for name in ("as_known_at", "marks"))


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition for publishing (CTL-11): what was counted, and what to do when it fails."""

    code: str
    passed: bool
    facts: dict[str, int]
    message: str
    remedy: str

    def finding(self) -> Finding:
        counted = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in self.facts.items())
        return Finding(self.code, f"{self.message} ({counted})", self.remedy)


class LeaseLost(Exception):
    """Another build has begun since this one took its lease; this one may not publish (CTL-10)."""


def current_release(connection: Connection) -> Release | None:
    """The release analysts see now; None before the first."""
    row = connection.exec_driver_sql(
        """select r.number, r.as_known_at, r.digest, r.gates -> 'basis'
             from core.current_release c join ledger.release r on r.number = c.number"""
    ).one_or_none()
    return Release(int(row[0]), row[1], str(row[2]), dict(row[3] or {})) if row else None


def basis_of(connection: Connection) -> dict[str, Any]:
    """What a build would be made from now: the data's moment, the link run and a mark of every input table.

    The mark is the newest version and the number of current rows; as versions are only ever added or closed, it changes
    whenever the content does.
    """
    moment = ledger.latest_moment(connection)
    link_run = connection.exec_driver_sql("select max(link_run_id) from ledger.link_run").scalar_one()
    inputs = [f"payload.{name}" for name in EVENTS]
    inputs += ["identity.membership", "identity.person_outline", "identity.record_outline"]
    marks: dict[str, list[Any]] = {}
    for name in inputs:
        newest, rows = connection.exec_driver_sql(
            f"select max(version_id), count(*) filter (where known_to is null) from {name}"
        ).one()
        marks[name] = [newest or 0, rows]
    handed, last = connection.exec_driver_sql("select count(*), max(since)::text from identity.new_bearer").one()
    if handed:  # said only where it happened: elsewhere the basis stays the same
        marks["identity.new_bearer"] = [handed, last]
    replaced = connection.exec_driver_sql("select r::text from core.replaced_source r order by 1").scalars().all()
    marks["core.replaced_source"] = list(replaced)
    weights, linked = connection.exec_driver_sql(
        "select coalesce(sum(round(link_weight::numeric, 4)), 0)::text, count(*) from identity.membership_strength"
    ).one()
    marks["identity.membership_strength"] = [weights, linked]
    return {"as_known_at": moment.isoformat() if moment else None, "link_run_id": link_run, "marks": marks}


def moment_after(previous: Release | None, as_known_at: datetime) -> datetime:
    """The moment of the next release: that of its data, but always later than the release before.

    Two releases of one moment could not be told apart on the known clock (a mapping fix, say, changes the content of a
    moment already published), so the later one is set a microsecond after the earlier.
    """
    if previous is None or as_known_at > previous.as_known_at:
        return as_known_at
    return previous.as_known_at + timedelta(microseconds=1)


def gates(connection: Connection) -> tuple[Gate, ...]:
    """The conditions for publishing, asked of what the transaction sees."""
    homeless = {kind: _homeless(connection, kind) for kind in EVENTS}
    return (
        _accounting(connection),
        _verdicts(connection),
        _persons(connection, homeless),
        _completeness(connection, homeless),
    )


def publish(
    connection: Connection, *, moment: datetime, basis: dict[str, Any], passed: tuple[Gate, ...], lease: ledger.Lease
) -> Release:
    """Write the next release into the ledger and point to it.

    Raises `LeaseLost` when the fencing token is no longer ours; the caller's transaction must then be rolled back.
    """
    digest = release_digest(connection, moment)
    _insist_on(connection, lease)
    number = int(connection.exec_driver_sql("select coalesce(max(number), 0) + 1 from ledger.release").scalar_one())
    record = {"basis": basis, "gates": {gate.code: gate.facts for gate in passed}}
    connection.exec_driver_sql(
        """insert into ledger.release (number, as_known_at, token, digest, gates)
           values (%(number)s, %(moment)s, %(token)s, %(digest)s, %(gates)s)""",
        {"number": number, "moment": moment, "token": lease.token, "digest": digest, "gates": json.dumps(record)},
    )
    connection.exec_driver_sql(
        """insert into core.current_release (number, token) values (%(number)s, %(token)s)
           on conflict (only_row) do update set number = excluded.number, token = excluded.token""",
        {"number": number, "token": lease.token},
    )
    return Release(number, moment, digest, basis)


def _insist_on(connection: Connection, lease: ledger.Lease) -> None:
    try:
        ours = ledger.still_holds(connection, lease)
    except OperationalError as problem:
        # Repeatable read refuses to look at a line that has changed since: the lease was taken while we worked.
        if getattr(problem.orig, "sqlstate", "") == _SERIALIZATION_FAILURE:
            raise LeaseLost(lease.name) from None
        raise
    if not ours:
        raise LeaseLost(lease.name)


def _accounting(connection: Connection) -> Gate:
    tables, unbalanced_tables, unbalanced_files, read, accounted = connection.exec_driver_sql("""
        with account as (
          select t.file_id, t.records, f.records as file_records, a.read,
                 a.inserted + a.updated + a.unchanged + a.duplicate + a.superseded + a.quarantined
                   + a.excluded_by_policy as accounted
            from ledger.landed_table t
            join ledger.delivery d on d.delivery_id = t.delivery_id and d.state = 'conformed'
            join ledger.file f on f.file_id = t.file_id
            left join ledger.row_account a on a.file_id = t.file_id and a.dataset = t.dataset
        ), file as (
          select file_id from account group by file_id, file_records having sum(read) is distinct from file_records
        )
        select count(*), count(*) filter (where read is distinct from records or accounted is distinct from read),
               (select count(*) from file), coalesce(sum(records), 0), coalesce(sum(accounted), 0)
          from account""").one()
    return Gate(
        "ROW_ACCOUNTING",
        unbalanced_tables == 0 and unbalanced_files == 0 and read == accounted,
        {
            "tables": tables,
            "rows_read": int(read),
            "rows_accounted_for": int(accounted),
            "tables_out_of_balance": unbalanced_tables,
            "files_out_of_balance": unbalanced_files,
        },
        "the rows of every conformed file must be accounted for",
        "see `onestory ledger` for the files; check the deliveries named there again",
    )


def _verdicts(connection: Connection) -> Gate:
    tables, without = connection.exec_driver_sql("""
        select count(*), count(*) filter (where v.landed_id is null)
          from ledger.landed_table t
          join ledger.delivery d on d.delivery_id = t.delivery_id and d.state = 'conformed'
          left join ledger.verdict v on v.landed_id = t.landed_id""").one()
    return Gate(
        "VERDICTS",
        without == 0,
        {"tables": tables, "tables_without_verdict": without},
        "every conformed table must have passed the check stage",
        "run the check stage for the sources concerned",
    )


@dataclass(frozen=True, slots=True)
class _Homeless:
    """Current events of one kind without a person: `waiting` to be linked, `withheld` for good with their record, or
    `former`: they were a former bearer's of a key that is somebody else's now, and the former is nobody."""

    waiting: int
    withheld: int
    former: int


def _homeless(connection: Connection, kind: str) -> _Homeless:
    """A record that its supplier has withdrawn has no person any more; events it left behind are withheld, not lost."""
    records = ("source_record_id", "cared_for_record_id") if kind == "caring" else ("source_record_id",)
    joins = "".join(
        f""" left join identity.membership m_{column} on m_{column}.source_record_id = e.{column}
                  and m_{column}.known_to is null
             left join identity.record_outline r_{column} on r_{column}.source_record_id = e.{column}
                  and r_{column}.known_to is null"""
        for column in records
    )
    unlinked = " or ".join(f"m_{column}.source_record_id is null" for column in records)
    waiting = " or ".join(
        f"(m_{column}.source_record_id is null and r_{column}.source_record_id is not null)" for column in records
    )
    counted = connection.exec_driver_sql(
        f"""select count(*) filter (where {waiting}), count(*) filter (where ({unlinked}) and not ({waiting})),
                   count(*) filter (where not ({unlinked}))
              from payload.{kind} e {joins}
              left join core.former_work f on f.kind = '{kind}' and f.source = e.source and f.event_key = e.event_key
             where e.known_to is null and ({unlinked} or f.is_withheld)"""
    ).one()
    return _Homeless(*counted)


def _persons(connection: Connection, homeless: dict[str, _Homeless]) -> Gate:
    records = connection.exec_driver_sql("""
        select count(*) from identity.record_outline r
         where r.known_to is null and not exists (
           select from identity.membership m where m.source_record_id = r.source_record_id and m.known_to is null)
        """).scalar_one()
    waiting = sum(events.waiting for events in homeless.values())
    withheld = sum(events.withheld for events in homeless.values())
    former = sum(events.former for events in homeless.values())
    return Gate(
        "PERSONS",
        records == 0 and waiting == 0,
        {
            "records_to_link": int(records),
            "events_to_link": waiting,
            "events_of_withdrawn_records": withheld,
            "events_of_former_bearers": former,
        },
        "every record and every event of it must belong to a person",
        "run the link stage: it has not seen the newest data yet",
    )


def _completeness(connection: Connection, homeless: dict[str, _Homeless]) -> Gate:
    facts = {table.name: _current_rows(connection, table.target) for table in TABLES}
    lost_or_doubled = sum(
        abs(
            _current_rows(connection, f"payload.{kind}")
            - events.waiting
            - events.withheld
            - events.former
            - facts[kind]
        )
        for kind, events in homeless.items()
    )
    return Gate(
        "COMPLETENESS",
        lost_or_doubled == 0,
        {**facts, "events_lost_or_doubled": lost_or_doubled},
        "linking may neither lose nor double an event",
        "report this as a defect; the release before stays current",
    )


def _current_rows(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"select count(*) from {table} where known_to is null").scalar_one())
