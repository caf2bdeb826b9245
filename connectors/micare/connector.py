"""MiCare's door: a folder that receives a folder a night, `yyyymmdd`, of flat files written by a batch job.

Every delivery is a full copy, so what is no longer in it has been deleted, and one that shrinks suspiciously is held.
There is no control file: each file proves itself by its trailer, and the list of codes says when the batch ran.
Deliveries are ordered by that moment, never by folder name or arrival (CTL-15). After dual running MiCare is an archive
that nobody writes to: silence is then as it should be, and a change is not (sources hand-book 6.4).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from connectors.base import DeliveryProblem, LandedDelivery, LandedTable, Past, RawFile, held, refused
from connectors.door import entering
from connectors.file_memory import remembered_hashes
from connectors.landing import hash_of_contents, keep
from connectors.micare.archive import changed_rows, last_batch, note_batch
from connectors.micare.flat_file import has_trailer, read_flat
from connectors.spec import TableSpec, table_specs
from connectors.volumes import compare_volumes
from domain.periods import LONDON, london, now
from domain.profile import Profile, SourceSettings
from domain.run import Finding

SOURCE: Final = "micare"

#: The order in which the batch job writes its files (assumption): a file without trailer is still being written only
#: while nothing comes after it.
BATCH_ORDER: Final = (
    "CLIENT", "ADDRESS", "EPISODE", "ASSESS", "SERVICE", "REVIEW", "ALLOC", "CARER", "NOTEHDR", "CODES",
)  # fmt: skip

#: A last file without trailer that nobody has touched for so long is not being written any more.
QUIET_SECONDS: Final = 15 * 60

_FOLDER: Final = re.compile(r"[0-9]{8}(?:_[0-9]{1,2})?")
_FILE: Final = re.compile(r"MICARE_([A-Z]+)\.TXT")
_RAN: Final = re.compile(rb"(?:^|\n)SYSTEM\tRUN\t([0-9]{8} [0-9]{4})\t")
_CODE_PAGES: Final = ("cp850", "cp1252")
_DEFAULT_PAGES: Final = "NOTEHDR=cp850"


def make(profile: Profile, source: SourceSettings) -> MiCareConnector:
    """The connector of one MiCare source of a profile.

    Options of the source: `inbox`, where the folders arrive (relative to the profile's home); `code_pages`, files in
    another code page than cp1252 (default `NOTEHDR=cp850`); `archive_from`, the day (yyyy-mm-dd) from which MiCare is a
    read-only archive; `shrink_accepted`, folder names (comma between) whose shrinking a person has accepted;
    `volume_accepted` says the same of growing.

    Raises:
        ValueError: an option that means nothing.
    """
    options = source.options
    pages = dict(part.strip().split("=", 1) for part in options.get("code_pages", _DEFAULT_PAGES).split(",") if part)
    if strange := {name for name, page in pages.items() if name not in BATCH_ORDER or page not in _CODE_PAGES}:
        raise ValueError(f"{source.name}: code_pages names {', '.join(sorted(strange))}; it is FILE=cp850 or =cp1252")
    archive = date.fromisoformat(options["archive_from"]) if options.get("archive_from") else None
    told = f"{options.get('shrink_accepted', '')},{options.get('volume_accepted', '')}"
    accepted = frozenset(part.strip() for part in told.split(",") if part.strip())
    known = profile.landing / "known" / source.name
    return MiCareConnector(profile.home / options["inbox"], tuple(sorted(pages.items())), archive, accepted, known)


@dataclass(frozen=True, slots=True)
class MiCareConnector:
    """Looks into the folder where the nights' folders arrive."""

    folder: Path
    code_pages: tuple[tuple[str, str], ...] = (("NOTEHDR", "cp850"),)
    archive_from: date | None = None
    shrink_accepted: frozenset[str] = frozenset()
    known: Path | None = None  # where hashes of nights that lie there unchanged are remembered

    def discover(self, past: Past) -> Iterable[MiCareNight]:
        """The nights in the folder, oldest batch first; those that do not say when they were written come last.

        Raises:
            DeliveryProblem: held, when the folder is not there and MiCare is no archive yet.
        """
        if not self.folder.is_dir():
            if self.is_archive(now().astimezone(LONDON).date()):
                return []
            raise held("NO_FOLDER", f"{SOURCE}: the folder of the deliveries is not there", "check the source's folder")
        found = [p for p in sorted(self.folder.iterdir()) if _FOLDER.fullmatch(p.name) and _is_own_folder(p)]
        return sorted((MiCareNight(self, path) for path in found), key=MiCareNight.place)

    def is_archive(self, day: date) -> bool:
        """Whether MiCare is a read-only archive on that day."""
        return self.archive_from is not None and day >= self.archive_from

    def is_silent(self, past: Past) -> bool:
        """Whether the last batch before the archive was taken: nothing is due any more."""
        if self.archive_from is None or past.last_known_at is None:
            return False
        return past.last_known_at.astimezone(LONDON).date() >= self.archive_from - timedelta(days=1)

    def code_page(self, table: str) -> str:
        """The declared code page of a file: cp1252 unless the profile says otherwise."""
        return dict(self.code_pages).get(table, "cp1252")

    def strangers(self) -> int:
        """How many entries of the folder are no delivery."""
        return sum(not _FOLDER.fullmatch(p.name) or not _is_own_folder(p) for p in self.folder.iterdir())


@dataclass(frozen=True)
class MiCareNight:
    """One folder as it lies there."""

    connector: MiCareConnector
    path: Path

    @property
    def name(self) -> str:
        return f"MICARE_{self.path.name}"

    @cached_property
    def files(self) -> dict[str, Path]:
        """The night's files by table."""
        found = {}
        for path in sorted(self.path.iterdir()):
            match = _FILE.fullmatch(path.name)
            if match is not None and path.is_file() and not path.is_symlink():
                found[match.group(1)] = path
        return found

    @cached_property
    def ran_at(self) -> datetime | None:
        """When the batch ran, as its list of codes says; None when it does not."""
        path = self.files.get("CODES")
        match = _RAN.search(path.read_bytes()) if path else None
        try:
            return london(datetime.strptime(match.group(1).decode(), "%d%m%Y %H%M")) if match else None
        except ValueError:
            return None

    def place(self) -> tuple[bool, str, str]:
        """Where the night stands among others."""
        return (self.ran_at is None, self.ran_at.isoformat() if self.ran_at else "", self.path.name)

    @cached_property
    def _hashes(self) -> dict[str, str]:
        known = self.connector.known
        return remembered_hashes(self.files, known / f"{self.path.name}.json" if known else None)

    def content_hash(self) -> str:
        """A hash over the files' contents, the moment of the batch among them; names do not count (F12, F13)."""
        return hash_of_contents(self._hashes.values())

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Keep the originals, prove every file whole, write one Parquet file for each table.

        Raises:
            DeliveryProblem: held while a file is missing or still being written, or when a table shrank or grew;
                refused when a file is empty, cut off, not in the agreed layout or counted wrongly by its trailer.
        """
        self._prove_finished()
        ran_at = self._moment()
        entering(ran_at)
        folder = area / "tables" / SOURCE / self.content_hash()[:32]
        try:
            landed = [self._table(table, area, folder) for table in BATCH_ORDER]
            newer = past.last_known_at is None or ran_at > past.last_known_at
            if newer and self.path.name not in self.connector.shrink_accepted:
                compare_volumes([table for _, table in landed], past, "micare__client", self.path.name)
        except DeliveryProblem:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        findings = (*self._notes(), *self._archive_findings(folder, ran_at, past))
        note_batch(folder, ran_at, self.content_hash())
        files, tables = zip(*landed, strict=True)
        return LandedDelivery("full", None, ran_at, files, tables, findings)

    def _prove_finished(self) -> None:
        """Held while the batch job may still be at work (F03, F05); refused when it has gone on or stopped (F06)."""
        missing = [table for table in BATCH_ORDER if table not in self.files]
        if missing:
            names = ", ".join(f"MICARE_{table}.TXT" for table in missing)
            raise held(
                "FILE_MISSING",
                f"{self.name}: {names} not here yet",
                "wait for the batch job or ask the supplier; the night loads by itself when it is whole",
            )
        last = self.files[BATCH_ORDER[-1]]
        if not has_trailer(last) and self._may_be_at_work(last):
            raise held(
                "STILL_WRITTEN",
                f"{self.name}: {last.name} has no trailer yet, and it is the last file of the batch",
                "wait; the night loads by itself when the batch job has finished",
            )

    def _moment(self) -> datetime:
        """When the batch ran; a damaged list of codes is named as what it is."""
        if self.ran_at is not None:
            return self.ran_at
        path = self.files["CODES"]
        if path.stat().st_size == 0:
            raise refused("EMPTY_FILE", f"{self.path.name}/{path.name}: empty file")
        if not has_trailer(path):
            at = path.stat().st_size
            raise refused("CUT_OFF", f"{self.path.name}/{path.name}: it ends at byte {at} without its trailer")
        raise refused("NO_RUN_MOMENT", f"{self.name}: {path.name} does not say when the batch ran")

    def _may_be_at_work(self, last: Path) -> bool:
        later = any(p.name > self.path.name for p in self.path.parent.iterdir() if _FOLDER.fullmatch(p.name))
        return not later and now().timestamp() - last.stat().st_mtime < QUIET_SECONDS

    def _table(self, table: str, area: Path, folder: Path) -> tuple[RawFile, LandedTable]:
        path, spec = self.files[table], _spec_of(table)
        name = f"{self.path.name}/{path.name}"  # files are called the same every night
        kept = keep(path, area, name)
        parquet = folder / f"{spec.dataset}.parquet"
        with kept.path.open("rb") as handle:
            read = read_flat(handle, name, spec, self.connector.code_page(table), parquet)
        file = replace(kept, physical_lines=read.physical_lines, records=read.records)
        return file, LandedTable(spec.dataset, name, parquet, read.records, "full", read.findings)

    def _archive_findings(self, folder: Path, ran_at: datetime, past: Past) -> Iterator[Finding]:
        """What differs from the delivery before: nobody writes to an archive."""
        if not self.connector.is_archive(ran_at.astimezone(LONDON).date()):
            return
        before = last_batch(folder.parent, ran_at, past.hashes)
        for dataset, rows in changed_rows(before, folder).items() if before else ():
            yield Finding(
                "ARCHIVE_CHANGED",
                f"{self.name}: {rows} rows of {dataset} are not as they were, and MiCare is a read-only archive",
                "ask who still writes to MiCare; the change was loaded",
            )

    def _notes(self) -> Iterator[Finding]:
        for table in sorted(set(self.files) - set(BATCH_ORDER)):
            yield Finding(
                "UNKNOWN_TABLE",
                f"{self.name}: MICARE_{table}.TXT, a table without specification, was not loaded",
                "review the impact assessment, then write its specification",
            )
        if others := sum(path not in self.files.values() for path in self.path.iterdir()):
            yield Finding("UNEXPECTED_FILE", f"{self.name}: {others} entries are no files of MiCare", "look at them")
        if strangers := self.connector.strangers():
            told = f"{SOURCE}: {strangers} entries of the folder are no deliveries"
            yield Finding("UNEXPECTED_FILE", told, "look at them")


def _spec_of(table: str) -> TableSpec:
    return table_specs(SOURCE)[f"MICARE_{table}"]


def _is_own_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
