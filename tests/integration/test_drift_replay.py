"""A night whose layout changed is held, a person decides, and everything ends as if it had never happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors import conform, stage
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from onestory import drift
from tests.support.carefirst_world import Desk, event, person, record, rows, world
from tests.support.survival import Survival, canonical_dump

CANARY = "Zzcanary"
SIZE = 24


def night(profile: Profile, number: int) -> RunResult:
    """Land, check and conform; the landing's result."""
    context = RunContext(profile, f"night-{number}", "test", source="carefirst")
    landed = stage.run(context)
    if landed.counts.get("deliveries"):
        check.run(context)
        conform.run(context)
    return landed


def desk_at(home: Path) -> Desk:
    """Two nights; on the first one service element waits in quarantine for the agreement that the second brings."""
    desk = Desk(home)
    people = [person(n) for n in range(1, SIZE)]
    records = [record(n, fields={"forename": CANARY}) for n in range(1, SIZE)]
    events = [event(n, "service" if n % 2 else "request", of=n) for n in range(1, SIZE)]
    events += [event(SIZE, "request", recorded_night=1)]
    desk.write(world(people, records, events, nights=1))
    desk.release(0)
    agreements = desk.file("SERVICE_AGREEMENT").read_bytes().splitlines(keepends=True)
    desk.tamper("SERVICE_AGREEMENT", b"".join(agreements[:-1]), rows=len(agreements) - 2)
    desk.release(1)
    for path in desk.arrived.glob("*20260327*"):
        path.rename(desk.supply / path.name)
    return desk


def bring_second_night(desk: Desk) -> None:
    for path in desk.supply.glob("CF_*20260327*"):
        path.rename(desk.arrived / path.name)


@pytest.fixture
def expected(
    database: Profile, cluster: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[str]]]:
    """What two nights without any drift lead to, in a warehouse of its own."""
    import psycopg

    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:  # type: ignore[attr-defined]
        connection.execute("create database never_drifted template template_onestory")
    home = tmp_path_factory.mktemp("straight")
    source = replace(database.source("carefirst"), options={"inbox": str(home / "inbox" / "carefirst")})
    profile = replace(database, home=home, warehouse_url=cluster.url("never_drifted"), sources=(source,))  # type: ignore[attr-defined]
    desk = desk_at(home)
    night(profile, 0)
    bring_second_night(desk)
    assert night(profile, 1).is_done
    yield canonical_dump(profile, "carefirst")


def test_f30_after_the_mapping_is_mended_everything_is_as_if_the_drift_had_never_been(
    database: Profile, tmp_path: Path, expected: dict[str, list[str]]
) -> None:
    desk = desk_at(tmp_path)
    survival = Survival(database, (CANARY.upper(), CANARY))
    night(database, 0)
    assert rows(database, "select rule from quarantine.held_row where state = 'held'") == [{"rule": "REF-001"}]
    bring_second_night(desk)
    content = desk.file("SERVICE_AGREEMENT", 1).read_bytes()
    head, rest = content.split(b"\n", 1)
    renamed = head.replace(b"PERSON_ID", b"PERSON_NUMBER") + b"|SHOE_SIZE\n"
    spoilt = renamed + rest.replace(b"\n", f"|{CANARY}\n".encode())
    desk.tamper("SERVICE_AGREEMENT", spoilt, 1)

    born = desk.file("PERSON", 1).read_bytes()
    desk.tamper("PERSON", born.replace(b"|09-JUL-1941|", b"|1941-07-09|"), 1)

    survival.ended(night(database, 1), RunState.HELD, "COLUMN_RETYPED")
    (asked,) = drift.suggestions(database)
    assert (asked.table, asked.column, asked.read_as) == ("CF_PERSON", "DATE_OF_BIRTH", "yyyy-mm-dd")
    assert drift.accept_suggestions(database, "carefirst", by="A. Engineer", reason="release 8") == 1

    survival.ended(night(database, 1), RunState.HELD, "COLUMN_RENAMED")
    survival.ended(night(database, 1), RunState.HELD, "COLUMN_RENAMED")  # waiting changes nothing
    (asked,) = drift.suggestions(database)
    assert (asked.table, asked.heading, asked.column) == ("CF_SERVICE_AGREEMENT", "PERSON_NUMBER", "PERSON_ID")
    drift.decide(
        database, "carefirst", asked.table, asked.heading, asked.column, by="A. Engineer", reason="the supplier says so"
    )
    landed = night(database, 1)
    assert (landed.state, {f.code for f in landed.findings}) == (RunState.DONE, {"MAPPED_COLUMN", "UNKNOWN_COLUMN"})
    assert canonical_dump(database, "carefirst") == expected
    assert expected["quarantine"] == [], "what waited for the held night has been replayed"
    survival.stands()
    assert drift.suggestions(database) == []
    decided = "select actor, state, messages -> 0 ->> 'message' as said from ledger.run where stage = 'drift'"
    said = "CF_SERVICE_AGREEMENT: PERSON_NUMBER stands for PERSON_ID, by A. Engineer: the supplier says so"
    assert rows(database, decided)[1:] == [{"actor": "A. Engineer", "state": "done", "said": said}]


