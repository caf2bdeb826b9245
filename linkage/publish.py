"""Write the outcome of a run into the identity zone: only what differs, old versions closed, all in one transaction.

Until that transaction is committed readers see the run before; a run that is killed leaves no trace.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from governance.sql import identifier
from linkage.identity import Assignment

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class _Target:
    """A two-clock table: where its wanted rows are (in DuckDB), its key, its columns, and which keys a delta "
    "looks at."""

    table: str
    wanted: str
    key: tuple[str, ...]
    scope: str
    columns: tuple[str, ...]


_AFFECTED = "select record_id from affected"
TARGETS = (
    _Target(
        "identity.membership",
        "membership_row",
        ("source_record_id",),
        _AFFECTED,
        ("source_record_id", "person_id", "reason"),
    ),
    _Target(
        "identity.link",
        "link_row",
        ("left_record_id", "right_record_id"),
        _AFFECTED,
        (
            "left_record_id",
            "right_record_id",
            "rule",
            "decision",
            "reason",
            "match_weight",
            "levels",
            "model_version",
            "decided_by",
            "pair_decision",
            "pair_reason",
            "weight_without_number",
            "found_without_identifier",
            "numbers",
        ),
    ),
    _Target(
        "identity.person_detail",
        "detail_row",
        ("person_id",),
        "select person_id from touched_person",
        (
            "person_id",
            "nhs_number",
            "nhs_number_verified",
            "forename",
            "surname",
            "birth_date",
            "death_date",
            "sex",
            "ethnicity_code",
            "postcode",
            "gp_practice_code",
            "value_sources",
        ),
    ),
)

# Rows as the identity zone keeps them. The digest of a link leaves `levels` out: the weights say the same, and JSON
# read back from the database is spelt in another way.
_ROWS = """
create or replace table membership_row as
  select record_id as source_record_id, person_id, reason, md5(concat_ws('|', person_id, reason)) as row_digest
    from membership_wanted;
create or replace table link_row as
  select left_id as left_record_id, right_id as right_record_id, rule, decision, reason, round(weight,
    6) as match_weight, levels,
         model_version, decided_by, pair_decision, pair_reason, round(weight_without_number,
           6) as weight_without_number,
         by_demographics as found_without_identifier, numbers,
         md5(concat_ws('|', rule, decision, reason, round(weight, 6), round(weight_without_number, 6),
           pair_decision, pair_reason,
                       by_demographics, numbers, model_version, decided_by)) as row_digest
    from decided_edge;
create or replace table detail_row as
  select *, md5(concat_ws('|', coalesce(nhs_number, '-'), coalesce(nhs_number_verified::varchar, '-'),
    coalesce(forename, '-'),
                          coalesce(surname, '-'), coalesce(birth_date::varchar, '-'), coalesce(death_date::varchar,
                            '-'),
                          coalesce(sex, '-'), coalesce(ethnicity_code, '-'), coalesce(postcode, '-'),
                          coalesce(gp_practice_code, '-'), value_sources)) as row_digest
    from detail_wanted;
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Versions added and ended in one table."""

    added: int
    ended: int


def prepare_rows(calculation: duckdb.DuckDBPyConnection) -> None:
    """Bring the wanted rows into the shape of the identity zone, each with its digest."""
    calculation.execute(_ROWS)


def write_people(connection: Connection, assignment: Assignment, numbers: dict[str, int], moment: datetime) -> None:
    """Add new persons and write down who was retired, redirected or came back."""
    born = [
        {"person_id": c.person_id, "moment": moment, "split_from": c.split_from, "number": numbers[c.person_id]}
        for c in assignment.changes
        if c.is_new
    ]
    if born:
        _copy(
            connection,
            "identity.person",
            ("person_id", "born_at", "split_from", "birth_number"),
            [[row["person_id"], moment.isoformat(), row["split_from"], row["number"]] for row in born],
        )
    changed = [c for c in assignment.changes if not c.is_new]
    for change in changed:
        connection.exec_driver_sql(
            "update identity.person set status = %(status)s, superseded_by = %(successor)s where person_id = "
            "%(person)s",
            {"status": change.status, "successor": change.superseded_by, "person": change.person_id},
        )


