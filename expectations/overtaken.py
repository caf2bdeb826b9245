"""Held rows that their source has since sent anew, rightly: they need nobody's decision any more.

A row that somebody mended at the source comes again under its key and passes. The copy in quarantine is older than what
is believed now, so it is settled as superseded in its file's account, as it would be had it only arrived too late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from domain.profile import Profile
from expectations.accounts import move_account
from expectations.quarantine import Origin, Vault, decide
from expectations.rules import all_rules
from governance.history import RowCounts
from governance.sql import identifier

if TYPE_CHECKING:
    from sqlalchemy import Connection

_REASON = "the source has sent the row again, and it passes"
_BY = "the check stage"


def settle(connection: Connection, profile: Profile, table: str, origin: Origin, key: Sequence[str]) -> int:
    """Settle the held rows of earlier deliveries whose keys passed in `staging.<table>`; returns how many.

    Rows that only wait for a parent or a mapping are left to be tried again: what they tell fills history. So is a key
    of which this delivery holds a row as well: its story is not settled.
    """
    held = _waiting(connection, profile, origin, key)
    passed = connection.exec_driver_sql(
        f"""select row_key from staging.{identifier(table)} where row_key = any(%(keys)s)
             group by row_key having bool_and(disposition is null)""",
        {"keys": sorted({row_key for _, _, row_key in held})},
    )
    mended, by_file = set(passed.scalars()) if held else set(), defaultdict[int, list[int]](list)
    for held_id, file_id, row_key in held:
        if row_key in mended:
            by_file[file_id].append(held_id)
    for file_id, ids in sorted(by_file.items()):
        move_account(connection, file_id, origin.dataset, RowCounts(superseded=len(ids)))
        decide(connection, ids, "released", _REASON, _BY)
    return sum(map(len, by_file.values()))


def _waiting(
    connection: Connection, profile: Profile, origin: Origin, key: Sequence[str]
) -> list[tuple[int, int, str]]:
    """Held id, file and key of the rows of earlier deliveries that no later parent or mapping can help."""
    tried_again = sorted(code for code, rule in all_rules().items() if rule.retry != "never")
    rows = connection.exec_driver_sql(
        """select h.held_id, h.file_id, h.content from quarantine.held_row h join ledger.file f using (file_id)
             join ledger.delivery d using (delivery_id)
            where h.state = 'held' and h.dataset = %(dataset)s and d.as_known_at < %(moment)s
              and d.source = (select o.source from ledger.file n join ledger.delivery o using (delivery_id)
                               where n.file_id = %(file)s)
              and not h.rules <@ %(again)s order by h.held_id""",
        {"dataset": origin.dataset, "moment": origin.as_known_at, "file": origin.file_id, "again": tried_again},
    ).all()
    vault = Vault(profile) if rows else None
    found = []
    for held_id, file_id, sealed in rows:
        content = vault.open(bytes(sealed)) if vault else {}
        found.append((held_id, file_id, "|".join(content.get(name) or "" for name in key)))
    return found
