"""What became of every row of a file, written so that it adds up or is refused by the database (CTL-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from expectations.exclusions import RowDigests
from governance.history import RowCounts
from governance.sql import among, identifier

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FATES = ("inserted", "updated", "unchanged", "duplicate", "superseded", "excluded_by_policy")


def write_account(connection: Connection, file_id: int, dataset: str, read: int, counts: RowCounts) -> None:
    """The account of one file and table. The database refuses one that does not balance."""
    connection.exec_driver_sql(
        """insert into ledger.row_account (file_id, dataset, read, inserted, updated, unchanged, duplicate, superseded,
             quarantined, excluded_by_policy, closed_by_absence)
           values (%(file)s, %(dataset)s, %(read)s, %(inserted)s, %(updated)s, %(unchanged)s, %(duplicate)s,
             %(superseded)s, %(quarantined)s, %(excluded_by_policy)s, %(closed)s)""",
        {
            "file": file_id,
            "dataset": dataset,
            "read": read,
            "quarantined": counts.quarantined,
            "closed": counts.closed_by_absence,
            **{fate: getattr(counts, fate) for fate in _FATES},
        },
    )


def move_account(connection: Connection, file_id: int, dataset: str, counts: RowCounts) -> None:
    """Rows that left quarantine: their file's account says from now on what became of them instead."""
    connection.exec_driver_sql(
        """update ledger.row_account set quarantined = quarantined - %(moved)s, inserted = inserted + %(inserted)s,
             updated = updated + %(updated)s, unchanged = unchanged + %(unchanged)s,
             duplicate = duplicate + %(duplicate)s, superseded = superseded + %(superseded)s,
             excluded_by_policy = excluded_by_policy + %(excluded_by_policy)s
            where file_id = %(file)s and dataset = %(dataset)s""",
        {
            "file": file_id,
            "dataset": dataset,
            "moved": counts.accounted,
            **{fate: getattr(counts, fate) for fate in _FATES},
        },
    )


def left_out_at_door(connection: Connection, file_id: int, dataset: str) -> dict[str, int]:
    """Rows of a file's table that never got here, by reason; to be asked before anything else is excluded of it."""
    return dict(
        connection.exec_driver_sql(
            "select reason, rows from ledger.exclusion where file_id = %(file)s and dataset = %(dataset)s",
            {"file": file_id, "dataset": dataset},
        )
        .tuples()
        .all()
    )


def write_exclusions(
    connection: Connection, file_id: int, dataset: str, excluded: Mapping[str, int], digests: Mapping[str, list[str]]
) -> None:
    """Reason, count and keyed digests of the rows left out; added to what the file's account holds already."""
    for reason, rows in sorted(excluded.items()):
        connection.exec_driver_sql(
            """insert into ledger.exclusion as e (file_id, dataset, reason, rows, row_digests)
               values (%(file)s, %(dataset)s, %(reason)s, %(rows)s, %(digests)s)
               on conflict (file_id, dataset, reason) do update set rows = e.rows + excluded.rows,
                 row_digests = e.row_digests || excluded.row_digests""",
            {"file": file_id, "dataset": dataset, "reason": reason, "rows": rows, "digests": digests.get(reason, [])},
        )


def digests_of_excluded(
    connection: Connection, table: str, dataset: str, removed: tuple[str, str] | None, digests: RowDigests
) -> dict[str, list[str]]:
    """Keyed digests, by reason, of the rows of `staging.<table>` that will not be applied; ask before applying."""
    table = f"staging.{identifier(table)}"
    reasons = f"select disposition, row_key from {table} where disposition is not null and disposition <> 'held'"
    facts: dict[str, str] = {}
    if removed:
        tombstones = f"select row_key from {table} where {identifier(removed[0])} = %(removed)s"
        known = f"select row_key from landing.{identifier(dataset)} where known_to is null"
        known += " and " + among("row_key", tombstones)
        reasons += f""" union all select 'tombstone_of_unknown_key', row_key from {table} s
            where disposition is null and {identifier(removed[0])} = %(removed)s and not exists
              (select from ({known}) l where l.row_key = s.row_key)"""
        facts = {"removed": removed[1]}
    found: dict[str, list[str]] = {}
    rows = connection.exec_driver_sql(f"{reasons} order by 1, 2", facts or None)
    for reason, row_key in rows.all():
        found.setdefault(reason, []).append(digests.of(dataset, row_key))
    return found
