"""Somebody let in before turns out to be a child: what hangs on that person goes too, in the same transaction.

The door hands over the bare keys of the person's own rows; the other tables of the delivery say in their facts which
field names the person (governance CHI-1). History stays; nothing current is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from governance.sql import identifier

if TYPE_CHECKING:
    from sqlalchemy import Connection

CHILD: Final = "child"


def people_to_withdraw(connection: Connection, staged_people: Iterable[tuple[str, str]]) -> list[str]:
    """The keys of those whose rows must go; `staged_people` are staging tables of persons with their person field."""
    found: set[str] = set()
    for table, person in staged_people:
        found |= set(
            connection.exec_driver_sql(
                f"select distinct btrim({identifier(person)}) from staging.{identifier(table)}"
                " where disposition = %(reason)s",
                {"reason": CHILD},
            ).scalars()
        )
    return sorted(found)


def withdraw(
    connection: Connection,
    dataset: str,
    person_fields: Sequence[str],
    fields: Sequence[str],
    people: Sequence[str],
    file_id: int,
    as_known_at: datetime,
) -> int:
    """End every current row of `landing.<dataset>` that names one of `people`; returns how many there were."""
    table = f"landing.{identifier(dataset)}"
    names = ", ".join(identifier(name) for name in fields)
    named = " or ".join(f"btrim({identifier(field)}) = any(%(people)s)" for field in person_fields)
    return connection.exec_driver_sql(
        f"""with ended as (
              update {table} set known_to = %(moment)s
               where known_to is null and not is_removed and known_from <= %(moment)s and ({named})
              returning row_key, {names}, row_digest)
            insert into {table} (row_key, {names}, is_removed, landed_file_id, landed_line, row_digest, known_from)
            select row_key, {names}, true, %(file)s, 0, row_digest, %(moment)s from ended
             order by row_key collate "C" """,
        {"people": list(people), "file": file_id, "moment": as_known_at},
    ).rowcount