def write_history(
    connection: Connection, calculation: duckdb.DuckDBPyConnection, moment: datetime, *, is_full: bool
) -> dict[str, Changes]:
    """Make the current rows of membership, link and person detail equal to the wanted ones.

    A delta compares only what it looked at: affected records, their pairs, touched persons.
    """
    return {target.table: _write_target(connection, calculation, target, moment, is_full) for target in TARGETS}


def write_digests(connection: Connection, calculation: duckdb.DuckDBPyConnection) -> None:
    """Keep the digest of every standardised record for the next run; records that left are forgotten."""
    import pyarrow as pa

    changed = calculation.execute("""
        select n.record_id, n.standard_digest, n.detail_digest from digest_now n left
          join digest_before b using (record_id)
         where b.standard_digest is distinct from n.standard_digest or b.detail_digest is distinct from n.detail_digest
         order by 1""").fetchall()
    gone = calculation.execute("from digest_before anti join digest_now using (record_id) select record_id").fetchall()
    records = [row[0] for row in changed] + [row[0] for row in gone]
    if records:
        connection.exec_driver_sql(
            "delete from identity.standardised_record where source_record_id = any(%(records)s)", {"records": records}
        )
    _copy_table(
        connection,
        "identity.standardised_record",
        pa.table(
            {
                "source_record_id": pa.array([row[0] for row in changed], pa.int64()),
                "standard_digest": pa.array([row[1] for row in changed], pa.string()),
                "detail_digest": pa.array([row[2] for row in changed], pa.string()),
            }
        ),
    )


def _write_target(
    connection: Connection, calculation: duckdb.DuckDBPyConnection, target: _Target, moment: datetime, is_full: bool
) -> Changes:
    import pyarrow as pa

    table, keys = identifier(target.table), ", ".join(identifier(k) for k in target.key)
    scope = [row[0] for row in calculation.execute(f"{target.scope} order by 1").fetchall()] if not is_full else []
    limit = "" if is_full else f" and {target.key[0]} = any(%(scope)s)"
    stored = connection.exec_driver_sql(
        f"select version_id, {keys}, row_digest from {table} where known_to is null{limit}", {"scope": scope}
    ).fetchall()
    names = ("version_id", *target.key, "row_digest")
    columns = list(zip(*stored, strict=True)) if stored else [()] * len(names)
    kinds = {"person_id": pa.string(), "row_digest": pa.string()}
    calculation.register(
        "stored_row",
        pa.table(
            {name: pa.array(column, kinds.get(name, pa.int64())) for name, column in zip(names, columns, strict=True)}
        ),
    )
    ended = [
        row[0]
        for row in calculation.execute(f"""
        select version_id from stored_row s left join {target.wanted} w using ({keys})
         where w.row_digest is distinct from s.row_digest order by 1""").fetchall()
    ]
    if ended:
        connection.exec_driver_sql(
            f"update {table} set known_to = %(moment)s where version_id = any(%(versions)s)",
            {"moment": moment, "versions": ended},
        )
    limit_wanted = "true" if is_full else f"w.{target.key[0]} in ({target.scope})"
    added = calculation.sql(
        f"""
        select {", ".join("w." + c for c in target.columns)}, w.row_digest, $moment as known_from
          from {target.wanted} w left join stored_row s using ({keys})
         where s.row_digest is distinct from w.row_digest and ({limit_wanted}) order by {keys}""",
        params={"moment": moment.isoformat()},
    ).to_arrow_table()
    calculation.unregister("stored_row")
    _copy_table(connection, target.table, added)
    return Changes(added.num_rows, len(ended))


def _copy_table(connection: Connection, table: str, data: pa.Table) -> None:
    """COPY an Arrow table; text is quoted, so that missing (nothing) and empty (two quotes) stay apart."""
    from pyarrow import csv

    if data.num_rows == 0:
        return
    buffer = io.BytesIO()
    csv.write_csv(data, buffer, csv.WriteOptions(include_header=False, quoting_style="needed"))
    columns = ", ".join(identifier(name) for name in data.column_names)
    driver = connection.connection.driver_connection
    assert driver is not None
    with (
        driver.cursor() as cursor,
        cursor.copy(f"copy {identifier(table)} ({columns}) from stdin (format csv)") as copy,
    ):
        copy.write(buffer.getvalue())


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    names = ", ".join(identifier(name) for name in columns)
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"copy {identifier(table)} ({names}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)
