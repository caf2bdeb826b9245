"""Bad files in a good batch at SystmOne's door, named after the fault catalogue (governance 9.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.systmone_door import land, notes, refusal, small_desk, table
from tests.support.systmone_world import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_f24_a_byte_that_cp1252_does_not_know_marks_its_row_and_no_other(desk: Desk, byte: int) -> None:
    desk.spoil("SRPatient", lambda text: text.replace(b"Margaret", b"Marg" + bytes([byte]) + b"ret", 1))
    landed = land(desk)
    assert [row["forename"] for row in table(landed, "patient")] == ["Marg\ufffdret", "Margaret"]
    assert "1 bytes are not cp1252" in notes(landed)["UNDECODABLE"]


def test_f24_smart_quotes_and_line_breaks_survive_and_control_bytes_are_counted(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda text: text.replace(b"Margaret", b'Mar\r\nga, \x80 ""r\x93e\x94\x00\x0bt', 1))
    landed = land(desk)
    patients = table(landed, "patient")
    assert patients[0]["forename"] == 'Mar\r\nga, \u20ac "r\u201ce\u201dt'
    assert patients[0]["surname"] == "O\u2019Brien"
    assert "2 control characters" in notes(landed)["CONTROL_CHARACTERS"]
    (file,) = [f for f in landed.files if f.name == "SRPatient.csv"]
    assert (file.physical_lines, file.records) == (4, 2)


def test_f24_a_byte_order_mark_is_removed_and_reported(desk: Desk) -> None:
    desk.spoil("SRReferralIn", lambda text: b"\xef\xbb\xbf" + text)
    assert "BYTE_ORDER_MARK" in notes(land(desk))


def test_f24_a_file_that_says_it_is_utf_8_is_refused(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda text: b"\xef\xbb\xbf" + text.decode("cp1252").encode("utf-8"))
    assert "agreed is cp1252" in refusal(desk)


def test_f24_utf_16_is_refused(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda text: text.decode("cp1252").encode("utf-16"))
    assert "SRPatient.csv" in refusal(desk)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda text: text.replace(b'"Margaret"', b'"Margaret', 1), "quoting or number of fields breaks"),
        (lambda text: text.replace(b'"Margaret"', b'Margaret"', 1), "quoting or number of fields breaks"),
        (lambda text: text.replace(b'"Margaret"', b'"Mar"garet"', 1), "quoting or number of fields breaks"),
        (lambda text: text.replace(b'"Margaret"', b"Margaret", 1), "quoting or number of fields breaks"),
        (lambda text: text.replace(b'"Margaret",', b'"Margaret",,', 1), "quoting or number of fields breaks"),
        (lambda text: text.replace(b'"Margaret",', b"", 1), "quoting or number of fields breaks"),
        (lambda text: text.replace(b'","', b'";"'), "the header is not one line of quoted names"),
        (lambda text: text.replace(b"\r\n", b"\n"), "the header is not one line of quoted names"),
        (lambda text: text.replace(b'"0"\r\n', b'"0"\n'), "quoting or number of fields breaks"),
        (lambda text: text.replace(b'"', b"'"), "the header is not one line of quoted names"),
    ],
)
def test_f25_changed_quoting_or_delimiter_is_refused_and_nothing_is_lost_silently(
    desk: Desk, change: Callable[[bytes], bytes], where: str
) -> None:
    before = desk.members()["SRPatient"]
    desk.spoil("SRPatient", change)
    assert desk.members()["SRPatient"] != before
    assert where in refusal(desk)


def test_f25_the_byte_named_is_the_one_that_is_wrong(desk: Desk) -> None:
    place = desk.members()["SRPatient"].rindex(b'"Margaret"')
    desk.spoil("SRPatient", lambda text: text[:place] + b"Margaret" + text[place + 10 :])
    found = re.search(r"breaks at byte (\d+), in the record that starts at byte (\d+)", refusal(desk))
    assert found is not None
    start = desk.members()["SRPatient"].index(b"\r\n", desk.members()["SRPatient"].index(b"\r\n") + 2) + 2
    assert (int(found[1]), int(found[2])) == (place, start)


def _columns(text: bytes, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    lines = text.split(b"\r\n")[:-1]
    return b"\r\n".join([b",".join(change(line.split(b","))) for line in lines] + [b""])


def test_f27_reordered_columns_are_taken_by_name(desk: Desk) -> None:
    straight = table(land(desk), "patient")
    desk.spoil("SRPatient", lambda text: _columns(text, lambda fields: fields[::-1]))
    landed = land(desk)
    assert table(landed, "patient") == straight
    assert "COLUMN_ORDER" in notes(landed)


def test_f28_a_mandatory_column_that_is_missing_refuses_the_batch(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda text: _columns(text, lambda fields: fields[:7] + fields[8:]))
    assert "mandatory column NHSNumber is missing" in refusal(desk)


def test_f28_an_optional_column_that_is_missing_is_empty_and_reported(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda text: _columns(text, lambda fields: fields[:16]))
    landed = land(desk)
    assert [(row["is_spine_matched"], row["removed"]) for row in table(landed, "patient")] == [(None, None)] * 2
    assert "SpineMatched, RemovedData" in notes(landed)["OPTIONAL_COLUMN_MISSING"]


def test_f29_an_unknown_column_is_left_out_and_reported(desk: Desk) -> None:
    def with_new(fields: list[bytes]) -> list[bytes]:
        return [*fields[:5], b'"GenderIdentity"' if b"RowIdentifier" in fields[0] else b'"x"', *fields[5:]]

    straight = table(land(desk), "patient")
    desk.spoil("SRPatient", lambda text: _columns(text, with_new))
    landed = land(desk)
    assert table(landed, "patient") == straight
    assert "new column GenderIdentity" in notes(landed)["UNKNOWN_COLUMN"]


def test_f04_a_file_outside_the_manifest_is_set_aside_and_an_unknown_table_reported(desk: Desk) -> None:
    members = desk.members()
    manifest = members["SRManifest"] + b'"SROohVisit","N","N","","' + members["SRManifest"][-16:-3] + b'"\r\n'
    desk.repack({**members, "SRManifest": manifest, "SROohVisit": b'"RowIdentifier"\r\n"1"\r\n', "SRStray": b"x"})
    landed = land(desk)
    assert "SRStray" in notes(landed)["UNEXPECTED_FILE"]
    assert "SROohVisit has no specification: 1 rows and 1 columns" in notes(landed)["CATALOGUED"]
    assert len(landed.tables) == len(members) + 1
    (of_it,) = [t for t in landed.tables if t.file_name == "SROohVisit.csv"]
    assert (of_it.dataset, of_it.records) == ("systmone__unspecified", 1)


def test_f30_a_heading_that_appears_twice_is_refused(desk: Desk) -> None:
    desk.spoil("SRPatient", lambda text: text.replace(b'"MiddleNames"', b'"FirstName"', 1))
    assert "appears more than once" in refusal(desk)
