"""Restricted facts are diverted and only counted, restricted people leave no trace where they should not (SEN, PRO).

The canaries: a person whose surname begins `Kanariensperre`, and codes of the restricted list.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from connectors import conform
from domain.profile import Profile
from domain.run import RunContext, RunState
from expectations import stage as check
from tests.support import canaries
from tests.support.carefirst_world import Desk, collect, event, person, record, rows, world

HELD_NOW = """select classification_id, classification_code from landing.carefirst__classification
             where known_to is null and not is_removed order by 1"""
NAMED = ("Kanariensperre", "9990000888", "Geheimgasse")
ZONES = ("landing.", "identity.")


def through(profile: Profile, name: str) -> list[object]:
    context = RunContext(profile, name, "test", source="carefirst")
    results = [collect(profile), check.run(context), conform.run(context)]
    assert [result.state for result in results] == [RunState.DONE] * 3
    return [finding.as_dict() for result in results for finding in result.findings]


def test_f53_a_restricted_code_is_diverted_before_payload_and_only_counted(
    database: Profile, admin_url: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "supplier")
    people, records = [person(1), person(2)], [record(1), record(2)]
    desk.write(world(people, records, [event(1, "request", of=1), event(2, "assessment", of=2)], nights=1))
    carefirst = replace(database.source("carefirst"), options={"inbox": str(desk.arrived)})
    database = replace(database, sources=(carefirst,))
    desk.release(0)
    classes = desk.file("CLASSIFICATION").read_bytes()
    first, second = classes.splitlines(True)[1:3]
    restricted = second.replace(second.split(b"|")[3], b"lrc01   ", 1)
    desk.tamper("CLASSIFICATION", classes.replace(second, restricted))
    answers = desk.file("OBSERVATION").read_bytes()
    assert answers.count(b"Asked for help at home") == 1
    desk.tamper("OBSERVATION", answers.replace(b"Asked for help at home", b"Goes to the Sexual Health drop-in", 1))
    through(database, "night-0")

    counted = "select dataset, reason, rows from ledger.exclusion order by 1"
    assert rows(database, counted) == [
        {"dataset": "carefirst__classification", "reason": "restricted_code", "rows": 1},
        {"dataset": "carefirst__observation", "reason": "restricted_code", "rows": 1},
    ]
    kept = rows(database, HELD_NOW)
    assert first.split(b"|")[0].decode() in {r["classification_id"] for r in kept}
    assert second.split(b"|")[0].decode() not in {r["classification_id"] for r in kept}
    assert canaries.in_database(admin_url, ["LRC01", "sexual health"]) == []
    assert canaries.in_files(database.landing, ["LRC01", "sexual health"]) == []

    desk.release(1)  # SEN-4: an update adds the code to a row that is known; a mended one comes back
    classes = desk.file("CLASSIFICATION", 1).read_bytes()
    desk.tamper("CLASSIFICATION", classes.replace(first.split(b"|")[3], b"LRC02   ", 1), night=1)
    before = len(rows(database, "select * from payload.characteristic where known_to is null"))
    through(database, "night-1")
    now = {r["classification_id"] for r in rows(database, HELD_NOW)}
    assert first.split(b"|")[0].decode() not in now, "the known version is closed"
    assert second.split(b"|")[0].decode() in now
    assert len(rows(database, "select * from payload.characteristic where known_to is null")) == before
    assert canaries.in_database(admin_url, ["LRC02"]) == []


def test_pro_1_a_restricted_person_is_marked_and_named_in_no_log_finding_ledger_or_report(
    database: Profile, admin_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk = Desk(tmp_path / "supplier")
    secret = {"surname": "Kanariensperre", "nhs_number": "9990000888", "birth_date": "1941-02-31"}
    hidden = record(2, is_restricted=True, fields=secret)
    hidden.addresses = [replace(hidden.addresses[0], street="Geheimgasse")]
    desk.write(world([person(1), person(2)], [record(1), hidden], [event(2, "request", of=2)], nights=0))
    carefirst = replace(database.source("carefirst"), options={"inbox": str(desk.arrived)})
    database = replace(database, sources=(carefirst,))
    desk.release(0)
    requests = desk.file("ACTIVITY").read_bytes()
    broken = requests.replace(requests.splitlines()[1].split(b"|")[4], b"31/02/2026 10:00:00", 1)
    desk.tamper("ACTIVITY", broken)  # her request has an impossible date: it is held
    context = RunContext(database, "night-0", "test", source="carefirst")
    results = [
        collect(database),
        check.run(
            context,
        ),
        conform.run(context),
    ]
    marked = rows(
        database, "select surname, is_restricted from identity.source_person where known_to is null order by 1"
    )
    assert marked == [
        {"surname": "KANARIENSPERRE", "is_restricted": True},
        {"surname": "MARLOW", "is_restricted": False},
    ]
    assert rows(database, "select rule from quarantine.held_row") != [], "the row is held, sealed"
    hits = canaries.in_database(admin_url, NAMED)
    assert hits and all(hit.startswith(ZONES) for hit in hits), "only in the zones where identities belong"
    told = json.dumps([[r.counts, [f.as_dict() for f in r.findings], dict(r.facts)] for r in results], default=str)
    assert not [word for word in NAMED if word.casefold() in (told + caplog.text).casefold()]
