"""A county of three small parts: nothing of one part in another, every door's files whole, memory that of one part."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from connectors.base import Connector, Incoming, LandedTable, Past
from connectors.carefirst.connector import CareFirstConnector
from connectors.micare.connector import MiCareConnector
from connectors.spec import table_specs
from connectors.synthetic import carefirst, micare, systmone
from connectors.synthetic.county import county_settings, parts_of, write_county
from connectors.synthetic.keys import RECORDS_EACH
from connectors.synthetic.liquidlogic_tables import mart_tables
from connectors.synthetic.nhs_numbers import NumberBook, is_valid
from connectors.systmone.connector import SystmOneConnector
from connectors.systmone.settings import SystmOneSettings
from domain.identifiers import parse_nhs_number

SMALL = replace(county_settings(nights=1), patients=360, care_clients=90)
PARTS = 3


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("county")
    write_county(out, SMALL, patients_each=120, workers=0)
    return out


@pytest.fixture(scope="module")
def landed(county: Path) -> dict[str, list[LandedTable]]:
    """The tables of each file supplier's first load, read by its own connector."""
    inbox = county / "inbox"
    for door in (systmone, carefirst, micare):
        door.release(county / "supply", 0, inbox)
    connectors: dict[str, Connector] = {
        "systmone": SystmOneConnector(SystmOneSettings(inbox / "systmone")),
        "carefirst": CareFirstConnector(inbox / "carefirst"),
        "micare": MiCareConnector(inbox / "micare"),
    }
    tables = {}
    for name, connector in connectors.items():
        incoming: Incoming = next(iter(connector.discover(Past())))
        tables[name] = list(incoming.land(county / "landed", Past()).tables)
    return tables


def keys_of(table: LandedTable, source: str) -> list[str]:
    spec = next(s for s in table_specs(source).values() if s.dataset == table.dataset)
    read = pq.read_table(table.parquet, columns=list(spec.key))
    joined: list[str] = pc.binary_join_element_wise(*(pc.fill_null(c, "") for c in read.columns), "|").to_pylist()
    return joined


def truth(county: Path, name: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(county / "truth" / f"{name}.parquet").to_pylist()
    return rows


def test_the_parts_add_up_to_the_county() -> None:
    parts = parts_of(county_settings())
    assert len(parts) == 50
    assert sum(p.patient_count for p in parts) == 1_000_000
    assert sum(p.care_client_count for p in parts) == 100_000
    assert len({p.seed for p in parts}) == len(parts)


def test_no_two_parts_share_a_number_a_person_or_a_key(county: Path) -> None:
    people, records = truth(county, "person"), truth(county, "appearance")
    for told in ([p["person_id"] for p in people], [(r["system"], r["key"]) for r in records],
                 [(e["system"], e["event_key"]) for e in truth(county, "event") if e["copy_of"] is None]):  # fmt: skip
        assert len(told) == len(set(told))
    numbers = [str(p["nhs_number"]) for p in people]
    assert len(numbers) == len(set(numbers))
    assert all(parse_nhs_number(n, allow_test_range=True).number == n for n in numbers if not n.startswith("9994"))
    blocks = Counter(n[:3] for n in numbers)
    assert set(blocks) == {"999", "998", "997"}, "every part has a block of its own"
    by_part = Counter((int(str(p["person_id"])) - 1) // RECORDS_EACH for p in people)
    assert sorted(by_part) == [0, 1, 2]


def test_who_is_told_to_be_related_is_in_the_same_part(county: Path) -> None:
    caring = truth(county, "caring")
    assert caring
    for row in caring:
        ids = [int(str(row[name])) - 1 for name in ("carer_person_id", "cared_for_person_id")]
        assert ids[0] // RECORDS_EACH == ids[1] // RECORDS_EACH


def test_all_four_formats_hold_all_parts(county: Path, landed: dict[str, list[LandedTable]]) -> None:
    records = truth(county, "appearance")
    assert {r["system"] for r in records} == {"systmone", "carefirst", "micare", "liquidlogic"}
    first = {
        "systmone": ("systmone__patient", "systmone"), "carefirst": ("carefirst__person", "carefirst"),
        "micare": ("micare__client", "micare"),
    }  # fmt: skip
    for source, (dataset, system) in first.items():
        table = next(t for t in landed[source] if t.dataset == dataset)
        expected = sum(1 for r in records if r["system"] == system and r["recorded_night"] == 0)
        assert abs(table.records - expected) <= 0.02 * expected, (source, table.records, expected)
    mart = pq.read_table(county / "supply/liquidlogic/live/DIM_PERSON.parquet", columns=["_first"])
    assert len(mart) >= sum(1 for r in records if r["system"] == "liquidlogic" and r["recorded_night"] == 0) * 0.98


def test_no_key_comes_twice_in_a_table_of_the_county_that_does_not_in_a_part(
    landed: dict[str, list[LandedTable]],
) -> None:
    for source, tables in landed.items():
        for table in tables:
            if table.records and (keys := keys_of(table, source)):
                twice = len(keys) - len(set(keys))
                assert twice <= 0.03 * len(keys), f"{table.dataset}: {twice} of {len(keys)} keys come twice"


def test_the_mart_holds_every_row_of_a_night_once(county: Path) -> None:
    for name in mart_tables():
        table = pq.read_table(county / "supply/liquidlogic/live" / f"{name}.parquet")
        first = table.column_names[0]
        spans = list(zip(table.column(first).to_pylist(), table.column("_first").to_pylist(), strict=True))
        if first.endswith("_ID") and name not in ("DIM_LOOKUP",):
            assert len(spans) - len(set(spans)) <= 0.03 * len(spans), name


def test_numbers_of_a_later_part_are_valid_and_of_its_own_block() -> None:
    books = [NumberBook(7, shard) for shard in (0, 1, 12, 98)]
    issued = [[book.issue() for _ in range(400)] for book in books]
    assert [{n[:3] for n in part} for part in issued] == [{"999"}, {"998"}, {"987"}, {"901"}]
    assert all(is_valid(n) for part in issued for n in part)
    with pytest.raises(ValueError, match="99 parts"):
        NumberBook(7, 99)


_MEASURE = """
import sys
from dataclasses import replace
from pathlib import Path
from connectors.synthetic.county import county_settings, write_county
parts = int(sys.argv[1])
settings = replace(county_settings(nights=1), patients=100 * parts, care_clients=25 * parts)
write_county(Path(sys.argv[2]), settings, patients_each=100, workers=0)
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
"""


def test_three_times_the_parts_need_no_more_memory(tmp_path: Path) -> None:
    def peak(parts: int) -> int:
        told = subprocess.run(
            [sys.executable, "-c", _MEASURE, str(parts), str(tmp_path / str(parts))],
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return int(told.stdout.splitlines()[-1]) // 1024

    assert peak(6) <= peak(2) + 40, "MiB"
