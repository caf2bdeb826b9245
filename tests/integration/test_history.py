"""The two-clock history: what becomes of every row of an extract, and what is believed at any moment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, create_engine

from domain.profile import Profile
from governance.history import RowCounts, apply_rows

MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 3, 2, tzinfo=UTC)
WEDNESDAY = datetime(2026, 3, 4, 2, tzinfo=UTC)
FIELDS = ("thing_id", "colour", "removed")


@pytest.fixture
def connection(database: Profile, admin_url: str):
    engine = create_engine(admin_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create table landing.thing (version_id bigint generated always as identity, "
            "row_key text, thing_id text, colour text, removed text, is_removed boolean, landed_file_id bigint, "
            "landed_line bigint, row_digest text, known_from timestamptz, known_to timestamptz)"
        )
        yield connection
    engine.dispose()


def deliver(
    connection: Connection,
    rows: list[tuple[str, str, str]],
    moment: datetime,
    mode: str = "delta",
    disposition: dict[int, str] | None = None,
) -> RowCounts:
    connection.exec_driver_sql(
        "create temporary table arrived (thing_id text, colour text, removed text, "
        "landed_line bigint, disposition text)"
    )
    for line, row in enumerate(rows, 1):
        connection.exec_driver_sql(
            "insert into arrived values (%s, %s, %s, %s, %s)", (*row, line, (disposition or {}).get(line))
        )
    counts = apply_rows(
        connection,
        staging="arrived",
        target="landing.thing",
        fields=FIELDS,
        key=("thing_id",),
        removed=("removed", "1"),
        mode=mode,
        file_id=1,
        as_known_at=moment,
    )
    connection.exec_driver_sql("drop table arrived")
    assert counts.accounted == len(rows)
    return counts


def believed(connection: Connection) -> dict[str, str]:
    return dict(
        connection.exec_driver_sql(
            "select thing_id, colour from landing.thing where known_to is null and not is_removed order by 1"
        ).all()
    )


def test_rows_are_inserted_updated_or_unchanged(connection: Connection) -> None:
    deliver(connection, [("1", "red", ""), ("2", "blue", "")], MONDAY)
    counts = deliver(connection, [("1", "red", ""), ("2", "green", ""), ("3", "pink", "")], TUESDAY)
    assert (counts.inserted, counts.updated, counts.unchanged) == (1, 1, 1)
    assert believed(connection) == {"1": "red", "2": "green", "3": "pink"}


def test_the_value_believed_before_a_correction_is_kept(connection: Connection) -> None:
    deliver(connection, [("1", "red", "")], MONDAY)
    deliver(connection, [("1", "green", "")], TUESDAY)
    rows = connection.exec_driver_sql(
        "select colour, known_from, known_to from landing.thing order by known_from"
    ).all()
    assert [tuple(r) for r in rows] == [("red", MONDAY, TUESDAY), ("green", TUESDAY, None)]


def test_f48_exact_repeats_are_duplicates_and_the_last_line_of_a_key_wins(connection: Connection) -> None:
    counts = deliver(connection, [("1", "red", ""), ("1", "red", ""), ("2", "a", ""), ("2", "b", "")], MONDAY)
    assert (counts.inserted, counts.duplicate, counts.superseded) == (2, 1, 1)
    assert believed(connection) == {"1": "red", "2": "b"}


def test_f15_an_older_extract_fills_history_and_overwrites_nothing(connection: Connection) -> None:
    deliver(connection, [("1", "green", "")], WEDNESDAY)
    counts = deliver(connection, [("1", "red", ""), ("2", "old", "")], MONDAY)
    assert (counts.superseded, counts.inserted) == (1, 1)
    assert believed(connection) == {"1": "green", "2": "old"}
    history = (
        connection.exec_driver_sql(
            "select colour from landing.thing where thing_id = '1' and known_from = %s and known_to = %s",
            (MONDAY, WEDNESDAY),
        )
        .scalars()
        .all()
    )
    assert history == ["red"]


def test_f51_a_tombstone_closes_the_row_and_an_older_replay_does_not_revive_it(connection: Connection) -> None:
    deliver(connection, [("1", "red", "")], MONDAY)
    assert deliver(connection, [("1", "", "1")], WEDNESDAY).updated == 1
    assert deliver(connection, [("1", "red", "")], TUESDAY).superseded == 1
    assert believed(connection) == {}


def test_a_tombstone_of_an_unknown_key_is_counted_and_changes_nothing(connection: Connection) -> None:
    assert deliver(connection, [("9", "", "1")], MONDAY).excluded == {"tombstone_of_unknown_key": 1}
    assert connection.exec_driver_sql("select count(*) from landing.thing").scalar_one() == 0


def test_f51_a_row_that_vanishes_from_a_full_extract_is_closed(connection: Connection) -> None:
    deliver(connection, [("1", "red", ""), ("2", "blue", "")], MONDAY, "full")
    counts = deliver(connection, [("1", "red", "")], TUESDAY, "full")
    assert (counts.unchanged, counts.closed_by_absence) == (1, 1)
    assert believed(connection) == {"1": "red"}
    assert deliver(connection, [("1", "red", ""), ("2", "blue", "")], MONDAY, "full").superseded == 1
    assert believed(connection) == {"1": "red"}


def test_a_held_row_of_a_full_extract_does_not_end_the_row_it_would_have_changed(connection: Connection) -> None:
    deliver(connection, [("1", "red", ""), ("2", "blue", "")], MONDAY, "full")
    counts = deliver(connection, [("1", "red", ""), ("2", "?", "")], TUESDAY, "full", {2: "held"})
    assert (counts.quarantined, counts.closed_by_absence) == (1, 0)
    assert believed(connection) == {"1": "red", "2": "blue"}


def test_a_row_that_policy_now_excludes_is_ended(connection: Connection) -> None:
    deliver(connection, [("1", "red", "")], MONDAY)
    counts = deliver(connection, [("1", "red", "")], TUESDAY, "delta", {1: "test_person"})
    assert counts.excluded == {"test_person": 1}
    assert counts.closed_by_absence == 1
    assert believed(connection) == {}


def test_a_key_only_read_ends_what_it_does_not_hold_and_loads_nothing(connection: Connection) -> None:
    deliver(connection, [("1", "red", ""), ("2", "blue", "")], MONDAY)
    counts = deliver(connection, [("1", "", ""), ("7", "", "")], TUESDAY, "keys")
    assert (counts.unchanged, counts.excluded, counts.closed_by_absence) == (1, {"key_only_read": 1}, 1)
    assert believed(connection) == {"1": "red"}


def test_the_same_extract_again_changes_nothing(connection: Connection) -> None:
    rows = [("1", "red", ""), ("2", "blue", ""), ("2", "green", "")]
    deliver(connection, rows, MONDAY)
    history = "select row_key, row_digest, known_from, known_to from landing.thing order by 1"
    before = connection.exec_driver_sql(history).all()
    deliver(connection, rows, MONDAY)
    after = connection.exec_driver_sql(history).all()
    assert before == after
