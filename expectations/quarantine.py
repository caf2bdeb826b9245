"""Held rows: kept whole and encrypted with file, line and rules, until released, or discarded by people (CTL-16).

Nothing here is lost silently: a released row moves in its file's account to what became of it, a discarded one to the
exclusions, with two names and a reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.profile import Profile
from domain.run import Finding
from expectations.accounts import move_account, write_exclusions
from expectations.exclusions import RowDigests
from governance.history import RowCounts
from governance.secrets import fernet_key
from governance.sql import identifier
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PURPOSE = "quarantine"
Content = dict[str, str | None]


class QuarantineError(ValueError):
    """A decision about held rows that cannot be carried out: says what is missing."""


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A held row, opened. `content` is the whole record under our field names."""

    held_id: int
    file_id: int
    dataset: str
    line: int
    as_known_at: datetime
    content: Content


class Vault:
    """Seals and opens whole records with the council's quarantine key."""

    def __init__(self, profile: Profile) -> None:
        from cryptography.fernet import Fernet

        self._fernet = Fernet(fernet_key(profile, _PURPOSE))

    def seal(self, content: Mapping[str, str | None]) -> bytes:
        return self._fernet.encrypt(json.dumps(content, ensure_ascii=False).encode())

    def open(self, sealed: bytes) -> Content:
        """Raises `QuarantineError` when the key is not the one it was sealed with."""
        from cryptography.fernet import InvalidToken

        try:
            opened: Content = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise QuarantineError(
                "a held row does not open with this council's secret file; restore the right one"
            ) from None
        return opened


@dataclass(frozen=True, slots=True)
class Origin:
    """Where held rows come from: the landed table, its file and the moment of its delivery."""

    landed_id: int
    file_id: int
    dataset: str
    as_known_at: datetime


def hold(connection: Connection, profile: Profile, table: str, origin: Origin, fields: Sequence[str]) -> int:
    """Move the rows marked `held` in `staging.<table>` into quarantine; the rules they break are in `<table>__failing`.

    A full dump brings the same unmended row every night. Such a repeat is not kept again: the row has been held since
    it was first seen, and this file's copy is unchanged. Returns how many repeats there were.
    """
    table = identifier(table)
    vault, digests = Vault(profile), RowDigests(profile)
    names = [identifier(name) for name in fields]
    held = connection.exec_driver_sql(
        f"""select s.landed_line, s.row_key, f.rules, {", ".join("s." + name for name in names)}
              from staging.{table} s join staging.{table}__failing f using (landed_line)
             where s.disposition = 'held' order by s.landed_line"""
    ).all()
    keys = [digests.of(origin.dataset, row.row_key) for row in held]
    before = _held_before(connection, vault, origin, keys)
    source = {"landed": origin.landed_id, "file": origin.file_id, "dataset": origin.dataset}
    rows = []
    for row_key, (line, _, rules, *values) in zip(keys, held, strict=True):
        content = dict(zip(names, values, strict=True))
        if before.get(row_key) != content:
            row = {"line": line, "rule": rules[0], "rules": rules, "row_key": row_key}
            rows.append({**source, **row, "content": vault.seal(content)})
    if rows:
        connection.exec_driver_sql(
            """insert into quarantine.held_row (landed_id, file_id, dataset, line, rule, rules, row_key, content)
               values (%(landed)s, %(file)s, %(dataset)s, %(line)s, %(rule)s, %(rules)s, %(row_key)s, %(content)s)""",
            rows,
        )
    return len(held) - len(rows)


def _held_before(connection: Connection, vault: Vault, origin: Origin, row_keys: Sequence[str]) -> dict[str, Content]:
    """The latest held copy of each row from deliveries before this one."""
    rows = connection.exec_driver_sql(
        """select distinct on (h.row_key) h.row_key, h.content, d.as_known_at
             from quarantine.held_row h join ledger.file f using (file_id) join ledger.delivery d using (delivery_id)
            where h.state = 'held' and h.dataset = %(dataset)s and h.row_key = any(%(keys)s)
            order by h.row_key, d.as_known_at desc, h.line desc""",
        {"dataset": origin.dataset, "keys": list(row_keys)},
    )
    return {key: vault.open(bytes(sealed)) for key, sealed, moment in rows if moment < origin.as_known_at}


