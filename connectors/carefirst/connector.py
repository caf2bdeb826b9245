"""CareFirst's door: a folder that receives a full dump every night, one pipe-delimited file for each table.

A dump is taken when its control file is there and every file it names is there, of the right hash, whole, and of the
right number of rows. It is a full copy, so what is no longer in it has been deleted; a dump that shrinks suspiciously
is therefore held. Dumps are ordered by their extract moment, never by arrival (CTL-15).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from connectors.base import DeliveryProblem, LandedDelivery, LandedTable, Past, RawFile, held, refused
from connectors.carefirst.control import CONTROL_TABLE, FILE_NAME, Control, ControlEntry, read_control
from connectors.carefirst.database import SCHEMA, CareFirstDatabase
from connectors.database_options import access_of
from connectors.door import entering, people_first
from connectors.landing import hash_of_contents, keep, sha256_of
from connectors.reading import Dialect, read_table
from connectors.spec import TableSpec, table_specs
from connectors.volumes import compare_volumes
from domain.profile import Profile, SourceSettings
from domain.run import Finding, RunState

SOURCE: Final = "carefirst"
DIALECT: Final = Dialect(delimiter="|", encoding="cp1252")


def make(profile: Profile, source: SourceSettings) -> CareFirstConnector | CareFirstDatabase:
    """The connector of one CareFirst source of a profile.

    Options of the source: `inbox`, where dumps arrive (relative to the profile's home); `shrink_accepted`, extract
    dates (yyyymmdd, comma between) whose shrinking a person has looked at and accepted; `volume_accepted` says the same
    of a dump that grew. With `url` (address of the Oracle reporting account, without password; `schema`, `owner` and
    the others of `database_options`) the tables are read by SQL instead.
    """
    told = ",".join(source.options.get(name, "") for name in ("shrink_accepted", "volume_accepted"))
    accepted = frozenset(part.strip() for part in told.split(",") if part.strip())
    if "url" in source.options:
        return CareFirstDatabase(access_of(profile, source, SCHEMA, "the CareFirst reporting account"), accepted)
    return CareFirstConnector(profile.home / source.options["inbox"], accepted)


@dataclass(frozen=True, slots=True)
class CareFirstConnector:
    """Looks into the folder where the dumps arrive."""

    folder: Path
    shrink_accepted: frozenset[str] = frozenset()

    def discover(self, past: Past) -> Iterable[CareFirstDump]:
        """The dumps in the folder, oldest extract first; those whose control file is missing or unreadable come last.

        Raises:
            DeliveryProblem: held, when the folder is not there.
        """
        if not self.folder.is_dir():
            finding = Finding(
                "NO_FOLDER", f"{SOURCE}: the folder of the dumps is not there", "check the source's folder"
            )
            raise DeliveryProblem(RunState.HELD, finding)
        stamped: dict[str, list[Path]] = {}
        for path in sorted(self.folder.iterdir()):
            match = FILE_NAME.fullmatch(path.name)
            if match is not None and path.is_file() and not path.is_symlink():
                stamped.setdefault(match.group(2), []).append(path)
        dumps = [CareFirstDump(self, stamp, tuple(paths)) for stamp, paths in stamped.items()]
        return sorted(dumps, key=CareFirstDump.place)

    def strangers(self) -> int:
        """How many entries of the folder are not files of a dump."""
        return sum(1 for path in self.folder.iterdir() if not FILE_NAME.fullmatch(path.name) or not path.is_file())


@dataclass(frozen=True)
class CareFirstDump:
    """All files of one extract date as they lie in the folder."""

    connector: CareFirstConnector
    stamp: str
    paths: tuple[Path, ...]

    @property
    def name(self) -> str:
        return f"CF_{self.stamp}"

    @cached_property
    def control(self) -> Control | DeliveryProblem:
        """What the control file says, or why it cannot be used."""
        for path in self.paths:
            if path.name == f"{CONTROL_TABLE}_{self.stamp}.csv":
                try:
                    return read_control(path.read_bytes(), path.name)
                except DeliveryProblem as problem:
                    return problem
        return held(
            "CONTROL_MISSING",
            f"{self.name}: {len(self.paths)} files, but no control file yet",
            "wait; if the night is over, ask the supplier for the control file",
        )

    def place(self) -> tuple[bool, str, str]:
        """Where the dump stands among others: by the moment its extract ended."""
        if isinstance(self.control, DeliveryProblem):
            return (True, "", self.stamp)
        return (False, self.control.extract_end.isoformat(), self.stamp)

    def content_hash(self) -> str:
        """A hash over the files' contents and the extract's moments; names do not count (F12, F13).

        Without a usable control file it is a hash over whatever is there.
        """
        if isinstance(self.control, DeliveryProblem):
            return hash_of_contents([self.control.finding.code, *(sha256_of(path) for path in self.paths)])
        moments = f"{self.control.extract_start.isoformat()} {self.control.extract_end.isoformat()}"
        named = {entry.file_name for entry in self.control.entries}
        present = [sha256_of(path) for path in self.paths if path.name in named]
        return hash_of_contents([hashlib.sha256(moments.encode()).hexdigest(), *present])

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Keep the originals, prove the dump whole, write one Parquet file for each table.

        Raises:
            DeliveryProblem: held when a file is still missing or a table shrank too much; refused when a file is empty,
                cut off, not in the declared dialect, of another hash or of another number of rows than declared.
        """
        if isinstance(self.control, DeliveryProblem):
            raise self.control
        control = self.control
        by_name = {path.name: path for path in self.paths}
        entries = dict(self._entries(control, by_name))
        folder = area / "tables" / SOURCE / self.content_hash()[:32]
        entering(control.extract_end)
        try:
            landed = [self._table(by_name[e.file_name], e, spec, area, folder) for spec, e in entries.items()]
            newer = past.last_known_at is None or control.extract_end > past.last_known_at
            if newer and self.stamp not in self.connector.shrink_accepted:
                compare_volumes([table for _, table in landed], past, "carefirst__person", self.stamp)
        except DeliveryProblem:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        own = keep(by_name[control.name], area)
        kept = sorted((file for file, _ in landed), key=lambda file: file.name)
        files = (*kept, replace(own, records=len(control.entries)))
        tables = tuple(table for _, table in landed)
        return LandedDelivery("full", None, control.extract_end, files, tables, tuple(self._notes(control, by_name)))

    def _entries(self, control: Control, by_name: dict[str, Path]) -> Iterator[tuple[TableSpec, ControlEntry]]:
        """Each table of the specification with its entry in the control file; held unless all files are there (F03)."""
        absent = [entry.file_name for entry in control.entries if entry.file_name not in by_name]
        if absent:
            raise held(
                "FILE_MISSING",
                f"{self.name}: {', '.join(absent)} is named by {control.name} and not here",
                "wait for it or ask the supplier; the dump loads by itself when it arrives",
            )
        named = {entry.table: entry for entry in control.entries}
        specs = table_specs(SOURCE)
        unnamed = [table for table in specs if table not in named]
        if unnamed:
            raise held(
                "TABLE_MISSING",
                f"{self.name}: {control.name} names no file for {', '.join(unnamed)}",
                "ask the supplier for a whole dump: it would end every row of the table",
            )
        for table, spec in people_first(specs).items():
            yield spec, named[table]

    def _table(
        self, path: Path, entry: ControlEntry, spec: TableSpec, area: Path, folder: Path
    ) -> tuple[RawFile, LandedTable]:
        kept = keep(path, area)
        parquet = folder / f"{spec.dataset}.parquet"
        # A damaged file is named as such; one that reads well and still has another hash was changed on the way (F11).
        with kept.path.open("rb") as handle:
            read = read_table(handle, path.name, DIALECT, spec, parquet)
        if entry.sha256 and entry.sha256 != kept.sha256:
            raise refused(
                "HASH_DIFFERS",
                f"{path.name}: not the file the control file describes (SHA-256 differs)",
                "treat it as a security event: tell the information security lead first",
            )
        if read.records != entry.rows:
            raise refused(
                "ROW_COUNT_DIFFERS",
                f"{path.name}: {read.records} rows, the control file says {entry.rows}",
            )
        file = replace(kept, physical_lines=read.physical_lines, records=read.records)
        return file, LandedTable(spec.dataset, path.name, parquet, read.records, "full", read.findings)

    def _notes(self, control: Control, by_name: dict[str, Path]) -> Iterator[Finding]:
        specs = table_specs(SOURCE)
        for entry in control.entries:
            if entry.table not in specs:
                yield Finding(
                    "UNKNOWN_TABLE",
                    f"{entry.file_name}: a table without specification was not loaded",
                    "review the impact assessment, then write its specification",
                )
        for name in sorted(set(by_name) - {entry.file_name for entry in control.entries} - {control.name}):
            yield Finding(
                "UNEXPECTED_FILE", f"{name}: not named by {control.name}; set aside", "ask the supplier what it is"
            )
        if strangers := self.connector.strangers():
            yield Finding(
                "UNEXPECTED_FILE", f"{SOURCE}: {strangers} files in the folder belong to no dump", "look at them"
            )
