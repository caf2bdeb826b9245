"""Front door of the return stage: prepare the return of the reporting period from one pinned release.

Everything is read in one repeatable-read transaction, so a release published meanwhile changes nothing (F80). The
files come first and the ledger's line last: what the ledger names exists.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from domain.run import Finding, RunContext, RunResult, RunState
from governance.ledger import Lease, recorded
from governance.store import Store
from statutory.base import PinnedRelease, PreparedReturn, Return, ReturnStatus
from statutory.client_level_data.collection import ClientLevelData

if TYPE_CHECKING:
    from sqlalchemy import Connection

_STAGE = "return"
_NOTHING_PUBLISHED = Finding("NOTHING_PUBLISHED", "no release has been published yet", "run the build stage first")


def run(context: RunContext) -> RunResult:
    """Prepare Client Level Data for the profile's reporting period.

    The setting `release` asks for an older release than the current one. Ends `done` when the file may be sent; `held`
    when it is partial because data are still to come; `refused` when it is partial for another reason or was built
    wrongly. The file and its report are written in every case, under a name that says what they are.
    """
    return recorded(_STAGE, "returns_officer", context, lambda store, lease: _prepare(store, lease, context))


def _prepare(store: Store, lease: Lease, context: RunContext) -> RunResult:
    collection: Return = ClientLevelData()
    wanted = context.settings.get("release")
    with store.snapshot("returns_officer", "statutory_return", int(wanted) if wanted else None) as connection:
        release = pinned_release(connection)
        if release is None:
            return RunResult(_STAGE, "", RunState.HELD, findings=(_NOTHING_PUBLISHED,))
        prepared = collection.prepare(connection, release, context.profile)
    with store.connect("returns_officer", "statutory_return") as connection:
        _enter(connection, prepared)
    return RunResult(
        _STAGE,
        "",
        _state(prepared),
        counts=prepared.counts,
        findings=prepared.findings,
        as_known_at=release.as_known_at,
        facts={
            "path": str(prepared.path),
            "status": prepared.status.value,
            "release": str(release.number),
            "sha256": prepared.sha256,
            **{name: str(path) for name, path in prepared.other_paths.items()},
        },
    )


def pinned_release(connection: Connection) -> PinnedRelease | None:
    """The release this transaction shows; None before the first."""
    row = connection.exec_driver_sql("select release, as_known_at from release.about").one_or_none()
    return PinnedRelease(int(row[0]), row[1]) if row else None


def _state(prepared: PreparedReturn) -> RunState:
    if prepared.status is ReturnStatus.SUBMISSION:
        return RunState.DONE
    return RunState.HELD if prepared.waits_for_data else RunState.REFUSED


def _enter(connection: Connection, prepared: PreparedReturn) -> None:
    """Write the prepared return into the ledger, once for the same file."""
    paths = {"path": prepared.path, **prepared.other_paths}
    facts = {**{name: str(path) for name, path in paths.items()}, "counts": dict(prepared.counts)}
    connection.exec_driver_sql(
        """insert into ledger.prepared_return
             (collection, release, period_start, period_end, rows, errors, file_sha256, status, facts)
           select %(collection)s, %(release)s, %(start)s, %(end)s, %(rows)s, %(errors)s, %(sha256)s, %(status)s,
                  %(facts)s
            where not exists (
              select from ledger.prepared_return
               where collection = %(collection)s and release = %(release)s and file_sha256 = %(sha256)s
                 and status = %(status)s)""",
        {
            "collection": prepared.collection,
            "release": prepared.release.number,
            "start": prepared.period_start,
            "end": prepared.period_end,
            "rows": prepared.rows,
            "errors": prepared.errors,
            "sha256": prepared.sha256,
            "status": prepared.status.value,
            "facts": json.dumps(facts),
        },
    )
