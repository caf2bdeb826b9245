"""The SystmOne door: finds the batches in the inbox, proves each complete and continuous, and lands its tables.

A batch is one split zip in a delivery folder (`yyyyMMdd_HHmm`). An organisation that joins sends its history in a
second archive in the same folder: a batch of its own. Batches are ordered by extract window, never by arrival.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from connectors.base import DeliveryProblem, LandedDelivery, LandedTable, Past, RawFile, TableMode
from connectors.door import entering, people_first
from connectors.landing import hash_of_contents, keep, sha256_of
from connectors.spec import TableSpec, table_specs
from connectors.systmone.manifest import (
    ALWAYS_PRESENT,
    MANIFEST,
    Manifest,
    held,
    parse_manifest,
    require_complete,
    require_continuous,
)
from connectors.systmone.split_archive import (
    ArchiveIncomplete,
    ArchiveLimits,
    ArchiveRefused,
    SplitArchive,
    open_archive,
    parts_of,
)
from connectors.systmone.strict_csv import read_small, read_table, refused
from domain.profile import Profile, ProfileError, SourceSettings
from domain.run import Finding

SUPPLIER: Final = "systmone"
_PART: Final = re.compile(r"(?P<stem>.+)\.(?:zip|z\d+)", re.IGNORECASE)
_LINE_ENDS: Final = {"crlf": "\r\n", "lf": "\n"}


@dataclass(frozen=True, slots=True)
class SystmOneSettings:
    """How this council gets its extract.

    `bulk_closes_absent`: a full table also ends the rows it no longer holds (sources 2.2, rule 5).
    """

    inbox: Path
    line_end: str = "\r\n"
    bulk_closes_absent: bool = False
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)


def make(profile: Profile, source: SourceSettings) -> SystmOneConnector:
    """The connector for one source of a profile.

    Options: `inbox` (folder of delivery folders, relative to the profile's home), `line_end` (`crlf`, the default, or
    `lf`), `bulk_closes_absent` (`true` or `false`, the default). Raises `ProfileError` when one cannot be used.
    """
    if "inbox" not in source.options:
        raise ProfileError(f"{profile.path}: sources.{source.name} needs inbox, the folder its deliveries appear in")
    line_end = source.options.get("line_end", "crlf").lower()
    if line_end not in _LINE_ENDS:
        raise ProfileError(f"{profile.path}: sources.{source.name}.line_end is crlf or lf, not {line_end!r}")
    closes = source.options.get("bulk_closes_absent", "false").lower() == "true"
    return SystmOneConnector(SystmOneSettings(profile.home / source.options["inbox"], _LINE_ENDS[line_end], closes))


class SystmOneConnector:
    """Discovers the batches of one inbox."""

    def __init__(self, settings: SystmOneSettings) -> None:
        self.settings = settings

    def discover(self, past: Past) -> list[Batch]:
        """All batches in the inbox, by extract window; those whose window cannot be read yet by their folder's stamp.

        Raises:
            DeliveryProblem: held, when the inbox itself cannot be looked at.
        """
        if not self.settings.inbox.is_dir():
            raise held("NO_INBOX", "the inbox of the SystmOne extract is not there", "check the mount and the profile")
        return sorted(self._batches(), key=lambda batch: batch.order)

    def _batches(self) -> Iterator[Batch]:
        # A folder whose name begins with a dot is still being written by whoever delivers.
        for folder in sorted(self.settings.inbox.iterdir()):
            if folder.is_dir() and not folder.name.startswith("."):
                stems = {found["stem"] for file in folder.iterdir() if (found := _PART.fullmatch(file.name))}
                for stem in sorted(stems):
                    name = folder.name if len(stems) == 1 else f"{folder.name}/{stem}"
                    yield Batch(name, folder, stem, self.settings)


class Batch:
    """One split zip and what its manifest says of it."""

    def __init__(self, name: str, folder: Path, stem: str, settings: SystmOneSettings) -> None:
        self.name = name
        self._folder, self._stem, self._settings = folder, stem, settings

    def content_hash(self) -> str:
        """A hash over the parts, whatever they and the folder are called."""
        return hash_of_contents(sha256_of(part) for part in self._present_parts())

    @cached_property
    def order(self) -> tuple[datetime, str]:
        """The upper bound of the extract window; the folder's stamp, as far as there is one, when it cannot be read."""
        try:
            with self._opened(self._parts()) as archive:
                return self._manifest(archive).window_to, self.name
        except DeliveryProblem:
            stamp = re.match(r"\d{8}_\d{4}", self.name)
            try:
                return datetime.strptime(stamp.group() if stamp else "", "%Y%m%d_%H%M").replace(tzinfo=UTC), self.name
            except ValueError:
                return datetime.max.replace(tzinfo=UTC), self.name

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Keep the parts, prove the batch whole and continuous, and write its tables.

        Raises:
            DeliveryProblem: see `connectors.base.Incoming`.
        """
        kept = [keep(part, area) for part in self._parts()]
        with self._opened([file.path for file in kept]) as archive:
            manifest = self._manifest(archive)
            present = {entry.table for entry in archive.entries}
            require_complete(manifest, present)
            require_continuous(manifest, past)
            folder = area / SUPPLIER / hash_of_contents(file.sha256 for file in kept)[:32]
            landing = _Landing(archive, folder, kept[-1].path, self._settings)
            entering(manifest.window_to)
            modes = self._tables(manifest)
            for table in [t for t in people_first(table_specs(SUPPLIER)) if t in modes]:
                landing.add(table, modes.pop(table))
            for table, mode in modes.items():
                landing.add(table, mode)
        strays = sorted(present - {*ALWAYS_PRESENT, *manifest.modes})
        if strays:
            landing.findings.append(
                Finding(
                    "UNEXPECTED_FILE",
                    f"{self.name}: not in the manifest, set aside: {', '.join(strays)}",
                    "ask the supplier whether the manifest or the file is wrong",
                )
            )
        return LandedDelivery(
            mode=manifest.mode,
            window_from=manifest.window_from,
            as_known_at=manifest.window_to,
            files=(*kept, *landing.files),
            tables=tuple(landing.tables),
            findings=tuple(landing.findings),
        )

    def _tables(self, manifest: Manifest) -> Mapping[str, TableMode]:
        bulk: TableMode = "full" if self._settings.bulk_closes_absent else "bulk"
        # The manifest and the two lists are whole each night; the manifest's own rows are never ended by the next one.
        always: dict[str, TableMode] = {table: "bulk" if table == MANIFEST else bulk for table in ALWAYS_PRESENT}
        return always | {table: bulk if mode == "bulk" else "delta" for table, mode in manifest.modes.items()}

    def _present_parts(self) -> list[Path]:
        own = re.compile(re.escape(self._stem) + r"\.(?:zip|z\d+)", re.IGNORECASE)
        return sorted(file for file in self._folder.iterdir() if own.fullmatch(file.name))

    def _parts(self) -> list[Path]:
        last = self._folder / f"{self._stem}.zip"
        if not last.is_file():
            raise held(
                "PART_MISSING",
                f"{self.name}: the last part, {last.name}, has not arrived",
                "nothing is loaded; the batch loads by itself once it is whole",
            )
        try:
            return parts_of(last)
        except ArchiveIncomplete as problem:
            raise held(
                "PART_MISSING",
                f"{self.name}: {problem}",
                "nothing is loaded; the batch loads by itself once it is whole",
            ) from None
        except ArchiveRefused as problem:
            raise _refused_archive(self.name, problem) from None

    @contextmanager
    def _opened(self, parts: Sequence[Path]) -> Iterator[SplitArchive]:
        """The open archive; whatever is found wrong with it inside the block becomes one refusal."""
        try:
            with open_archive(parts, self._settings.limits) as archive:
                yield archive
        except ArchiveRefused as problem:
            raise _refused_archive(self.name, problem) from None

    def _manifest(self, archive: SplitArchive) -> Manifest:
        if MANIFEST not in {entry.table for entry in archive.entries}:
            raise held(
                "NO_MANIFEST",
                f"{self.name}: the batch has no {MANIFEST}.csv, so it is not complete",
                "nothing is loaded; ask the supplier to send the batch again",
            )
        with archive.open(MANIFEST) as stream:
            return parse_manifest(read_small(stream, f"{MANIFEST}.csv", self._settings.line_end))


@dataclass(slots=True)
class _Landing:
    """The tables of one batch as they are written."""

    archive: SplitArchive
    folder: Path
    original: Path
    settings: SystmOneSettings
    files: list[RawFile] = field(default_factory=list)
    tables: list[LandedTable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, table: str, mode: TableMode) -> None:
        """Write one table; a table that has no specification stays in the kept original and is reported."""
        spec: TableSpec | None = table_specs(SUPPLIER).get(table)
        if spec is None:
            self.findings.append(
                Finding(
                    "UNKNOWN_TABLE",
                    f"{table} was sent but has no specification; it was not loaded",
                    "take it out of the extract, or add its specification",
                )
            )
            return
        name, parquet = f"{table}.csv", self.folder / f"{spec.dataset}.parquet"
        with self.archive.open(table) as stream:
            read = read_table(stream, name, spec, parquet, self.settings.line_end)
        self.files.append(RawFile(name, self.original, read.size_bytes, read.sha256, read.physical_lines, read.records))
        self.tables.append(LandedTable(spec.dataset, name, parquet, read.records, mode, read.findings))


def _refused_archive(name: str, problem: ArchiveRefused) -> DeliveryProblem:
    return refused("ARCHIVE", f"{name}: {problem}", "nothing is loaded; ask the supplier to send the batch again")
