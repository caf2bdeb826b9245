"""The truth of a synthetic council as Parquet files, for scorers: who is whom, what happened, what was broken.

Linkage and warehouse code must never read these files; only scorers may.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.synthetic.keys import event_key
from connectors.synthetic.nhs_numbers import is_valid
from connectors.synthetic.world import Appearance, TrueEvent, World

FILES: Final = ("person", "appearance", "event", "defect", "caring", "migration", "file_fault")


def save(world: World, folder: Path) -> None:
    """Writes the truth files into `folder` (made when absent), as of the last night."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables(world).items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def load(folder: Path, name: str) -> pa.Table:
    """One truth file, by a name of `FILES`; FileNotFoundError when the council was not saved."""
    return pq.read_table(folder / f"{name}.parquet")


def load_people(folder: Path) -> pa.Table:
    """The people: person_id, sex, birth and death date, names, number, ethnicity, tags, relations (JSON)."""
    return load(folder, "person")


def load_appearances(folder: Path) -> pa.Table:
    """The records: system, key, person_id, nights, role, flags; NHS number held, and child, on the last night."""
    return load(folder, "appearance")


def load_events(folder: Path) -> pa.Table:
    """The events that exist after the last night, one row each, with their facts as JSON."""
    return load(folder, "event")


def load_defects(folder: Path) -> pa.Table:
    """Every injected defect: id, system, table, key, field, night; never a value."""
    return load(folder, "defect")


def load_caring(folder: Path) -> pa.Table:
    """Who cares for whom, by person and by record."""
    return load(folder, "caring")


def tables(world: World) -> dict[str, pa.Table]:
    """The truth tables."""
    return {
        "person": _people(world),
        "appearance": _appearances(world),
        "event": _events(world),
        "defect": _defects(world),
        "caring": _caring(world),
        "migration": _migration(world),
        "file_fault": _file_faults(world),
    }


def load_migration(folder: Path) -> pa.Table:
    """How each record of a replaced care system went over: old and new key, pattern, load."""
    return load(folder, "migration")


def load_file_faults(folder: Path) -> pa.Table:
    """Every fault of a whole delivery: system, night, kind."""
    return load(folder, "file_fault")


def digest(world: World) -> str:
    """A SHA-256 over the tables and everything the records say: equal for equal seeds and settings."""
    total = hashlib.sha256()
    for name, table in tables(world).items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        total.update(name.encode())
        total.update(sink.getvalue())
    for record in world.appearances:
        total.update(repr((record.versions, record.addresses, record.references)).encode())
    return total.hexdigest()


