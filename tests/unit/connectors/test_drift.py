"""Layouts that change: which one a header follows, what is suggested, what is kept aside, what is never shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.base import DeliveryProblem
from connectors.drift import ColumnQuestion, columns_by_field
from connectors.landing import TableWriter
from connectors.likeness import similarity
from connectors.mapping import Decision, Decisions, in_force
from connectors.shapes import shapes_of
from connectors.side import side_path
from connectors.spec import TableSpec, spec_from_pages, table_specs
from domain.run import RunState

BASE = {
    "table": "T",
    "dataset": "carefirst__t",
    "meaning": "a table",
    "key": ["t_id"],
    "columns": [
        {"name": "T_ID", "field": "t_id", "tag": "id", "required": True},
        {"name": "PERSON_ID", "field": "person_id", "tag": "id", "required": True},
        {"name": "START_DATE", "field": "start_date", "tag": "date", "required": True},
        {"name": "NOTE", "field": "note", "tag": "text"},
    ],
}
SPRING = {
    "note": "release 7 has a key worker, no note, and calls the start by another name",
    "add": [{"name": "WORKER_ID", "field": "worker_id", "tag": "id"}],
    "remove": ["NOTE"],
    "rename": {"START_DATE": "STARTED_ON"},
}
AUTUMN = {"note": "release 8 sends moments", "retype": {"STARTED_ON": "moment"}}
HEADER = ["T_ID", "PERSON_ID", "START_DATE", "NOTE"]


def spec(*differences: tuple[str, dict[str, object]]) -> TableSpec:
    return spec_from_pages("t.yml", BASE, {f"t.{day}.diff.yml": change for day, change in differences})


def decided(heading: str, column: str, read_as: str = "") -> Decisions:
    return Decisions("carefirst", (Decision("T", heading, column, "A. Person", date(2026, 4, 1), "told so", read_as),))


def problem(header: Sequence[str], **samples: Sequence[str]) -> DeliveryProblem:
    with pytest.raises(DeliveryProblem) as raised:
        columns_by_field(header, spec(), samples=samples)
    return raised.value


def test_a_file_follows_the_layout_its_header_fits_whatever_its_date() -> None:
    changed = spec(("2026-04-01", SPRING), ("2026-10-01", AUTUMN))
    new = ["T_ID", "PERSON_ID", "STARTED_ON", "WORKER_ID"]
    assert columns_by_field(HEADER, changed) == ({"t_id": 0, "person_id": 1, "start_date": 2, "note": 3}, ())
    assert columns_by_field(new, changed) == ({"t_id": 0, "person_id": 1, "start_date": 2, "worker_id": 3}, ())
    assert changed.fields == ("t_id", "person_id", "start_date", "worker_id", "note"), "every field keeps its place"
    assert [layout.note for layout in changed.history] == ["", SPRING["note"], AUTUMN["note"]]


@pytest.mark.parametrize("change", [{"remove": ["NOBODY"], "note": "x"}, {"remove": ["NOTE"]}])
def test_a_difference_that_changes_what_is_not_there_or_gives_no_reason_is_a_mistake(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"t\.2026-04-01\.diff\.yml"):
        spec(("2026-04-01", change))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("PERSON_ID", "PERSON_NUMBER"),
        ("PERSON_ID", "CLIENT_REF"),  # nothing alike, but the only newcomer, and in the very same place
        ("START_DATE", "DATE_START"),
        ("START_DATE", "START_DT"),
    ],
)
def test_f30_a_renamed_mandatory_column_is_held_with_the_likely_heading(was: str, now: str) -> None:
    held = problem([now if name == was else name for name in HEADER])
    assert isinstance(held, ColumnQuestion)
    assert (held.state, held.finding.code) == (RunState.HELD, "COLUMN_RENAMED")
    assert [(s.heading, s.column) for s in held.suggestions] == [(now, was)]
    assert f"onestory drift accept carefirst T '{now}' {was}" in held.finding.remedy


def test_two_renamed_columns_are_told_apart() -> None:
    held = problem(["T_ID", "PERSON_NO", "STARTDATE", "NOTE"])
    assert isinstance(held, ColumnQuestion)
    assert {s.column: s.heading for s in held.suggestions} == {"PERSON_ID": "PERSON_NO", "START_DATE": "STARTDATE"}


@pytest.mark.parametrize("header", [["T_ID", "START_DATE", "NOTE"], ["T_ID", "START_DATE", "NOTE", "SHOE_COLOUR"]])
def test_f28_a_mandatory_column_that_nothing_resembles_is_refused(header: list[str]) -> None:
    refused = problem(header)
    assert (refused.state, refused.finding.code) == (RunState.REFUSED, "MISSING_COLUMN")


def test_a_heading_whose_values_have_another_shape_is_not_suggested() -> None:
    renamed = ["T_ID", "PERSON_ID", "START_REASON", "NOTE"]
    assert problem(renamed, START_REASON=["31-MAR-2026"]).finding.code == "COLUMN_RENAMED"
    assert problem(renamed, START_REASON=["fall at home"]).finding.code == "MISSING_COLUMN"


def test_acceptance_15_a_line_of_data_where_the_header_should_be_is_not_shown() -> None:
    for line in (["1", "MARLOW", "09-JUL-1941", "Edith"], ["T_ID", "9990000018", "AR1 2AB 1941", "Edith"]):
        message = str(problem(line))
        assert not [value for value in ("MARLOW", "1941", "9990000018", "AR1") if value in message]


def test_a_decided_heading_is_taken_and_named_until_the_old_one_is_back() -> None:
    known = decided("PERSON_NUMBER", "PERSON_ID")
    fields, findings = columns_by_field(["T_ID", "PERSON_NUMBER", "START_DATE", "NOTE"], spec(), known)
    assert (fields["person_id"], [f.code for f in findings]) == (1, ["MAPPED_COLUMN"])
    fields, findings = columns_by_field([*HEADER, "PERSON_NUMBER"], spec(), known)
    assert (fields["person_id"], [f.code for f in findings]) == (1, ["UNKNOWN_COLUMN"])


def test_names_are_alike_whatever_their_capitals_separators_and_order() -> None:
    assert similarity("DateBirth", "DATE_BIRTH") == similarity("BirthDate", "date birth") == 1
    assert similarity("NHSNumber", "NHS_NO") > 0.5 > similarity("NHSNumber", "Shoe")


def _write(parquet: Path, dates: list[str], header: Sequence[str] = HEADER) -> None:
    table = spec()
    positions, _ = columns_by_field(header, table)
    rows = [["1", "2", day, "n", "kept"] for day in dates]
    with TableWriter(parquet, table) as writer:
        for half in (rows[:15], rows[15:]):
            columns = list(zip(*half, strict=True))
            writer.write({f: columns[place] for f, place in positions.items()}, len(half))


def test_f29_an_unknown_column_is_kept_aside_line_by_line(tmp_path: Path) -> None:
    parquet = tmp_path / "t.parquet"
    _write(parquet, ["31-MAR-2026"] * 30, [*HEADER, "SHOE_SIZE"])
    assert "SHOE_SIZE" not in pq.read_schema(parquet).names
    aside = pq.read_table(side_path(parquet)).to_pylist()
    assert aside == [{"SHOE_SIZE": "kept", "landed_line": line} for line in range(1, 31)]
    assert side_path(parquet).stat().st_mode & 0o077 == 0, "for its owner only"


def test_a_retyped_mandatory_column_is_held_and_read_once_a_person_has_said_how(tmp_path: Path) -> None:
    parquet = tmp_path / "t.parquet"
    with pytest.raises(ColumnQuestion) as held:
        _write(parquet, ["2026-03-31"] * 30, [*HEADER, "SHOE_SIZE"])
    (asked,) = held.value.suggestions
    assert (held.value.finding.code, asked.column, asked.read_as) == ("COLUMN_RETYPED", "START_DATE", "yyyy-mm-dd")
    assert "2026" not in held.value.finding.message.replace("31-MAR-2026", ""), "shapes, never values"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [], "no row of a held file is kept"
    with in_force(decided("START_DATE", "START_DATE", "yyyy-mm-dd")):
        _write(parquet, ["2026-03-31"] * 29 + ["unknown"])
    assert {row["start_date"] for row in pq.read_table(parquet).to_pylist()} == {"31-MAR-2026", "unknown"}


def test_odd_values_in_a_column_are_no_new_type(tmp_path: Path) -> None:
    _write(tmp_path / "t.parquet", ["31-MAR-2026"] * 16 + ["2026-03-31"] * 14)
    assert pq.read_metadata(tmp_path / "t.parquet").num_rows == 30


@pytest.mark.parametrize("supplier", ["carefirst", "systmone"])
def test_shapes_are_told_of_types_the_supplier_has(supplier: str) -> None:
    tags = {c.tag for table in table_specs(supplier).values() for c in table.columns}
    assert set(shapes_of(supplier)) <= tags
