"""The strict reader: the same account wherever the pieces of a file end, and the same refusal."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import DeliveryProblem
from connectors.spec import Column, TableSpec
from connectors.systmone import strict_csv
from connectors.systmone.strict_csv import read_small, read_table

SPEC = TableSpec("T", "systmone__t", "", ("a",), tuple(Column(n, n, "", True, "") for n in "abc"), None, (), False)
WHOLE = b'"a","b","c"\r\n"1","x, ""y"" \x93z\x94","l\r\nm\nn"\r\n"2","","\xe9"\r\n"3","\x80","0012"\r\n'


def read(content: bytes, out: Path, line_end: str = "\r\n") -> tuple[strict_csv.StrictRead, list[dict[str, object]]]:
    account = read_table(io.BytesIO(content), "T.csv", SPEC, out / "t.parquet", line_end)
    return account, pq.read_table(out / "t.parquet").to_pylist()


@pytest.mark.parametrize("size", [*range(1, 40), 4 << 20])
def test_the_account_does_not_depend_on_where_the_pieces_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(strict_csv, "_CHUNK", size)
    account, rows = read(WHOLE, tmp_path)
    assert rows == [
        {"a": "1", "b": 'x, "y" \u201cz\u201d', "c": "l\r\nm\nn", "landed_line": 1},
        {"a": "2", "b": "", "c": "\u00e9", "landed_line": 2},
        {"a": "3", "b": "\u20ac", "c": "0012", "landed_line": 3},
    ]
    assert (account.records, account.physical_lines, account.size_bytes) == (3, 6, len(WHOLE))
    assert account.sha256 == hashlib.sha256(WHOLE).hexdigest()
    assert account.findings == ()


_WHOLE_UP_TO = [end for end in range(len(WHOLE)) if WHOLE[:end].endswith(b'"\r\n') and WHOLE[:end].count(b'"') % 2 == 0]


@pytest.mark.parametrize("end", sorted({*range(1, len(WHOLE))} - {*_WHOLE_UP_TO}))
def test_f06_a_file_cut_anywhere_inside_a_record_is_refused(tmp_path: Path, end: int) -> None:
    with pytest.raises(DeliveryProblem) as problem:
        read(WHOLE[:end], tmp_path)
    assert problem.value.finding.code in ("CUT_OFF", "WRONG_DIALECT")
    assert not list(tmp_path.iterdir()), "no row of a refused file is kept"


def test_the_cuts_between_records_are_the_four_that_leave_whole_files() -> None:
    assert len(_WHOLE_UP_TO) == WHOLE.count(b'"\r\n') - 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(*[st.text(st.sampled_from('a,"\r\n\u2019\t '), max_size=6)] * 3), max_size=8))
@pytest.mark.property
def test_whatever_can_be_written_is_read_as_it_was(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([("a", "b", "c"), *rows])
    account, found = read(written.getvalue().encode("cp1252"), tmp_path)
    assert [(row["a"], row["b"], row["c"]) for row in found] == rows
    assert account.physical_lines == written.getvalue().count("\n")


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert read(b'"a","b","c"\r\n', tmp_path)[0].records == 0


def test_another_line_end_is_read_only_when_it_was_declared(tmp_path: Path) -> None:
    unix = WHOLE.replace(b"\r\n", b"\n")
    assert read(unix, tmp_path, "\n")[0].records == 3
    with pytest.raises(DeliveryProblem):
        read(unix, tmp_path)


def test_very_long_text_is_read(tmp_path: Path) -> None:
    long = b"x" * 9_000_000
    _, rows = read(b'"a","b","c"\r\n"1","' + long + b'","3"\r\n', tmp_path)
    assert len(str(rows[0]["b"])) == 9_000_000


def test_a_small_file_is_read_by_column_name() -> None:
    assert read_small(io.BytesIO(b'"x","y"\r\n"1","2"\r\n"3","4"\r\n'), "T.csv") == [
        {"x": "1", "y": "2"},
        {"x": "3", "y": "4"},
    ]
