"""The two ways of writing a two-clock table: the rows of an extract, and a state to be reached.

Both only ever add: a change closes the version that was believed until now (`known_to`) and adds the new one. Names of
tables and fields come from reviewed specification files and are checked against an allow-list pattern before they are
put into SQL; values never are (governance CTL-22).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from governance.sql import FEW, among, identifier, run_page

if TYPE_CHECKING:
    from sqlalchemy import Connection

Mode = Literal["bulk", "delta", "full", "keys"]


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What became of the rows of one file and table; with `quarantined` they add up to the rows read (CTL-12)."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0
    superseded: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)  # reason -> rows
    quarantined: int = 0
    closed_by_absence: int = 0

    @property
    def excluded_by_policy(self) -> int:
        return sum(self.excluded.values())

    @property
    def accounted(self) -> int:
        return (
            self.inserted
            + self.updated
            + self.unchanged
            + self.duplicate
            + self.superseded
            + self.quarantined
            + self.excluded_by_policy
        )


@dataclass(frozen=True, slots=True)
class StateCounts:
    inserted: int
    changed: int
    ended: int
    unchanged: int


def apply_rows(
    connection: Connection,
    *,
    staging: str,
    target: str,
    fields: Sequence[str],
    key: Sequence[str],
    removed: tuple[str, str] | None,
    mode: Mode,
    file_id: int,
    as_known_at: datetime,
) -> RowCounts:
    """Bring the rows of one staged table into its history and say what became of each.

    `staging` holds `fields` (text), `landed_line` and `disposition`: null for rows to apply, `held` for rows that went
    to quarantine (they count as present, so that a full read does not end them), or the reason of a policy exclusion
    (they count as absent). In one file the last line of a key wins; an exact repeat is a duplicate, another line of the
    same key superseded (sources 2.5). A row older than what is known fills history and is superseded (CTL-15); a
    tombstone is not undone by it (F51). `full` and `keys` end the keys they no longer hold.
    """
    names = _Names(
        identifier(staging), identifier(target), [identifier(f) for f in fields], [identifier(k) for k in key]
    )
    facts = {"file_id": file_id, "moment": as_known_at, "removed_value": removed[1] if removed else None}
    facts["next_full"] = _next_full_read(connection, target.removeprefix("landing."), as_known_at)
    removed_sql = f"coalesce({identifier(removed[0])} = %(removed_value)s, false)" if removed else "false"
    staged = _one(connection, f"select count(*) from {names.staging}")
    _run(connection, _incoming_sql(names, removed_sql, keys_only=mode == "keys", few=staged <= FEW), facts)
    counts = dict(_rows(connection, "select fate, count(*) from incoming group by fate"))
    excluded = dict(
        _rows(
            connection,
            f"select disposition, count(*) from {names.staging} "
            "where disposition is not null and disposition <> 'held' group by 1",
        )
    )
    for fate in ("tombstone_of_unknown_key", "key_only_read"):
        if counts.get(fate):
            excluded[fate] = counts[fate]
    _write(connection, names, facts)
    closed = _close_absent(connection, names, facts, full=mode in ("full", "keys"))
    held = _one(connection, f"select count(*) from {names.staging} where disposition = 'held'")
    _run(connection, "drop table incoming", {})
    return RowCounts(
        inserted=counts.get("inserted", 0),
        updated=counts.get("updated", 0),
        unchanged=counts.get("unchanged", 0),
        duplicate=counts.get("duplicate", 0),
        superseded=counts.get("superseded", 0),
        excluded=excluded,
        quarantined=held,
        closed_by_absence=closed,
    )


@dataclass(frozen=True, slots=True)
class _Names:
    staging: str
    target: str
    fields: list[str]
    key: list[str]

    @property
    def row_key(self) -> str:
        return " || '|' || ".join(f"coalesce({k}, '')" for k in self.key)

    def listed(self, prefix: str = "") -> str:
        return ", ".join(prefix + f for f in self.fields)


def _incoming_sql(names: _Names, removed_sql: str, *, keys_only: bool, few: bool) -> str:
    digest = "''" if keys_only else digest_of(names.fields)
    current = f"select * from {names.target} where known_to is null"
    if few:
        current += " and " + among("row_key", "select k.row_key from keyed k")
    return f"""
    create temporary table incoming on commit drop as
    with keyed as (
      select {names.row_key} as row_key, {removed_sql} as is_removed, {digest} as row_digest, landed_line,
             {names.listed()}
        from {names.staging} where disposition is null
    ), ranked as (
      select *, row_number() over (partition by row_key order by landed_line desc) as nth_of_key,
             row_number() over (partition by row_key, row_digest, is_removed order by landed_line desc) as nth_of_row
        from keyed
    )
    select r.*, c.version_id as current_version,
           {"false" if keys_only else "coalesce(c.known_from > %(moment)s, %(next_full)s::timestamptz is not null)"}
             as fills_history,
           case when nth_of_row > 1 then 'duplicate'
                when nth_of_key > 1 then 'superseded'
                when {"true" if keys_only else "false"} then
                  case when c.version_id is null or c.is_removed then 'key_only_read' else 'unchanged' end
                when c.version_id is null and r.is_removed then 'tombstone_of_unknown_key'
                when c.version_id is null and %(next_full)s::timestamptz is not null then 'superseded'
                when c.version_id is null then 'inserted'
                when c.is_removed = r.is_removed and (r.is_removed or c.row_digest = r.row_digest) then 'unchanged'
                when c.known_from > %(moment)s then 'superseded'
                else 'updated' end as fate
      from ranked r left join ({current}) c on c.row_key = r.row_key"""


def _write(connection: Connection, names: _Names, facts: Mapping[str, object]) -> None:
    _run(
        connection,
        f"""update {names.target} set known_to = %(moment)s
             where {among("version_id", "select current_version from incoming where fate = 'updated'")}""",
        facts,
    )
    columns = f"row_key, {names.listed()}, is_removed, landed_file_id, landed_line, row_digest, known_from, known_to"
    _run(
        connection,
        f"""insert into {names.target} ({columns})
        select row_key, {names.listed()}, is_removed, %(file_id)s, landed_line, row_digest, %(moment)s, null
          from incoming where fate in ('inserted', 'updated') order by landed_line""",
        facts,
    )
    # An older extract fills history: believed from its own moment until the next version we already hold, or until the
    # next full read, which no longer held the key (then a tombstone follows, so that it is not revived: F15, F51).
    _run(
        connection,
        f"""insert into {names.target} ({columns})
        select i.row_key, {names.listed("i.")}, i.is_removed, %(file_id)s, i.landed_line, i.row_digest, %(moment)s,
               coalesce((select min(n.known_from) from {names.target} n
                          where n.row_key = i.row_key and n.known_from > %(moment)s), %(next_full)s::timestamptz)
          from incoming i
         where i.fate in ('superseded', 'unchanged') and i.nth_of_key = 1 and i.fills_history
           and not exists (select from {names.target} p where p.row_key = i.row_key and p.known_from <= %(moment)s
                            and (p.known_to is null or p.known_to > %(moment)s))
         order by i.landed_line""",
        facts,
    )
    _run(
        connection,
        f"""insert into {names.target} ({columns})
        select row_key, {names.listed()}, true, %(file_id)s, 0, row_digest, %(next_full)s::timestamptz, null
          from incoming where fate = 'superseded' and nth_of_key = 1 and current_version is null
         order by landed_line""",
        facts,
    )


def _next_full_read(connection: Connection, dataset: str, moment: datetime) -> datetime | None:
    """The first full read of the dataset after `moment` that has been applied; None when there is none."""
    return connection.exec_driver_sql(  # type: ignore[no-any-return]
        """select min(d.as_known_at) from ledger.landed_table t join ledger.delivery d using (delivery_id)
            where t.dataset = %(dataset)s and t.mode in ('full', 'keys') and t.state = 'checked'
              and d.as_known_at > %(moment)s""",
        {"dataset": dataset, "moment": moment},
    ).scalar_one()


def _close_absent(connection: Connection, names: _Names, facts: Mapping[str, object], *, full: bool) -> int:
    staged = f"select {names.row_key} as row_key from {names.staging}"
    present = f"{staged} where disposition is null or disposition = 'held'"
    excluded = f"{staged} where disposition is not null and disposition <> 'held'"
    gone = f"not exists (select from ({present}) s where s.row_key = t.row_key)"
    if not full:
        gone += " and " + among("t.row_key", excluded)
    _run(
        connection,
        f"""create temporary table absent on commit drop as
        select t.* from {names.target} t
         where t.known_to is null and not t.is_removed and t.known_from <= %(moment)s and {gone}""",
        facts,
    )
    _run(
        connection,
        f"""update {names.target} set known_to = %(moment)s
             where {among("version_id", "select version_id from absent")}""",
        facts,
    )
    _run(
        connection,
        f"""insert into {names.target}
          (row_key, {names.listed()}, is_removed, landed_file_id, landed_line, row_digest, known_from)
        select row_key, {names.listed()}, true, %(file_id)s, 0, row_digest, %(moment)s
          from absent order by version_id""",
        facts,
    )
    closed = _one(connection, "select count(*) from absent")
    _run(connection, "drop table absent", {})
    return closed


def apply_state(
    connection: Connection,
    *,
    target: str,
    state_sql: str,
    columns: Sequence[str],
    key: Sequence[str],
    as_known_at: datetime,
    scope: tuple[str, str] | None = None,
    ignore_in_digest: Sequence[str] = (),
    parameters: Mapping[str, object] | None = None,
) -> StateCounts:
    """Make the current rows of `target` equal to what `state_sql` selects, and keep what was believed before.

    `columns` are the selected columns, `key` those that tell rows apart (compared as text). `scope` (column, value)
    limits the comparison to one source. Columns in `ignore_in_digest` do not make a new version when they alone differ.
    Raises what the database raises when the select breaks the target's constraints, for instance two rows of one key.
    """
    target, names = identifier(target), [identifier(c) for c in columns]
    digested = [c for c in names if c not in set(ignore_in_digest)]
    row_key = " || '|' || ".join(f"coalesce({identifier(k)}::text, '')" for k in key)
    where = "known_to is null" + (f" and {identifier(scope[0])} = %(scope)s" if scope else "")
    facts = {"moment": as_known_at, "scope": scope[1] if scope else None}
    # Without parameters the driver leaves a % in the select alone.
    _run(
        connection,
        f"""create temporary table wanted on commit drop as
        select s.*, {row_key} as wanted_key, {digest_of(digested)} as row_digest from ({state_sql}) s""",
        parameters or {},
    )
    _run(
        connection,
        f"""create temporary table difference on commit drop as
        select w.wanted_key, b.version_id from wanted w
          full join (select version_id, {row_key} as wanted_key, row_digest from {target} where {where}) b
            on b.wanted_key = w.wanted_key
         where w.row_digest is distinct from b.row_digest""",
        facts,
    )
    run_page(connection, "analyze difference")
    counts = _state_counts(connection)
    _run(
        connection,
        f"update {target} t set known_to = %(moment)s from difference d where t.version_id = d.version_id",
        facts,
    )
    _run(
        connection,
        f"""insert into {target} ({", ".join(names)}, row_digest, known_from)
        select {", ".join("w." + c for c in names)}, w.row_digest, %(moment)s
          from wanted w join difference d using (wanted_key) order by w.wanted_key collate "C" """,
        facts,
    )
    run_page(connection, "drop table wanted; drop table difference")
    return counts


def digest_of(fields: Sequence[str]) -> str:
    """SQL for a digest of the row's content; it tells changed rows from unchanged ones, nothing more."""
    return f"left(encode(sha256(convert_to(row({', '.join(fields)})::text, 'UTF8')), 'hex'), 32)"


def _state_counts(connection: Connection) -> StateCounts:
    inserted, changed, ended = connection.exec_driver_sql("""
        select count(*) filter (where version_id is null),
               count(*) filter (where wanted_key is not null and version_id is not null),
               count(*) filter (where wanted_key is null) from difference""").one()
    rows = _one(connection, "select count(*) from wanted")
    return StateCounts(inserted=inserted, changed=changed, ended=ended, unchanged=rows - inserted - changed)


def _run(connection: Connection, statement: str, facts: Mapping[str, object]) -> None:
    if facts:
        connection.exec_driver_sql(statement, dict(facts))
    else:
        run_page(connection, statement)


def _rows(connection: Connection, statement: str) -> list[tuple[str, int]]:
    return [(str(a), int(b)) for a, b in connection.exec_driver_sql(statement)]


def _one(connection: Connection, statement: str) -> int:
    return int(connection.exec_driver_sql(statement).scalar_one())
