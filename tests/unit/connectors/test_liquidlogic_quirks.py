"""Every habit of the mart that the sources hand-book (3.6) names is in a simulated council of ordinary size."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from connectors.synthetic import liquidlogic
from connectors.synthetic.generate import build_world
from connectors.synthetic.liquidlogic_mart import mart_kit
from connectors.synthetic.liquidlogic_rows import NO_DATE
from connectors.synthetic.reporting_database import night_rows
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import World

Rows = list[dict[str, Any]]
LAST = 12
NO_END = (None, NO_DATE)


class Mart:
    """The written nights of a council."""

    def __init__(self, world: World, supply: Path) -> None:
        self.world, self._supply = world, supply
        liquidlogic.write(world, supply)

    def rows(self, table: str, night: int = LAST) -> Rows:
        return cast(Rows, night_rows(self._supply, "liquidlogic", night, table).to_pylist())


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory) -> Mart:
    world = build_world(SyntheticSettings.of("wirral_like", nights=LAST, scale=0.4))
    world.quality = 2.0  # the mart's own slips, twice as often
    return Mart(world, tmp_path_factory.mktemp("quirks"))


def _current_homes(mart: Mart) -> Counter[int]:
    return Counter(r["DIM_PERSON_ID"] for r in mart.rows("DIM_PERSON_ADDRESS")
                   if r["ADDSS_TYPE_CODE"] == "HOME" and r["END_DTTM"] in NO_END)  # fmt: skip


def _flagged(mart: Mart) -> bool:
    lost = [r for r in mart.rows("DIM_PERSON") if r["DUPLICATED_DTTM"] not in NO_END]
    return bool(lost) and all(r["DUPLICATE_OF_DIM_PERSON_ID"] != -1 for r in lost)


def _unflagged(mart: Mart) -> bool:
    unmarked = {d.key for d in mart.world.defects if d.defect_id == "D11" and d.system == "liquidlogic"}
    return any(str(r["DIM_PERSON_ID"]) in unmarked and r["DUPLICATED_DTTM"] is None for r in mart.rows("DIM_PERSON"))


def _resident_with_a_home(mart: Mart) -> bool:
    placed = {r["DIM_PERSON_ID"] for r in mart.rows("DIM_PERSON_ADDRESS") if r["ADDSS_TYPE_CODE"] == "PLACEMENT"}
    return bool(placed & _current_homes(mart).keys())


def _client_and_relation(mart: Mart) -> bool:
    clients = {r["DIM_PERSON_ID"] for r in mart.rows("DIM_PERSON") if r["IS_CLIENT"] in ("Y", "YES", "TRUE", "1")}
    return any(r["DIM_RELATED_PERSON_ID"] in clients for r in mart.rows("FACT_PERSON_RELATION"))


def _several_rows_a_worker(mart: Mart) -> bool:
    return max(Counter(r["WORKER_ID_CODE"] for r in mart.rows("DIM_WORKER")).values()) > 1


def _renamed_department(mart: Mart) -> bool:
    before, after = ({r["DIM_DEPARTMENT_ID"]: r["NAME"] for r in mart.rows("DIM_DEPARTMENT", n)} for n in (0, LAST))
    copied = {(r["DIM_DEPARTMENT_ID"], r["DIM_DEPARTMENT_NAME"]) for r in mart.rows("FACT_INVOLVEMENTS")}
    changed = {number for number, name in before.items() if after[number] != name}
    return any((number, before[number]) in copied for number in changed)


def _closed_in_bulk(mart: Mart) -> bool:
    closed = Counter(r["CONCLUDED_DTTM"] for r in mart.rows("FACT_SAFEGUARDING") if r["CONCLUDED_DTTM"] not in NO_END)
    [(_, most)] = closed.most_common(1)
    return most >= 3


def _value(table: str, column: str, test: Callable[[Any], bool]) -> Callable[[Mart], bool]:
    return lambda mart: any(r[column] is not None and test(r[column]) for r in mart.rows(table))


def _first_of_january(mart: Mart) -> bool:
    return any(r["BIRTH_DTTM"] and (r["BIRTH_DTTM"].month, r["BIRTH_DTTM"].day) == (1, 1) and r["DOB_ESTIMATED"] == "N"
               and r["BIRTH_DTTM"].year > 1901 for r in mart.rows("DIM_PERSON"))  # fmt: skip


def _ended_before(mart: Mart) -> bool:
    return any(r["END_DTTM"] not in NO_END and r["END_DTTM"] < r["START_DTTM"]
               for r in mart.rows("FACT_SERVICE_PROVISION"))  # fmt: skip


def _same_day(mart: Mart) -> bool:
    pairs = [(r["CONTACT_DTTM"], r["COMPLETED_DTTM"]) for r in mart.rows("FACT_CONTACTS")]
    pairs += [(r["START_DTTM"], r["END_DTTM"]) for r in mart.rows("FACT_INVOLVEMENTS")]
    return any(start == end for start, end in pairs)


def _home_named(column: str) -> Callable[[Mart], bool]:
    homes = re.compile(r"\b(House|Lodge|Court|Manor|Home|Hall|Grange|Willows|View|Care)\b", re.IGNORECASE)
    return lambda mart: any(homes.search(r[column] or "") for r in mart.rows("DIM_PERSON_ADDRESS")
                            if r["ADDSS_TYPE_CODE"] == "PLACEMENT")  # fmt: skip


QUIRKS: dict[str, Callable[[Mart], bool]] = {
    "duplicates marked with DUPLICATED_DTTM": _flagged,
    "duplicates nobody marked": _unflagged,
    "the text '-1'": _value("DIM_PERSON", "ETHNICITY_MAIN_CODE", lambda v: v == "-1"),
    "two current home addresses": lambda mart: max(_current_homes(mart).values()) > 1,
    "a resident whose home address was never ended": _resident_with_a_home,
    "a care home's name in BUILDING": _home_named("BUILDING"),
    "a care home's name in STREET": _home_named("STREET"),
    "relatives that are clients and related people": _client_and_relation,
    "workers with several rows": _several_rows_a_worker,
    "a department renamed, its old name in the facts": _renamed_department,
    "codes in mixed case": _value("FACT_SERVICE_PROVISION", "SERVICE_COMPONENT_CODE", lambda v: v != v.upper()),
    "old ids with prefixes": _value("DIM_PERSON", "LEGACY_ID", lambda v: v[0].isalpha()),
    "old ids with leading zeros": _value("DIM_PERSON", "LEGACY_ID", lambda v: v.startswith("0")),
    "1 January births called exact": _first_of_january,
    "NHS numbers with spaces or hyphens": _value("DIM_PERSON", "NHS_NUMBER", lambda v: bool(re.search(r"\d[ -]\d", v))),
    "service lines that end before they start": _ended_before,
    "work opened and closed at the same moment": _same_day,
    "safeguarding closed in bulk on one day": _closed_in_bulk,
    "flags that say YES, TRUE or 1": _value("DIM_PERSON", "IS_CLIENT", lambda v: v in ("YES", "TRUE", "1")),
    "no date as 1900-01-01": _value("FACT_REFERRALS", "REFRL_END_DTTM", lambda v: v == datetime(1900, 1, 1)),
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_the_mart_has_this_habit(mart: Mart, quirk: str) -> None:
    assert QUIRKS[quirk](mart), quirk


def test_every_table_of_the_hand_book_holds_rows(mart: Mart) -> None:
    assert [table for table in mart_kit().tables if not mart.rows(table)] == []


def test_ids_of_the_mart_stay_within_its_32_bits_and_are_not_shared_within_a_table(mart: Mart) -> None:
    for table in mart_kit().tables:
        if table != "MART_REFRESH":
            key = next(iter(mart_kit().tables[table]))
            ids = [row[key] for row in mart.rows(table)]
            assert len(set(ids)) == len(ids), table
