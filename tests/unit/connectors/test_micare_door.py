"""MiCare's door: what it takes, holds and refuses, and why."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.base import DeliveryProblem, LandedDelivery, Past
from connectors.micare.connector import BATCH_ORDER, MiCareConnector, MiCareNight, make
from connectors.synthetic import micare_tables
from domain.profile import Profile, SourceSettings
from domain.run import RunState
from tests.support.carefirst_world import person
from tests.support.micare_world import Desk, event, record, world


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A council of one client with one event of each kind; its first night has arrived."""
    desk = Desk(tmp_path)
    kinds = ("request", "assessment", "review", "service", "involvement", "safeguarding", "dols")
    desk.write(world(events=[event(number, kind) for number, kind in enumerate(kinds, start=1)]))
    desk.release(0)
    return desk


def nights(desk: Desk, past: Past | None = None, **options: object) -> list[MiCareNight]:
    return list(replace(MiCareConnector(desk.arrived), **options).discover(past or Past()))  # type: ignore[arg-type]


def land(desk: Desk, past: Past | None = None, **options: object) -> LandedDelivery:
    return nights(desk, past, **options)[0].land(desk.home / "landing", past or Past())


def problem(desk: Desk, past: Past | None = None) -> DeliveryProblem:
    with pytest.raises(DeliveryProblem) as caught:
        land(desk, past)
    assert not list((desk.home / "landing").glob("tables/**/*.parquet")), "something of a night not taken was kept"
    return caught.value


def codes(landed: LandedDelivery) -> set[str]:
    return {f.code for f in (*landed.findings, *(f for table in landed.tables for f in table.findings))}


def read(landed: LandedDelivery, dataset: str) -> list[dict[str, object]]:
    return pq.read_table(next(t.parquet for t in landed.tables if t.dataset == f"micare__{dataset}")).to_pylist()


def test_a_whole_night_lands_every_table_as_text_under_our_names(desk: Desk) -> None:
    landed = land(desk)
    assert (landed.mode, landed.as_known_at) == ("full", datetime(2026, 3, 26, 2, 5, tzinfo=UTC))
    assert len(landed.tables) == 10 and {table.mode for table in landed.tables} == {"full"}
    assert all(file.path.stat().st_mode & 0o222 == 0 for file in landed.files)
    client = read(landed, "client")[0]
    assert (client["client_no"], client["dob"], client["died"]) == ("00120001Y", "09071941", "00000000")
    assert not codes(landed)


def test_files_are_counted_line_by_line_with_header_and_trailer(desk: Desk) -> None:
    landed = land(desk)
    assert all(file.physical_lines == file.records + 2 for file in landed.files)


def test_the_batch_order_of_door_and_simulator_is_one(desk: Desk) -> None:
    assert BATCH_ORDER == micare_tables.BATCH_ORDER == tuple(micare_tables.COLUMNS)[:4] + BATCH_ORDER[4:]


def test_f01_a_zero_byte_file_is_refused(desk: Desk) -> None:
    desk.file("CLIENT").write_bytes(b"")
    assert (problem(desk).state, problem(desk).finding.code) == (RunState.REFUSED, "EMPTY_FILE")


def test_f01_an_empty_list_of_codes_is_refused_once_the_batch_cannot_be_at_work(desk: Desk) -> None:
    desk.file("CODES").write_bytes(b"")
    assert problem(desk).finding.code == "STILL_WRITTEN", "the last file may just have been opened"
    desk.release(1)
    refused = [night for night in nights(desk) if night.path == desk.folder(0)]
    with pytest.raises(DeliveryProblem, match="EMPTY_FILE"):
        refused[0].land(desk.home / "landing", Past())


@pytest.mark.parametrize("table", ["CLIENT", "ALLOC", "CODES"])
def test_f03_a_night_waits_for_every_file(desk: Desk, table: str) -> None:
    away = desk.file(table).rename(desk.home / "away")
    held = problem(desk)
    assert (held.state, held.finding.code) == (RunState.HELD, "FILE_MISSING") and table in held.finding.message
    away.rename(desk.file(table))
    assert land(desk).tables


