"""CareFirst's door: what it takes, holds and refuses, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.base import DeliveryProblem, LandedDelivery, Past
from connectors.carefirst.connector import CareFirstConnector, CareFirstDump
from domain.run import RunState
from tests.support.carefirst_world import FIRST_NIGHT, Desk, event, person, record, world


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A council of one client with one event of each kind; its first night has arrived."""
    desk = Desk(tmp_path)
    kinds = ("request", "assessment", "review", "service")
    desk.write(world(events=[event(number, kind) for number, kind in enumerate(kinds, start=1)]))
    desk.release(0)
    return desk


def dumps(desk: Desk, past: Past | None = None, *accepted: str) -> list[CareFirstDump]:
    return list(CareFirstConnector(desk.arrived, frozenset(accepted)).discover(past or Past()))


def land(desk: Desk, past: Past | None = None, *accepted: str) -> LandedDelivery:
    return dumps(desk, past, *accepted)[0].land(desk.home / "landing", past or Past())


def problem(desk: Desk, past: Past | None = None) -> DeliveryProblem:
    with pytest.raises(DeliveryProblem) as caught:
        land(desk, past)
    assert not list((desk.home / "landing").glob("tables/**/*.parquet")), "something of a dump not taken was kept"
    return caught.value


def codes(landed: LandedDelivery) -> set[str]:
    return {f.code for f in (*landed.findings, *(f for table in landed.tables for f in table.findings))}


def read(landed: LandedDelivery, dataset: str) -> list[dict[str, object]]:
    return pq.read_table(next(t.parquet for t in landed.tables if t.dataset == f"carefirst__{dataset}")).to_pylist()


def person_lines(desk: Desk) -> list[bytes]:
    return desk.file("PERSON").read_bytes().splitlines(keepends=True)


def test_a_whole_dump_lands_every_table_as_text_under_our_names(desk: Desk) -> None:
    landed = land(desk)
    assert (landed.mode, landed.as_known_at) == ("full", datetime(2026, 3, 26, 1, 25, tzinfo=UTC))
    assert len(landed.tables) == 14 and {table.mode for table in landed.tables} == {"full"}
    assert len(landed.files) == 15 and all(file.path.stat().st_mode & 0o222 == 0 for file in landed.files)
    activity = read(landed, "activity")[0]
    assert activity["activity_type"] == "CONTACT     ", "padding is the supplier's and stays"
    assert activity["start_at"] == "12/01/2026 10:30:00" and activity["landed_line"] == 1
    assert not codes(landed)


def test_a_dump_without_its_control_file_waits(desk: Desk) -> None:
    desk.file("CONTROL").unlink()
    assert (problem(desk).state, problem(desk).finding.code) == (RunState.HELD, "CONTROL_MISSING")


def test_dumps_come_in_the_order_of_their_extracts_not_of_their_arrival(desk: Desk) -> None:
    desk.file("CONTROL").unlink()
    desk.release(2, 1, 0)
    assert [dump.name for dump in dumps(desk)] == ["CF_20260326", "CF_20260327", "CF_20260328"]


def test_a_summer_night_is_an_hour_earlier_in_universal_time(desk: Desk) -> None:
    control = desk.file("CONTROL").read_text().replace("26/03/2026", "30/03/2026")
    desk.file("CONTROL").write_text(control)
    assert land(desk).as_known_at == datetime(2026, 3, 30, 0, 25, tzinfo=UTC)


def test_f01_an_empty_file_refuses_the_dump(desk: Desk) -> None:
    desk.tamper("PERSON", b"")
    found = problem(desk)
    assert (found.state, found.finding.code) == (RunState.REFUSED, "EMPTY_FILE")
    assert "CF_PERSON_20260326.csv" in found.finding.message


def test_f01_an_empty_control_file_refuses_the_dump(desk: Desk) -> None:
    desk.file("CONTROL").write_bytes(b"")
    assert problem(desk).finding.code == "EMPTY_FILE"