def open_rows(connection: Connection, profile: Profile, dataset: str, held_ids: Iterable[int]) -> list[HeldRow]:
    """The held rows of `dataset` among `held_ids`, opened, oldest delivery first."""
    vault = Vault(profile)
    rows = connection.exec_driver_sql(
        """select h.held_id, h.file_id, h.line, d.as_known_at, h.content
             from quarantine.held_row h join ledger.file f using (file_id) join ledger.delivery d using (delivery_id)
            where h.state = 'held' and h.dataset = %(dataset)s and h.held_id = any(%(ids)s)
            order by d.as_known_at, h.file_id, h.line""",
        {"dataset": dataset, "ids": list(held_ids)},
    )
    return [HeldRow(i, file, dataset, line, at, vault.open(bytes(sealed))) for i, file, line, at, sealed in rows]


def decide(connection: Connection, held_ids: Sequence[int], state: str, reason: str, decided_by: str) -> None:
    """Write what became of held rows, why, and who said so."""
    connection.exec_driver_sql(
        """update quarantine.held_row set state = %(state)s, state_reason = %(reason)s, decided_by = %(by)s,
             tries = tries + 1 where held_id = any(%(ids)s) and state = 'held'""",
        {"state": state, "reason": reason, "by": decided_by, "ids": list(held_ids)},
    )


def discard(profile: Profile, held_ids: Sequence[int], *, reason: str, first: str, second: str) -> int:
    """Give up held rows for good: they will never be loaded. Returns how many were discarded.

    Raises:
        QuarantineError: no reason, or not two different people (CTL-16).
    """
    require(reason, first, second)
    if first.strip().casefold() == second.strip().casefold():
        raise QuarantineError("discarding needs two different people")
    with Store(profile).connect("loader") as connection:
        rows = connection.exec_driver_sql(
            """select file_id, dataset, array_agg(held_id), array_agg(row_key order by line) from quarantine.held_row
                where state = 'held' and held_id = any(%(ids)s) group by 1, 2 order by 1, 2""",
            {"ids": list(held_ids)},
        ).all()
        for file_id, dataset, ids, row_keys in rows:
            counts = {"discarded": len(ids)}
            write_exclusions(connection, file_id, dataset, counts, {"discarded": row_keys})
            move_account(connection, file_id, dataset, RowCounts(excluded=counts))
            decide(connection, ids, "discarded", reason, f"{first.strip()} and {second.strip()}")
        return sum(len(ids) for _, _, ids, _ in rows)


def overdue(connection: Connection, *, now: datetime, older_than: timedelta) -> tuple[Finding, ...]:
    """The age alarm: rows still held after `older_than`, by dataset and rule; counts only."""
    rows = connection.exec_driver_sql(
        """select dataset, rule, count(*), min(first_seen_at)::date from quarantine.held_row
            where state = 'held' and first_seen_at < %(limit)s group by 1, 2 order by 1, 2""",
        {"limit": now - older_than},
    )
    return tuple(
        Finding(
            "QUARANTINE-AGE",
            f"{count} rows of {dataset} held by {rule} since {oldest:%d %B %Y}",
            "mend them at the source, correct the mapping, or discard them with two names and a reason",
        )
        for dataset, rule, count, oldest in rows
    )


def require(reason: str, *people: str) -> None:
    """Raises `QuarantineError` when the reason or one of the names is missing."""
    if not reason.strip():
        raise QuarantineError("say why: a decision about held rows needs a reason")
    if not all(person.strip() for person in people):
        raise QuarantineError("say who decides: every name is needed")
