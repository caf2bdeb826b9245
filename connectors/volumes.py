"""Whether a source has about as many rows as the last time: in a full copy, what is missing counts as deleted.

Rows that vanish and come back look like deletions and new work to everything downstream, so a volume far from usual
waits for a person (F02, F55). The limits are assumptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from connectors.base import DeliveryProblem, LandedTable, Past
from domain.run import Finding, RunState

#: A table may lose this share of its rows overnight, or this many rows if that is more (small tables).
SHRINK_SHARE: Final = 0.05
SHRINK_ROWS: Final = 20

#: A table of so many rows or more may not lose half of them, however few that is: it was read half filled.
HALVED_FROM: Final = 6

#: A table may grow by this share of its rows, or by this many rows if that is more.
GROWTH_SHARE: Final = 0.5
GROWTH_ROWS: Final = 500


def unusual(
    now: int, before: int, *, is_never_empty: bool, shrink_rows: int = SHRINK_ROWS
) -> Literal["SHRANK", "GREW"] | None:
    """What is unusual about a table of `now` rows that had `before` (0: not known); None for nothing."""
    emptied = now == 0 and (before > 0 or is_never_empty)
    halved = before >= HALVED_FROM and now <= (before + 1) // 2
    if emptied or halved or before - now > max(shrink_rows, SHRINK_SHARE * before):
        return "SHRANK"
    return "GREW" if before and now - before > max(GROWTH_ROWS, GROWTH_SHARE * before) else None


def is_large_delta(rows: int, known: int) -> bool:
    """Whether a delta tells of more rows than a table of `known` rows (0: not known) gains or changes in a night."""
    return bool(known) and rows > max(GROWTH_ROWS, GROWTH_SHARE * known)


def compare_volumes(tables: Iterable[LandedTable], past: Past, never_empty: str, mark: str) -> None:
    """Compare the tables of a delivery with what is known. `mark`: how a person names this delivery to accept it.

    Raises:
        DeliveryProblem: held, SHRANK or GREW: a whole table lost or gained more rows than a night explains, or
            `never_empty` (a dataset) is empty; or a delta tells of more rows than a night explains.
    """
    for table in tables:
        before = past.last_records.get(table.dataset, 0)
        if table.mode == "delta":
            code = "GREW" if is_large_delta(table.records, before) else None
        else:
            code = unusual(table.records, before, is_never_empty=table.dataset == never_empty)
        if code:
            option = "shrink_accepted" if code == "SHRANK" else "volume_accepted"
            told = "changed or new" if table.mode == "delta" else "rows"
            message = f"{table.file_name}: {table.records} {told} after {before}"
            remedy = f"ask the supplier; if it is right, add {mark} to the source's {option}"
            raise DeliveryProblem(RunState.HELD, Finding(code, message, remedy))
