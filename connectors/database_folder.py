"""The offline way to a reporting database: a folder for each snapshot, one CSV for each table and a control file.

For councils whose database nobody may reach from here. The control file names the tables with their row counts and the
snapshot's moment; it is written last. Files are read whole, in the encoding the source declares (sources 3.2).
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from connectors.base import DeliveryMode, DeliveryProblem, LandedDelivery, LandedTable, NotLiveYet, Past, RawFile, held
from connectors.database_guards import Guards
from connectors.database_snapshot import Plan
from connectors.door import entering, people_first
from connectors.landing import keep, sha256_of
from connectors.reading import Dialect, read_table
from connectors.spec import TableSpec
from domain.periods import LONDON
from domain.run import Finding, RunState

CONTROL: Final = "CONTROL.csv"
CONTROL_HEADER: Final = ("TABLE_NAME", "ROW_COUNT", "REFRESHED_DTTM")
ENCODINGS: Final = ("utf-8", "cp1252")

_AGAIN: Final = "ask for a whole export of one night"


@dataclass(frozen=True, slots=True)
class FolderConnector:
    """Looks into the folder where exports arrive, each in a folder of its own."""

    plan: Plan
    folder: Path
    encoding: str = "utf-8"

    def discover(self, past: Past) -> Iterable[Export]:
        """The exports in the folder, oldest first; those that cannot be placed yet come last.

        Raises:
            DeliveryProblem: held, when the folder is not there.
        """
        if not self.folder.is_dir():
            raise held("NO_FOLDER", f"{self.plan.access.source}: the folder of the exports is not there", "check it")
        exports = [Export(self, path) for path in sorted(self.folder.iterdir()) if path.is_dir()]
        return sorted(exports, key=lambda export: (export.moment is None, str(export.moment), export.path.name))


@dataclass(frozen=True, slots=True)
class Export:
    """One folder of files."""

    connector: FolderConnector
    path: Path

    @property
    def moment(self) -> datetime | None:
        """The snapshot's moment in the database's local time; None while the control file cannot be read."""
        try:
            return _control(self.path)[1]
        except DeliveryProblem:
            return None

    @property
    def name(self) -> str:
        return self.moment.isoformat(timespec="seconds") if self.moment else self.path.name

    def content_hash(self) -> str:
        """A hash over the files' names and contents."""
        found = (f"{path.name} {sha256_of(path)}" for path in sorted(self.path.iterdir()) if path.is_file())
        return hashlib.sha256("\n".join(found).encode()).hexdigest()

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Keep the files, prove the export whole, write one landed table for each file.

        Raises:
            DeliveryProblem: held when the control file or a table is missing, row counts differ, or a volume is far
                from usual; refused when a file is damaged, lacks a mandatory column or carries free text.
        """
        counts, refreshed = _control(self.path)
        plan, moment = self.connector.plan, refreshed.replace(tzinfo=LONDON)
        if plan.live_from is not None and refreshed.date() < plan.live_from:
            what = f"{plan.access.source}: not live before {plan.live_from.isoformat()}"
            raise NotLiveYet(Finding("NOT_LIVE", what, "nothing to do"))
        if missing := [t for t in plan.specs if t not in counts or not (self.path / f"{t}.csv").is_file()]:
            raise held("TABLE_MISSING", f"{self.path.name}: no {', '.join(missing)}", _AGAIN)
        is_old = past.last_known_at is not None and moment <= past.last_known_at
        if not is_old:
            guards = Guards(plan.specs, plan.access.noun, self.name, self.name in plan.accepted)
            guards.compare_volumes(counts, past.last_records, plan.habits.people[0])
        entering(moment)
        mode: DeliveryMode = "bulk" if is_old else "full"
        folder = area / "tables" / plan.access.source / self.content_hash()[:32]
        try:
            landed = [self._read(spec, counts, mode, area, folder) for spec in people_first(plan.specs).values()]
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        files, tables = tuple(file for file, _ in landed), tuple(table for _, table in landed)
        return LandedDelivery(mode, None, moment, files, tables)

    def _read(
        self, spec: TableSpec, counts: Mapping[str, int], mode: DeliveryMode, area: Path, folder: Path
    ) -> tuple[RawFile, LandedTable]:
        path = self.path / f"{spec.table}.csv"
        self._refuse_free_text(path)
        file = keep(path, area)
        parquet = folder / f"{spec.dataset}.parquet"
        with file.path.open("rb") as handle:
            read = read_table(handle, path.name, Dialect(",", self.connector.encoding), spec, parquet)
        if read.records != counts[spec.table]:
            what = f"{path.name}: {read.records} rows, the control file says {counts[spec.table]}"
            raise held("ROW_COUNT", what, _AGAIN)
        expected = self.connector.encoding == "utf-8"  # a mark at the beginning is how such exports are written
        findings = tuple(f for f in read.findings if not (expected and f.code == "BYTE_ORDER_MARK"))
        kept = replace(file, records=read.records, physical_lines=read.physical_lines)
        return kept, LandedTable(spec.dataset, file.name, parquet, read.records, mode, findings)

    def _refuse_free_text(self, path: Path) -> None:
        """What the database path never asks for must not come in through a file either (governance SEN, CHI-4)."""
        habits = self.connector.plan.habits
        free = habits.not_read | ({habits.answers.answer} if habits.answers else set())
        with path.open(encoding=self.connector.encoding, errors="replace", newline="") as handle:
            heading = {name.strip().lstrip("\ufeff") for name in next(csv.reader(handle), [])}
        if found := sorted(free & heading):
            finding = Finding(
                "FREE_TEXT", f"{path.name}: column {', '.join(found)} holds free text", "leave it out of the export"
            )
            raise DeliveryProblem(RunState.REFUSED, finding)


def _control(folder: Path) -> tuple[dict[str, int], datetime]:
    """Rows by table, and the snapshot's moment."""
    path = folder / CONTROL
    if not path.is_file():
        raise held("CONTROL_MISSING", f"{folder.name}: no control file yet", "wait; it is written last")
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            lines = list(csv.DictReader(handle, strict=True))
        counts = {line["TABLE_NAME"].strip(): int(line["ROW_COUNT"]) for line in lines}
        [moment] = {datetime.fromisoformat(line["REFRESHED_DTTM"].strip()) for line in lines}
    except (KeyError, ValueError, AttributeError, csv.Error):
        remedy = f"it has the columns {', '.join(CONTROL_HEADER)} and one moment; {_AGAIN}"
        raise held("CONTROL_UNREADABLE", f"{folder.name}: the control file cannot be used", remedy) from None
    return counts, moment
