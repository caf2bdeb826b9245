"""From landed rows to the words everybody shares: the identity and payload zones, kept by difference on two clocks.

Purpose: one shape for all suppliers, with identifiers and events in zones that never share columns. Takes: the current
rows of `landing.<source>__*`. Produces: `identity.source_*` and `payload.*`. When it goes wrong: nothing is kept, the
delivery stays `checked`, and the next run does it again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from domain.run import RunContext, RunResult, RunState
from governance.history import apply_state
from governance.ledger import Lease, recorded
from governance.sql import run_page
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

STAGE = "conform"
_NEVER_NEW = ("landed_version_id",)  # the same facts from a re-sent line are not a new version


@dataclass(frozen=True, slots=True)
class Target:
    table: str
    key: str


TARGETS = {
    "source_person": Target("identity.source_person", "source_person_key"),
    "source_address": Target("identity.source_address", "address_key"),
    "source_reference": Target("identity.source_reference", "reference_key"),
    **{
        name: Target(f"payload.{name}", "event_key")
        for name in ("request", "assessment", "review", "service", "characteristic", "caring", "referral", "contact")
    },
}


def run(context: RunContext) -> RunResult:
    """Conform what the check stage accepted of `context.source`.

    Returns counts `<target>_inserted`, `_changed`, `_ended`, `_unchanged`; `as_known_at` is the source's latest moment.
    Nothing checked since the last time: done, with no counts.
    """
    return recorded(STAGE, "loader", context, lambda store, lease: _conform(context, store, lease))


def _conform(context: RunContext, store: Store, _: Lease) -> RunResult:
    source = context.profile.source(context.source or "")
    with store.connect("loader") as connection:  # without it the first night takes ten times as long
        connection.exec_driver_sql("select ledger.refresh_statistics('landing')")
    with store.connect("loader") as connection:
        load_code_map(connection, source.connector)
        moment = _moment(connection, source.name)
        if moment is None:
            return RunResult(STAGE, source.name, RunState.DONE)
        connection.exec_driver_sql("set local timezone to 'Europe/London'")
        counts: dict[str, int] = {}
        for name, select in _selects(source.connector):
            counts |= _apply(connection, source.name, name, select, moment)
        connection.exec_driver_sql(
            "update ledger.delivery set state = 'conformed' where source = %(source)s and state = 'checked'",
            {"source": source.name},
        )
    return RunResult(STAGE, source.name, RunState.DONE, counts, as_known_at=moment)


def load_code_map(connection: Connection, supplier: str) -> None:
    """Bring `landing.code_map` to what `connectors/<supplier>/codes/*.csv` say. Raw codes are compared trimmed, in capitals."""
    rows = [
        {
            "source": supplier,
            "code_set": page.name.removesuffix(".csv"),
            "raw": line["raw"].strip().upper(),
            "clean": line["clean"].strip(),
        }
        for page in sorted((files("connectors") / supplier / "codes").iterdir(), key=lambda p: p.name)
        if page.name.endswith(".csv")
        for line in csv.DictReader(page.read_text(encoding="utf-8").splitlines())
    ]
    connection.exec_driver_sql("delete from landing.code_map where source = %(source)s", {"source": supplier})
    if rows:
        connection.exec_driver_sql(
            "insert into landing.code_map (source, code_set, raw, clean) values (%(source)s, %(code_set)s, %(raw)s, %(clean)s)",
            rows,
        )


def _moment(connection: Connection, source: str) -> datetime | None:
    return connection.exec_driver_sql(  # type: ignore[no-any-return]
        """select max(as_known_at) filter (where state in ('checked', 'conformed')) from ledger.delivery
            where source = %(source)s having bool_or(state = 'checked')""",
        {"source": source},
    ).scalar_one_or_none()


def _selects(supplier: str) -> Iterator[tuple[str, str]]:
    folder = files("connectors") / supplier / "conform"
    for name in TARGETS:  # people first: everything else hangs on their records
        page = folder / f"{name}.sql"
        if page.is_file():
            yield name, page.read_text(encoding="utf-8").strip().rstrip(";")


def _apply(connection: Connection, source: str, name: str, select: str, moment: datetime) -> dict[str, int]:
    target = TARGETS[name]
    run_page(connection, f"create temporary table conformed on commit drop as {select}")
    offered = [
        row[0]
        for row in connection.exec_driver_sql(
            "select attname from pg_attribute where attrelid = 'conformed'::regclass and attnum > 0 order by attnum"
        )
    ]
    if name == "source_person":
        connection.exec_driver_sql(
            """insert into identity.source_record (source, source_person_key)
               select %(source)s, source_person_key from conformed order by source_person_key collate "C"
               on conflict do nothing""",
            {"source": source},
        )
    in_identity = target.table.startswith("identity.")
    columns = [c for c in offered if c not in ("source_person_key", "cared_for_person_key")]
    joins = "join identity.source_record r on r.source = '{source}' and r.source_person_key = c.source_person_key"
    extra = ", r.source_record_id, '{source}' as source" + (", c.source_person_key" if in_identity else "")
    if "cared_for_person_key" in offered:
        joins += (
            " join identity.source_record cared_for on cared_for.source = '{source}'"
            " and cared_for.source_person_key = c.cared_for_person_key"
        )
        extra += ", cared_for.source_record_id as cared_for_record_id"
    state = (f"select {', '.join('c.' + c for c in columns)}{extra} from conformed c {joins}").format(source=source)
    every = [
        *columns,
        "source_record_id",
        "source",
        *(["source_person_key"] if in_identity else []),
        *(["cared_for_record_id"] if "cared_for_person_key" in offered else []),
    ]
    counts = apply_state(
        connection,
        target=target.table,
        state_sql=state,
        columns=every,
        key=[target.key],
        as_known_at=moment,
        scope=("source", source),
        ignore_in_digest=_NEVER_NEW,
    )
    connection.exec_driver_sql("drop table conformed")
    return {
        f"{name}_inserted": counts.inserted,
        f"{name}_changed": counts.changed,
        f"{name}_ended": counts.ended,
        f"{name}_unchanged": counts.unchanged,
    }
