"""Packs each night of the simulated extract as split zips, for the night it arrives on, whole or spoilt.

A faulted delivery (D91) appears in its spoilt form on its own night; the right one follows a night later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from connectors.synthetic.split_zip import Member, Packer, write_split_zip
from connectors.synthetic.systmone_calendar import SECOND_UNIT
from connectors.synthetic.systmone_extract import Extract

# No multiples of 16 KiB: `zip -s 0` (Info-ZIP 3.0) damages an entry that fills a whole part of such a size.
_BULK_PART: Final = 4_000_000
_DELTA_PART: Final = 60_000


def write_deliveries(extract: Extract, supply: Path) -> None:
    """Write every night's deliveries below `supply`/systmone, tables that nobody filled with their header alone."""
    extract.close_all()
    for night in range(extract.world.nights + 2):
        (supply / "systmone" / f"night_{night}").mkdir(parents=True, exist_ok=True)
    for night in extract.nights():
        if night != extract.calendar.skipped:
            deliver(extract, supply / "systmone", night)


def deliver(extract: Extract, supply: Path, night: int) -> None:
    """Write one night's delivery, and its faulted form where the calendar has one, to the nights on which they arrive.

    Each fault of a whole delivery is logged as D91 under the delivery's name.
    """
    calendar, kind = extract.calendar, extract.calendar.faults.get(night)
    stamp = extract.cut_off(night) + timedelta(minutes=9)
    name = f"{stamp:%Y%m%d_%H%M}"
    archives = ["", *([SECOND_UNIT] if night == calendar.joins else [])]
    members = {archive: extract.members(night, archive) for archive in reversed(archives)}
    arrives = supply / f"night_{calendar.arrives(night)}"
    later = f"{stamp + timedelta(days=1, hours=7):%Y%m%d_%H%M}"
    _pack(arrives / (later if calendar.is_redelivered(night) else name), members, night)
    if kind is not None:
        extract.log.add("D91", name, kind, kind, night)
    if kind == "duplicated":
        _pack(arrives / f"{stamp + timedelta(hours=1):%Y%m%d_%H%M}", members, night)
    if kind == "empty":
        hollow = [Packer(m.name).close() if m.name in ("SRPatient.csv", "SRVisit.csv") else m for m in members[""]]
        _pack(supply / f"night_{night}" / name, {"": hollow}, night)
    if kind == "truncated":
        _pack(supply / f"night_{night}" / name, {"": members[""]}, night)
        last = supply / f"night_{night}" / name / "SRExtract.zip"
        last.write_bytes(last.read_bytes()[: -last.stat().st_size // 3])


def _pack(folder: Path, members: Mapping[str, Sequence[Member]], night: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for archive, files in members.items():
        stem = f"SRExtract_{archive}" if archive else "SRExtract"
        write_split_zip(folder, stem, files, _BULK_PART if night == 0 or archive else _DELTA_PART)
