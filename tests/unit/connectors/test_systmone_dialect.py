"""The fast proof of the dialect against a slow, obvious reader: never another row, never another refusal."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.ahead import ahead
from connectors.base import DeliveryProblem
from connectors.spec import Column, TableSpec
from connectors.systmone import strict_csv
from connectors.systmone.dialect import Dialect
from connectors.systmone.strict_csv import StrictRead, read_table
from connectors.systmone.tidy import ENCODING, tidied

SPEC = TableSpec("T", "systmone__t", "", ("a",), tuple(Column(n, n, "", True, "") for n in "abc"), None, (), False)
HEADER = b'"a","b","c"'
FIELDS = st.text(st.sampled_from('a,"\r\n\u2019\t \x00'), max_size=5)
ROWS = st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=5)
SLIPS = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(["drop", "put"]), st.sampled_from(list(b'",\r\na\x81\xe9\0;'))),
    max_size=2,
)
EACH = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def slow_records(content: bytes, line_end: bytes) -> list[list[bytes]] | None:
    """Every record, read byte by byte; None when the content is not wholly in the dialect."""
    records, fields, place = [], [], 0
    while place < len(content):
        if content[place] != 0x22:
            return None
        value, place = bytearray(), place + 1
        while True:
            if place >= len(content):
                return None
            if content[place] != 0x22:
                value.append(content[place])
                place += 1
            elif content[place + 1 : place + 2] == b'"':
                value.append(0x22)
                place += 2
            else:
                place += 1
                break
        fields.append(bytes(value))
        separator = line_end if len(fields) == 3 else b","
        if not content.startswith(separator, place):
            return None
        place += len(separator)
        if len(fields) == 3:
            records.append(fields)
            fields = []
    return None if fields else records


def slow_text(value: bytes) -> str:
    return "".join(bytes((c,)).decode(ENCODING, "replace") for c in value if c >= 32 or c in b"\t\r\n")


def written(rows: list[tuple[str, str, str]], line_end: bytes) -> bytes:
    quoted = (",".join('"' + value.replace('"', '""') + '"' for value in row).encode(ENCODING) for row in rows)
    return b"".join(row + line_end for row in quoted)


def with_slips(content: bytes, slips: list[tuple[int, str, int]]) -> bytes:
    for place, kind, code in slips:
        place %= len(content) + 1
        content = content[:place] + (bytes((code,)) if kind == "put" else b"") + content[place + (kind == "drop") :]
    return content


def outcome(content: bytes, out: Path, line_end: bytes) -> tuple[StrictRead, list[dict[str, Any]]] | str:
    try:
        read = read_table(io.BytesIO(content), "T.csv", SPEC, out / "t.parquet", line_end.decode())
    except DeliveryProblem as problem:
        return str(problem)
    return read, pq.read_table(out / "t.parquet").to_pylist()


@EACH
@given(rows=ROWS, slips=SLIPS, chunk=st.integers(1, 90), line_end=st.sampled_from([b"\r\n", b"\n"]))
@pytest.mark.property
def test_a_slow_obvious_reader_reads_the_same_rows_or_refuses_too(
    tmp_path: Path, rows: list[tuple[str, str, str]], slips: list[tuple[int, str, int]], chunk: int, line_end: bytes
) -> None:
    records = with_slips(written(rows, line_end), slips)
    content, expected = HEADER + line_end + records, slow_records(records, line_end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_csv, "_CHUNK", chunk)
        fast = outcome(content, tmp_path, line_end)
        patch.setattr(Dialect, "vouched", lambda self, buffer: None)
        assert outcome(content, tmp_path, line_end) == fast, "the walk alone says the same, byte positions included"
    if expected is None:
        assert isinstance(fast, str)
        assert fast.startswith(("CUT_OFF", "WRONG_DIALECT"))
        return
    assert not isinstance(fast, str), fast
    read, found = fast
    assert [(r["a"], r["b"], r["c"]) for r in found] == [tuple(map(slow_text, record)) for record in expected]
    assert (read.records, read.physical_lines) == (len(expected), content.count(b"\n"))


@EACH
@given(rows=ROWS, slips=SLIPS, line_end=st.sampled_from([b"\r\n", b"\n"]))
@pytest.mark.property
def test_what_is_vouched_for_is_what_the_walk_finds(
    rows: list[tuple[str, str, str]], slips: list[tuple[int, str, int]], line_end: bytes
) -> None:
    dialect, content = Dialect("T.csv", 3, line_end), with_slips(written(rows, line_end), slips)
    vouched = dialect.vouched(content)
    if vouched is None:
        assert slips, "a file without a slip never needs the walk"
    else:
        assert dialect._walked(content, 0) == vouched


@given(
    st.binary(max_size=60)
    | st.text(st.sampled_from("abc \u2019\u20ac\xe9"), max_size=400).map(lambda t: t.encode(ENCODING))
)
@pytest.mark.property
def test_every_byte_becomes_its_character_or_is_counted(block: bytes) -> None:
    text = tidied(block)
    assert bytes(text.content).decode() == slow_text(block)
    assert text.controls == sum(code < 32 and code not in b"\t\r\n" for code in block)
    assert text.undecodable == bytes(text.content).decode().count("\ufffd")
    assert text.is_ascii == all(code < 128 for code in block)


def test_what_goes_wrong_ahead_is_raised_where_its_item_would_have_come() -> None:
    def items() -> Any:
        yield 1
        yield 2
        raise ValueError("third")

    made = ahead(items())
    assert [next(made), next(made)] == [1, 2]
    with pytest.raises(ValueError, match="third"):
        next(made)


def test_closing_a_read_ahead_stops_its_thread_and_its_source() -> None:
    closed = []

    def items() -> Any:
        try:
            yield from range(1_000_000)
        finally:
            closed.append(True)

    before, made = threading.active_count(), ahead(items(), depth=2)
    assert next(made) == 0
    made.close()
    assert closed == [True]
    assert threading.active_count() == before