def test_f05_the_last_file_without_trailer_is_still_being_written(desk: Desk) -> None:
    whole = desk.file("CODES").read_bytes()
    desk.file("CODES").write_bytes(whole[: whole.rindex(b"***", 0, -10)])
    assert (problem(desk).state, problem(desk).finding.code) == (RunState.HELD, "STILL_WRITTEN")
    desk.file("CODES").write_bytes(whole)
    assert land(desk).tables


def test_f05_a_last_file_nobody_has_touched_for_long_is_cut_off(desk: Desk) -> None:
    path = desk.file("CODES")
    path.write_bytes(path.read_bytes()[:-20])
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))
    assert (problem(desk).state, problem(desk).finding.code) == (RunState.REFUSED, "CUT_OFF")


def test_f06_a_file_cut_off_before_others_were_written_is_refused_with_the_byte(desk: Desk) -> None:
    cut = desk.file("EPISODE").read_bytes()[:400]
    desk.file("EPISODE").write_bytes(cut)
    refused = problem(desk)
    assert (refused.state, refused.finding.code) == (RunState.REFUSED, "CUT_OFF")
    assert "byte 400" in refused.finding.message


def test_f06_a_file_cut_between_records_is_refused_all_the_same(desk: Desk) -> None:
    content = desk.file("EPISODE").read_bytes()
    desk.file("EPISODE").write_bytes(content[: content.rindex(b"***", 0, -10)])
    assert problem(desk).finding.code == "CUT_OFF"


def test_a_trailer_that_counts_other_records_is_refused(desk: Desk) -> None:
    content = desk.file("REVIEW").read_bytes().replace(b"FILE 1 RECORDS", b"FILE 2 RECORDS")
    desk.file("REVIEW").write_bytes(content)
    refused = problem(desk)
    assert refused.finding.code == "TRAILER_DIFFERS" and "1 records, the trailer says 2" in refused.finding.message


def test_something_after_the_trailer_is_refused_but_not_the_old_mark_of_the_end(desk: Desk) -> None:
    assert desk.file("NOTEHDR").read_bytes().endswith(b"RECORDS ***\r\n\x1a")
    with desk.file("REVIEW").open("ab") as handle:
        handle.write(b"330000009\t00120001Y\r\n")
    assert problem(desk).finding.code == "AFTER_TRAILER"


def test_f12_f13_a_night_is_known_by_its_contents_whatever_its_folder_is_called(desk: Desk) -> None:
    first = nights(desk)[0].content_hash()
    desk.folder(0).rename(desk.arrived / "20270101_2")
    assert nights(desk)[0].content_hash() == first
    desk.release(1)
    assert len({night.content_hash() for night in nights(desk)}) == 2, "a quiet night is a night of its own"


def test_f15_nights_come_in_the_order_of_their_batches_not_of_their_folders(desk: Desk) -> None:
    desk.release(1)
    desk.folder(0).rename(desk.arrived / "20260327_2")
    assert [night.path.name for night in nights(desk)] == ["20260327_2", "20260327"]


def test_f24_bytes_the_code_page_lacks_a_mark_at_the_start_and_another_page_are_told(desk: Desk) -> None:
    clients = desk.file("CLIENT").read_bytes().replace(b"MARLOW", b"MARL\x81W")
    desk.file("CLIENT").write_bytes(b"\xef\xbb\xbf" + clients)
    heading = "77\t00120001Y\tCASENOTE\t01012020\t{}\t\t1"
    desk.put("NOTEHDR", [desk.lines("NOTEHDR")[0], heading.format("CAFÉ"), heading.format("M\u00fcller")])
    landed = land(desk)
    assert {"UNDECODABLE", "BYTE_ORDER_MARK"} <= codes(landed)
    assert read(landed, "client")[0]["surname"] == "MARL\ufffdW"
    assert [row["subject"] for row in read(landed, "note_heading")] == ["CAFÉ", "Müller"]
    desk.put("NOTEHDR", [desk.lines("NOTEHDR")[0], heading.format("CAFÉ")], code_page="cp1252")
    assert read(land(desk), "note_heading")[0]["subject"] == "CAF\ufffd", "a box of code page 850 is no letter"


