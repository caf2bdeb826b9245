"""The canonical digest of a release: equal exactly when two releases say the same about the same people.

It does not depend on numbers that a database happened to hand out, on the order in which rows arrived, or on any clock:
a person is named by the smallest of their supplier keys and an event by the supplier's own key. The known clock and the
pointers to landed lines are left out, because they say when and where we learnt something, not what.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from governance.sql import identifier
from warehouse.build import TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LEFT_OUT = frozenset({"version_id", "row_digest", "known_from", "known_to", "landed_version_id"})

# Numbers of our own -> (what stands for them, how to find it).
_NAMED = {
    "person_id": ("a_person.name", "join canonical_person a_person on a_person.person_id = t.person_id"),
    "cared_for_person_id": (
        "b_person.name",
        "join canonical_person b_person on b_person.person_id = t.cared_for_person_id",
    ),
    "event_id": ("an_event.event_key", "join core.event an_event on an_event.event_id = t.event_id"),
    "same_as_event_id": (
        "a_first.event_key",
        "join core.event a_first on a_first.event_id = t.same_as_event_id",
    ),
    "referral_event_id": (
        "a_referral.event_key",
        "left join core.event a_referral on a_referral.event_id = t.referral_event_id",
    ),
    "source_record_id": (
        "a_record.source_person_key",
        "join identity.source_record a_record on a_record.source_record_id = t.source_record_id",
    ),
}


def release_digest(connection: Connection, moment: datetime) -> str:
    """The digest (64 hexadecimal digits) of everything the core tables show as known at `moment`.

    Every table is hashed under its own name, so that a row cannot change places unnoticed. The time it takes grows with
    the rows shown.
    """
    connection.exec_driver_sql(
        "set local timezone to 'UTC'; set local datestyle to 'ISO'; set local work_mem to '128MB'"
    )
    connection.exec_driver_sql("drop table if exists pg_temp.canonical_person")
    connection.exec_driver_sql(
        f"""create temporary table canonical_person on commit drop as
            select i.person_id, min((r.source || '|' || r.source_person_key) collate "C") as name
              from core.identity i join identity.source_record r on r.source_record_id = i.source_record_id
             where {_shown("i")} group by i.person_id""",
        {"moment": moment},
    )
    connection.exec_driver_sql("analyze canonical_person")
    summary = "\n".join(_table_line(connection, table.name, moment) for table in TABLES)
    return hashlib.sha256(summary.encode()).hexdigest()


def _shown(alias: str) -> str:
    return f"{alias}.known_from <= %(moment)s and ({alias}.known_to is null or {alias}.known_to > %(moment)s)"


def _table_line(connection: Connection, name: str, moment: datetime) -> str:
    columns = covered_columns(connection, name)
    values = ", ".join(_NAMED[c][0] if c in _NAMED else f"t.{identifier(c)}" for c in columns)
    joins = "\n".join(_NAMED[c][1] for c in columns if c in _NAMED)
    # 32 bytes a row: the database's limit for one value is reached at thirty million rows of one table.
    rows, hashed = connection.exec_driver_sql(
        f"""with line as (
              select sha256(convert_to(row({values})::text, 'UTF8')) as hash
                from core.{identifier(name)} t {joins} where {_shown("t")}
            )
            select count(*), coalesce(encode(sha256(string_agg(hash, ''::bytea order by hash)), 'hex'), '')
              from line""",
        {"moment": moment},
    ).one()
    return f"{name} {','.join(columns)} {rows} {hashed}"


def covered_columns(connection: Connection, name: str) -> list[str]:
    """The columns of a core table that count for the digest, in the order of their names; a new one counts at once."""
    found = connection.exec_driver_sql(
        """select attname from pg_attribute
            where attrelid = %(table)s::regclass and attnum > 0 and not attisdropped and attgenerated = ''
            order by attname collate "C" """,
        {"table": f"core.{identifier(name)}"},
    )
    return [str(row[0]) for row in found if row[0] not in _LEFT_OUT]
