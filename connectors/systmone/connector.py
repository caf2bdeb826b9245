"""The SystmOne door: finds the batches in the inbox, proves each complete and continuous, and lands its tables.

A batch is one split zip in a delivery folder (`yyyyMMdd_HHmm`). An organisation that joins sends its history in a
second archive in the same folder: a batch of its own. Batches are ordered by extract window, never by arrival.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from connectors.base import DeliveryProblem, Incoming, LandedDelivery, Past, RawFile, TableMode, held, refused
from connectors.credentials import credentials_in_use
from connectors.door import entering, people_first
from connectors.landing import hash_of_contents, keep, sha256_of
from connectors.spec import table_specs
from connectors.systmone.manifest import (
    ALWAYS_PRESENT,
    MANIFEST,
    Manifest,
    parse_manifest,
    require_complete,
    require_continuous,
)
from connectors.systmone.settings import SystmOneSettings, settings_of
from connectors.systmone.split_archive import (
    ArchiveEncrypted,
    ArchiveIncomplete,
    ArchiveRefused,
    PasswordWrong,
    SplitArchive,
    open_archive,
    parts_of,
)
from connectors.systmone.strict_csv import read_small
from connectors.systmone.tables import FOREIGN, SUPPLIER, Tables
from connectors.volumes import compare_volumes
from domain.profile import Profile, SourceSettings
from domain.run import Finding

_PASSWORD: Final = (
    "put the password agreed with the supplier into the source's connection as archive_password, and the batch loads "
    "by itself; or ask for it without"
)
_PART: Final = re.compile(r"(?P<stem>.+)\.(?:zip|z\d+)", re.IGNORECASE)


def make(profile: Profile, source: SourceSettings) -> SystmOneConnector:
    """The connector for one source of a profile; its options are those of `settings_of`."""
    return SystmOneConnector(settings_of(profile, source))


class SystmOneConnector:
    """Discovers the batches of one inbox."""

    def __init__(self, settings: SystmOneSettings) -> None:
        self.settings = settings

    def discover(self, past: Past) -> list[Incoming]:
        """All batches in the inbox, by extract window; those whose window cannot be read yet by their folder's stamp.

        A loose file in the inbox is no delivery of SystmOne and comes out to be refused (F18).

        Raises:
            DeliveryProblem: held, when the inbox itself cannot be looked at.
        """
        if not self.settings.inbox.is_dir():
            raise held("NO_INBOX", "the inbox of the SystmOne extract is not there", "check the mount and the profile")
        loose = [Stray(file) for file in sorted(self.settings.inbox.iterdir()) if file.is_file() and _is_shown(file)]
        batches = list(self._batches())
        new = [batch for batch in batches if batch.content_hash() not in past.hashes]
        # What was taken before is only to be recognised: its archive need not be opened for its place in the order.
        return [*(b for b in batches if b not in new), *sorted(new, key=lambda batch: batch.order), *loose]

    def _batches(self) -> Iterator[Batch]:
        # A folder whose name begins with a dot is still being written by whoever delivers.
        for folder in sorted(self.settings.inbox.iterdir()):
            if folder.is_dir() and _is_shown(folder):
                stems = {found["stem"] for file in folder.iterdir() if (found := _PART.fullmatch(file.name))}
                for stem in sorted(stems):
                    joins = stem.startswith(f"{self.settings.stem}_") or (len(stems) > 1 and stem != self.settings.stem)
                    yield Batch(folder, stem, self.settings, archive=stem if joins else "")


class Stray:
    """A file that lies where only delivery folders belong: of another system, or put down by mistake."""

    def __init__(self, file: Path) -> None:
        self.name, self._file = file.name, file

    def content_hash(self) -> str:
        """A hash of its contents."""
        return hash_of_contents([sha256_of(self._file)])

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Always refused: nothing is guessed about it, and nothing of it is kept."""
        raise refused(
            "WRONG_SYSTEM",
            f"{self.name} is no delivery of SystmOne: those come in folders of their own",
            "take it out of the inbox and find out where it belongs",
        )


