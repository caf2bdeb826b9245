"""The append-only account of runs, deliveries, files and rows; it, not the scheduler's database, is the truth (CTL-37).

Counts, hashes, names of files and rules; never a value of a person. `recorded` wraps every stage: it takes the stage's
lock, writes its beginning and its end, and turns a second run of the same flow away politely (F78).
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from domain.run import Finding, RunContext, RunResult, RunState
from governance.memory import PeakMemory
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a flow. The fencing `token` grows with every holder; a publisher compares it (CTL-10)."""

    name: str
    token: int


def recorded(stage: str, role: str, context: RunContext, body: Callable[[Store, Lease], RunResult]) -> RunResult:
    """Run one stage under its lock and write its beginning and end to the ledger.

    Returns what `body` returns; state `held` when another run of the same flow is at work. An exception is recorded as
    `stopped`, by its type only (its text may hold values), and raised again.
    """
    store = Store(context.profile)
    scope = context.source or ""
    with lease(store, role, f"{stage}:{scope}") as held:
        if held is None:
            busy = Finding(
                "BUSY", f"another run of {stage} {scope} is at work", "wait for it to end; nothing was changed"
            )
            return RunResult(stage, scope, RunState.HELD, findings=(busy,))
        entry = _begin(store, role, stage, context)
        memory = PeakMemory()
        try:
            with memory:
                result = body(store, held)
        except BaseException as problem:
            stopped = RunResult(stage, scope, RunState.STOPPED, findings=(Finding("STOPPED", type(problem).__name__),))
            _end(store, role, entry, stopped, memory.peak_mib)
            raise
        _end(store, role, entry, result, memory.peak_mib)
        return result


@contextmanager
def lease(store: Store, role: str, name: str) -> Iterator[Lease | None]:
    """Hold the flow `name` while the block runs; None when another live process holds it.

    The lock belongs to the database session, so it is free again the moment its holder dies; the token tells a holder
    that lost its session in another way that it may no longer publish.
    """
    from sqlalchemy.exc import DBAPIError

    engine = store.engine(role).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if not connection.exec_driver_sql("select pg_try_advisory_lock(hashtextextended(%s, 0))", (name,)).scalar_one():
            yield None
            return
        token = connection.exec_driver_sql(
            """insert into ledger.lease (name, holder, token) values (%(name)s, %(holder)s, 1)
               on conflict (name) do update set holder = excluded.holder, token = ledger.lease.token + 1,
                 taken_at = clock_timestamp() returning token""",
            {"name": name, "holder": f"{socket.gethostname()}:{os.getpid()}"},
        ).scalar_one()
        try:
            yield Lease(name, int(token))
        finally:
            # At once: a server under load notices late that a session has ended, and turns the next act away as busy.
            with suppress(DBAPIError):
                connection.exec_driver_sql("select pg_advisory_unlock(hashtextextended(%s, 0))", (name,))


def still_holds(connection: Connection, held: Lease) -> bool:
    """Whether nobody has taken the flow since; to be asked inside the publishing transaction."""
    current = connection.exec_driver_sql(
        "select token from ledger.lease where name = %(name)s for update", {"name": held.name}
    ).scalar_one()
    return int(current) == held.token


def latest_moment(connection: Connection, states: tuple[str, ...] = ("conformed",)) -> datetime | None:
    """The latest moment up to which any source is known; None before the first delivery."""
    return connection.exec_driver_sql(  # type: ignore[no-any-return]
        "select max(as_known_at) from ledger.delivery where state = any(%(states)s)", {"states": list(states)}
    ).scalar_one()


@cache
def code_version() -> str:
    """The version of this software, for the ledger."""
    return version("onestory")


def _begin(store: Store, role: str, stage: str, context: RunContext) -> int:
    with store.connect(role) as connection:
        return int(
            connection.exec_driver_sql(
                """insert into ledger.run (run_id, stage, scope, state, actor, code_version)
               values (%(run)s, %(stage)s, %(scope)s, 'running', %(actor)s, %(version)s) returning entry_id""",
                {
                    "run": context.run_id,
                    "stage": stage,
                    "scope": context.source or "",
                    "actor": context.actor,
                    "version": code_version(),
                },
            ).scalar_one()
        )


def _end(store: Store, role: str, entry: int, result: RunResult, peak_mib: int) -> None:
    with store.connect(role) as connection:
        connection.exec_driver_sql(
            """update ledger.run set ended_at = clock_timestamp(), state = %(state)s, counts = %(counts)s,
                 messages = %(messages)s, peak_mib = %(peak)s where entry_id = %(entry)s""",
            {
                "state": result.state.value,
                "counts": json.dumps(dict(result.counts)),
                "messages": json.dumps([f.as_dict() for f in result.findings]),
                "peak": peak_mib,
                "entry": entry,
            },
        )