def test_f03_a_named_file_that_is_missing_holds_the_whole_dump_until_it_comes(desk: Desk) -> None:
    away = desk.file("REFERENCE").rename(desk.home / "away.csv")
    found = problem(desk)
    assert (found.state, found.finding.code) == (RunState.HELD, "FILE_MISSING")
    assert "CF_REFERENCE_20260326.csv" in found.finding.message
    held_as = dumps(desk)[0].content_hash()
    away.rename(desk.file("REFERENCE"))
    assert dumps(desk)[0].content_hash() != held_as, "the completed dump must be looked at again"
    assert len(land(desk).tables) == 14


def test_f03_a_control_file_that_leaves_a_table_out_holds_the_dump(desk: Desk) -> None:
    lines = desk.file("CONTROL").read_text().splitlines(keepends=True)
    desk.file("CONTROL").write_text("".join(line for line in lines if "ACTIVITY" not in line))
    assert (problem(desk).state, problem(desk).finding.code) == (RunState.HELD, "TABLE_MISSING")


@pytest.mark.parametrize("signed", [True, False])
def test_f06_a_file_cut_off_in_a_record_is_refused_with_the_byte_position(desk: Desk, signed: bool) -> None:
    whole = desk.file("PERSON").read_bytes()
    desk.tamper("PERSON", whole[:-25], sign=signed)
    found = problem(desk)
    assert (found.state, found.finding.code) == (RunState.REFUSED, "CUT_OFF")
    assert f"byte {len(whole) - 25}" in found.finding.message


def test_f06_a_file_cut_off_between_records_does_not_have_the_rows_declared(desk: Desk) -> None:
    lines = desk.file("OBSERVATION").read_bytes().splitlines(keepends=True)
    desk.tamper("OBSERVATION", b"".join(lines[:-1]))
    found = problem(desk)
    assert (found.state, found.finding.code) == (RunState.REFUSED, "ROW_COUNT_DIFFERS")
    assert f"{len(lines) - 2} rows" in found.finding.message


def test_f11_a_file_of_another_hash_is_refused_as_a_security_event(desk: Desk) -> None:
    changed = desk.file("PERSON").read_bytes().replace(b"MARLOW", b"HARLOW")
    desk.tamper("PERSON", changed, sign=False)
    found = problem(desk)
    assert (found.state, found.finding.code) == (RunState.REFUSED, "HASH_DIFFERS")
    assert "security event" in found.finding.remedy
    assert "HARLOW" not in str(found)


def test_f11_without_a_hash_in_the_control_file_the_row_counts_still_hold(desk: Desk) -> None:
    lines = [line.rsplit("|", 1)[0] for line in desk.file("CONTROL").read_text().splitlines()]
    desk.file("CONTROL").write_text("\n".join(lines) + "\n")
    assert land(desk).files[0].records == 3
    desk.tamper("PERSON", b"".join(person_lines(desk) * 2), sign=False)
    assert dumps(desk)[0].content_hash()
    with pytest.raises(DeliveryProblem, match="ROW_COUNT_DIFFERS"):
        land(desk)


def test_f12_the_same_files_again_have_the_same_content_hash(desk: Desk) -> None:
    before = dumps(desk)[0].content_hash()
    desk.release(0)
    assert dumps(desk)[0].content_hash() == before


def test_f13_the_same_content_under_a_new_name_has_the_same_content_hash(desk: Desk) -> None:
    before = dumps(desk)[0].content_hash()
    for path in list(desk.arrived.iterdir()):
        content = path.read_bytes()
        path.unlink()
        new = path.with_name(path.name.replace("20260326", "20260401"))
        new.write_bytes(content.replace(b"_20260326.csv", b"_20260401.csv") if "CONTROL" in path.name else content)
    assert [dump.name for dump in dumps(desk)] == ["CF_20260401"]
    assert dumps(desk)[0].content_hash() == before


def test_a_quiet_night_is_not_taken_for_a_repeat(desk: Desk) -> None:
    desk.release(1)
    hashes = {dump.content_hash() for dump in dumps(desk)}
    assert len(hashes) == 2


