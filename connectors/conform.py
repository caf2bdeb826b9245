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

from domain.run import Finding, RunContext, RunResult, RunState
from governance.history import apply_state
from governance.ledger import Lease, recorded
from governance.sql import identifier, run_page
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

STAGE = "conform"
_UNPLACED = "_without_record"
_NEVER_NEW = ("landed_version_id",)  # the same facts from a re-sent line are not a new version


@dataclass(frozen=True, slots=True)
class Target:
    table: str
    key: str
    hangs_on_record: bool = True  # False: rows speak of other sources' records and carry no number of ours


TARGETS = {
    "source_person": Target("identity.source_person", "source_person_key"),
    "source_address": Target("identity.source_address", "address_key"),
    "source_reference": Target("identity.source_reference", "reference_key"),
    **{
        name: Target(f"payload.{name}", "event_key")
        for name in ("request", "assessment", "review", "service", "characteristic", "caring", "referral", "contact")
    },
    **{
        name: Target(f"payload.{name}", "event_key") for name in ("involvement", "safeguarding", "dols", "finance_line")
    },
    **{
        name: Target(f"payload.{name}", "event_key")
        for name in ("hospital_stay", "care_plan", "questionnaire_answered")
    },
    "cross_reference": Target("identity.cross_reference", "cross_reference_key", hangs_on_record=False),
}

#: Options of a source that its pages may ask for, as `current_setting('onestory.option_<name>', true)`.
_OPTIONS_FOR_PAGES = ("old", "new", "go_live_load", "legacy_id")


def run(context: RunContext) -> RunResult:
    """Conform what the check stage accepted of `context.source`.

    Returns counts `<target>_inserted`, `_changed`, `_ended`, `_unchanged`, `_without_record`; `as_known_at` is the
    source's latest moment.
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
        for option in _OPTIONS_FOR_PAGES:
            connection.exec_driver_sql(
                "select set_config(%(name)s, %(value)s, true)",
                {"name": f"onestory.option_{option}", "value": source.options.get(option, "")},
            )
        counts: dict[str, int] = {}
        for name, select in _selects(source.connector):
            counts |= _apply(connection, source.name, name, select, moment)
        connection.exec_driver_sql(
            "update ledger.delivery set state = 'conformed' where source = %(source)s and state = 'checked'",
            {"source": source.name},
        )
    return RunResult(STAGE, source.name, RunState.DONE, counts, tuple(_unplaced(counts)), moment)


def _unplaced(counts: dict[str, int]) -> Iterator[Finding]:
    for name, rows in counts.items():
        if name.endswith(_UNPLACED) and rows:
            yield Finding(
                "WITHOUT_RECORD",
                f"{rows} rows of {name.removesuffix(_UNPLACED)} hang on a person record that was never delivered",
                "they join by themselves when the record comes; ask the supplier if it does not",
            )


def load_code_map(connection: Connection, supplier: str) -> None:
    """Bring `landing.code_map` to what `connectors/<supplier>/codes/*.csv` say; raw codes trimmed, in capitals."""
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
            """insert into landing.code_map (source, code_set, raw, clean)
               values (%(source)s, %(code_set)s, %(raw)s, %(clean)s)""",
            rows,
        )


def _moment(connection: Connection, source: str) -> datetime | None:
    return connection.exec_driver_sql(
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
    if name == "source_person":
        _number_new_records(connection, source)
    columns, state = _placed(connection, source, target)
    counts = apply_state(
        connection,
        target=target.table,
        state_sql=state,
        columns=columns,
        key=[target.key],
        as_known_at=moment,
        scope=("source", source),
        ignore_in_digest=_NEVER_NEW,
    )
    rows = int(connection.exec_driver_sql("select count(*) from conformed").scalar_one())
    run_page(connection, "drop table conformed")
    return {
        f"{name}_inserted": counts.inserted,
        f"{name}_changed": counts.changed,
        f"{name}_ended": counts.ended,
        f"{name}_unchanged": counts.unchanged,
        f"{name}{_UNPLACED}": rows - counts.inserted - counts.changed - counts.unchanged,
    }


def _number_new_records(connection: Connection, source: str) -> None:
    connection.exec_driver_sql(
        """insert into identity.source_record (source, source_person_key)
           select %(source)s, c.source_person_key from conformed c
            where not exists (select from identity.source_record r
                               where r.source = %(source)s and r.source_person_key = c.source_person_key)
            order by c.source_person_key collate "C"
           on conflict do nothing""",
        {"source": source},
    )
    connection.exec_driver_sql("select ledger.refresh_statistics('identity')")


def _placed(connection: Connection, source: str, target: Target) -> tuple[list[str], str]:
    """The target's columns, and a select of the conformed rows under the internal numbers of their records."""
    offered = list(
        connection.exec_driver_sql(
            "select attname from pg_attribute where attrelid = 'conformed'::regclass and attnum > 0 order by attnum"
        ).scalars()
    )
    if not target.hangs_on_record:
        told = {**{c: c for c in offered}, "source": f"'{identifier(source)}'"}
        return list(told), "select " + ", ".join(f"{e} as {name}" for name, e in told.items()) + " from conformed"
    columns = {c: f"c.{c}" for c in offered if c not in ("source_person_key", "cared_for_person_key")}
    columns |= {"source_record_id": "r.source_record_id", "source": f"'{identifier(source)}'"}
    if target.table.startswith("identity."):
        columns["source_person_key"] = "c.source_person_key"
    joins = _join("r", source, "source_person_key")
    if "cared_for_person_key" in offered:
        columns["cared_for_record_id"] = "cared_for.source_record_id"
        joins += _join("cared_for", source, "cared_for_person_key")
    selected = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
    return list(columns), f"select {selected} from conformed c {joins}"


def _join(alias: str, source: str, key: str) -> str:
    return (
        f" join identity.source_record {alias} on {alias}.source = '{identifier(source)}'"
        f" and {alias}.source_person_key = c.{key}"
    )
