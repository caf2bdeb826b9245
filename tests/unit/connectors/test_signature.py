"""What a file is, told by its first bytes; what is not what its flow takes is refused and never opened."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from connectors.base import DeliveryProblem
from connectors.drift import columns_by_field
from connectors.landing import keep
from connectors.signature import kind_of_bytes
from connectors.spec import table_specs
from domain.run import RunState

ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;"><!ENTITY d SYSTEM "file:///x">]>
<a>&c;&d;</a>"""
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def workbook(*parts: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for part in ("[Content_Types].xml", "xl/workbook.xml", *parts):
            archive.writestr(part, "<x/>")
    return content.getvalue()


def plain_zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("SRPatient.csv", '"a"\r\n')
    return content.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "empty"),
        (b"A|B\n1|2\n", "text"),
        ("\ufeffA|B\n".encode(), "text"),
        ("A|B\n".encode("utf-16"), "text"),
        (plain_zip(), "zip"),
        (workbook(), "workbook"),
        (workbook("xl/vbaProject.bin"), "workbook"),
        (OLD_WORKBOOK, "workbook or document of an old office suite"),
        (ENTITIES, "XML"),
        (b"\xef\xbb\xbf  <!DOCTYPE html>", "XML"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "7z"),
        (b"%PDF-1.7", "PDF"),
        (b"\x00\x01\x02\x00" * 50, "binary"),
    ],
)
def test_a_kind_is_told_by_the_first_bytes(head: bytes, kind: str) -> None:
    assert kind_of_bytes(head) == kind


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        pytest.param("CF_PERSON_20260326.csv", ENTITIES, "XML", id="f31"),
        pytest.param("CF_PERSON_20260326.csv", workbook("xl/vbaProject.bin"), "workbook", id="f32"),
        pytest.param("CF_PERSON_20260326.csv", OLD_WORKBOOK, "old office suite", id="f32-old"),
        pytest.param("SRExtract.zip", workbook(), "workbook", id="f32-zip"),
        pytest.param("CF_PERSON_20260326.csv", plain_zip(), "zip", id="f18"),
        pytest.param("SRExtract.zip", b"A|B\n1|2\n", "text", id="f18-zip"),
        pytest.param("MICARE_20260326.7z", plain_zip(), "zip", id="f18-7z"),
    ],
)
def test_f18_f31_f32_a_file_of_another_kind_is_kept_refused_and_never_opened(
    tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    arrived = tmp_path / name
    arrived.write_bytes(content)
    with pytest.raises(DeliveryProblem) as refused:
        keep(arrived, tmp_path / "landing")
    assert (refused.value.state, refused.value.finding.code) == (RunState.REFUSED, "OTHER_KIND")
    assert kind in refused.value.finding.message and refused.value.finding.remedy
    assert [p.read_bytes() for p in (tmp_path / "landing").rglob("*") if p.is_file()] == [content], "original kept"


def test_the_last_part_of_a_split_archive_may_begin_with_anything(tmp_path: Path) -> None:
    whole = plain_zip()
    for beginning in (b"some text, no more\n", bytes(range(256)) * 4, b""):
        last = tmp_path / "SRExtract.zip"
        last.write_bytes(beginning + whole[10:])
        keep(last, tmp_path / "landing")


def test_f18_the_headings_of_another_suppliers_table_are_recognised_whatever_the_delimiter() -> None:
    names = [c.name for c in table_specs("systmone")["SRPatient"].columns]
    for header in (names, [",".join(f'"{name}"' for name in names)]):
        with pytest.raises(DeliveryProblem) as refused:
            columns_by_field(header, table_specs("carefirst")["CF_PERSON"])
        assert refused.value.finding.code == "OTHER_SYSTEM"
        assert "SRPatient of systmone" in refused.value.finding.message