def test_f24_a_byte_order_mark_is_removed_and_reported(desk: Desk) -> None:
    desk.tamper("PERSON", b"\xef\xbb\xbf" + desk.file("PERSON").read_bytes())
    landed = land(desk)
    assert codes(landed) == {"BYTE_ORDER_MARK"}
    assert read(landed, "person")[0]["person_id"] == "4000001"


def test_f24_quotes_of_the_code_page_survive_and_a_byte_it_lacks_marks_its_row(desk: Desk) -> None:
    lines = desk.file("OBSERVATION").read_bytes()
    desk.tamper("OBSERVATION", lines.replace(b"Asked for help at home", b"Asked \x93for help\x94 \x8d", 1))
    landed = land(desk)
    values = [row["observation_value"] for row in read(landed, "observation")]
    assert "Asked “for help” �" in values, "the row must be marked for the check stage to hold it"
    assert codes(landed) == {"UNDECODABLE"}


def test_f25_a_changed_delimiter_is_refused(desk: Desk) -> None:
    desk.tamper("TEAM", desk.file("TEAM").read_bytes().replace(b"|", b","))
    assert problem(desk).state is RunState.REFUSED


def test_f25_one_unbalanced_quote_is_refused_not_swallowed(desk: Desk) -> None:
    lines = desk.file("WORKER").read_bytes().splitlines(keepends=True)
    lines[5] = lines[5].replace(b"|", b'|"', 1)
    desk.tamper("WORKER", b"".join(lines))
    found = problem(desk)
    assert found.state is RunState.REFUSED and "CF_WORKER_20260326.csv" in found.finding.message


def test_f25_a_bare_delimiter_in_a_text_is_refused_with_its_place(desk: Desk) -> None:
    desk.tamper("TEAM", desk.file("TEAM").read_bytes().replace(b"Older People", b"Older|People", 1))
    found = problem(desk)
    assert (found.state, found.finding.code) == (RunState.REFUSED, "WRONG_DIALECT")


def test_breaks_delimiters_and_quotes_inside_a_quoted_text_are_one_record(desk: Desk) -> None:
    lines = desk.file("OBSERVATION").read_bytes()
    desk.tamper("OBSERVATION", lines.replace(b"Asked for help at home", b'"Asked|""for""\nhelp\r\nat home"', 1))
    landed = land(desk)
    values = [row["observation_value"] for row in read(landed, "observation")]
    assert 'Asked|"for"\nhelp\r\nat home' in values
    file = next(f for f in landed.files if "OBSERVATION" in f.name)
    assert file.physical_lines == file.records + 1 + 2, "lines = records, header, two breaks inside"


def test_f27_moved_columns_are_taken_by_name(desk: Desk) -> None:
    moved = [b"|".join(reversed(line.strip().split(b"|"))) for line in person_lines(desk)]
    before = read(land(desk), "person")
    desk.tamper("PERSON", b"\n".join(moved) + b"\n")
    landed = land(desk)
    assert read(landed, "person") == before
    assert codes(landed) == {"COLUMN_ORDER"}


def without(lines: list[bytes], heading: bytes) -> bytes:
    place = lines[0].strip().split(b"|").index(heading)
    kept = [[v for n, v in enumerate(line.rstrip(b"\n").split(b"|")) if n != place] for line in lines]
    return b"\n".join(b"|".join(line) for line in kept) + b"\n"


def test_f28_a_missing_mandatory_column_is_refused(desk: Desk) -> None:
    desk.tamper("PERSON", without(person_lines(desk), b"NHS_NUMBER"))
    found = problem(desk)
    assert (found.state, found.finding.code) == (RunState.REFUSED, "MISSING_COLUMN")
    assert "NHS_NUMBER" in found.finding.message


