"""The migration project's cross-reference file: which id of the old system became which id of the new one.

A folder receives dated versions of one hand-made list (`XREF_MICARE_LAS_20250701.csv`); every version holds the whole
list as it stood that day, so a row that is no longer in it has been withdrawn. Versions are ordered by the date in
their names, never by arrival (CTL-15). A spreadsheet has usually touched it: what that damaged is held by the suite.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

from connectors.base import DeliveryMode, DeliveryProblem, LandedDelivery, LandedTable, Past
from connectors.door import entering
from connectors.landing import hash_of_contents, keep, sha256_of
from connectors.reading import Dialect, read_table
from connectors.spec import table_specs
from domain.periods import LONDON
from domain.profile import Profile, ProfileError, SourceSettings
from domain.run import Finding, RunState

SOURCE: Final = "cross_reference"
TABLE: Final = "XREF_MICARE_LAS"
DIALECT: Final = Dialect(delimiter=",", encoding="cp1252")
FILE_NAME: Final = re.compile(rf"{TABLE}_([0-9]{{8}})(?:[ _(].*)?\.csv", re.IGNORECASE)

_AT: Final = time(12, 0)  # a list is known from the middle of the day in its name: nobody writes down the hour


def make(profile: Profile, source: SourceSettings) -> CrossReferenceConnector:
    """The connector of the cross-reference file of a profile.

    Option `inbox`: the folder the versions arrive in (relative to the profile's home). The other options (`old`, `new`,
    `go_live_load` …) are read by conforming and by the reconciliation.

    Raises:
        ProfileError: when the option is missing.
    """
    if "inbox" not in source.options:
        raise ProfileError(f"{profile.path}: source {source.name} needs the setting inbox, the folder of the versions")
    return CrossReferenceConnector(profile.home / source.options["inbox"])


@dataclass(frozen=True, slots=True)
class CrossReferenceConnector:
    """Looks into the folder where the versions arrive."""

    folder: Path

    def discover(self, past: Past) -> Iterable[CrossReferenceVersion]:
        """The versions in the folder, oldest first; a folder that is empty or not there yet holds none.

        Raises:
            DeliveryProblem: held, when a list of ours lies there whose name carries no date: it cannot be ordered.
        """
        if not self.folder.is_dir():
            return []
        versions, undated = [], 0
        for path in sorted(self.folder.iterdir()):
            if not path.is_file() or path.is_symlink():
                continue
            if (match := FILE_NAME.fullmatch(path.name)) and (day := _day(match[1])):
                versions.append(CrossReferenceVersion(path, day))
            elif path.name.upper().startswith(TABLE):
                undated += 1
        if undated and not versions:
            finding = Finding(
                "NO_DATE",
                f"{SOURCE}: {undated} files whose names carry no date cannot be put in order",
                f"name each version after the day it was saved: {TABLE}_yyyymmdd.csv",
            )
            raise DeliveryProblem(RunState.HELD, finding)
        return sorted(versions, key=lambda version: (version.day, version.path.name))


@dataclass(frozen=True, slots=True)
class CrossReferenceVersion:
    """One dated version of the list."""

    path: Path
    day: date

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def as_known_at(self) -> datetime:
        return datetime.combine(self.day, _AT, LONDON)

    def content_hash(self) -> str:
        """A hash over the day and the contents: the same version under another name is recognised (F12, F13).

        The day counts, because a list may go back to what it said before.
        """
        return hash_of_contents([hashlib.sha256(self.day.isoformat().encode()).hexdigest(), sha256_of(self.path)])

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Keep the file as it came and write its rows as one full table.

        A version older than the newest one taken only fills history: it may end nothing (CTL-15).

        Raises:
            DeliveryProblem: refused when the file is empty, cut off, in another dialect or lacks a column.
        """
        entering(self.as_known_at)
        spec = table_specs(SOURCE)[TABLE]
        kept = keep(self.path, area)
        folder = area / "tables" / SOURCE / self.content_hash()[:32]
        parquet = folder / f"{spec.dataset}.parquet"
        try:
            with kept.path.open("rb") as handle:
                read = read_table(handle, self.name, DIALECT, spec, parquet)
        except DeliveryProblem:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        file = replace(kept, physical_lines=read.physical_lines, records=read.records)
        is_newest = past.last_known_at is None or self.as_known_at > past.last_known_at
        mode: DeliveryMode = "full" if is_newest else "bulk"
        table = LandedTable(spec.dataset, self.name, parquet, read.records, mode, read.findings)
        return LandedDelivery(mode, None, self.as_known_at, (file,), (table,))


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None
