"""Batches as they really come: releases that drift, a unit that joins, half-filled folders, archives gone astray.

Named after the fault catalogue (governance 9.1), the acceptance list (sources 16) or the hand-book's section 2.11.
"""

from __future__ import annotations

import stat
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.base import DeliveryProblem, LandedDelivery, Past
from connectors.synthetic.keys import SECOND_ORGANISATION_CODE as SECOND
from connectors.synthetic.keys import person_key, second_unit_key
from connectors.synthetic.split_zip import Packer, write_split_zip
from connectors.synthetic.world import World
from connectors.systmone.connector import SystmOneConnector
from connectors.systmone.settings import SystmOneSettings
from domain.run import RunState
from tests.support.systmone_door import land, notes, refusal, small_desk, table
from tests.support.systmone_world import Desk, event, record, world


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


def told(council: World, home: Path, *nights: int) -> Desk:
    """A desk with some nights of a council in its inbox."""
    desk = Desk(home)
    desk.write(council)
    desk.release(*nights)
    return desk


def drifting() -> World:
    """Two patients, one visit, and a release of the extract for each of three nights."""
    council = world([record(1), record(2, removed_night=1)], [event(1, "visit", changed_night=2)], nights=2)
    council.setting = replace(council.setting, layout_change_nights=(0, 1, 2))
    return council


def joining() -> World:
    """A second unit joins on night 1; patient 1 is known to both."""
    twin = replace(record(1, night=1), key=second_unit_key(person_key("systmone", 1)))
    council = world([record(1), twin], [event(n, "visit") for n in range(1, 20)], nights=2)
    council.setting = replace(council.setting, second_unit_joins_night=1)
    return council


def door(desk: Desk, **settings: object) -> SystmOneConnector:
    return SystmOneConnector(SystmOneSettings(desk.inbox, **settings))  # type: ignore[arg-type]


def turned_away(desk: Desk, **settings: object) -> DeliveryProblem:
    """The problem with which the only batch is turned away."""
    (batch,) = door(desk, **settings).discover(Past())
    with pytest.raises(DeliveryProblem) as problem:
        batch.land(desk.home / "landing", Past())
    assert problem.value.finding.remedy
    return problem.value


def landed_night(council: World, home: Path, night: int) -> LandedDelivery:
    return land(told(council, home, night), Past(datetime(2026, 4, 1, tzinfo=UTC)))


def test_release_a_is_read_by_its_header_and_counts_nothing_as_removed(tmp_path: Path) -> None:
    landed = landed_night(drifting(), tmp_path, 0)
    patients = table(landed, "patient")
    assert [(p["row_id"], p["removed"], p["is_spine_matched"]) for p in patients] == [
        ("35161000001", None, None),
        ("35161000002", None, None),
    ]
    assert "earlier release" in notes(landed)["OLDER_LAYOUT"]
    assert "OPTIONAL_COLUMN_MISSING" not in notes(landed), "told once, not once a table"


def test_release_b_says_what_was_removed_while_nobody_could_say_it(tmp_path: Path) -> None:
    landed = landed_night(drifting(), tmp_path, 1)
    assert [(p["row_id"], p["removed"]) for p in table(landed, "patient")] == [("35161000002", "1")]
    assert "OLDER_LAYOUT" not in notes(landed)


def test_release_c_moves_columns_and_has_one_nobody_announced(tmp_path: Path) -> None:
    landed = landed_night(drifting(), tmp_path, 2)
    (visit,) = [v for v in table(landed, "visit") if v["removed"] == "0"]
    assert (visit["row_id"], visit["patient_id"], visit["duration_minutes"]) == ("741200000001", "35161000001", "30")
    assert "DeliveryMode" in notes(landed)["UNKNOWN_COLUMN"]
    assert "COLUMN_ORDER" in notes(landed)


