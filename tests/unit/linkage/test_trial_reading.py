"""Any file an analyst may hold: every encoding and delimiter is told from the bytes, and a bad file says where."""

from __future__ import annotations

import codecs
import gzip
import io
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linkage.trial.dates import birth_column, birth_texts
from linkage.trial.reading import read_records
from linkage.trial.refusal import Refused

ROWS = [("id", "Prénom", "Town"), ("1", "Zoë", "Leeds"), ("2", "René", "St Ives"), ("3", "Ann", "")]
WANTED = [{"id": i, "Prénom": p, "Town": t or None} for i, p, t in ROWS[1:]]


def text(delimiter: str = ",", end: str = "\n") -> str:
    return "".join(delimiter.join(row) + end for row in ROWS)


def file(tmp_path: Path, content: bytes | str, name: str = "people.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_same_records_come_out_of_every_encoding_and_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    records = read_records(file(tmp_path, text(delimiter, "\r\n").encode(encoding)))
    assert records.table.to_pylist() == WANTED
    assert records.delimiter == delimiter
    assert records.notes == ()


def test_a_file_glued_from_two_encodings_is_read_line_by_line_and_says_so(tmp_path: Path) -> None:
    lines = text().splitlines(keepends=True)
    mixed = b"".join(line.encode("cp1252" if place == 2 else "utf-8") for place, line in enumerate(lines))
    records = read_records(file(tmp_path, mixed))
    assert records.table.to_pylist() == WANTED
    assert records.encoding == "mixed"
    assert "1 lines were read as Windows-1252" in records.notes[0]


def test_quoted_values_keep_their_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    records = read_records(file(tmp_path, 'id,name,town\n1,"Smith, Ann ""Nan""","St\nIves"\n2,Bo,Ely\n'))
    assert records.table["name"].to_pylist() == ['Smith, Ann "Nan"', "Bo"]
    assert records.table["town"].to_pylist() == ["St\nIves", "Ely"]


def test_blanks_after_commas_are_no_part_of_a_value_also_before_a_quote(tmp_path: Path) -> None:
    records = read_records(file(tmp_path, 'rec_id, name, town\n1, ann , "Ely, Cambs"\n2, ,  \n'))
    assert records.table.to_pylist() == [
        {"rec_id": "1", "name": "ann", "town": "Ely, Cambs"},
        {"rec_id": "2", "name": None, "town": None},
    ]


def test_what_databases_write_for_missing_is_missing_but_a_surname_null_is_not(tmp_path: Path) -> None:
    records = read_records(file(tmp_path, "id,surname\n1,NULL\n2,Null\n3,nan\n4,\\N\n5,Na\n"))
    assert records.table["surname"].to_pylist() == [None, "Null", None, None, "Na"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_a_line_end_and_blank_records_are_left_out_aloud(tmp_path: Path, end: str) -> None:
    records = read_records(file(tmp_path, text(end=end) + f",,{end}"))
    assert records.table.to_pylist() == WANTED
    assert records.notes == ("people.csv: 1 wholly blank records were left out.",)


def test_a_spreadsheets_own_line_about_the_delimiter_is_believed(tmp_path: Path) -> None:
    assert read_records(file(tmp_path, "sep=;\n" + text(";"))).table.to_pylist() == WANTED


def test_headings_are_made_different_and_an_unnamed_empty_column_is_dropped(tmp_path: Path) -> None:
    records = read_records(file(tmp_path, ",name,Name,\na,Ann,Lee,\nb,Bo,Day,\n"))
    assert records.table.column_names == ["column 1", "name", "Name (2)"]
    assert len(records.notes) == 2


def test_one_column_and_one_row_are_a_table_too(tmp_path: Path) -> None:
    assert read_records(file(tmp_path, "surname\nLee\nDay\n")).table["surname"].to_pylist() == ["Lee", "Day"]
    assert read_records(file(tmp_path, "id,surname\n1,Lee")).rows == 1
    assert read_records(file(tmp_path, "id,surname\n")).rows == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "people.csv is empty (0 bytes); export it again."),
        (b"\n\n  \n", "people.csv holds blank lines only; export it again."),
        (
            b"id,name,town\n1,Zelda,Ely\n2,Zelda\n3,Zelda,Ely\n",
            "people.csv, line 3: 2 fields where the headings have 3",
        ),
        (b'id,name\n1,"a\nb"\n2,Zelda,X\n', "people.csv, line 4: 3 fields where the headings have 2"),
        (b'id,name\n1,Zelda\n2,"Zelda\n3,Zelda\n', "people.csv, line 3: a double quote opens a value"),
        (b"17,Zelda,1961-02-03\n18,Zelda,1961-02-04\n", "people.csv: line 1 looks like a record"),
        (b"All clients\nid;name\n1;Zelda\n2;Zelda\n", "line 1 is no line of headings (1 field; line 2 has 2)"),
        (b"PK\x03\x04" + b"Zelda" * 9, "people.csv is a workbook or a zip archive"),
        (b"\x1f\x8b" + b"Zelda" * 9, "people.csv is compressed but cannot be unpacked"),
        (gzip.compress(b"PK\x03\x04" + b"Zelda" * 9, mtime=0), "people.csv holds a workbook or a zip archive"),
        (gzip.compress(b"id,name\n1,Zelda\n", mtime=0)[:-9], "people.csv is compressed but cannot be unpacked"),
        (b"\x00\x01\x02\x03\x00Zelda\x00" * 9, "people.csv is not a table of text and not Parquet"),
        (b"id,name\n1,Zelda\n" * 400 + b"2,Ze\x00lda\n", "people.csv holds zero bytes"),
        (b"PAR1" + b"Zelda" * 9, "people.csv begins like Parquet but cannot be opened"),
    ],
)
def test_a_file_that_cannot_be_read_whole_says_what_where_and_no_value(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    with pytest.raises(Refused) as refusal:
        read_records(file(tmp_path, content))
    assert sentence in str(refusal.value)
    assert "Zelda" not in str(refusal.value)


def test_a_compressed_file_is_read_like_the_file_in_it(tmp_path: Path) -> None:
    records = read_records(file(tmp_path, gzip.compress("id;name\n1;Zoë\n".encode("cp1252"))))
    assert (records.table.to_pylist(), records.delimiter) == ([{"id": "1", "name": "Zoë"}], ";")


def test_parquet_types_become_the_texts_an_analyst_means(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    table = pa.table(
        {
            "id": pa.array([10, 11, 12], pa.int64()),
            "number": pa.array([9000000009.0, None, 9000000017.0]),
            "share": pa.array([0.5, None, 2.0]),
            "born": pa.array([date(1961, 2, 3), None, date(1970, 1, 1)]),
            "seen": pa.array([datetime(2026, 1, 2), None, datetime(2026, 1, 3, 4, 5)]),
            "sex": pa.array(["F", "M", "F"]).dictionary_encode(),
            "name": pa.array([b"Ann", b" Bo ", b""], pa.binary()),
            "large": pa.array(["x", "", None], pa.large_string()),
            "lists": pa.array([["a"], [], None]),
        }
    )
    pq.write_table(table, path)
    records = read_records(path)
    assert records.table.to_pylist()[0] == {
        "id": "10",
        "number": "9000000009",
        "share": "0.5",
        "born": "1961-02-03",
        "seen": "2026-01-02",
        "sex": "F",
        "name": "Ann",
        "large": "x",
    }
    assert records.table["name"].to_pylist() == ["Ann", "Bo", None]
    assert records.table["seen"].to_pylist() == ["2026-01-02", None, "2026-01-03"]
    assert records.notes == (
        "people.parquet: column 'lists' holds lists or structures and was left out; flatten it to use it.",
    )


def test_parquet_with_nothing_but_lists_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"lists": pa.array([["a"]])}), tmp_path / "people.parquet")
    with pytest.raises(Refused, match="no column of plain values"):
        read_records(tmp_path / "people.parquet")


def test_a_large_file_takes_the_fast_road_and_loses_nothing(tmp_path: Path) -> None:
    out = io.StringIO()
    out.write("id,name\n")
    out.writelines(f"{n},nom{n % 97}\n" for n in range(50_000))
    records = read_records(file(tmp_path, codecs.BOM_UTF8 + out.getvalue().encode()))
    assert (records.rows, records.table["id"][49_999].as_py()) == (50_000, "49999")


def test_day_numbers_of_a_spreadsheet_are_dates_and_odd_values_stay_text() -> None:
    assert birth_texts(["22315", "33000.0", "9000", "unknown"]) == (["19610203", "19900507", "19240821", "unknown?"], 0)
    assert birth_texts(["1961-02-03", "22315"])[0][0] == "19610203"


def test_a_date_that_far_too_many_records_share_is_missing_however_few_ways_it_is_written() -> None:
    column = pa.chunked_array([["01/01/1970"] * 60 + [f"{n % 28 + 1:02d}/03/19{n % 90 + 10}" for n in range(100)]])
    texts, unlikely = birth_column(column)
    assert (unlikely, texts.null_count) == (60, 60)
