"""Whether a full copy of CareFirst has about as many rows as the one before: what is missing counts as deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connectors.base import DeliveryProblem, LandedTable, Past
from connectors.spec import table_specs
from domain.run import Finding, RunState

#: A table may lose this share of its rows overnight, or this many rows if that is more (small tables).
SHRINK_SHARE: Final = 0.05
SHRINK_ROWS: Final = 20

#: A table may grow by this share of its rows, or by this many rows if that is more.
GROWTH_SHARE: Final = 0.5
GROWTH_ROWS: Final = 500

_NEVER_EMPTY: Final = frozenset({"CF_PERSON"})


def compare_volumes(tables: Iterable[LandedTable], past: Past, stamp: str) -> None:
    """Compare the tables of the copy of day `stamp` (yyyymmdd) with what is known.

    Raises:
        DeliveryProblem: held, SHRANK or GREW: a table lost or gained more rows than a night explains (F02, F55).
    """
    names = {spec.dataset: spec.table for spec in table_specs("carefirst").values()}
    for table in tables:
        before = past.last_records.get(table.dataset, 0)
        lost = before - table.records
        emptied = table.records == 0 and (before > 0 or names[table.dataset] in _NEVER_EMPTY)
        if emptied or lost > max(SHRINK_ROWS, SHRINK_SHARE * before):
            raise _held("SHRANK", table, before, f"add {stamp} to the source's shrink_accepted")
        if before and -lost > max(GROWTH_ROWS, GROWTH_SHARE * before):
            raise _held("GREW", table, before, f"add {stamp} to the source's volume_accepted")


def _held(code: str, table: LandedTable, before: int, how: str) -> DeliveryProblem:
    message = f"{table.file_name}: {table.records} rows after {before}"
    return DeliveryProblem(RunState.HELD, Finding(code, message, f"ask the supplier; if it is right, {how}"))