def test_the_bulk_of_a_unit_that_joins_neither_advances_nor_breaks_the_first_ones_window(tmp_path: Path) -> None:
    desk = told(joining(), tmp_path, 0, 1, 2)
    settings = {"organisations": frozenset({"NLF11", SECOND})}
    names = [batch.name for batch in door(desk, **settings).discover(Past())]
    first, ordinary, bulk, last = names
    assert bulk == f"{ordinary}/SRExtract_{SECOND}"

    ends: dict[str, datetime] = {}

    def take(name: str) -> LandedDelivery:
        (batch,) = [b for b in door(desk, **settings).discover(Past()) if b.name == name]
        landed = batch.land(desk.home / "landing", Past(max(ends.values(), default=None), known_by_part=dict(ends)))
        ends[name.partition("/")[2]] = landed.as_known_at
        return landed

    take(first)
    joined = take(bulk)
    assert (joined.mode, {p["visible_to"] for p in table(joined, "patient")}) == ("bulk", {SECOND})
    assert all(t.mode != "full" for t in joined.tables)
    with pytest.raises(DeliveryProblem, match="the last batch taken ends 26 Mar 2026"):
        take(last)
    take(ordinary)
    shared = [v for v in table(take(last), "visit") if v["visible_to"] == SECOND]
    assert shared == [], "what both see came with the bulk"
    assert {v["visible_to"] for v in table(joined, "visit")} == {SECOND}


def test_a_bulk_ends_absent_rows_only_where_asked_and_never_those_of_another_unit(tmp_path: Path) -> None:
    desk = told(joining(), tmp_path, 0, 1)
    asked: dict[bool, set[str]] = {False: set(), True: set()}
    for closes, modes in asked.items():
        for batch in door(desk, bulk_closes_absent=closes).discover(Past()):
            landed = batch.land(desk.home / "landing", Past(datetime(2026, 4, 1, tzinfo=UTC)))
            found = {t.dataset: t.mode for t in landed.tables if t.dataset != "systmone__unspecified"}
            modes.add(f"{'joins' if '/' in batch.name else landed.mode}: {found['systmone__patient']}")
    assert asked[False] == {"bulk: bulk", "delta: delta", "joins: bulk"}
    assert asked[True] == {"bulk: full", "delta: delta", "joins: bulk"}


def test_acceptance_02_a_gap_names_both_dates_and_an_overlap_is_taken(desk: Desk) -> None:
    desk.withdraw(0)
    desk.release(2)
    (batch,) = door(desk).discover(Past())
    with pytest.raises(DeliveryProblem) as problem:
        batch.land(desk.home / "landing", Past(datetime(2026, 3, 20, 2, 10, tzinfo=UTC)))
    assert problem.value.state is RunState.HELD
    assert "ends 20 Mar 2026 02:10" in problem.value.finding.message
    assert "begins 27 Mar 2026" in problem.value.finding.message
    assert batch.land(desk.home / "landing", Past(datetime(2026, 3, 27, 12, tzinfo=UTC))).mode == "delta"


def test_acceptance_07_smart_quotes_survive_and_a_byte_nobody_knows_is_replaced_and_counted(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda text: text.replace(b"Margaret", b"\x91Peg\x92\x8d", 1))
    landed = land(desk)
    assert table(landed, "patient")[0]["forename"] == "\u2018Peg\u2019\ufffd"
    assert "1 bytes" in notes(landed)["UNDECODABLE"]
    kept = [f.path for f in landed.files if f.name.endswith(".zip")]
    assert kept[0].read_bytes() == desk.archive().read_bytes(), "the raw line is kept in the original"


def test_acceptance_08_records_with_line_breaks_inside_quotes_add_up(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda text: text.replace(b"Margaret", b"Mar\r\n\r\ngar\net", 2))
    landed = land(desk)
    (file,) = [f for f in landed.files if f.name == "SRPatient.csv"]
    assert (file.records, file.physical_lines) == (2, 3 + 2 * 3)
    assert table(landed, "patient")[1]["forename"] == "Mar\r\n\r\ngar\net"


def test_f02_a_bulk_of_patients_with_a_header_alone_waits_for_a_person(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda text: text[: text.index(b"\r\n") + 2])
    assert "without a single row" in refusal(desk, RunState.HELD)


def test_f02_any_other_table_may_be_empty(desk: Desk) -> None:
    desk.spoil("SRVisit", lambda text: text[: text.index(b"\r\n") + 2])
    assert table(land(desk), "visit") == []


def test_f05_a_folder_into_which_somebody_still_writes_is_left_alone(desk: Desk) -> None:
    problem = turned_away(desk, quiet_seconds=60.0)
    assert (problem.state, problem.finding.code) == (RunState.HELD, "STILL_ARRIVING")
    assert not (desk.home / "landing").exists()
    import os

    earlier = time.time() - timedelta(minutes=5).total_seconds()
    os.utime(desk.archive(), (earlier, earlier))
    (batch,) = door(desk, quiet_seconds=60.0).discover(Past())
    assert batch.land(desk.home / "landing", Past()).tables


