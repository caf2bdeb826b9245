"""Nights of CareFirst dumps through the real landing stage, the history of rows and the conforming."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.profile import Profile
from domain.run import RunState
from tests.support.carefirst_world import Desk, accept, collect, event, person, record, rows, settle, world

LEDGER = "select name, state, code, times_seen from ledger.delivery order by delivery_id"
REQUESTS = "select event_key, status from payload.request where known_to is null order by event_key"


@pytest.fixture
def desk(database: Profile, tmp_path: Path) -> Desk:
    """A client with a request of every night and one deleted on night 1."""
    desk = Desk(tmp_path)
    events = [event(1, "request"), event(2, "request", deleted_night=1), event(3, "request", recorded_night=1)]
    desk.write(world([person(1), person(2)], [record(1), record(2)], events))
    return desk


def test_f03_a_held_dump_loads_by_itself_when_the_missing_file_comes(database: Profile, desk: Desk) -> None:
    desk.release(0)
    away = desk.file("ACTIVITY").rename(desk.home / "away.csv")
    held = collect(database)
    assert (held.state, held.counts["tables"]) == (RunState.HELD, 0)
    assert accept(database) == {}, "nothing of a held dump may be loaded"
    away.rename(desk.file("ACTIVITY"))
    assert collect(database).counts["tables"] == 14
    assert accept(database)["carefirst__activity"].inserted == 2


def test_f11_a_refused_dump_stays_refused_until_the_right_file_comes(database: Profile, desk: Desk) -> None:
    desk.release(0)
    right = desk.file("PERSON").read_bytes()
    desk.tamper("PERSON", right.replace(b"MARLOW", b"HARLOW"), sign=False)
    refused = collect(database)
    assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "HASH_DIFFERS")
    assert collect(database).counts["repeats"] == 1, "the same wrong files are not tried again"
    desk.tamper("PERSON", right, sign=False)
    assert collect(database).counts["deliveries"] == 1
    assert accept(database)["carefirst__person"].inserted == 2


def test_f12_f13_what_comes_twice_under_any_name_changes_nothing(database: Profile, desk: Desk) -> None:
    desk.release(0)
    settle(database)
    before = rows(database, "select * from landing.carefirst__activity order by version_id")
    desk.release(0)
    for path in list(desk.arrived.iterdir()):
        content = path.read_bytes()
        path.unlink()
        renamed = path.with_name(path.name.replace("20260326", "20260405"))
        renamed.write_bytes(content.replace(b"_20260326.csv", b"_20260405.csv") if "CONTROL" in path.name else content)
    again = collect(database)
    assert (again.state, again.counts["repeats"], again.counts["deliveries"]) == (RunState.DONE, 1, 0)
    accept(database)
    assert rows(database, "select * from landing.carefirst__activity order by version_id") == before
    assert rows(database, LEDGER)[0]["times_seen"] == 2


def test_f15_an_older_dump_after_a_newer_one_fills_history_and_overwrites_nothing(
    database: Profile, desk: Desk
) -> None:
    desk.release(1)
    settle(database)
    newest = rows(database, REQUESTS)
    assert [row["event_key"] for row in newest] == ["request:1100000001", "request:1100000003"]
    desk.release(0)
    assert collect(database).state is RunState.DONE
    counts = accept(database)["carefirst__activity"]
    assert (counts.inserted, counts.updated) == (0, 0)
    settle(database)
    assert rows(database, REQUESTS) == newest
    as_known_on_night_0 = """select row_key from landing.carefirst__activity where not is_removed
        and known_from <= '2026-03-26 12:00+00' and (known_to is null or known_to > '2026-03-26 12:00+00') order by 1"""
    assert [row["row_key"] for row in rows(database, as_known_on_night_0)] == ["1100000001", "1100000002"]


def test_f51_a_row_gone_from_a_full_dump_is_closed_and_an_older_replay_does_not_revive_it(
    database: Profile, desk: Desk
) -> None:
    desk.release(0)
    settle(database)
    desk.release(1)
    collect(database)
    assert accept(database)["carefirst__activity"].closed_by_absence == 1
    settle(database)
    assert [row["event_key"] for row in rows(database, REQUESTS)] == ["request:1100000001", "request:1100000003"]

    late = desk.file("CODE").read_bytes().replace(b"|Y\n", b"|N\n", 1)  # other content: an older dump sent anew
    desk.tamper("CODE", late)
    assert collect(database).counts["deliveries"] == 1
    accept(database)
    settle(database)
    assert [row["event_key"] for row in rows(database, REQUESTS)] == ["request:1100000001", "request:1100000003"]


def test_f48_exact_duplicate_rows_are_counted_and_kept_once(database: Profile, desk: Desk) -> None:
    desk.release(0)
    lines = desk.file("ACTIVITY").read_bytes().splitlines(keepends=True)
    desk.tamper("ACTIVITY", b"".join([*lines, lines[1], lines[1]]), rows=len(lines) + 1)
    collect(database)
    counts = accept(database)["carefirst__activity"]
    assert (counts.inserted, counts.duplicate, counts.accounted) == (2, 2, 4)
