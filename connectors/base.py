"""What every connector provides: the deliveries that are due, in the supplier's own order, ready to be landed.

Nothing here knows a supplier. A connector says what has arrived (`discover`); each `Incoming` proves itself complete
and writes its tables (`land`). What cannot be taken is a `DeliveryProblem` with its remedy, never half a delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Protocol, runtime_checkable

from domain.run import Finding, RunState

DeliveryMode = Literal["bulk", "delta", "full"]
TableMode = Literal["bulk", "delta", "full", "keys"]

SEND_AGAIN: Final = "ask the supplier to send it again"


class DeliveryProblem(Exception):
    """A delivery that is held (it waits for something) or refused (it is wrong as it stands)."""

    def __init__(self, state: Literal[RunState.HELD, RunState.REFUSED], finding: Finding) -> None:
        self.state = state
        self.finding = finding
        self.files: tuple[RawFile, ...] = ()  # kept originals that are evidence (governance INC-2)
        super().__init__(f"{finding.code}: {finding.message}")


def held(code: str, message: str, remedy: str) -> DeliveryProblem:
    """The problem to raise when a delivery waits for something."""
    return DeliveryProblem(RunState.HELD, Finding(code, message, remedy))


def refused(code: str, message: str, remedy: str = SEND_AGAIN) -> DeliveryProblem:
    """The problem to raise when a delivery is wrong as it stands."""
    return DeliveryProblem(RunState.REFUSED, Finding(code, message, remedy))


class NotLiveYet(Exception):
    """What lies there is not yet ours to read: a new system's trial load. Left where it is; nobody waits for it."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(f"{finding.code}: {finding.message}")


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file as it arrived, kept write-once. `records` and `physical_lines` are filled once it has been read."""

    name: str
    path: Path  # the kept original
    size_bytes: int
    sha256: str
    physical_lines: int | None = None
    records: int = 0


@dataclass(frozen=True, slots=True)
class LandedTable:
    """One table of a delivery, written as Parquet: every column text under our field names, plus `landed_line`."""

    dataset: str
    file_name: str  # the RawFile it was read from
    parquet: Path
    records: int
    mode: TableMode
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class LandedDelivery:
    mode: DeliveryMode
    window_from: datetime | None  # lower bound of the extract window; None for a bulk or a full dump
    as_known_at: datetime  # upper bound: what the supplier knew at this moment
    files: tuple[RawFile, ...]
    tables: tuple[LandedTable, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger knows of the deliveries taken before: enough to prove continuity."""

    last_known_at: datetime | None = None  # the latest upper bound taken
    last_records: dict[str, int] = field(default_factory=dict)  # dataset -> rows now current, for shrink guards
    last_keys_read_at: datetime | None = None  # the last time a key-only read was taken
    hashes: frozenset[str] = frozenset()  # content hashes taken before
    known_by_part: Mapping[str, datetime] = field(default_factory=dict)  # by what follows "/" in delivery names, or ""

    names: frozenset[str] = frozenset()  # names of the deliveries taken before

    def known_of(self, part: str) -> datetime | None:
        """The latest upper bound taken of one stream of deliveries; of all when the streams are not told apart."""
        return self.known_by_part.get(part) if self.known_by_part else self.last_known_at


class Incoming(Protocol):
    """One delivery that has arrived."""

    @property
    def name(self) -> str:
        """The supplier's name for it: a folder stamp, a dump date, a snapshot moment."""

    def content_hash(self) -> str:
        """A hash over its contents, whatever its files are called: the same content is recognised by it (F12, F13)."""

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Keep the originals, prove it complete and continuous, write its tables below `area`.

        Raises:
            DeliveryProblem: held (incomplete, gap before it, shrinks too much) or refused (empty, cut off, wrong
                encoding, unsafe archive, hash differs, mandatory column missing).
            NotLiveYet: the source goes live on a later day.
        """


class Connector(Protocol):
    def discover(self, past: Past) -> Iterable[Incoming]:
        """What has arrived, in the supplier's declared order (never by arrival); seen-before ones included.

        Raises:
            DeliveryProblem: when the source cannot be looked at.
        """


@runtime_checkable
class MayFallSilent(Protocol):
    """A source that one day sends nothing any more, and rightly so: an archive."""

    def is_silent(self, past: Past) -> bool:
        """Whether nothing is expected after what was taken: a night without a delivery is then no news."""
