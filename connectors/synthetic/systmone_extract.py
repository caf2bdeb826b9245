"""Collects the rows of the simulated extract night by night and packs each night as one batch.

Rows are compressed as they come, so that only packed data is held; the chance of every defect depends on what is asked
and of what, never on the order of asking.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Final

from connectors.synthetic.defects import DefectLog, log_of, rate
from connectors.synthetic.keys import systmone_row_id
from connectors.synthetic.split_zip import Member, Packer
from connectors.synthetic.systmone_calendar import SECOND_UNIT, Calendar, calendar_of
from connectors.synthetic.systmone_tables import (
    COLUMNS,
    CONTROL_TABLES,
    REFERENCE_TABLES,
    SLOW_LISTS,
    UNDEFINED_BYTES,
    WITHOUT_WINDOW,
    arranged,
    encoded,
    heading,
    line,
    places,
)
from connectors.synthetic.world import World

_EIGHT: Final = struct.Struct(">8I")
_PACKING: Final = 3  # how hard to compress: a quarter more bytes, less than half the time
_LINES_AT_ONCE: Final = 2_000
#: Ids of rows that hang on a patient's record: the record's running number, spread out, plus a base for the table.
_BASES: Final = {table: 1_000_000_000_000 + 20_000_000_000 * place for place, table in enumerate(COLUMNS)} | {
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


def event_row_id(table: str, event_id: int, slot: int = 0) -> int:
    """The `RowIdentifier` of row number `slot` (below 4) of an event of the truth in a table beside its own."""
    return _BASES[table] + 4 * event_id + slot


class Chance:
    """Eight independent numbers that belong to one key."""

    __slots__ = ("_numbers",)

    def __init__(self, seed: int, key: str) -> None:
        drawn = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=32).digest()
        self._numbers: tuple[int, ...] = _EIGHT.unpack(drawn)

    def share(self, slot: int) -> float:
        """A number in [0, 1)."""
        return self._numbers[slot] / 4_294_967_296

    def below(self, slot: int, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return self._numbers[slot] * limit >> 32


_CODE_PATIENT: Final = COLUMNS["SRCode"].index("IDPatient")
Place = tuple[int, str, str]  # night, archive ("" or the unit that joins), table


@dataclass(slots=True)
class Extract:
    """The batches in the making: (night, archive, table) -> packed lines."""

    world: World
    log: DefectLog = field(init=False)
    calendar: Calendar = field(init=False)
    _rates: dict[str, float] = field(default_factory=dict)
    _packers: dict[Place, Packer] = field(default_factory=dict)
    _waiting: dict[Place, list[str]] = field(default_factory=dict)
    _done: dict[Place, Member] = field(default_factory=dict)
    _again: dict[tuple[str, ...], Sequence[str]] = field(default_factory=dict)  # sent twice because windows overlap
    _gone: dict[tuple[str, ...], int] = field(default_factory=dict)  # patient and view -> the night they were removed
    _whole: dict[tuple[str, ...], Sequence[str]] = field(default_factory=dict)  # what a re-bulk of SRCode holds

    def __post_init__(self) -> None:
        self.log = log_of(self.world, "systmone")
        self.calendar = calendar_of(self.world)

    def nights(self) -> range:
        """All nights, the first load included."""
        return range(self.world.nights + 1)

    def chance(self, key: str) -> Chance:
        """The numbers that belong to `key` in this world."""
        return Chance(self.world.seed, f"systmone:{key}")

    def rate(self, defect_id: str) -> float:
        """How often a defect of the catalogue strikes in this world's SystmOne."""
        if (known := self._rates.get(defect_id)) is None:
            known = self._rates[defect_id] = rate(defect_id, "systmone", self.world.quality)
        return known

    def add(self, night: int, table: str, values: Sequence[str]) -> None:
        """Send one row on one night; on another when the calendar says so, or when the layout has no room for it."""
        told: int | None = self.calendar.told(night)
        if values[-1] == "1" and COLUMNS[table][-1] == "RemovedData":
            told = self.calendar.with_removals(told or 0)
        if told is None or told > self.world.nights:
            return
        if table == "SRPatient" and values[-1] == "1":
            self._gone[tuple(values[:2])] = told
        if told > 0:
            if told == self.calendar.overlap:
                self._again.pop((table, *values[:2]), None)
            elif (
                self.calendar.overlap is not None
                and told == self.calendar.overlap - 1
                and table not in REFERENCE_TABLES
            ):
                self._again[(table, *values[:2])] = values
        if table == "SRCode" and self.calendar.rebulk is not None and told <= self.calendar.rebulk:
            self._whole[tuple(values[:2])] = values
        self._put(told, table, values)

    def _put(self, night: int, table: str, values: Sequence[str]) -> None:
        archive = SECOND_UNIT if night == self.calendar.joins and values[1] == SECOND_UNIT else ""
        release = self.calendar.release(night)
        if places(table, release) is not None:
            values = arranged(values, table, release)
        if self.calendar.faults.get(night) == "extra_column" and table == "SRVisit":
            values = (*values, "Stage 2")
        waiting = self._waiting.setdefault((night, archive, table), [])
        waiting.append(line(values))
        if len(waiting) >= _LINES_AT_ONCE:
            self._flush((night, archive, table))

    def damaged(self, text: str, chance: Chance, table: str, row_id: int, column: str) -> str:
        """Text as it really comes: line breaks, commas, smart quotes (D88), bytes of another code (D89)."""
        if not text:
            return text
        if chance.share(7) < self.rate("D88"):
            self.log.add("D88", table, str(row_id), column)
            head, _, tail = text.partition(" ")
            return f"{head}{_DAMAGE[int(chance.share(7) * 1e6) % len(_DAMAGE)]}{tail}"
        rest = 1 - chance.share(7)
        if rest < self.rate("D89a") and table not in ("SRPatient", "SRPatientRegistration"):
            self.log.add("D89", table, str(row_id), column)
            return text + UNDEFINED_BYTES[(0x81, 0x8D, 0x90)[int(rest * 1e7) % 3]]
        if self.rate("D89a") <= rest < self.rate("D89a") + self.rate("D89b"):
            self.log.add("D89", table, str(row_id), column)
            return (text + "\u2019s").encode("utf-8").decode("cp1252")
        return text

    def close_table(self, table: str) -> None:
        """Finish a table on every night; a table with nothing to tell still has its header."""
        for key in [key for key in self._again if key[0] == table]:
            self._put(self.calendar.overlap or 0, table, self._again.pop(key))
        if table == "SRCode" and self.calendar.rebulk is not None:
            night = self.calendar.rebulk
            self._waiting.pop((night, "", table), None)
            for values in self._whole.values():
                is_gone = self._gone.get((values[_CODE_PATIENT], values[1]), night + 1) <= night
                if not is_gone and (night != self.calendar.joins or values[1] != SECOND_UNIT):
                    self._put(night, table, values)
        for night in self.nights():
            for archive in ("", SECOND_UNIT) if night == self.calendar.joins else ("",):
                place = (night, archive, table)
                self._flush(place, mark=night > 0 and self._has_mark(place))
                self._done[place] = self._packers.pop(place).close()

    def close_all(self) -> None:
        """Finish the tables that nobody filled: each comes with its header alone."""
        for table in COLUMNS:
            if table != "SRManifest" and (0, "", table) not in self._done:
                self.close_table(table)

    def members(self, night: int, archive: str) -> list[Member]:
        """The files of one archive, the manifest first; each can be asked for once."""
        tables = [table for table in COLUMNS if (night, archive, table) in self._done]
        if archive:
            tables = [t for t in tables if t in CONTROL_TABLES or t not in (*REFERENCE_TABLES, *SLOW_LISTS)]
        if archive:
            lists = [self._done[night, "", t] for t in CONTROL_TABLES if t != "SRManifest"]
            found = [*lists, *(self._done.pop((night, archive, t)) for t in tables if t not in CONTROL_TABLES)]
        else:
            found = [self._done.pop((night, "", t)) for t in tables]
        listed = [m.name.removesuffix(".csv") for m in found]
        manifest = Packer("SRManifest.csv")
        rows = self._manifest(night, [t for t in listed if t not in CONTROL_TABLES], is_bulk=bool(archive))
        manifest.write(encoded(map(line, rows)))
        return [manifest.close(), *found]

    def cut_off(self, night: int) -> datetime:
        """The upper time limit of a night's window. It drifts; between two and three no clock change can hide it."""
        minute = self.chance(f"cut-off {night}").below(0, 50)
        return datetime.combine(self.world.night_date(night), time(2, minute))

    def _manifest(self, night: int, tables: Iterable[str], is_bulk: bool) -> Iterator[tuple[str, ...]]:
        yield COLUMNS["SRManifest"]
        upper = f"{self.cut_off(night):%Y%m%d_%H%M}"
        for table in tables:
            is_reference = table in REFERENCE_TABLES or table in SLOW_LISTS
            is_delta = night > 0 and table not in REFERENCE_TABLES and not is_bulk
            if table == "SRCode" and night == self.calendar.rebulk:
                is_delta = False
            lower = f"{self.cut_off(self.calendar.before(night)):%Y%m%d_%H%M}" if is_delta else ""
            window = ("", "") if table in WITHOUT_WINDOW else (lower, upper)
            yield table, "Y" if is_delta else "N", "Y" if is_reference else "N", *window

    def _has_mark(self, place: Place) -> bool:
        """Now and then a file begins with a byte-order mark (D89); never one that says anything beyond ASCII."""
        night, archive, table = place
        if place in self._packers or self.chance(f"mark {place}").share(0) >= self.rate("D89c"):
            return False
        if not all(map(str.isascii, self._waiting.get(place, ()))):
            return False
        self.log.add("D89", table, "", "byte-order mark", night)
        return not archive

    def _flush(self, place: Place, mark: bool = False) -> None:
        packer = self._packers.get(place)
        if packer is None:
            night, _, table = place
            packer = self._packers[place] = Packer(f"{table}.csv", _PACKING)
            names = heading(table, self.calendar.release(night))
            if self.calendar.faults.get(night) == "extra_column" and table == "SRVisit":
                names = (*names, "PathwayStage")
            renamed = self.calendar.renamed_from
            if renamed is not None and night >= renamed and table == "SRReferralIn":
                names = tuple("DateOfReferral" if name == "DateReferral" else name for name in names)
            packer.write(b"\xef\xbb\xbf" * mark + encoded([line(names)]))
        if waiting := self._waiting.pop(place, None):
            packer.write(encoded(waiting))
