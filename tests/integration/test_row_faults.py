"""Faults of single rows from governance 9.2, each through CareFirst's real door, checks and conforming."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connectors import conform
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from expectations.quarantine import discard
from expectations.replay import release, replay
from tests.support.carefirst_world import Desk, collect, event, person, record, rows, world

BALANCE = """select * from ledger.landed_table t left join ledger.row_account a using (file_id, dataset)
              where t.records is distinct from a.read"""
HELD = "select dataset, rules, held_id from quarantine.held_row where state = 'held' order by dataset, line"


class Night:
    """A council of `size` clients with one request and one service each, whose first dump a test may spoil."""

    def __init__(self, profile: Profile, home: Path, size: int = 30) -> None:
        self.desk = Desk(home / "supplier")
        source = replace(profile.source("carefirst"), options={"inbox": str(self.desk.arrived)})
        self.profile = replace(profile, sources=(source,))
        numbers = range(1, size + 1)
        events = [event(n, "request", of=n) for n in numbers] + [event(100 + n, "service", of=n) for n in numbers]
        self.desk.write(world([person(n) for n in numbers], [record(n) for n in numbers], events, nights=1))
        self.desk.release(0)

    def context(self, name: str = "night-0") -> RunContext:
        return RunContext(self.profile, name, "test", source="carefirst")

    def change(self, table: str, number: int, field: int, value: bytes, night: int = 0) -> None:
        """Put another value into one field of one row of an arrived file."""
        lines = self.desk.file(table, night).read_bytes().splitlines(keepends=True)
        cells = lines[number].rstrip(b"\n").split(b"|")
        cells[field] = value
        lines[number] = b"|".join(cells) + b"\n"
        self.desk.tamper(table, b"".join(lines), night)

    def run(self, name: str = "night-0") -> list[RunResult]:
        results = [collect(self.profile), check.run(self.context(name)), conform.run(self.context(name))]
        assert [result.state for result in results] == [RunState.DONE] * 3, [r.findings for r in results]
        assert self.ask(BALANCE) == [], "every row read is accounted for"
        return results

    def ask(self, query: str) -> list[dict[str, Any]]:
        return rows(self.profile, query)


@pytest.fixture
def night(database: Profile, tmp_path: Path) -> Callable[..., Night]:
    return lambda **how: Night(database, tmp_path, **how)


def test_f49_of_one_key_told_twice_the_last_line_counts_and_the_other_waits_with_its_reason(
    night: Callable[..., Night],
) -> None:
    first = night()
    people = first.desk.file("PERSON").read_bytes()
    one = people.splitlines(keepends=True)[1]
    other = one.replace(b"MARLOW", b"HARLOW")
    first.desk.tamper("PERSON", people + other + other, rows=32)
    first.run()
    assert [(r["dataset"], r["rules"]) for r in first.ask(HELD)] == [("carefirst__person", ["KEY-005"])]
    account = """select inserted, duplicate, quarantined, superseded from ledger.row_account
                  where dataset = 'carefirst__person'"""
    assert first.ask(account) == [{"inserted": 30, "duplicate": 1, "quarantined": 1, "superseded": 0}]
    key = one.split(b"|")[0].decode()
    name = f"select surname from landing.carefirst__person where person_id = '{key}' and known_to is null"
    assert first.ask(name) == [{"surname": "HARLOW"}], "the declared rule: the last line"
    replay(first.context())
    assert first.ask(name) == [{"surname": "HARLOW"}], "no replay overwrites what was decided"
    (held,) = (int(r["held_id"]) for r in first.ask(HELD))
    discard(first.profile, [held], reason="the owner says HARLOW", first="A. Analyst", second="B. Boss")
    assert first.ask(HELD) == [] and first.ask(BALANCE) == []


def test_f49_a_person_may_release_the_line_that_was_not_taken(night: Callable[..., Night]) -> None:
    first = night()
    people = first.desk.file("PERSON").read_bytes()
    one = people.splitlines(keepends=True)[1]
    first.desk.tamper("PERSON", people + one.replace(b"MARLOW", b"HARLOW"), rows=31)
    first.run()
    (held,) = (int(r["held_id"]) for r in first.ask(HELD))
    assert release(first.context(), [held], reason="the owner says MARLOW", decided_by="A. Analyst") == 1
    key = one.split(b"|")[0].decode()
    name = f"select surname from landing.carefirst__person where person_id = '{key}' and known_to is null"
    assert first.ask(name) == [{"surname": "MARLOW"}] and first.ask(BALANCE) == []


def test_f52_unknown_codes_read_as_unknown_are_counted_and_raise_an_alarm_above_a_share(
    night: Callable[..., Night],
) -> None:
    first = night()
    for place in range(1, 29):
        first.change("PERSON", place, 9, b"Q9    ")
    findings = [finding for result in first.run() for finding in result.findings]
    (alarm,) = [f for f in findings if f.code == "CODES-ALARM"]
    assert "COD-002 28 of 30" in alarm.message and "mapping" in alarm.remedy
    known = first.ask("select count(ethnicity_code) as n from identity.source_person where known_to is null")
    assert known == [{"n": 2}], "the others read as not known; their rows are kept"


def test_f55_a_dump_that_grew_beyond_measure_waits_for_a_person(night: Callable[..., Night]) -> None:
    first = night()
    first.run()
    first.desk.release(1)
    people = first.desk.file("PERSON", 1).read_bytes()
    template = people.splitlines(keepends=True)[1]
    many = b"".join(template.replace(b"4000001", str(5_000_000 + n).encode()) for n in range(600))
    first.desk.tamper("PERSON", people + many, 1, rows=630)
    held = collect(first.profile)
    assert (held.state, held.findings[0].code) == (RunState.HELD, "GREW")
    assert len(first.ask("select * from landing.carefirst__person")) == 30, "nothing of it was loaded"
    stamp = first.desk.file("PERSON", 1).stem[-8:]
    options = {**first.profile.source("carefirst").options, "volume_accepted": stamp}
    first.profile = replace(first.profile, sources=(replace(first.profile.source("carefirst"), options=options),))
    first.run("night-1")
    assert len(first.ask("select * from landing.carefirst__person where known_to is null")) == 630


def test_once_the_source_is_mended_nothing_current_tells_of_the_faults(
    database: Profile, cluster: Any, migrated_template: str, tmp_path: Path
) -> None:
    name = "never_met_the_faults"
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {migrated_template}")
    (tmp_path / "calm").mkdir()
    spared = replace(database, warehouse_url=cluster.url(name), home=tmp_path / "calm")
    spoilt, calm = Night(database, tmp_path), Night(spared, tmp_path / "calm")
    spoilt.change("ACTIVITY", 1, 4, b"04/13/2026 10:00:00")
    spoilt.change("PERSON", 2, 8, b"11-JAN-2026")
    spoilt.change("PERSON", 3, 3, b"<script>alert(1)</script>")
    spoilt.change("PERSON", 4, 9, b"Q9    ")
    answers = spoilt.desk.file("OBSERVATION").read_bytes()
    spoilt.desk.tamper("OBSERVATION", answers.replace(b"Asked for help at home", b"x" * 200_000, 1))
    people = spoilt.desk.file("PERSON").read_bytes()
    twice = people.splitlines(keepends=True)[5]
    spoilt.desk.tamper("PERSON", people + twice.replace(b"MARLOW", b"HARLOW"), rows=31)
    for council in (spoilt, calm):
        council.run()
        council.desk.release(1)
        council.run("night-1")
    assert _now(spoilt) == _now(calm)


def _now(council: Night) -> dict[str, list[str]]:
    """What is believed now, without the moments since when and the numbers given out here."""
    own = "version_id,landed_version_id,landed_file_id,landed_line,row_digest,known_from"
    tables = [f"landing.carefirst__{t}" for t in ("person", "activity", "observation", "service_agreement")]
    tables += ["identity.source_person", "payload.request", "payload.service"]
    where = {"landing": "known_to is null and not is_removed"}
    return {
        table: sorted(
            str(row["line"])
            for row in council.ask(
                f"select (to_jsonb(t) - string_to_array('{own}', ','))::text as line from {table} t"
                f" where {where.get(table.split('.')[0], 'known_to is null')}"
            )
        )
        for table in tables
    }
