"""The benchmark measures what it says: its bulk is honest SystmOne, typing loses nothing, the page keeps the rest."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.base import Past
from connectors.systmone.connector import SystmOneConnector
from connectors.systmone.settings import SystmOneSettings
from onestory.bench_bulk import TABLES, write_bulk, write_delta
from onestory.bench_reading import Timing, peak_mib, typed
from onestory.bench_report import put, reading_table

PATIENTS = 1_200


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bulk")
    write_bulk(folder, PATIENTS)
    return folder


def test_what_lands_is_what_a_plain_reader_finds_in_the_unzipped_file(bulk: Path) -> None:
    batch = SystmOneConnector(SystmOneSettings(bulk / "inbox" / "systmone")).discover(Past())[0]
    tables = {t.file_name: t for t in batch.land(bulk / "landed", Past()).tables}
    for name in TABLES:
        landed = pq.read_table(tables[f"{name}.csv"].parquet)
        with (bulk / f"{name}.csv").open(encoding="cp1252", newline="") as handle:
            header, *rows = csv.reader(handle)
        assert len(landed) == len(rows) == PATIENTS
        keys = [row[header.index("RowIdentifier")] for row in rows]
        assert landed.column("row_id").to_pylist() == keys
        assert typed(tables[f"{name}.csv"].parquet, name) == PATIENTS
    texts = pq.read_table(tables["SRCode.csv"].parquet).column("ctv3_text").to_pylist()
    assert any("\r\n" in text for text in texts)
    assert any("\u2013" in text for text in texts)


def test_the_delta_tells_one_row_in_a_hundred_again(bulk: Path) -> None:
    delivery = write_delta(bulk, PATIENTS)
    incoming = SystmOneConnector(SystmOneSettings(delivery.parent)).discover(Past())[-1]
    landed = incoming.land(bulk / "again", Past(last_known_at=datetime(2026, 3, 30, 1, 15, tzinfo=UTC)))
    assert landed.mode == "delta"
    assert [t.records for t in landed.tables if t.file_name[:-4] in TABLES] == [PATIENTS // 100] * 2


def test_a_table_replaces_only_its_own_block_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- reading -->\nold\n<!-- end of reading -->\nafter\n", encoding="utf-8")
    one = Timing(2.0, 3.0, 100, 1_000, {"land": 1.5, "type": 0.5})
    drawn = reading_table({"ours": one, "ours, reader alone": one, "DuckDB": Timing(4.0, 4.0, 1, 1_000, {})}, 500)
    assert put("reading", drawn, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- reading -->\n```text\n")
    assert text.endswith("```\n<!-- end of reading -->\nafter\n")
    assert "old" not in text
    assert "2.00" in next(line for line in text.splitlines() if "DuckDB" in line), "half as fast: ours to it is 2"
    assert not put("delta", drawn, page)


def test_the_peak_is_that_of_this_process() -> None:
    assert 20 < peak_mib() < 20_000