def _columns(rows: list[tuple[object, ...]], fields: list[tuple[str, pa.DataType]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in fields]
    arrays = [pa.array(column, type=kind) for column, (_, kind) in zip(columns, fields, strict=True)]
    return pa.Table.from_arrays(arrays, names=[name for name, _ in fields])


def _people(world: World) -> pa.Table:
    rows: list[tuple[object, ...]] = [
        (
            person.person_id, person.sex, person.birth_date, person.death_date, person.names[-1].forename,
            person.names[-1].surname,
            person.nhs_number, person.ethnicity_code, person.tradition, person.household_id, sorted(person.tags),
            json.dumps(person.relations, sort_keys=True),
        )
        for person in world.people
    ]  # fmt: skip
    text, number, day = pa.string(), pa.int64(), pa.date32()
    return _columns(
        rows,
        [
            ("person_id", number), ("sex", text), ("birth_date", day), ("death_date", day), ("forename", text),
            ("surname", text),
            ("nhs_number", text), ("ethnicity_code", text), ("tradition", text), ("household_id", number),
            ("tags", pa.list_(text)), ("relations", text),
        ],
    )  # fmt: skip


def has_number(appearance: Appearance, nights: int) -> bool:
    """Whether the record holds a usable NHS number after the last night (9994 plays another country)."""
    fields = appearance.as_of(nights)
    if fields is None:
        return False
    digits = fields["nhs_number"].replace(" ", "").replace("-", "")
    is_issued = digits.startswith("999") or (digits.startswith("9") and is_valid(digits))
    return is_issued and not digits.startswith("9994") and len(digits) == 10 and len(set(digits)) > 1


def _years(birth: date, day: date) -> int:
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _appearances(world: World) -> pa.Table:
    tags = {person.person_id: sorted(person.tags) for person in world.people}
    last = world.night_date(world.nights)
    children = {person.person_id for person in world.people if _years(person.birth_date, last) < 18}
    rows: list[tuple[object, ...]] = [
        (
            record.system, record.key, record.person_id, record.recorded_night, record.removed_night, record.role,
            record.duplicate_of,
            record.marked_duplicate_night, record.is_test, record.is_flagged_test, record.is_mixed,
            record.is_restricted,
            has_number(record, world.nights), record.person_id in children, tags[record.person_id],
        )
        for record in world.appearances
    ]  # fmt: skip
    text, number, flag = pa.string(), pa.int64(), pa.bool_()
    return _columns(
        rows,
        [
            ("system", text), ("key", text), ("person_id", number), ("recorded_night", number), ("removed_night",
            number), ("role", text),
            ("duplicate_of", text), ("marked_duplicate_night", number), ("is_test", flag), ("is_flagged_test", flag),
            ("is_mixed", flag), ("is_restricted", flag), ("has_nhs_number", flag), ("is_child", flag),
            ("tags", pa.list_(text)),
        ],
    )  # fmt: skip


def _event_row(event: TrueEvent, original: TrueEvent) -> tuple[object, ...]:
    return (
        event_key(event), event.event_id, event.person_id, event.appearance_key, event.kind, event.system,
        event.client_type,
        event.start_at, event.end_at, event.start_at.date(), event.end_at.date() if event.end_at else None,
        event.status,
        original.recorded_night, original.changed_night, json.dumps(event.facts, sort_keys=True, ensure_ascii=False),
        event.copy_of,
    )  # fmt: skip


def _events(world: World) -> pa.Table:
    rows: list[tuple[object, ...]] = []
    for event in world.events:
        state = event.as_of(world.nights)
        if state is not None:
            rows.append(_event_row(state, event))
    text, number, day, moment = pa.string(), pa.int64(), pa.date32(), pa.timestamp("s")
    return _columns(
        rows,
        [
            ("event_key", text), ("event_id", number), ("person_id", number), ("appearance_key", text), ("kind", text),
            ("system", text),
            ("client_type", text), ("start_at", moment), ("end_at", moment), ("start_date", day), ("end_date", day),
            ("status", text),
            ("recorded_night", number), ("changed_night", number), ("facts", text), ("copy_of", number),
        ],
    )  # fmt: skip


def _defects(world: World) -> pa.Table:
    rows: list[tuple[object, ...]] = [
        (defect.defect_id, defect.system, defect.table, defect.key, defect.field, defect.night)
        for defect in world.defects
    ]
    text = pa.string()
    kinds = [
        ("defect_id", text),
        ("system", text),
        ("table", text),
        ("key", text),
        ("field", text),
        ("night", pa.int64()),
    ]
    return _columns(rows, kinds)


def _caring(world: World) -> pa.Table:
    keys: dict[tuple[str, int], str] = {}
    for record in world.appearances:
        if record.duplicate_of is None:
            keys.setdefault((record.system, record.person_id), record.key)
    rows: list[tuple[object, ...]] = []
    for person in world.people:
        for cared_for in person.relations.get("cares_for", []):
            for system in ("liquidlogic", "carefirst", "micare"):
                carer_key, cared_for_key = keys.get((system, person.person_id)), keys.get((system, cared_for))
                if carer_key and cared_for_key:
                    rows.append((system, person.person_id, cared_for, carer_key, cared_for_key))
    text, number = pa.string(), pa.int64()
    fields = [
        ("system", text),
        ("carer_person_id", number),
        ("cared_for_person_id", number),
        ("carer_key", text),
        ("cared_for_key", text),
    ]
    return _columns(rows, fields)


def _migration(world: World) -> pa.Table:
    rows: list[tuple[object, ...]] = [
        (link.old_key, link.new_key, link.pattern, link.load_no) for link in world.migration
    ]
    text = pa.string()
    return _columns(rows, [("old_key", text), ("new_key", text), ("pattern", text), ("load_no", pa.int64())])


def _file_faults(world: World) -> pa.Table:
    rows: list[tuple[object, ...]] = [
        (fault.system, fault.night, world.night_date(fault.night), fault.kind) for fault in world.file_faults
    ]
    text = pa.string()
    return _columns(rows, [("system", text), ("night", pa.int64()), ("night_date", pa.date32()), ("kind", text)])
