"""A small council like Plymouth through CareFirst's door, faulty nights included, held against what was really so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors import conform
from connectors.synthetic import carefirst
from connectors.synthetic.generate import build_world
from connectors.synthetic.keys import event_key
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import FileFault, FileFaultKind, TrueEvent, World
from domain.profile import Profile
from domain.run import RunContext, RunState
from expectations import stage as check
from tests.support import canaries
from tests.support.carefirst_world import collect, rows

NIGHTS = 2


@pytest.fixture(scope="module")
def council() -> World:
    """Some sixty clients and a quarter as many children."""
    return build_world(SyntheticSettings.of("plymouth_like", nights=NIGHTS, scale=0.012, seed=5))


def adult_events(council: World, kind: str, night: int) -> Iterator[TrueEvent]:
    """What CareFirst holds of a kind after a night, of adults, from the day they came of age on."""
    people = {person.person_id: person for person in council.people}
    held = {a.key: a for a in council.appearances if a.system == "carefirst" and a.as_of(night) is not None}
    for event in council.events:
        if event.system == "carefirst" and event.kind == kind and (seen := event.as_of(night)):
            record = held.get(seen.appearance_key)
            born = people[seen.person_id].birth_date
            adult = born.replace(year=born.year + 18, day=min(born.day, 28))
            recorded = (record.as_of(night) or {}).get("birth_date", "") if record else ""
            if (
                record
                and recorded == born.isoformat()
                and not record.is_test
                and seen.start_at.date() > adult.replace(month=12, day=31)
            ):
                yield seen


def night(profile: Profile, number: int) -> None:
    context = RunContext(profile, f"night-{number}", "test", source="carefirst")
    assert check.run(context).state is RunState.DONE
    assert conform.run(context).state is RunState.DONE


def test_acceptance_13_a_plymouth_like_council_comes_in_whole_without_its_children(
    council: World, database: Profile, admin_url: str, tmp_path: Path
) -> None:
    supply, inbox = tmp_path / "supplier" / "supply", tmp_path / "supplier" / "inbox"
    source = replace(database.source("carefirst"), options={"inbox": str(inbox / "carefirst")})
    database = replace(database, sources=(source,))
    carefirst.write(replace(council, file_faults=[]), supply)
    for number in range(NIGHTS + 1):
        carefirst.release(supply, number, inbox)
        assert collect(database).state is RunState.DONE
        night(database, number)

    for kind in ("involvement", "safeguarding", "dols"):
        told = {r["event_key"] for r in rows(database, f"select event_key from payload.{kind} where known_to is null")}
        expected = {event_key(event) for event in adult_events(council, kind, NIGHTS)}
        held = rows(database, "select count(*) as n from quarantine.held_row where state = 'held'")[0]["n"]
        assert expected and len(expected - told) <= int(str(held)), kind
    open_cases = "select event_key from payload.dols where known_to is null and decided_date is null"
    undecided = {event_key(e) for e in adult_events(council, "dols", NIGHTS) if (e.as_of(NIGHTS) or e).end_at is None}
    assert {r["event_key"] for r in rows(database, open_cases)} >= undecided & told
    unmapped = """select role_raw from payload.involvement where known_to is null and role is null and role_raw <> ''"""
    assert rows(database, unmapped) == []

    vanished = [e for e in council.events if e.system == "carefirst" and e.deleted_night and e.kind == "request"]
    gone = rows(database, "select row_key from landing.carefirst__activity where is_removed and known_to is null")
    before = rows(
        database, "select row_key from landing.carefirst__activity where not is_removed and known_to is not null"
    )
    assert {r["row_key"] for r in gone} <= {r["row_key"] for r in before}, "what left the dump is ended, not erased"
    assert len(gone) >= 1 or not vanished

    words = ("Kanarienkind", "Zzchild", "Unborn")
    assert canaries.in_database(admin_url, words) == []
    assert canaries.in_files(database.landing, words) == []
    assert canaries.in_files(database.landing, words, originals=True)
    hits = canaries.in_database(admin_url, ("Kanariensperre", "Zzsperre"))
    assert hits and all(hit.startswith(("landing.", "identity.")) for hit in hits), "PRO-1: a restricted person's place"
    reasons = {r["reason"] for r in rows(database, "select distinct reason from ledger.exclusion")}
    assert {"child", "before_18", "points_at_child"} <= reasons
    assert rows(database, "select * from ledger.delivery where state <> 'conformed'") == []


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("missing", (RunState.DONE, 0), (RunState.DONE, 2)),
        ("empty", (RunState.REFUSED, 0), (RunState.DONE, 2)),
        ("truncated", (RunState.REFUSED, 0), (RunState.DONE, 2)),
        ("duplicated", (RunState.DONE, 1), (RunState.DONE, 1)),
        ("out_of_order", (RunState.DONE, 0), (RunState.DONE, 2)),
        ("extra_column", (RunState.DONE, 1), (RunState.DONE, 1)),
        ("renamed_column", (RunState.HELD, 0), (RunState.HELD, 0)),
    ],
)
def test_every_fault_of_a_whole_dump_ends_as_it_should(
    database: Profile, tmp_path: Path, kind: FileFaultKind, first: tuple[RunState, int], second: tuple[RunState, int]
) -> None:
    from tests.support.carefirst_world import event, person, record, world

    small = world([person(1)], [record(1)], [event(1, "request")], nights=2)
    small.file_faults = [FileFault("carefirst", 1, kind)]
    carefirst.write(small, tmp_path / "supply")
    assert [(d.defect_id, d.field, d.night) for d in small.defects] == [("D91", kind, 1)]
    seen = []
    for number in range(3):
        carefirst.release(tmp_path / "supply", number, tmp_path / "inbox")
        result = collect(database)
        seen.append((result.state, result.counts["deliveries"]))
        if kind == "extra_column" and number == 1:
            assert "UNKNOWN_COLUMN" in {f.code for f in result.findings}
        if kind == "renamed_column" and number == 1:
            assert "NHS_NO" in " ".join(f.message + f.remedy for f in result.findings)
        if kind == "duplicated" and number == 1:
            assert result.counts["repeats"] >= 1
    assert seen == [(RunState.DONE, 1), first, second]