def test_f25_another_delimiter_or_a_lost_field_is_refused_with_the_byte(desk: Desk) -> None:
    whole = desk.lines("SERVICE")
    desk.put("SERVICE", [whole[0], whole[1].rsplit("\t", 1)[0]])
    refused = problem(desk)
    assert refused.finding.code == "WRONG_DIALECT" and "byte" in refused.finding.message
    desk.put("SERVICE", [line.replace("\t", "|") for line in whole])
    assert problem(desk).state is RunState.REFUSED


def test_f25_quotes_are_ordinary_characters(desk: Desk) -> None:
    desk.replace("EPISODE", "Asked for help", 'Asked "for help')
    assert 'Asked "for help at home' in [row["description"] for row in read(land(desk), "episode")]


def test_f26_control_characters_become_blanks_and_the_original_stays(desk: Desk) -> None:
    content = desk.file("EPISODE").read_bytes().replace(b"Asked for help", b"Asked\rfor\x00he\x0bp")
    desk.file("EPISODE").write_bytes(content)
    landed = land(desk)
    assert "Asked for he p at home" in [row["description"] for row in read(landed, "episode")]
    assert "CONTROL_CHARACTERS" in codes(landed)
    kept = next(file.path for file in landed.files if file.name == "20260326/MICARE_EPISODE.TXT")
    assert kept.read_bytes() == content


def test_f29_an_unknown_column_is_kept_aside_and_told(desk: Desk) -> None:
    header, *records = desk.lines("SERVICE")
    desk.put("SERVICE", [f"{header}\tBAND_CODE", *(f"{line}\tA" for line in records)])
    landed = land(desk)
    assert "UNKNOWN_COLUMN" in codes(landed) and "BAND_CODE" not in read(landed, "service")[0]


def test_f28_a_mandatory_column_missing_is_refused_an_optional_one_told(desk: Desk) -> None:
    whole = desk.lines("REVIEW")
    desk.put("REVIEW", [line.rsplit("\t", 1)[0] for line in whole])
    assert "OPTIONAL_COLUMN_MISSING" in codes(land(desk))
    desk.put("REVIEW", [line.split("\t", 1)[1] for line in whole])
    with pytest.raises(DeliveryProblem) as caught:
        land(desk)
    assert (caught.value.state, caught.value.finding.code) == (RunState.REFUSED, "MISSING_COLUMN")
    assert "REVIEW_NO" in caught.value.finding.message


def test_f27_columns_in_another_order_are_taken_by_name(desk: Desk) -> None:
    before = read(land(desk), "review")
    lines = [line.split("\t") for line in desk.lines("REVIEW")]
    desk.put("REVIEW", ["\t".join(reversed(fields)) for fields in lines])
    landed = land(desk)
    assert read(landed, "review") == before and "COLUMN_ORDER" in codes(landed)


def test_f30_a_renamed_column_is_held_with_the_difference_and_a_heading_twice_is_refused(desk: Desk) -> None:
    whole = desk.lines("CLIENT")
    desk.put("CLIENT", [whole[0].replace("NHS_NO", "NHS_NUMBER"), *whole[1:]])
    held = problem(desk)
    assert (held.state, held.finding.code) == (RunState.HELD, "COLUMN_RENAMED")
    assert "NHS_NUMBER" in held.finding.message
    desk.put("CLIENT", [whole[0].replace("FORENAME2", "FORENAME1"), *whole[1:]])
    assert problem(desk).finding.code == "DUPLICATE_HEADING"


