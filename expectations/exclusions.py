"""Rows left out by policy: test people and what belongs to them. Counted with reason and keyed digests, never content.

A child of an excluded record is excluded for the same reason, in the same delivery or years later: the ledger remembers
excluded keys as keyed digests (CTL-12), which is enough to recognise them and not enough to read them.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from domain.profile import Profile
from expectations.staging import DatasetFacts
from expectations.suites import Suite
from governance.secrets import key_for
from governance.sql import among, identifier

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NOT_INHERITED = ["tombstone_of_unknown_key", "key_only_read", "discarded"]
Remembered = dict[str, dict[str, str]]  # dataset -> digest -> reason


class RowDigests:
    """Keyed digests of row keys; the key never leaves the council's secret file."""

    def __init__(self, profile: Profile) -> None:
        self._key = key_for(profile, "row digests")

    def of(self, dataset: str, row_key: str) -> str:
        return hmac.new(self._key, f"{dataset}|{row_key}".encode(), "sha256").hexdigest()[:32]


def remembered(connection: Connection, datasets: Iterable[str]) -> Remembered:
    """The excluded keys the ledger knows, whose children are excluded too."""
    rows = connection.exec_driver_sql(
        """select dataset, unnest(row_digests), reason from ledger.exclusion
            where dataset = any(%(datasets)s) and reason <> all(%(not_inherited)s)""",
        {"datasets": sorted(datasets), "not_inherited": _NOT_INHERITED},
    )
    found: Remembered = {}
    for dataset, digest, reason in rows:
        found.setdefault(dataset, {})[digest] = reason
    return found


def mark_excluded(
    connection: Connection,
    table: str,
    facts: DatasetFacts,
    suite: Suite,
    staged: Mapping[str, tuple[str, ...]],
    known: Remembered,
    digests: RowDigests,
    few: bool = False,
    brought: Mapping[str, tuple[str, ...]] | None = None,
) -> None:
    """Write the reason of every policy exclusion into `disposition` of `staging.<table>`, and remember the keys.

    `few` rows are looked up by their keys; otherwise landing tables are read as wholes. `brought` are the staged tables
    with whole rows: a key the ledger remembers as excluded, and that is among them now, has been mended.
    """
    table = identifier(table)
    for rule in facts.exclude:
        field = identifier(rule.field)
        low, high = rule.block or (None, None)
        connection.exec_driver_sql(
            f"""update staging.{table} set disposition = %(reason)s
                 where disposition is null and case when %(low)s::bigint is null
                         then upper(btrim({field})) = upper(%(value)s)
                         else {field} ~ '^ *[0-9]{{1,18}} *$' and {field}::bigint between %(low)s and %(high)s end""",
            {"reason": rule.reason, "value": rule.value, "low": low, "high": high},
        )
    for use in suite.uses:
        if use.rule == "REF-001" and "by" not in use.options:
            key = " || '|' || ".join(f"coalesce({name}, '')" for name in use.names())
            parent = identifier(use.option("parent"))
            for other in staged.get(parent, ()):
                _inherit_from_staged(connection, table, key, other)
            if known.get(parent):
                again = (brought or {}).get(parent, ())
                _inherit_from_ledger(connection, table, key, parent, known[parent], digests, few, again)
    own = connection.exec_driver_sql(
        f"select distinct row_key, disposition from staging.{table} where disposition is not null"
    )
    for row_key, reason in own.all():
        known.setdefault(facts.dataset, {})[digests.of(facts.dataset, row_key)] = reason


def _inherit_from_staged(connection: Connection, table: str, key: str, parent_table: str) -> None:
    connection.exec_driver_sql(
        f"""update staging.{table} child set disposition = parent.disposition
              from staging.{identifier(parent_table)} parent
             where child.disposition is null and parent.disposition <> 'held' and parent.row_key = {key}"""
        if table == parent_table
        else f"""with parent as (select distinct on (row_key) row_key as parent_key, disposition as reason
                   from staging.{identifier(parent_table)} where disposition is not null and disposition <> 'held')
              update staging.{table} set disposition = reason from parent
               where disposition is null and parent_key = {key}"""
    )


def _inherit_from_ledger(
    connection: Connection,
    table: str,
    key: str,
    parent: str,
    excluded: Mapping[str, str],
    digests: RowDigests,
    few: bool,
    again: tuple[str, ...],
) -> None:
    named = f"select distinct {key} from staging.{table} where disposition is null"
    present = f"select row_key from landing.{parent} where known_to is null and not is_removed"
    if few:
        present += " and " + among("row_key", named)
    for other in again:
        mended = f"select row_key from staging.{identifier(other)} where disposition is null or disposition = 'held'"
        present += f" union all {mended}"
    orphans = connection.exec_driver_sql(f"{named} except ({present})")
    reasons = {k: excluded[d] for (k,) in orphans.all() if (d := digests.of(parent, k)) in excluded}
    for reason in sorted(set(reasons.values())):
        connection.exec_driver_sql(
            f"update staging.{table} set disposition = %(reason)s where disposition is null and {key} = any(%(keys)s)",
            {"reason": reason, "keys": sorted(k for k, r in reasons.items() if r == reason)},
        )
