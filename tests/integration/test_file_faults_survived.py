"""Faults of files and transport through the whole way in: from a real SFTP server to the conformed rows.

Each meets the points of governance section 6 as far as taking in goes: a declared state with a message, a balanced
ledger, an untouched release, no canary where it should not be, and, once the fault is gone, the same canonical dump.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors import conform, stage
from connectors.spec import table_specs
from connectors.synthetic import carefirst
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from onestory import upkeep
from tests.support.carefirst_world import FIRST_NIGHT, Desk, event, person, record, rows, world
from tests.support.sftp_server import SftpServer
from tests.support.survival import Survival, canonical_dump, unbalanced

pytestmark = pytest.mark.xdist_group("sftp")

CANARY = "Zzcanary"
PERSON = f"CF_PERSON_{FIRST_NIGHT:%Y%m%d}.csv"
LOGIN = "Kennwort-Kanarie"


class Door:
    """A council whose CareFirst dumps lie on an SFTP server."""

    def __init__(self, profile: Profile, server: SftpServer, home: Path) -> None:
        self.server = server
        self.folder = home / "supply" / "outgoing"
        self.folder.mkdir(parents=True)
        desk = Desk(home)
        people = [person(n) for n in range(1, 6)]
        records = [record(n, fields={"forename": CANARY}) for n in range(1, 6)]
        desk.write(world(people, records, [event(n, "request", of=n) for n in range(1, 6)], nights=0))
        carefirst.release(desk.supply, 0, desk.supply / "made")
        for path in sorted((desk.supply / "made" / "carefirst").iterdir(), key=lambda p: ("CONTROL" in p.name, p.name)):
            shutil.copyfile(path, self.folder / path.name)
        self.profile = profile
        self.secrets: dict[str, str] = server.secrets
        remote = server.remote.replace(str(server.folder), str(self.folder))
        self.options(remote=remote, host_key=server.host_key, stable_seconds="0", retry_pause="0", owner="the desk")

    def options(self, **options: str) -> None:
        source = self.profile.source("carefirst")
        changed = replace(source, options={**source.options, **options})
        self.profile = replace(self.profile, sources=(changed,))

    def night(self, *, land_only: bool = False) -> RunResult:
        context = RunContext(self.profile, "night-0", "test", source="carefirst", secrets=self.secrets)
        landed = stage.run(context)
        if not land_only:
            check.run(context)
            conform.run(context)
        return landed

    def dump(self) -> dict[str, list[str]]:
        return canonical_dump(self.profile, "carefirst")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    running = SftpServer(tmp_path_factory.mktemp("sftp")).start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def door(database: Profile, server: SftpServer, tmp_path: Path) -> Door:
    return Door(database, server, tmp_path)


@pytest.fixture(scope="module")
def expected(
    new_council: Callable[[Path], Profile], server: SftpServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """What a night without any fault leads to, in a warehouse of its own."""
    home = tmp_path_factory.mktemp("straight")
    door = Door(new_council(home), server, home)
    assert door.night().state is RunState.DONE
    dump = door.dump()
    assert (len(dump["identity.source_person"]), len(dump["payload.request"])) == (5, 5)
    return dump


def _workbook() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for part in ("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin", "xl/worksheets/sheet1.xml"):
            archive.writestr(part, f"<f>HYPERLINK({CANARY})</f>")
    return content.getvalue()


ENTITIES = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///{CANARY}">]><a>&b;</a>'.encode()
OTHER_SYSTEM = b'"RowIdentifier","IDOrganisationVisibleTo","Title","FirstName","Surname","NHSNumber"\r\n'
REPLACED: dict[str, tuple[bytes, str]] = {
    "f18_of_another_system": (OTHER_SYSTEM, "OTHER_SYSTEM"),
    "f18_an_archive": (b"7z\xbc\xaf\x27\x1c" + bytes(64), "OTHER_KIND"),
    "f31_markup_with_entities": (ENTITIES, "OTHER_KIND"),
    "f32_a_workbook_with_macros_and_formulas": (_workbook(), "OTHER_KIND"),
}


def test_f18_f31_f32_strange_files_are_refused_and_the_right_one_loads(
    door: Door, expected: dict[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    survival = Survival(door.profile, (CANARY, CANARY.upper()))
    right = (door.folder / PERSON).read_bytes()
    for content, code in REPLACED.values():
        (door.folder / PERSON).write_bytes(content)
        survival.ended(door.night(land_only=True), RunState.REFUSED, code)
        assert rows(door.profile, "select 1 from ledger.landed_table") == []
    (door.folder / PERSON).write_bytes(right)  # nothing of the others was loaded, so nobody has to decide
    assert door.night().state is RunState.DONE
    assert door.dump() == expected
    survival.stands(caplog.text)


def test_f14_other_content_under_a_name_that_was_landed_waits_for_a_person(
    door: Door, expected: dict[str, list[str]]
) -> None:
    right = {path.name: path.read_bytes() for path in door.folder.iterdir()}
    control = next(name for name in right if "CONTROL" in name)
    wrong = right[PERSON].replace(b"MARLOW", b"HARLOW")
    hashes = [hashlib.sha256(content).hexdigest().encode() for content in (right[PERSON], wrong)]
    (door.folder / PERSON).write_bytes(wrong)
    (door.folder / control).write_bytes(right[control].replace(*hashes))
    door.night()
    assert door.dump() != expected
    before, survival = door.dump(), Survival(door.profile, (CANARY, CANARY.upper()))
    for name in (PERSON, control):
        (door.folder / name).write_bytes(right[name])
    survival.ended(door.night(land_only=True), RunState.HELD, "SAME_NAME_OTHER_CONTENT")
    assert door.dump() == before
    profile = door.profile.home / "council.yml"
    _write_profile(profile, door)
    why = ["--reason", "the supplier says so", "--by", "A. Engineer", "--profile", str(profile)]
    for name in (PERSON, control):
        assert "is a correction" in CliRunner().invoke(upkeep.app, ["correct", "carefirst", name, *why]).output
    assert door.night().state is RunState.DONE
    current = {n: [line for line in lines if '"known_to": null' in line] for n, lines in door.dump().items()}
    assert "MARLOW" in str(current["identity.source_person"]) and "HARLOW" not in str(current["identity.source_person"])
    decided = rows(door.profile, "select actor from ledger.run where stage = 'correct'")
    assert [line["actor"] for line in decided] == ["A. Engineer"] * 2
    survival.stands()


def _write_profile(path: Path, door: Door) -> None:
    options = ", ".join(f'{k}: "{v}"' for k, v in door.profile.source("carefirst").options.items())
    path.write_text(
        f"""name: Test council
