"""What a reconciliation compares, brought together in a scratch database in memory: keys, flags and dates, no names.

No account may read identifiers and payload together (governance CTL-2), so each page of `reads/<role>/` is asked as the
role its folder names: the linker says who is who and whether two records agree, the publisher what work is open, the
loader what waits in quarantine. Only internal numbers, suppliers' keys and yes-or-no answers meet here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from connectors.spec import table_specs
from governance.sql import identifier
from governance.store import Store
from warehouse.cutover.plan import CutoverPlan

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_ROLES: Final = ("linker", "publisher", "loader")
_MARK: Final = re.compile(r"\{(known|compared):([a-z_]+)\}|\{(old|new|day)\}")


@dataclass(frozen=True, slots=True)
class Moment:
    """Which load is compared, what is open on which day, and as known when (None: as known now)."""

    load: int
    day: date
    as_known_at: datetime | None = None


def gather(store: Store, plan: CutoverPlan, moment: Moment) -> duckdb.DuckDBPyConnection:
    """A scratch database: a table for every page of `reads`, `note`, `begun`, `date_value`; the caller closes it."""
    import duckdb

    scratch = duckdb.connect()
    for role in _ROLES:
        for page in sorted((files(__package__) / "reads" / role).iterdir(), key=lambda p: p.name):
            if page.name.endswith(".sql"):
                _keep(
                    scratch, page.name.removesuffix(".sql"), _read(store, role, page.read_text("utf-8"), plan, moment)
                )
    _keep(scratch, "note", _read(store, "loader", _notes_page(plan), plan, moment))
    _keep(scratch, "begun", _read(store, "loader", _begun_page(plan), plan, moment))
    _keep(scratch, "date_value", _read(store, "loader", _dates_page(plan), plan, moment))
    scratch.execute(
        "create table setting as select ? as old, ? as new, ?::date as day, ?::date as live_from,"
        " ?::date as freeze_from, ?::integer as load_number, ?::boolean as is_trial",
        [
            plan.old,
            plan.new,
            moment.day,
            plan.live_from,
            plan.freeze_from,
            moment.load,
            moment.load < plan.go_live_load,
        ],
    )
    return scratch


def _read(store: Store, role: str, page: str, plan: CutoverPlan, moment: Moment) -> pa.Table:
    return store.read_arrow(role, filled_in(page, plan, moment))


def filled_in(page: str, plan: CutoverPlan, moment: Moment) -> str:
    """The page with its marks replaced: names of sources (checked), the day, and what was known at the moment."""

    def put(mark: re.Match[str]) -> str:
        kind, name, setting = mark.groups()
        if kind == "known":
            return _known(identifier(name), moment.as_known_at)
        if kind == "compared":
            return _compared(identifier(name))
        text = moment.day.isoformat() if setting == "day" else identifier(plan.old if setting == "old" else plan.new)
        return f"date '{text}'" if setting == "day" else f"'{text}'"

    return _MARK.sub(put, page)


def _known(alias: str, at: datetime | None) -> str:
    if at is None:
        return f"{alias}.known_to is null"
    stamp = f"timestamptz '{at.isoformat()}'"
    return f"({alias}.known_from <= {stamp} and ({alias}.known_to is null or {alias}.known_to > {stamp}))"


def _compared(name: str) -> str:
    return (
        f"case when o.{name} = n.{name} then 'equal' when o.{name} is null and n.{name} is null then 'neither' "
        f"when n.{name} is null then 'lost' when o.{name} is null then 'gained' else 'differs' end"
    )


def _notes_page(plan: CutoverPlan) -> str:
    """Notes and documents for each person: the supplier's own folder knows where (`cutover/note.sql`)."""
    parts = []
    for system in (plan.old, plan.new):
        page = files("connectors") / system / "cutover" / "note.sql"
        if page.is_file():
            parts.append(f"select '{identifier(system)}' as source, n.* from ({page.read_text('utf-8')}) n")
    return " union all ".join(parts) or "select null::text as source, null::text as person_key, 0 as notes where false"


def _begun_page(plan: CutoverPlan) -> str:
    """When each old record was begun, as its supplier's `cutover/begun.sql` says; else our first knowledge counts."""
    page = files("connectors") / plan.old / "cutover" / "begun.sql"
    return (
        page.read_text("utf-8")
        if page.is_file()
        else "select null::text as person_key, null::date as begun where false"
    )


def _dates_page(plan: CutoverPlan) -> str:
    """For every date column of the new system's landed tables: how many values there are, how many of each odd kind.

    A value is read in any of the styles landing knows; one that none of them reads counts as truncated.
    """
    parts = []
    for spec in table_specs(plan.new).values():
        for column in spec.columns:
            if not _is_date(column.tag):
                continue
            f = identifier(column.field)
            parts.append(
                f"select '{identifier(spec.dataset)}' as dataset, '{f}' as column_name, count(*) as filled, "
                f"count(*) filter (where v.day in (date '1900-01-01', date '1901-01-01')) as defaulted, "
                f"count(*) filter (where v.day = date '{plan.live_from.isoformat()}') as cut_over_day, "
                f"count(*) filter (where v.day > {{day}} + 366) as in_the_future, "
                f"count(*) filter (where v.day is null) as truncated "
                f"from landing.{identifier(spec.dataset)} t cross join lateral (select coalesce("
                f"landing.moment_iso(t.{f}), landing.moment_slash(t.{f}), landing.moment_dmon(t.{f}))::date as day) v "
                f"where t.known_to is null and not t.is_removed and btrim(coalesce(t.{f}, '')) <> ''"
            )
    return " union all ".join(parts) or (
        "select null::text as dataset, null::text as column_name, 0 as filled, 0 as defaulted, 0 as cut_over_day, "
        "0 as in_the_future, 0 as truncated where false"
    )


def _is_date(tag: str) -> bool:
    return any(word in tag.lower() for word in ("date", "moment"))


def _keep(scratch: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    scratch.register("arriving", table)
    scratch.execute(f"create table {identifier(name)} as from arriving")
    scratch.unregister("arriving")
