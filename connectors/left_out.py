"""The ledger's account of a door: counts and keyed digests of what stayed out, and the children to be known again.

Written in the same transaction as the delivery itself; contents never get here (governance CHI-2, CTL-12).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from connectors.base import LandedDelivery
from connectors.door import Door
from connectors.memory import came_of_age, forget, remember
from domain.run import Finding

if TYPE_CHECKING:
    from sqlalchemy import Connection

CAME_OF_AGE: Final = "CAME_OF_AGE"


def note_left_out(
    connection: Connection,
    source: str,
    door: Door,
    landed: LandedDelivery,
    files: Mapping[str, int],
    last_known_at: datetime | None,
) -> tuple[Finding, ...]:
    """Write the account of one landed delivery; `files` are the ledger's numbers of its files by name.

    Returns a finding when children left out before have come of age since the last delivery, or are told as adults now,
    and the source does not repeat everybody by itself.
    """
    for table in landed.tables:
        left = door.left_out.get(table.parquet)
        for reason, rows in sorted(left.rows.items()) if left else ():
            connection.exec_driver_sql(
                """insert into ledger.exclusion (file_id, dataset, reason, rows, sealed_digests)
                   values (%(file)s, %(dataset)s, %(reason)s, %(rows)s, %(digests)s)""",
                {
                    "file": files[table.file_name],
                    "dataset": table.dataset,
                    "reason": reason,
                    "rows": rows,
                    "digests": bytes(left.digests[reason]) if left else b"",
                },
            )
    people = {spec.dataset for spec in door.person_tables}
    modes = {table.mode for table in landed.tables if table.dataset in people}
    if door.keeps_children or not modes:
        return ()
    remember(connection, source, door.children)
    told_as_adults = door.adults_once_left_out()
    forget(connection, source, told_as_adults)
    is_whole = modes == {"full"}  # a whole dump brings who has come of age by itself
    if is_whole or last_known_at is None or landed.as_known_at <= last_known_at:
        return ()
    grown = came_of_age(connection, source, last_known_at.date(), landed.as_known_at.date()) + len(told_as_adults)
    if not grown:
        return ()
    remedy = "ask the supplier for a new bulk of the person tables and of what hangs on them: a delta does not bring it"
    message = f"{source}: {grown} people who were left out as children have turned eighteen or are told as adults now"
    return (Finding(CAME_OF_AGE, message, remedy),)