la_code: "990"
synthetic: true
warehouse_url: {door.profile.warehouse_url}
reporting_period: {{start: 2025-04-01, end: 2026-03-31}}
sources:
  carefirst: {{connector: carefirst, {options}}}
"""
    )


def _still_written(door: Door) -> Callable[[], None]:
    path = door.folder / PERSON
    path.rename(door.folder / f"{PERSON}.tmp")
    return lambda: (door.folder / f"{PERSON}.tmp").rename(path) and None


def _changed_key(door: Door) -> Callable[[], None]:
    stranger = SftpServer(door.profile.home / "supply" / "stranger").host_key
    right = door.profile.source("carefirst").options["host_key"]
    door.options(host_key=stranger)
    return lambda: door.options(host_key=right)


def _locked_out(door: Door) -> Callable[[], None]:
    right, door.secrets = door.secrets, {"password": LOGIN}

    def unlocked() -> None:
        door.secrets = right

    return unlocked


def _server_gone(door: Door) -> Callable[[], None]:
    right = door.profile.source("carefirst").options["remote"]
    door.options(remote=right.replace(str(door.server.port), "9"))
    return lambda: door.options(remote=right)


AWAY = {
    "f05 still being written": (_still_written, RunState.HELD, "FILE_MISSING"),
    "f21 host key changed": (_changed_key, RunState.REFUSED, "HOST_KEY_CHANGED"),
    "f22 credentials locked": (_locked_out, RunState.HELD, "CREDENTIALS"),
    "f23 connection lost": (_server_gone, RunState.HELD, "CONNECTION_LOST"),
}


def test_f05_f21_f22_f23_nothing_is_loaded_until_the_fault_is_gone_and_then_everything(
    door: Door, expected: dict[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    survival = Survival(door.profile, (CANARY, CANARY.upper(), LOGIN))
    for fault in ("f21 host key changed", "f22 credentials locked", "f23 connection lost", "f05 still being written"):
        inflict, state, code = AWAY[fault]
        remove = inflict(door)
        survival.ended(door.night(land_only=True), state, code)
        assert rows(door.profile, "select 1 from ledger.landed_table") == [], fault
        remove()
    assert door.night().state is RunState.DONE
    assert door.dump() == expected
    survival.stands(caplog.text)


def test_f20_test_people_are_recognised_by_agreed_markers_left_out_and_counted(
    database: Profile, tmp_path: Path
) -> None:
    desk = Desk(tmp_path)
    desk.write(world([person(1), person(2)], [record(1), record(2)], [event(2, "request", of=2)], nights=0))
    desk.release(0)
    key = desk.file("PERSON").read_bytes().splitlines()[2].split(b"|")[0]
    for table in ("PERSON", "ADDRESS", "ACTIVITY", "REFERENCE", "RELATIONSHIP", "CLASSIFICATION"):
        desk.tamper(table, desk.file(table).read_bytes().replace(key, b"9999001"))
    context = RunContext(database, "night-0", "test", source="carefirst")
    for step in (stage, check, conform):
        step.run(context)
    assert len(rows(database, "select 1 from identity.source_person")) == 1
    assert rows(database, "select 1 from payload.request") == []
    left = rows(database, "select dataset, rows from ledger.exclusion where reason = 'test_person' order by 1")
    assert {"dataset": "carefirst__person", "rows": 1} in left and len(left) >= 2, "and what hangs on them"
    assert unbalanced(database) == []


def test_acceptance_15_nothing_of_a_restricted_person_is_in_logs_reports_or_messages(
    database: Profile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    desk, canary = Desk(tmp_path), "Kanariensperre"
    people = [person(n) for n in range(1, 5)]
    records = [record(n, fields={"surname": canary, "nhs_number": "999 000 0026"}) for n in range(1, 5)]
    desk.write(world(people, records, [event(n, "request", of=n) for n in range(1, 5)], nights=0))
    desk.release(0)
    content = desk.file("PERSON").read_bytes().splitlines(keepends=True)
    flag = content[0].split(b"|").index(b"RESTRICTED_FLAG")
    spoilt = [content[0]]
    for number, line in enumerate(content[1:]):
        fields = line.split(b"|")
        fields[flag] = b"Y"
        fields[6] = b"99-XXX-1941" if number == 0 else fields[6]
        spoilt.append(b"|".join(fields).replace(canary.upper().encode(), canary.upper().encode() + b"\x81\x00", 1))
    desk.tamper("PERSON", b"".join(spoilt))
    survival = Survival(database, (canary, canary.upper(), "9990000026", "999 000 0026", "99-XXX-1941"))
    context = RunContext(database, "night-0", "test", source="carefirst")
    told = [str(step.run(context)) for step in (stage, check, conform)]
    assert rows(database, "select count(*) as n from quarantine.held_row")[0]["n"] >= 4, "and rows of theirs are held"
    survival.stands(caplog.text, *told)
    assert Survival(database, ("CF_PERSON",)).leaks(), "the search finds what is there to be found"
    masked = rows(database, "select held_id, dataset, rule, rules, row_key, state_reason from quarantine.held_row")
    assert not [row for row in masked if canary.upper() in str(row)]


def test_acceptance_16_every_count_is_reconciled_by_file(database: Profile, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(
        world([person(1), person(2)], [record(1), record(2)], [event(n, "request") for n in range(1, 9)], nights=1)
    )
    desk.release(0, 1)
    lines = desk.file("ACTIVITY").read_bytes().splitlines(keepends=True)
    orphan = lines[1].replace(lines[1].split(b"|")[1], b"7777777")
    desk.tamper("ACTIVITY", b"".join([*lines, lines[1], orphan.replace(b"11000", b"22000", 1)]), rows=len(lines) + 1)
    context = RunContext(database, "night-0", "test", source="carefirst")
    for step in (stage, check, conform):
        step.run(context)
    by_file = rows(
        database,
        """select f.name, f.physical_lines, f.records, a.read,
                  a.inserted + a.updated + a.unchanged + a.superseded as loaded, a.quarantined as rejected,
                  a.duplicate + a.excluded_by_policy as ignored
             from ledger.file f join ledger.landed_table t using (file_id) join ledger.row_account a using (file_id)""",
    )
    assert len(by_file) == 2 * len(table_specs("carefirst"))
    for line in by_file:
        assert line["read"] == line["loaded"] + line["rejected"] + line["ignored"] == line["records"], line
        assert line["physical_lines"] >= line["records"] + 1, line
    (spoilt,) = [line for line in by_file if line["name"] == desk.file("ACTIVITY").name]
    assert (spoilt["read"], spoilt["rejected"], spoilt["ignored"]) == (len(lines) + 1, 1, 1)
    assert unbalanced(database) == []
