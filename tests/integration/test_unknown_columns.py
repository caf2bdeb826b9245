"""A column nobody knows is listed with where and since when, and told until somebody has reviewed it (F29)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors import conform, stage
from connectors.base import LandedDelivery
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from onestory import drift
from onestory.cli import app
from tests.support.carefirst_world import Desk, person, record, rows, world
from tests.support.survival import Survival, canonical_dump
from tests.support.systmone_door import land, notes, small_desk

CANARY = "Zzcanary"


def night(council: Profile) -> RunResult:
    context = RunContext(council, "night", "test", source="carefirst")
    landed = stage.run(context)
    for step in (check, conform):
        assert step.run(context).is_done
    return landed


def widen(desk: Desk, number: int, *headings: str) -> None:
    """Give the people of a night columns that nobody specified."""
    head, rest = desk.file("PERSON", number).read_bytes().split(b"\n", 1)
    filled = f"|{CANARY}" * len(headings)
    wider = (
        head + "".join(f"|{name}" for name in headings).encode() + b"\n" + rest.replace(b"\n", f"{filled}\n".encode())
    )
    desk.tamper("PERSON", wider, number)


def desk_at(home: Path) -> Desk:
    desk = Desk(home)
    desk.write(world([person(1), person(2)], [record(1), record(2)], nights=2))
    return desk


def told(result: RunResult) -> list[str]:
    return [f.message for f in result.findings if f.code == "UNKNOWN_COLUMN"]


def test_f29_a_new_column_is_told_until_it_is_reviewed_and_loads_nothing_either_way(
    database: Profile,
    new_council: Callable[[Path], Profile],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    desk, survival = desk_at(tmp_path), Survival(database, (CANARY,))
    for number in (0, 1):
        desk.release(number)
        widen(desk, number, "SHOE_SIZE")
        first = night(database)
        assert len(told(first)) == 1 and "SHOE_SIZE" in told(first)[0]
        survival.stands(*told(first))
    drift.review(database, "carefirst", "carefirst__person", "SHOE_SIZE", by="A. Officer", reason="DPIA 9: not needed")
    desk.release(2)
    widen(desk, 2, "SHOE_SIZE", "HAT")
    last = night(database)
    survival.ended(last, RunState.DONE, "UNKNOWN_COLUMN")
    assert "HAT" in told(last)[0] and "SHOE_SIZE" not in told(last)[0], "only what is new is told"
    columns = rows(database, "select column_name, times_seen, status, review from ledger.unknown_column order by 1")
    assert [tuple(line.values()) for line in columns] == [
        ("HAT", 1, "new", ""),
        ("SHOE_SIZE", 3, "reviewed", "DPIA 9: not needed"),
    ]
    assert len(list(database.landing.rglob("side/carefirst__person.parquet"))) == 3, "it is kept aside as before"
    on_record = rows(database, "select actor, messages -> 0 ->> 'code' as code from ledger.run where stage = 'drift'")
    assert on_record == [{"actor": "A. Officer", "code": "REVIEWED"}]

    straight = new_council(tmp_path_factory.mktemp("straight"))
    other = desk_at(straight.home)
    for number in range(3):
        other.release(number)
        night(straight)
    assert canonical_dump(database, "carefirst") == canonical_dump(straight, "carefirst")


def test_f29_the_list_says_where_and_since_when_and_a_review_needs_a_person_and_a_column(
    database: Profile, tmp_path: Path
) -> None:
    desk = desk_at(tmp_path)
    desk.release(0)
    widen(desk, 0, "SHOE_SIZE")
    assert stage.run(RunContext(database, "night", "test", source="carefirst")).is_done
    page = tmp_path / "council.yml"
    page.write_text(
        f"""name: Test council
la_code: "990"
synthetic: true
warehouse_url: {database.warehouse_url}
reporting_period: {{start: 2025-04-01, end: 2026-03-31}}
sources:
  carefirst: {{connector: carefirst, inbox: {desk.arrived}}}
"""
    )
    where, runner = ["--profile", str(page)], CliRunner()
    listed = runner.invoke(app, ["drift", "list", *where], env={"COLUMNS": "200"}).output
    (delivery,) = [str(row["name"]) for row in rows(database, "select name from ledger.delivery")]
    assert "SHOE_SIZE" in listed and "new" in listed and delivery[:8] in listed
    review = ["drift", "reviewed", "carefirst", "carefirst__person"]
    for wrong in (["HAT", "--reason", "none"], ["SHOE_SIZE", "--reason", " "]):
        assert runner.invoke(app, [*review, *wrong, "--by", "A. Officer", *where]).exit_code == 2
    done = runner.invoke(app, [*review, "SHOE_SIZE", "--reason", "not needed", "--by", "A. Officer", *where])
    assert done.exit_code == 0
    assert "Officer" in runner.invoke(app, ["drift", "list", *where]).output


def test_a_table_without_specification_is_told_only_on_nights_that_bring_rows_of_it(tmp_path: Path) -> None:
    def landed(home: Path, content: bytes) -> LandedDelivery:
        desk = small_desk(home)
        members = desk.members()
        manifest = members["SRManifest"] + b'"SROohVisit","N","N","","' + members["SRManifest"][-16:-3] + b'"\r\n'
        desk.repack({**members, "SRManifest": manifest, "SROohVisit": content})
        return land(desk)

    assert "CATALOGUED" in notes(landed(tmp_path / "rows", b'"RowIdentifier"\r\n"1"\r\n'))
    empty = landed(tmp_path / "none", b'"RowIdentifier"\r\n')
    assert "CATALOGUED" not in notes(empty)
    assert [t.records for t in empty.tables if t.file_name == "SROohVisit.csv"] == [0], "it is still accounted for"
