"""What the checks say of every landed row: the suites evaluated again over everything ever landed, by key.

The check stage counts and keeps no keys of rows that only warn. Scoring asks the same suites, compiled the same way,
over the landing history, so that "found" means what the stage would have counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connectors.memory import Memory
from connectors.registry import SUPPLIERS
from connectors.spec import TableSpec, table_specs
from expectations import staging
from expectations.exclusions import RowDigests
from expectations.rule import Place
from expectations.suites import all_suites, compile_suite
from governance.sql import identifier
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from domain.profile import Profile

HELD, EXCLUDED = "held", "excluded"
_ABOUT_ONE_DELIVERY = ("KEY-005",)  # compares the lines of one file; over a history it would say something else
_NOT_TAKEN = ("free_text", "third_party")
_PERSON_FIELDS = ("person_id", "patient_id", "client_no", "client_id")  # a record's defect may sit in its rows


@dataclass(slots=True)
class FoundRows:
    """Rule codes by system and id; digests of rows held or left out; findings by file."""

    digests: RowDigests
    codes: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    kept: set[tuple[str, str]] = field(default_factory=set)
    set_aside: dict[str, str] = field(default_factory=dict)  # keyed digest -> held or excluded
    of_files: dict[str, set[str]] = field(default_factory=dict)
    organisations: tuple[str, ...] = ()
    doors: dict[str, Memory] = field(default_factory=dict)  # system -> whose digests its door wrote
    left_out: set[bytes] = field(default_factory=set)  # keyed digests of rows that stayed outside

    def said_of(self, system: str, table: str, ids: Iterable[str]) -> set[str]:
        """Everything the checks said of the rows with these ids: rule codes, `held`, `excluded`, finding codes."""
        said: set[str] = set()
        rows = [row for row in ids if row] or [f"{table}.csv"]  # a defect without a key is one of the whole file
        for row in rows:
            said |= self.codes.get((system, row), set()) | self.of_files.get(row, set())
            said |= self._set_aside(_datasets(system, table), system, row)
        if not said and not self.is_kept(system, rows):  # an event may be one row of a table and lack another's
            everything = _datasets(system, "")
            said = {word for row in rows for word in self._set_aside(everything, system, row)}
        return said

    def is_kept(self, system: str, ids: Iterable[str]) -> bool:
        """Whether a row with one of these ids was landed, as it came."""
        return any((system, row) in self.kept or row in self.of_files for row in ids)

    def is_never_read(self, system: str, table: str, column: str) -> bool:
        """Whether nothing reads the place: free text, a third person's details, a table without a specification."""
        specs = table_specs(system)
        if table not in specs:
            return system == "systmone" and table.startswith("SR")
        return any(c.name == column and c.sensitivity in _NOT_TAKEN for c in specs[table].columns)

    def _set_aside(self, datasets: tuple[str, ...], system: str, row: str) -> set[str]:
        keys = (row, *(f"{row}|{organisation}" for organisation in self.organisations if system == "systmone"))
        places = [(dataset, key) for dataset in datasets for key in keys]
        said = {
            self.set_aside[digest]
            for dataset, key in places
            if (digest := self.digests.of(dataset, key)) in self.set_aside
        }
        door = self.doors.get(system)
        if door is not None and any(door.digest(dataset, key) in self.left_out for dataset, key in places):
            said.add(EXCLUDED)
        return said


def read(profile: Profile, store: Store, digests: RowDigests) -> FoundRows:
    """Everything the checks said so far, of every source of the profile."""
    found = FoundRows(digests)
    here = {source.connector for source in profile.sources}
    found.doors = {source.connector: Memory(profile, source.name) for source in profile.sources}
    with store.connect("loader") as connection:
        connection.exec_driver_sql(staging.SETTINGS)
        _read_set_aside(connection, found)
        _read_files(connection, found)
        for supplier in SUPPLIERS:
            for spec in table_specs(supplier).values() if supplier in here else ():
                _read_dataset(connection, spec, found)
    return found


def _read_set_aside(connection: Connection, found: FoundRows) -> None:
    for (digest,) in connection.exec_driver_sql("select distinct row_key from quarantine.held_row"):
        found.set_aside[digest] = HELD
    for (digest,) in connection.exec_driver_sql("select distinct unnest(row_digests) from ledger.exclusion"):
        found.set_aside[digest] = EXCLUDED
    for (sealed,) in connection.exec_driver_sql("select sealed_digests from ledger.exclusion"):
        found.left_out |= {sealed[at : at + 16] for at in range(0, len(sealed or b""), 16)}
    found.organisations = tuple(
        connection.exec_driver_sql(
            "select distinct visible_to from landing.systmone__patient where visible_to is not null"
        ).scalars()
    )


def _read_files(connection: Connection, found: FoundRows) -> None:
    for name, code in connection.exec_driver_sql(
        """select f.name, finding ->> 'code' from ledger.landed_table t join ledger.file f using (file_id),
             jsonb_array_elements(t.findings) finding"""
    ):
        found.of_files.setdefault(name, set()).add(code)


def _read_dataset(connection: Connection, spec: TableSpec, found: FoundRows) -> None:
    suite, scratch = all_suites().get(spec.dataset), identifier(spec.dataset)
    fields = staging.landing_fields(connection, spec.dataset)
    if suite is None or not fields:
        return
    staging.create(connection, scratch, fields, spec.key)
    columns = ", ".join(identifier(name) for name in fields)
    connection.exec_driver_sql(
        f"""insert into staging.{scratch} (landed_line, {columns})
            select version_id, {columns} from landing.{identifier(spec.dataset)}"""
    )
    moment = connection.exec_driver_sql("select coalesce(max(as_known_at), now()) from ledger.delivery").scalar_one()
    place = Place(spec.dataset, spec.key, fields, moment, {spec.dataset: (scratch,)})
    suite = replace(suite, uses=tuple(use for use in suite.uses if use.rule not in _ABOUT_ONE_DELIVERY))
    compiled = compile_suite(suite, place, spec.removed)
    flagged = ", ".join(f"case when {check.column} then '{check.code}' end" for check in compiled.checks) or "null"
    ids = ", ".join(f"{identifier(name)}::text" for name in (*spec.key, *(f for f in _PERSON_FIELDS if f in fields)))
    system = spec.dataset.partition("__")[0]
    rows = connection.exec_driver_sql(
        f"""select array_remove(array[{flagged}], null) as codes, array[{ids}] as ids, row_key
              from ({compiled.select}) judged"""
    )
    for codes, row_ids, row_key in rows:
        plain = "|".join(part.strip() for part in row_key.split("|"))  # codes come padded
        for row in {*row_ids, row_key, plain, _patient(system, row_key)} - {None, ""}:
            found.kept.add((system, row))
            if codes:
                found.codes.setdefault((system, row), set()).update(codes)
    staging.drop(connection, scratch)


def _patient(system: str, row_key: str) -> str:
    """A SystmOne record's own key (organisation, colon, row) from its row key (row, bar, organisation)."""
    row, _, organisation = row_key.partition("|")
    return f"{organisation}:{row}" if system == "systmone" and organisation else ""


def _datasets(system: str, table: str) -> tuple[str, ...]:
    specs: Mapping[str, TableSpec] = table_specs(system)
    return (specs[table].dataset,) if table in specs else tuple(spec.dataset for spec in specs.values())