def test_acceptance_05_unknown_columns_are_kept_aside_and_reported_and_a_missing_mandatory_one_fails_the_delivery(
    database: Profile, tmp_path: Path
) -> None:
    """The choice made: a table without a mandatory column fails its whole delivery, because a full dump or a batch that
    is loaded in part would end rows or leave a gap that nobody sees."""
    desk, survival = desk_at(tmp_path), Survival(database, (CANARY, CANARY.upper()))
    head, rest = desk.file("PERSON").read_bytes().split(b"\n", 1)
    desk.tamper("PERSON", head + b"|SHOE_SIZE|HAT\n" + rest.replace(b"\n", f"|{CANARY}|\n".encode()))
    assert night(database, 0).is_done
    kept = rows(database, "select column_name, rows_filled, times_seen, status from ledger.unknown_column order by 1")
    assert [tuple(line.values()) for line in kept] == [("HAT", 0, 1, "new"), ("SHOE_SIZE", SIZE - 1, 1, "new")]
    aside = list((database.landing).rglob("side/carefirst__person.parquet"))
    assert len(aside) == 1 and aside[0].stat().st_mode & 0o077 == 0
    bring_second_night(desk)
    head, rest = desk.file("PERSON", 1).read_bytes().split(b"\n", 1)
    without = [line.split(b"|") for line in (head + b"\n" + rest).splitlines()]
    place = without[0].index(b"DATE_OF_BIRTH")
    desk.tamper("PERSON", b"".join(b"|".join(f[:place] + f[place + 1 :]) + b"\n" for f in without), 1)
    before = canonical_dump(database, "carefirst")
    survival.ended(night(database, 1), RunState.REFUSED, "MISSING_COLUMN")
    assert canonical_dump(database, "carefirst") == before, "nothing of the delivery is loaded"


def test_a_delivery_refused_for_want_of_a_column_is_tried_again_once_a_person_has_named_it(
    database: Profile, tmp_path: Path
) -> None:
    desk = desk_at(tmp_path)
    head, rest = desk.file("WORKER").read_bytes().split(b"\n", 1)
    desk.tamper("WORKER", head.replace(b"WORKER_ID", b"XQ") + b"|ZZ\n" + rest.replace(b"\n", b"|\n"))
    context = RunContext(database, "night-0", "test", source="carefirst")
    assert stage.run(context).findings[0].code == "MISSING_COLUMN"
    assert stage.run(context).counts["repeats"] == 1, "a refused delivery is not tried again by itself"
    decided = drift.decide(database, "carefirst", "CF_WORKER", "XQ", "WORKER_ID", by="A. Engineer", reason="by mail")
    assert (decided, stage.run(context).state) == (1, RunState.DONE)


def test_a_person_can_ask_accept_and_list_on_the_command_line(database: Profile, tmp_path: Path) -> None:
    desk = desk_at(tmp_path)
    content = desk.file("WORKER").read_bytes()
    desk.tamper("WORKER", content.replace(b"WORKER_ID", b"WORKER_NUMBER", 1))
    assert night(database, 0).findings[0].code == "COLUMN_RENAMED"
    profile = tmp_path / "council.yml"
    profile.write_text(
        f"""name: Test council
la_code: "990"
synthetic: true
warehouse_url: {database.warehouse_url}
reporting_period: {{start: 2025-04-01, end: 2026-03-31}}
sources:
  carefirst: {{connector: carefirst, inbox: {desk.arrived}}}
"""
    )
    where = ["--profile", str(profile)]
    asked = CliRunner().invoke(drift.app, ["suggest", *where]).output
    assert "onestory drift accept carefirst CF_WORKER 'WORKER_NUMBER' WORKER_ID" in asked
    wrong = CliRunner().invoke(drift.app, ["accept", "carefirst", "CF_WORKER", "A", "B", "--reason", "x", *where])
    assert wrong.exit_code == 2
    accepted = ["accept", "carefirst", "CF_WORKER", "WORKER_NUMBER", "WORKER_ID", "--reason", "told by mail"]
    assert CliRunner().invoke(drift.app, [*accepted, "--by", "A. Engineer", *where]).exit_code == 0
    assert "told by mail" in CliRunner().invoke(drift.app, ["list", *where]).output
    assert stage.run(RunContext(database, "night-0", "test", source="carefirst")).is_done