def test_f05_a_folder_whose_name_begins_with_a_dot_is_not_looked_at(desk: Desk) -> None:
    desk.folder().rename(desk.inbox / f".{desk.folder().name}")
    assert list(door(desk).discover(Past())) == []


def test_f10_an_encrypted_archive_waits_and_nothing_of_a_password_is_said(desk: Desk) -> None:
    content = bytearray(desk.archive().read_bytes())
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"SRPatient.csv"))
    content[place + 8] |= 0x1
    desk.archive().write_bytes(bytes(content))
    problem = turned_away(desk)
    assert (problem.state, problem.finding.code) == (RunState.HELD, "ENCRYPTED")
    assert "SRPatient" not in str(problem)


def test_f18_an_archive_of_another_system_is_refused_by_what_is_in_it(desk: Desk) -> None:
    packer = Packer("CF_PERSON_20260326.csv")
    packer.write(b'"PER_ID"\r\n"1"\r\n')
    for part in desk.folder().iterdir():
        part.unlink()
    write_split_zip(desk.folder(), "SRExtract", [packer.close()], 60_000)
    assert turned_away(desk).finding.code == "WRONG_SYSTEM"


def test_f18_a_loose_file_in_the_inbox_is_refused_and_the_batch_beside_it_is_taken(desk: Desk) -> None:
    (desk.inbox / "CF_PERSON_20260326.csv").write_bytes(b'"PER_ID"\r\n"1"\r\n')
    batch, stray = door(desk).discover(Past())
    assert batch.land(desk.home / "landing", Past()).tables
    with pytest.raises(DeliveryProblem, match="no delivery of SystmOne"):
        stray.land(desk.home / "landing", Past())


@pytest.mark.parametrize("spoilt", ["SRPatient", "SRVisit"])
def test_f19_a_batch_of_another_organisation_is_sealed_and_nothing_of_it_is_shown(desk: Desk, spoilt: str) -> None:
    desk.spoil(spoilt, lambda text: text.replace(b'"NLF11"', b'"RX9ZZ"', 1))
    problem = turned_away(desk, organisations=frozenset({"NLF11"}))
    assert (problem.state, problem.finding.code) == (RunState.REFUSED, "FOREIGN_ORGANISATION")
    assert "RX9ZZ" not in str(problem) and "Margaret" not in str(problem)
    landing = desk.home / "landing"
    sealed = [p for p in landing.rglob("*") if p.is_file()]
    assert [p.parent for p in sealed] == [landing / "sealed"], "nothing but the sealed original is left"
    assert stat.S_IMODE(sealed[0].stat().st_mode) == 0o400
    assert stat.S_IMODE((landing / "sealed").stat().st_mode) == 0o700
    assert sealed[0].read_bytes() == desk.archive().read_bytes()


def test_f19_an_organisation_of_the_agreement_passes(desk: Desk) -> None:
    (batch,) = door(desk, organisations=frozenset({"NLF11", SECOND})).discover(Past())
    assert batch.land(desk.home / "landing", Past()).tables


def test_f14_the_same_name_with_other_content_waits_for_a_person(desk: Desk) -> None:
    land(desk)
    kept = {p for p in (desk.home / "landing" / "raw").rglob("*") if p.is_file()}
    desk.spoil("SRPatient", lambda text: text.replace(b"Margaret", b"Margery"))
    before = Past(names=frozenset({desk.folder().name}))
    (batch,) = door(desk).discover(before)
    with pytest.raises(DeliveryProblem) as problem:
        batch.land(desk.home / "landing", before)
    assert (problem.value.state, problem.value.finding.code) == (RunState.HELD, "SAME_NAME_OTHER_CONTENT")
    (approved,) = door(desk, corrections=before.names).discover(before)
    assert table(approved.land(desk.home / "landing", before), "patient")[0]["forename"] == "Margery"
    assert kept < {p for p in (desk.home / "landing" / "raw").rglob("*") if p.is_file()}, "kept beside the first"


def test_f04_a_file_beside_the_archive_is_reported_and_the_batch_goes_on(desk: Desk) -> None:
    (desk.folder() / "readme.txt").write_text("hello")
    landed = land(desk)
    assert "readme.txt" in notes(landed)["UNEXPECTED_FILE"]
    assert landed.tables
