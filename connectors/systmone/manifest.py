"""What a SystmOne batch says of itself: its tables, which of them are deltas, and the window of time it covers.

A batch without `SRManifest.csv`, or without a file that the manifest names, is incomplete and waits. The window, not
the arrival, orders batches; one that begins after the last one ended has a predecessor that is missing (sources 2.2).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from connectors.base import DeliveryProblem, held, refused
from domain.periods import LONDON

MANIFEST: Final = "SRManifest"
#: In every batch, and never listed in its manifest.
ALWAYS_PRESENT: Final = (MANIFEST, "SRMapping", "SRMappingGroup")
#: Known to leave the window blank although they are deltas.
_WITHOUT_WINDOW: Final = frozenset({"SRAppointmentAttendees", "SRReferralContactEvent"})
_COLUMNS: Final = ("FileName", "IsDelta", "IsReference", "DateExtractFrom", "DateExtractTo")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The tables of a batch (without those always present) and its window; `window_from` is None for a bulk."""

    modes: Mapping[str, Literal["bulk", "delta"]]
    window_from: datetime | None
    window_to: datetime

    @property
    def mode(self) -> Literal["bulk", "delta"]:
        """A batch is a delta as soon as one of its tables is: then it needs its predecessor."""
        return "delta" if "delta" in self.modes.values() else "bulk"


def parse_manifest(records: Sequence[Mapping[str, str]]) -> Manifest:
    """The manifest from the records of `SRManifest.csv`.

    Raises:
        DeliveryProblem: refused when a column is missing, a value is not what the specification allows, a table is
            listed twice or the tables do not share one window.
    """
    if not records:
        raise _wrong("it lists no file")
    if missing := [name for name in _COLUMNS if name not in records[0]]:
        raise _wrong(f"column {', '.join(missing)} is missing")
    modes: dict[str, Literal["bulk", "delta"]] = {}
    starts, ends = set(), set()
    for line, record in enumerate(records, start=1):
        table = record["FileName"]
        if record["IsDelta"] not in ("Y", "N") or not table:
            raise _wrong(f"record {line} has no file name, or IsDelta is neither Y nor N")
        if table in modes:
            raise _wrong(f"{table} is listed twice")
        is_delta = record["IsDelta"] == "Y"
        modes[table] = "delta" if is_delta else "bulk"
        if table in _WITHOUT_WINDOW and not record["DateExtractTo"]:
            continue
        ends.add(_moment(record["DateExtractTo"], line))
        if is_delta:
            starts.add(_moment(record["DateExtractFrom"], line))
    if len(ends) != 1 or len(starts) > 1:
        raise _wrong("its files do not share one extract window")
    window_from, window_to = next(iter(starts), None), next(iter(ends))
    if window_from and window_from > window_to:
        raise _wrong("the extract window ends before it begins")
    return Manifest(modes, window_from, window_to)


def require_complete(manifest: Manifest, present: Collection[str]) -> None:
    """Hold the batch, naming the files, when one that must be there is not (F03)."""
    missing = [table for table in (*ALWAYS_PRESENT, *manifest.modes) if table not in present]
    if missing:
        named = ", ".join(f"{table}.csv" for table in missing)
        raise held(
            "FILE_MISSING",
            f"the manifest names files that are not in the batch: {named}",
            "nothing is loaded; the batch loads by itself once it is whole",
        )


def require_continuous(manifest: Manifest, last_known_at: datetime | None) -> None:
    """Hold a delta that begins after the last batch taken ended: the one between is missing (gap rule, F16)."""
    if manifest.window_from is None:
        return
    if last_known_at is None:
        raise held(
            "GAP",
            f"a delta from {_shown(manifest.window_from)}, but no full extract was taken before it",
            "ask for a full extract",
        )
    if manifest.window_from > last_known_at:
        raise held(
            "GAP",
            f"the last batch taken ends {_shown(last_known_at)}, this one begins {_shown(manifest.window_from)}",
            "find the batch between them, or ask for a full extract; this one loads by itself afterwards",
        )


def _moment(text: str, line: int) -> datetime:
    try:
        # The extract gives UK wall-clock time and no zone (sources 2.3, assumption).
        return datetime.strptime(text, "%Y%m%d_%H%M").replace(tzinfo=LONDON).astimezone(UTC)
    except ValueError:
        raise _wrong(f"record {line} has no extract date of the form yyyyMMdd_HHmm where one must be") from None


def _shown(moment: datetime) -> str:
    return moment.astimezone(LONDON).strftime("%d %b %Y %H:%M")


def _wrong(what: str) -> DeliveryProblem:
    return refused("MANIFEST", f"{MANIFEST}.csv cannot be used: {what}", "ask the supplier to send the batch again")
