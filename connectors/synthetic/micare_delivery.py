"""Which files arrive on which night: the rows kept once are rendered when their night is released, faults included.

Each fault of D91 is made good on the next night, but for a renamed column, which stays renamed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, cast

from connectors.synthetic.micare_file import Dump, rendered
from connectors.synthetic.micare_tables import BATCH_ORDER, COLUMNS
from connectors.synthetic.world import FileFaultKind

_PLAN: Final = "deliveries.json"
_RAN_AT: Final = "0205"
#: The table a fault strikes.
EMPTY_TABLE: Final = "CLIENT"
CUT_TABLE: Final = "EPISODE"
EXTRA_COLUMN: Final = ("SERVICE", "BAND_CODE")
RENAMED_COLUMN: Final = ("CLIENT", "NHS_NO", "NHS_NUMBER")
_MADE_GOOD_NEXT: Final = ("missing", "empty", "truncated")


@dataclass(slots=True)
class Deliveries:
    """The calendar of the deliveries; `marked` are the files that carry a byte-order mark by accident."""

    first_night: date
    last: int
    faults: dict[int, FileFaultKind]
    marked: dict[int, list[str]]

    def stamp(self, night: int) -> str:
        """The folder's name."""
        return f"{self.first_night + timedelta(days=night):%Y%m%d}"

    def name(self, night: int) -> str:
        """The delivery's name, as the ledger calls it."""
        return f"MICARE_{self.stamp(night)}"

    def release(self, supply: Path, night: int, inbox: Path) -> None:
        """Let arrive what arrives on that night."""
        fault, before = self.faults.get(night), self.faults.get(night - 1)
        is_last_word = night == self.last + 1  # a fault of the last night is still made good
        if before in _MADE_GOOD_NEXT and night <= self.last + 1:
            self._put(supply, night - 1, inbox / self.stamp(night - 1))
        if night <= self.last and fault not in ("missing", "out_of_order"):
            self._put(supply, night, inbox / self.stamp(night), fault)
            if fault == "duplicated":
                self._put(supply, night, inbox / f"{self.stamp(night)}_2")
        if before == "out_of_order" and (night <= self.last or is_last_word):
            self._put(supply, night - 1, inbox / f"{self.stamp(night)}_2")

    def _put(self, supply: Path, night: int, folder: Path, fault: FileFaultKind | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        renamed = any(kind == "renamed_column" and since <= night for since, kind in self.faults.items())
        for table in BATCH_ORDER:
            lines, header = list(self._lines(supply, table, night)), list(COLUMNS[table])
            if fault == "extra_column" and table == EXTRA_COLUMN[0]:
                header.append(EXTRA_COLUMN[1])
                lines = [f"{line}\t{'AB'[place % 2]}" for place, line in enumerate(lines)]
            if renamed and table == RENAMED_COLUMN[0]:
                header[header.index(RENAMED_COLUMN[1])] = RENAMED_COLUMN[2]
            content = rendered(table, header, lines, byte_order_mark=table in self.marked.get(night, ()))
            if fault == "empty" and table == EMPTY_TABLE:
                content = b""
            if fault == "truncated" and table == CUT_TABLE:
                content = content[: content.rindex(b"\r\n", 0, len(content) * 2 // 3) + 9]
            unfinished = folder / f".MICARE_{table}.TXT"
            unfinished.write_bytes(content)
            unfinished.replace(folder / f"MICARE_{table}.TXT")

    def _lines(self, supply: Path, table: str, night: int) -> Iterator[str]:
        with (supply / f"{table}.rows").open(encoding="utf-8", newline="\n") as rows:
            for row in rows:
                first, until, line = row.removesuffix("\n").split("\t", 2)
                if int(first) <= night < int(until):
                    yield line
        if table == "CODES":
            yield f"SYSTEM\tRUN\t{self.first_night + timedelta(days=night):%d%m%Y} {_RAN_AT}\tY"


def keep_supply(supply: Path, deliveries: Deliveries, dump: Dump) -> None:
    """Keep all rows and the calendar below `supply`."""
    supply.mkdir(parents=True, exist_ok=True)
    for table, rows in dump.rows.items():
        with (supply / f"{table}.rows").open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(f"{first}\t{until}\t{line}\n" for first, until, line in rows)
    plan = {
        "first_night": deliveries.first_night.isoformat(),
        "last": deliveries.last,
        "faults": deliveries.faults,
        "marked": deliveries.marked,
    }
    (supply / _PLAN).write_text(json.dumps(plan), encoding="utf-8")


def load_supply(supply: Path) -> Deliveries:
    """The calendar kept below `supply`; raises `FileNotFoundError` when there is none."""
    plan = json.loads((supply / _PLAN).read_text(encoding="utf-8"))
    faults = {int(night): cast(FileFaultKind, kind) for night, kind in plan["faults"].items()}
    marked = {int(night): list(tables) for night, tables in plan["marked"].items()}
    return Deliveries(date.fromisoformat(plan["first_night"]), int(plan["last"]), faults, marked)
