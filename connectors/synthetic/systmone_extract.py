"""Collects the rows of the simulated extract night by night and packs each night as one batch.

Rows are compressed as they come, so that only packed data is held; the chance of every defect depends on what is asked
and of what, never on the order of asking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final

from connectors.synthetic.defects import DefectLog, log_of, rate
from connectors.synthetic.keys import systmone_row_id
from connectors.synthetic.split_zip import Member, Packer, write_split_zip
from connectors.synthetic.systmone_tables import COLUMNS, CONTROL_TABLES, REFERENCE_TABLES, encoded, line
from connectors.synthetic.world import World

_LINES_AT_ONCE: Final = 2_000
# No multiples of 16 KiB: `zip -s 0` (Info-ZIP 3.0) damages an entry that fills a whole part of such a size.
_BULK_PART: Final = 4_000_000
_DELTA_PART: Final = 60_000
#: Ids of rows that hang on a patient's record: the record's running number, spread out, plus a base for the table.
_BASES: Final = {
    "SRPatientRegistration": 61_400_000_000,
    "SRPatientAddressHistory": 62_800_000_000,
    "SRPatientContactDetails": 64_200_000_000,
    "SRCode": 905_000_000_000,
}
_ROWS_EACH: Final = 50
_DAMAGE: Final = ("\r\n", "\n", ", ", "\t", '"', " \u2013 ", "\u2019")


def child_row_id(table: str, patient_row_id: int, slot: int) -> int:
    """The `RowIdentifier` of the row number `slot` (below 50) of a patient in a table."""
    return _BASES[table] + (patient_row_id - systmone_row_id(0)) * _ROWS_EACH + slot


class Chance:
    """Eight independent numbers that belong to one key."""

    __slots__ = ("_bytes",)

    def __init__(self, seed: int, key: str) -> None:
        self._bytes = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=32).digest()

    def share(self, slot: int) -> float:
        """A number in [0, 1)."""
        return int.from_bytes(self._bytes[4 * slot : 4 * slot + 4], "big") / 4_294_967_296

    def below(self, slot: int, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int(self.share(slot) * limit)


@dataclass(slots=True)
class Extract:
    """The batches in the making: (night, table) -> packed lines."""

    world: World
    log: DefectLog = field(init=False)
    _packers: dict[tuple[int, str], Packer] = field(default_factory=dict)
    _waiting: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    _done: dict[tuple[int, str], Member] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log = log_of(self.world, "systmone")

    def nights(self) -> range:
        """All nights, the first load included."""
        return range(self.world.nights + 1)

    def chance(self, key: str) -> Chance:
        """The numbers that belong to `key` in this world."""
        return Chance(self.world.seed, f"systmone:{key}")

    def rate(self, defect_id: str) -> float:
        """How often a defect of the catalogue strikes in this world's SystmOne."""
        return rate(defect_id, "systmone", self.world.quality)

    def add(self, night: int, table: str, values: Sequence[str]) -> None:
        """Send one row on one night."""
        waiting = self._waiting.setdefault((night, table), [])
        waiting.append(line(values))
        if len(waiting) >= _LINES_AT_ONCE:
            self._flush(night, table)

    def damaged(self, text: str, chance: Chance, table: str, row_id: int, column: str) -> str:
        """Free text as it really comes: now and then with line breaks, commas, quotes or smart punctuation (D88)."""
        if not text or chance.share(7) >= self.rate("D88"):
            return text
        self.log.add("D88", table, str(row_id), column)
        head, _, tail = text.partition(" ")
        return f"{head}{_DAMAGE[int(chance.share(7) * 1e6) % len(_DAMAGE)]}{tail}"

    def close_table(self, table: str) -> None:
        """Finish a table on every night; a table with nothing to tell still has its header."""
        for night in self.nights():
            self._flush(night, table)
            self._done[night, table] = self._packers.pop((night, table)).close()

    def write(self, supply: Path) -> None:
        """Write every night's batch below `supply`/systmone. All tables must be closed."""
        for night in self.nights():
            folder = (
                supply / "systmone" / f"night_{night}" / f"{self.cut_off(night) + timedelta(minutes=9):%Y%m%d_%H%M}"
            )
            folder.mkdir(parents=True, exist_ok=True)
            members = [self._done.pop((night, table)) for table in COLUMNS if table != "SRManifest"]
            listed = [member.name.removesuffix(".csv") for member in members]
            manifest = Packer("SRManifest.csv")
            manifest.write(encoded(map(line, self._manifest(night, [t for t in listed if t not in CONTROL_TABLES]))))
            write_split_zip(
                folder, "SRExtract", [manifest.close(), *members], _BULK_PART if night == 0 else _DELTA_PART
            )

    def cut_off(self, night: int) -> datetime:
        """The upper time limit of a night's window. It drifts; between two and three no clock change can hide it."""
        minute = self.chance(f"cut-off {night}").below(0, 50)
        return datetime.combine(self.world.night_date(night), time(2, minute))

    def _manifest(self, night: int, tables: Iterable[str]) -> Iterator[tuple[str, ...]]:
        yield COLUMNS["SRManifest"]
        upper = f"{self.cut_off(night):%Y%m%d_%H%M}"
        for table in tables:
            is_reference = table in REFERENCE_TABLES
            is_delta = night > 0 and not is_reference
            lower = f"{self.cut_off(night - 1):%Y%m%d_%H%M}" if is_delta else ""
            yield table, "Y" if is_delta else "N", "Y" if is_reference else "N", lower, upper

    def _flush(self, night: int, table: str) -> None:
        packer = self._packers.get((night, table))
        if packer is None:
            packer = self._packers[night, table] = Packer(f"{table}.csv")
            packer.write(encoded([line(COLUMNS[table])]))
        if waiting := self._waiting.pop((night, table), None):
            packer.write(encoded(waiting))
