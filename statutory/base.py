"""What every return has in common: it is prepared from one pinned release and ends as a file with its account.

`Return` is the protocol a collection implements; `PreparedReturn` is what the front door writes to the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from domain.profile import Profile
from domain.run import Finding

if TYPE_CHECKING:
    from sqlalchemy import Connection


class ReturnStatus(StrEnum):
    """What a prepared file may be used for."""

    SUBMISSION = "submission"
    PARTIAL = "partial"  # does not cover its period: sending it would silently replace a complete file
    FAILED_VALIDATION = "failed_validation"  # built wrongly: nothing in the records can mend it


@dataclass(frozen=True, slots=True)
class PinnedRelease:
    """The one release a return is made from."""

    number: int
    as_known_at: datetime


@dataclass(frozen=True, slots=True)
class PreparedReturn:
    """A finished file and its account. Paths are absolute; no count or finding holds a value of a person."""

    collection: str
    status: ReturnStatus
    release: PinnedRelease
    period_start: date
    period_end: date
    path: Path
    sha256: str
    rows: int
    errors: int
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]
    other_paths: Mapping[str, Path] = field(default_factory=dict)
    waits_for_data: bool = False  # partial because a delivery is missing: it may be complete another day


class Return(Protocol):
    """One statutory collection."""

    collection: str

    def prepare(self, connection: Connection, release: PinnedRelease, profile: Profile) -> PreparedReturn:
        """Read everything through `connection`, which shows one moment of one release, and write the files."""
        ...
