"""Nights of MiCare through every stage of a source: repeats, late and older nights, accounts, missing values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.profile import Profile
from tests.support.carefirst_world import person
from tests.support.micare_world import Desk, as_profile, collect, event, key, record, rows, settle, world

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


def test_acceptance_01_micare_running_a_night_again_gives_the_same_state(profile: Profile, desk: Desk) -> None:
    desk.release(0, 1)
    settle(profile)
    before = state(profile)
    desk.release(0, 1)
    landed, _, _ = settle(profile)
    assert (landed.counts["repeats"], landed.counts["deliveries"]) == (2, 0)
    assert state(profile) == before and before["payload.request"]


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