def test_f28_a_missing_optional_column_is_loaded_with_a_warning(desk: Desk) -> None:
    desk.tamper("PERSON", without(person_lines(desk), b"NI_NUMBER"))
    landed = land(desk)
    assert codes(landed) == {"OPTIONAL_COLUMN_MISSING"}
    assert read(landed, "person")[0]["national_insurance_number"] is None
    assert read(landed, "person")[0]["client_flag"] == "Y"


def test_f29_an_unknown_column_is_left_out_and_reported(desk: Desk) -> None:
    header, *lines = person_lines(desk)
    wider = [header.strip() + b"|PRONOUNS", *(line.strip(b"\n") + b"|they" for line in lines)]
    desk.tamper("PERSON", b"\n".join(wider) + b"\n")
    landed = land(desk)
    assert codes(landed) == {"UNKNOWN_COLUMN"}
    assert "they" not in read(landed, "person")[0].values()


def test_a_table_without_specification_and_a_stranger_are_set_aside_and_reported(desk: Desk) -> None:
    (desk.arrived / "CF_WARNING_20260326.csv").write_bytes(b"PERSON_ID|TEXT\n")
    (desk.arrived / "holiday photo.jpg").write_bytes(b"...")
    landed = land(desk)
    assert codes(landed) == {"UNEXPECTED_FILE"} and len(landed.tables) == 14
    assert not any("holiday" in finding.message for finding in landed.findings)


@pytest.mark.parametrize(
    "line",
    [
        "../../etc/passwd|3|26/03/2026 01:05:00|26/03/2026 01:25:00|",
        "CF_PERSON_20260326.csv|three|26/03/2026 01:05:00|26/03/2026 01:25:00|",
        "CF_PERSON_20260326.csv|1|2026-03-26|26/03/2026 01:25:00|",
        "CF_PERSON_20260326.csv|1|26/03/2026 01:05:00|26/03/2026 01:25:00|123",
        "CF_PERSON_20260326.csv|1",
    ],
)
def test_a_control_file_that_cannot_be_read_is_refused(desk: Desk, line: str) -> None:
    header = desk.file("CONTROL").read_text().splitlines()[0]
    desk.file("CONTROL").write_text(f"{header}\n{line}\n")
    assert (problem(desk).state, problem(desk).finding.code) == (RunState.REFUSED, "CONTROL_UNREADABLE")


def test_a_dump_that_shrinks_by_more_than_a_twentieth_is_held_until_accepted(desk: Desk) -> None:
    people = [person(n) for n in range(1, 1001)]
    desk.write(world(people, [record(n) for n in range(1, 950)]))
    desk.release(0)
    past = Past(datetime(2026, 3, 25, tzinfo=UTC), {"carefirst__person": 1_000})
    found = problem(desk, past)
    assert (found.state, found.finding.code) == (RunState.HELD, "SHRANK")
    assert land(desk, past, f"{FIRST_NIGHT:%Y%m%d}").tables
    assert land(desk, Past(past.last_known_at, {"carefirst__person": 990})).tables
    older_than_known = Past(datetime(2026, 3, 31, tzinfo=UTC), {"carefirst__person": 1_000})
    assert land(desk, older_than_known).tables, "an older dump has nothing to shrink from"


def test_a_table_that_loses_all_its_rows_is_held(desk: Desk) -> None:
    header = person_lines(desk)[0]
    desk.tamper("REFERENCE", desk.file("REFERENCE").read_bytes().splitlines(keepends=True)[0], rows=0)
    assert land(desk).tables, "nothing to compare with on the first night"
    past = Past(datetime(2026, 3, 25, tzinfo=UTC), {"carefirst__reference": 2})
    with pytest.raises(DeliveryProblem, match="SHRANK"):
        land(desk, past)
    desk.tamper("PERSON", header, rows=0)
    with pytest.raises(DeliveryProblem, match="SHRANK"):
        land(desk)


def test_a_missing_folder_holds_the_source(tmp_path: Path) -> None:
    with pytest.raises(DeliveryProblem) as caught:
        CareFirstConnector(tmp_path / "nowhere").discover(Past())
    assert caught.value.state is RunState.HELD
