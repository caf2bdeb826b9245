"""Odd characters in delimited files: every line counted, the working copy clean, the original as it came."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.base import DeliveryProblem
from connectors.landing import keep
from connectors.reading import Dialect, TableRead, read_table
from connectors.spec import Column, TableSpec

SPEC = TableSpec("T", "carefirst__t", "", ("a",), tuple(Column(n, n, "", True, "") for n in "ab"), None, (), False)


def read(content: bytes, folder: Path, encoding: str = "cp1252") -> tuple[TableRead, list[str]]:
    account = read_table(io.BytesIO(content), "T.csv", Dialect("|", encoding), SPEC, folder / "t.parquet")
    return account, [row["b"] for row in pq.read_table(folder / "t.parquet").to_pylist()]


@pytest.mark.parametrize(
    ("encoding", "sent", "working_copy", "lines", "controls"),
    [
        ("cp1252", b"x\x00y", "xy", 3, 1),
        ("cp1252", b"x\x1b\x07\x0b\x0cy", "xy", 3, 4),
        ("cp1252", b'"x\ry"', "x\ry", 3, 0),
        ("cp1252", b'"x\r\n\ny"', "x\r\n\ny", 5, 0),
        ("utf-8", "x\u2028y\u2029z\u0085".encode(), "x\u2028y\u2029z\u0085", 3, 0),
        ("utf-8", "\ufeffx".encode(), "\ufeffx", 3, 0),
    ],
    ids=["nul", "controls", "lone return", "line breaks", "line separators", "mark inside"],
)
def test_f26_odd_characters_change_no_count_and_the_working_copy_is_clean(
    tmp_path: Path, encoding: str, sent: bytes, working_copy: str, lines: int, controls: int
) -> None:
    content = b"a|b\r\n1|" + sent + b"\r\n2|after\r\n"
    account, values = read(content, tmp_path, encoding)
    assert values == [working_copy, "after"]
    assert (account.records, account.physical_lines) == (2, lines)
    told = [f.message for f in account.findings if f.code == "CONTROL_CHARACTERS"]
    assert told == ([f"T.csv: {controls} control characters were removed from the working copy"] if controls else [])


def test_f26_the_original_is_kept_as_it_came(tmp_path: Path) -> None:
    arrived = tmp_path / "T.csv"
    arrived.write_bytes(b"a|b\r\n1|x\x00\x0b\x81y\r\n")
    assert keep(arrived, tmp_path / "landing").path.read_bytes() == arrived.read_bytes()


def test_f26_a_lone_return_outside_quotes_is_refused_with_its_place_and_not_read_as_a_line(tmp_path: Path) -> None:
    with pytest.raises(DeliveryProblem, match="quoting breaks at line 2, byte"):
        read(b"a|b\r\n1|x\ry\r\n", tmp_path)
    assert not list(tmp_path.iterdir()), "no row of a refused file is kept"