class Batch:
    """One split zip and what its manifest says of it."""

    def __init__(self, folder: Path, stem: str, settings: SystmOneSettings, archive: str = "") -> None:
        self.name = f"{folder.name}/{archive}" if archive else folder.name
        self._folder, self._stem, self._settings, self._archive = folder, stem, settings, archive

    def content_hash(self) -> str:
        """A hash over the parts, whatever they and the folder are called, as they were when it was first asked for."""
        return self._hash

    @cached_property
    def _hash(self) -> str:
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
        self._require_quiet()
        if self.name in past.names and self.name not in self._settings.corrections:
            raise held(
                "SAME_NAME_OTHER_CONTENT",
                f"{self.name} was taken before with other content",
                "ask the supplier which is right; to take it as a correction, list it under corrections in the profile",
            )
        kept = [keep(part, area) for part in self._parts()]
        try:
            return self._land(kept, area, past)
        except DeliveryProblem as problem:
            if problem.finding.code == FOREIGN:
                seal(kept, area)
                problem.files = tuple(kept)
            raise

    def _land(self, kept: Sequence[RawFile], area: Path, past: Past) -> LandedDelivery:
        with self._opened([file.path for file in kept]) as archive:
            manifest = self._manifest(archive)
            present = {entry.table for entry in archive.entries}
            require_complete(manifest, present)
            require_continuous(manifest, past.known_of(self._archive))
            folder = area / SUPPLIER / hash_of_contents(file.sha256 for file in kept)[:32]
            tables = Tables(archive, folder, kept[-1].path, self._settings.line_end, self._settings.organisations)
            entering(manifest.window_to)
            modes = dict(self._tables(manifest))
            try:
                for table in [t for t in people_first(table_specs(SUPPLIER)) if t in modes]:
                    tables.add(table, modes.pop(table))
                for table, mode in modes.items():
                    tables.add(table, mode)
                if not self._archive and self.name not in self._settings.volumes_accepted:
                    # Lists of codes and staff are the supplier's own and may halve; what is told of people may not.
                    compare_volumes(tables.about_people(), past, "systmone__patient", self.name)
            except DeliveryProblem:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return LandedDelivery(
            mode=manifest.mode,
            window_from=manifest.window_from,
            as_known_at=manifest.window_to,
            files=(*kept, *tables.files),
            tables=tuple(tables.landed),
            findings=(*tables.close(), *self._strays(present, manifest)),
        )

    def _strays(self, present: Collection[str], manifest: Manifest) -> Iterator[Finding]:
        """What came with the batch and is not of it: set aside and reported, the batch goes on (F04)."""
        inside = sorted({*present} - {*ALWAYS_PRESENT, *manifest.modes})
        beside = sorted(f.name for f in self._folder.iterdir() if _is_shown(f) and not _PART.fullmatch(f.name))
        for where, names in (("not in the manifest", inside), ("beside the archive", beside)):
            if names:
                yield Finding(
                    "UNEXPECTED_FILE",
                    f"{self.name}: {where}, set aside: {', '.join(names)}",
                    "ask the supplier whether the manifest or the file is wrong",
                )

    def _require_quiet(self) -> None:
        """Hold a folder into which something was written a moment ago (F05)."""
        if not self._settings.quiet_seconds:
            return
        youngest = max((part.stat().st_mtime for part in self._present_parts()), default=0.0)
        if time.time() - youngest < self._settings.quiet_seconds:
            raise held(
                "STILL_ARRIVING",
                f"{self.name}: a part was written less than {self._settings.quiet_seconds:.0f} seconds ago",
                "nothing to do; the batch loads by itself once nothing more is written to it",
            )

    def _tables(self, manifest: Manifest) -> Mapping[str, TableMode]:
        # The bulk of an organisation that joins holds its own view alone, so nobody else's rows are absent from it.
        bulk: TableMode = "full" if self._settings.bulk_closes_absent and not self._archive else "bulk"
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
            password = credentials_in_use().get("archive_password", "")
            with open_archive(parts, self._settings.limits, password) as archive:
                yield archive
        except PasswordWrong as problem:
            raise held("WRONG_PASSWORD", f"{self.name}: {problem}", _PASSWORD) from None
        except ArchiveEncrypted as problem:
            raise held("ENCRYPTED", f"{self.name}: {problem}", _PASSWORD) from None
        except ArchiveRefused as problem:
            raise _refused_archive(self.name, problem) from None

    def _manifest(self, archive: SplitArchive) -> Manifest:
        tables = {entry.table for entry in archive.entries}
        if tables and not any(table.startswith("SR") for table in tables):
            raise refused(
                "WRONG_SYSTEM",
                f"{self.name}: none of its {len(tables)} files is a table of SystmOne",
                "find out whose delivery it is and where it belongs; nothing was guessed",
            )
        if MANIFEST not in tables:
            raise held(
                "NO_MANIFEST",
                f"{self.name}: the batch has no {MANIFEST}.csv, so it is not complete",
                "nothing is loaded; ask the supplier to send the batch again",
            )
        with archive.open(MANIFEST) as stream:
            return parse_manifest(read_small(stream, f"{MANIFEST}.csv", self._settings.line_end))


def seal(kept: Sequence[RawFile], area: Path) -> None:
    """Move kept originals where no engineer reads them: a folder of the service account alone (F19, INC-3)."""
    sealed = area / "sealed"
    sealed.mkdir(parents=True, exist_ok=True)
    sealed.chmod(0o700)
    for file in kept:
        if file.path.exists():
            file.path.replace(sealed / file.path.name)
            (sealed / file.path.name).chmod(0o400)


def _is_shown(path: Path) -> bool:
    return not path.name.startswith(".")


def _refused_archive(name: str, problem: ArchiveRefused) -> DeliveryProblem:
    return refused("ARCHIVE", f"{name}: {problem}", "nothing is loaded; ask the supplier to send the batch again")
