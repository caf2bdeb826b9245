"""What may be a breach is opened as an incident with its evidence, stays on record, and a person closes it (INC-2)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from connectors import stage
from connectors.landing import sha256_of
from connectors.transport import Brought
from domain.profile import Profile
from domain.run import Finding, RunContext, RunResult, RunState
from governance.incidents import NoSuchIncident, incidents, note_incident, open_incident
from governance.store import Store
from onestory.cli import app
from tests.support.carefirst_world import Desk as CareFirstDesk
from tests.support.carefirst_world import world as council_world
from tests.support.survival import Survival
from tests.support.systmone_door import small_desk

STRANGER, PATIENT = "RX9ZZ", "Margaret"


@pytest.fixture
def council(database: Profile) -> Profile:
    """A council that receives one organisation's view only."""
    source = database.source("systmone")
    expecting = replace(source, options={**source.options, "organisations": "NLF11"})
    return replace(database, sources=(expecting, *(s for s in database.sources if s.name != "systmone")))


def land(council: Profile, source: str = "systmone") -> RunResult:
    return stage.run(RunContext(council, "night", "test", source=source))


def page_of(council: Profile) -> list[str]:
    page = council.home / "council.yml"
    page.write_text(
        f"""name: Test council
la_code: "990"
synthetic: true
warehouse_url: {council.warehouse_url}
reporting_period: {{start: 2025-04-01, end: 2026-03-31}}
sources:
  systmone: {{connector: systmone, inbox: {council.home / "inbox" / "systmone"}}}
"""
    )
    return ["--profile", str(page)]


def test_f19_a_file_of_another_organisation_is_one_incident_with_its_evidence_and_nothing_of_its_content(
    council: Profile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    desk = small_desk(tmp_path)
    desk.spoil("SRVisit", lambda text: text.replace(b'"NLF11"', f'"{STRANGER}"'.encode(), 1))
    hashes = {sha256_of(part) for part in desk.folder().iterdir()}
    survival = Survival(council, (STRANGER, PATIENT))
    survival.ended(land(council), RunState.REFUSED, "FOREIGN_ORGANISATION")
    assert land(council).counts["repeats"] == 1
    survival.stands(caplog.text)

    with Store(council).connect("auditor") as connection:
        (incident,) = incidents(connection)
    assert (incident.code, incident.source, incident.about) == ("FOREIGN_ORGANISATION", "systmone", desk.folder().name)
    assert "information governance officer" in incident.tell
    evidence = incident.evidence
    assert {file["sha256"] for file in evidence["files"]} == hashes  # type: ignore[attr-defined]
    refused_run = survival.rows("select entry_id from ledger.run where state = 'refused' and scope = 'systmone'")
    assert [evidence["run"]] == [row["entry_id"] for row in refused_run], "the line of the run that met it"
    assert evidence["release"] == survival.rows("select max(number) as number from ledger.release")[0]["number"]
    sealed = council.landing / "sealed"
    assert {sha256_of(file) for file in sealed.iterdir()} == hashes, "what was sealed is what the incident names"


def test_f11_a_file_that_is_not_the_declared_one_is_an_incident_each_time_it_is_another(
    database: Profile, tmp_path: Path
) -> None:
    desk = CareFirstDesk(tmp_path)
    desk.write(council_world(nights=0))
    desk.release(0)
    survival = Survival(database, ("HARLOW", "HARDLOW"))
    right = desk.file("PERSON").read_bytes()
    for forged in (b"HARLOW", b"HARDLOW"):
        desk.tamper("PERSON", right.replace(b"MARLOW", forged), sign=False)
        survival.ended(land(database, "carefirst"), RunState.REFUSED, "HASH_DIFFERS")
    with Store(database).connect("auditor") as connection:
        assert [i.code for i in incidents(connection)] == ["HASH_DIFFERS"] * 2
    desk.tamper("PERSON", right, sign=False)
    assert land(database, "carefirst").is_done


def test_f21_a_changed_host_key_is_one_incident_however_many_nights_it_lasts_and_a_new_one_once_closed(
    database: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = Finding("HOST_KEY_CHANGED", "systmone: another key", "ask the owner")
    lost = Finding("CONNECTION_LOST", "systmone: lost", "nothing to do")
    (database.home / "inbox" / "systmone").mkdir(parents=True)
    monkeypatch.setattr(stage, "bring", lambda *_: Brought(RunState.REFUSED, 0, (lost, changed)))

    def numbers() -> list[int]:
        with Store(database).connect("auditor") as connection:
            return [incident.number for incident in incidents(connection)]

    survival = Survival(database)
    for _ in range(3):
        survival.ended(land(database), RunState.REFUSED, "HOST_KEY_CHANGED")
    (first,) = numbers()
    with Store(database).connect("loader") as connection:
        assert open_incident(connection, changed, "carefirst"), "another source's server is another incident"
        note_incident(connection, first, by="S. Officer", note="the owner was called")
    assert land(database).state is RunState.REFUSED and len(numbers()) == 2, "a note alone closes nothing"
    with Store(database).connect("loader") as connection:
        note_incident(connection, first, by="S. Officer", note="key renewed, confirmed by telephone", closes=True)
        with pytest.raises(NoSuchIncident):
            note_incident(connection, first, by="S. Officer", note="again", closes=True)
    assert land(database).state is RunState.REFUSED, "it happens again"
    with Store(database).connect("auditor") as connection:
        assert [i.closed_by for i in incidents(connection, only_open=False)] == ["S. Officer", "", ""]


def test_what_was_written_about_an_incident_cannot_be_changed_by_whoever_writes_it(database: Profile) -> None:
    with Store(database).connect("loader") as connection:
        open_incident(connection, Finding("HOST_KEY_CHANGED", "another key", "ask"), "systmone")
        note_incident(connection, 1, by="S. Officer", note="seen")
    with psycopg.connect(Store(database).url("loader"), autocommit=True) as connection:
        for statement in (
            "update ledger.incident set message = ''",
            "delete from ledger.incident",
            "update ledger.incident_note set note = 'nothing happened'",
            "delete from ledger.incident_note",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_inc_2_incidents_are_seen_noted_and_closed_on_the_command_line(database: Profile) -> None:
    with Store(database).connect("loader") as connection:
        open_incident(connection, Finding("HOST_KEY_CHANGED", "another key", "ask"), "systmone")
    page, runner = page_of(database), CliRunner()
    watch = runner.invoke(app, ["status", *page])
    assert watch.exit_code == 3 and "INCIDENT 1: HOST_KEY_CHANGED" in watch.output
    assert "HOST_KEY_CHANGED" in runner.invoke(app, ["incident", "list", *page]).output
    assert runner.invoke(app, ["incident", "note", "1", " ", "--by", "S. Officer", *page]).exit_code == 2
    closing = ["incident", "note", "1", "key renewed", "--by", "S. Officer", "--close", *page]
    assert runner.invoke(app, closing).exit_code == 0
    assert runner.invoke(app, ["status", *page]).exit_code == 0
    assert "S. Officer" in runner.invoke(app, ["incident", "list", "--closed", *page]).output
