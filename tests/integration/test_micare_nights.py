"""Nights of MiCare through every stage of a source: repeats, late and older nights, accounts, missing values."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from domain.profile import Profile
from domain.run import RunState
from tests.support.carefirst_world import person
from tests.support.micare_world import Desk, as_profile, collect, event, key, record, rows, settle, world

NOW = "where known_to is null order by event_key"
STATE = (
    "landing.micare__client", "landing.micare__episode", "landing.micare__service", "identity.source_person",
    "identity.source_address", "payload.request", "payload.service", "payload.characteristic", "payload.involvement",
)  # fmt: skip


@pytest.fixture
def profile(database: Profile) -> Profile:
    return as_profile(database)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A client with a request of every night and one deleted on night 1."""
    desk = Desk(tmp_path)
    events = [
        event(1, "request"), event(2, "request", deleted_night=1), event(3, "request", recorded_night=1),
        event(4, "service"), event(5, "involvement"),
    ]  # fmt: skip
    desk.write(world([person(1), person(2)], [record(1), record(2)], events))
    return desk


def state(profile: Profile) -> dict[str, list[dict[str, Any]]]:
    return {name: rows(profile, f"select * from {name} order by version_id") for name in STATE}


def requests(profile: Profile) -> list[str]:
    return [row["event_key"] for row in rows(profile, f"select event_key from payload.request {NOW}")]


def test_acceptance_01_micare_running_a_night_again_gives_the_same_state(profile: Profile, desk: Desk) -> None:
    desk.release(0, 1)
    settle(profile)
    before = state(profile)
    desk.release(0, 1)
    landed, _, _ = settle(profile)
    assert (landed.counts["repeats"], landed.counts["deliveries"]) == (2, 0)
    assert state(profile) == before and before["payload.request"]


def test_f12_f13_what_comes_twice_under_any_name_changes_nothing(profile: Profile, desk: Desk) -> None:
    desk.release(0)
    settle(profile)
    before = state(profile)
    shutil.copytree(desk.folder(0), desk.arrived / "20260405")
    again = collect(profile)
    assert (again.state, again.counts["repeats"], again.counts["deliveries"]) == (RunState.DONE, 2, 0)
    settle(profile)
    assert state(profile) == before
    assert rows(profile, "select times_seen from ledger.delivery")[0]["times_seen"] >= 3


def test_f03_f15_f51_a_late_file_an_older_night_and_a_deletion_end_in_the_newest_truth(
    profile: Profile, desk: Desk
) -> None:
    desk.release(1)
    away = desk.file("ALLOC", 1).rename(desk.home / "away.txt")
    assert collect(profile).state is RunState.HELD
    assert rows(profile, "select 1 as one from ledger.landed_table") == [], "nothing of a held night is loaded"
    away.rename(desk.file("ALLOC", 1))
    settle(profile)
    newest = ["request:110000001", "request:110000003"]
    assert requests(profile) == newest
    desk.release(0)
    desk.folder(0).rename(desk.arrived / "20260327_2")
    settle(profile)
    assert requests(profile) == newest, "the older night fills history and revives nothing"
    then = "2026-03-26 12:00+00"
    known = f"""select row_key from landing.micare__episode where not is_removed and episode_type = 'REF'
        and known_from <= '{then}' and (known_to is null or known_to > '{then}') order by 1"""
    assert [row["row_key"] for row in rows(profile, known)] == ["110000001", "110000002"]


def test_acceptance_13_micare_what_is_gone_is_end_dated_not_erased(profile: Profile, desk: Desk) -> None:
    desk.release(0)
    settle(profile)
    desk.release(1)
    settle(profile)
    ended = "select event_key, known_to is not null as ended from payload.request where event_key like '%2'"
    assert rows(profile, ended) == [{"event_key": "request:110000002", "ended": True}]
    assert requests(profile) == ["request:110000001", "request:110000003"]


def test_f50_orphans_wait_and_a_row_that_does_not_decode_is_held_alone(profile: Profile, tmp_path: Path) -> None:
    desk, size = Desk(tmp_path), 12
    people, records = [person(n) for n in range(1, size)], [record(n) for n in range(1, size)]
    desk.write(world(people, records, [event(n, "request", of=n) for n in range(1, size)], nights=1))
    desk.release(0)
    clients = desk.lines("CLIENT")
    desk.put("CLIENT", clients[:-1])
    episodes = desk.file("EPISODE").read_bytes().replace(b"Asked for help at home", b"Asked for help \x81 home", 1)
    desk.file("EPISODE").write_bytes(episodes)
    settle(profile)
    assert len(requests(profile)) == size - 3, "one person's request waits for the person, one cannot be read"
    desk.release(1)
    settle(profile)
    assert len(requests(profile)) == size - 1


def test_acceptance_09_and_16_micare_fillers_are_null_and_every_count_reconciles(profile: Profile, desk: Desk) -> None:
    desk.release(0)
    for old, filler in ((key(1), "-1"), (key(2), "N/A")):
        header, *clients = desk.lines("CLIENT")
        place = next(n for n, line in enumerate(clients) if line.startswith(old))
        clients[place] = clients[place].rsplit("\t", 1)[0] + f"\t{filler}"
        desk.put("CLIENT", [header, *clients])
    desk.replace("SERVICE", "\t1-100000001\t", "\t0\t")
    header, *services = desk.lines("SERVICE")
    desk.put("SERVICE", [header, *services, services[0]])
    settle(profile)
    assert {
        row["duplicate_of_key"] for row in rows(profile, "select duplicate_of_key from identity.source_person")
    } == {None}
    [service] = rows(profile, "select cqc_location_id, provider_name from payload.service")
    assert (service["cqc_location_id"], service["provider_name"]) == (None, "LARKFIELD HOME CARE")
    accounts = rows(
        profile, "select a.*, f.records, f.physical_lines from ledger.row_account a join ledger.file f using (file_id)"
    )
    assert len(accounts) == 10
    fates = ("inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined", "excluded_by_policy")
    for account in accounts:
        assert account["read"] == account["records"] == account["physical_lines"] - 2
        assert account["read"] == sum(account[fate] for fate in fates)
    by_table = {account["dataset"]: account for account in accounts}
    assert by_table["micare__service"]["duplicate"] == 1
    assert by_table["micare__code"]["excluded_by_policy"] == 1, "the line that says when the batch ran is no code"


def test_a_night_without_delivery_is_told_until_micare_is_an_archive(database: Profile, desk: Desk) -> None:
    desk.release(0)
    for archive_from, codes in (("2026-03-28", {"NOTHING_NEW"}), ("2026-03-27", set())):
        profile = as_profile(database, archive_from=archive_from)
        collect(profile)
        assert {finding.code for finding in collect(profile).findings} == codes, archive_from