def test_acceptance_12_a_night_that_shrinks_is_held_until_a_person_accepts_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    numbers = range(1, 61)
    desk.write(world([person(n) for n in numbers], [record(n) for n in numbers]))
    desk.release(0)
    before = Past(datetime(2026, 3, 25, tzinfo=UTC), {"micare__client": 90})
    held = problem(desk, before)
    assert (held.state, held.finding.code) == (RunState.HELD, "SHRANK") and "60 rows after 90" in held.finding.message
    assert land(desk, before, shrink_accepted=frozenset({"20260326"})).tables
    assert land(desk, Past(datetime(2026, 3, 25, tzinfo=UTC), {"micare__client": 75})).tables


def test_f55_a_night_that_grew_beyond_measure_is_held_until_a_person_accepts_it(desk: Desk) -> None:
    header, *services = desk.lines("SERVICE")
    desk.put("SERVICE", [header, *services * 600])
    before = Past(datetime(2026, 3, 25, tzinfo=UTC), {"micare__service": 90})
    held = problem(desk, before)
    assert (held.state, held.finding.code) == (RunState.HELD, "GREW") and "600 rows after 90" in held.finding.message
    assert "volume_accepted" in held.finding.remedy
    assert land(desk, before, shrink_accepted=frozenset({"20260326"})).tables


def test_a_night_that_does_not_say_when_it_ran_is_refused(desk: Desk) -> None:
    desk.put("CODES", [line for line in desk.lines("CODES") if not line.startswith("SYSTEM")])
    assert problem(desk).finding.code == "NO_RUN_MOMENT"


def test_an_archive_may_be_silent_and_its_changes_are_told(desk: Desk) -> None:
    area = desk.home / "landing"
    first = nights(desk)[0]
    first.land(area, Past())
    desk.release(1)
    desk.replace("SERVICE", "21.50", "29.50", night=1)
    taken = Past(datetime(2026, 3, 26, 2, 5, tzinfo=UTC), {}, None, frozenset({first.content_hash()}))
    later = nights(desk, archive_from=date(2026, 3, 27))[1].land(area, taken)
    told = [finding for finding in later.findings if finding.code == "ARCHIVE_CHANGED"]
    assert len(told) == 1 and "1 rows of micare__service" in told[0].message
    in_dual_running = nights(desk, archive_from=date(2026, 3, 28))[1].land(area, taken)
    assert not in_dual_running.findings
    for path in sorted(desk.arrived.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    desk.arrived.rmdir()
    assert nights(desk, archive_from=date(2026, 3, 27)) == []
    with pytest.raises(DeliveryProblem, match="NO_FOLDER"):
        nights(desk)


def test_silence_is_no_news_once_the_last_batch_before_the_archive_was_taken() -> None:
    last = Past(datetime(2026, 3, 30, 1, 5, tzinfo=UTC))
    ends_on_that_night = MiCareConnector(Path("in"), archive_from=date(2026, 3, 31))
    assert ends_on_that_night.is_silent(last) and not ends_on_that_night.is_silent(Past())
    assert not MiCareConnector(Path("in"), archive_from=date(2026, 4, 1)).is_silent(last)
    assert not MiCareConnector(Path("in")).is_silent(last)


def test_options_that_mean_nothing_are_refused(database_free_profile: Profile) -> None:
    def made(**options: str) -> MiCareConnector:
        return make(database_free_profile, SourceSettings("micare", "micare", {"inbox": "in", **options}))

    assert made(archive_from="2026-04-01", code_pages="NOTEHDR=cp850,CLIENT=cp850").code_page("CLIENT") == "cp850"
    assert made().code_page("CLIENT") == "cp1252" and made().code_page("NOTEHDR") == "cp850"
    for options in ({"code_pages": "NOTES=cp850"}, {"code_pages": "CLIENT=latin1"}, {"archive_from": "in spring"}):
        with pytest.raises(ValueError):
            made(**options)


@pytest.fixture
def database_free_profile(tmp_path: Path) -> Profile:
    period = (date(2025, 4, 1), date(2026, 3, 31))
    return Profile(tmp_path / "council.yml", "Test", "990", True, tmp_path, "", period, (), tmp_path / "key")
