"""What happens to the simulated SystmOne extract, and when: releases, a re-bulk, overlap, nights late or faulted.

Everything follows from the world's setting and its file faults (sources hand-book 2.11 and D91), so that the same
world always has the same calendar. Hand-made worlds without defects have none of it unless their setting says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.synthetic.keys import SECOND_ORGANISATION_CODE
from connectors.synthetic.systmone_tables import Release
from connectors.synthetic.world import FileFaultKind, World

SECOND_UNIT: Final = SECOND_ORGANISATION_CODE
_LONG_RUN: Final = 10


@dataclass(frozen=True, slots=True)
class Calendar:
    """The nights on which something is out of the ordinary; None: it does not happen."""

    nights: int
    changes: tuple[int, ...]  # nights on which releases A, B, C begin
    joins: int | None  # the second unit's bulk
    rebulk: int | None  # SRCode comes whole without a word
    overlap: int | None  # the window begins before the last one ended
    skipped: int | None  # nothing is extracted; the next window is two days long
    together: int | None  # arrives with the next night's
    late: int | None  # arrives with the next night's and is stamped later
    faults: dict[int, FileFaultKind]

    def release(self, night: int) -> Release:
        """The layout in use on a night: B, the current one, when the setting knows of no change."""
        begun = sum(1 for first in self.changes if first <= night)
        return ("A", "A", "B", "C")[min(begun, 3)] if self.changes else "B"

    def with_removals(self, night: int) -> int | None:
        """The first night from `night` on whose layout can say that a row was removed."""
        return next((n for n in range(night, self.nights + 1) if self.release(n) != "A"), None)

    def told(self, night: int) -> int:
        """The night whose delivery tells of what would have been told on `night`."""
        return night + 1 if night == self.skipped else night

    def before(self, night: int) -> int:
        """The night at whose cut-off the window of `night` begins."""
        last = night - 1
        if last == self.skipped:
            last -= 1
        return last - 1 if night == self.overlap else last

    def arrives(self, night: int) -> int:
        """The night on which the whole, right delivery of `night` is there."""
        waits = night in (self.together, self.late) or self.faults.get(night) in (
            "missing",
            "empty",
            "truncated",
            "out_of_order",
        )
        return night + 1 if waits else night

    def is_redelivered(self, night: int) -> bool:
        """Whether the right delivery comes under a later stamp than its own."""
        return night == self.late or self.faults.get(night) in ("empty", "truncated", "out_of_order")

    @property
    def renamed_from(self) -> int | None:
        """From this night on a mandatory column has another heading."""
        return next((night for night, kind in self.faults.items() if kind == "renamed_column"), None)


def calendar_of(world: World) -> Calendar:
    """The calendar of a world. Short runs have the re-bulk and the overlap only."""
    faults = world.faults_of("systmone")
    taken = {0, world.nights, *faults, *(night + 1 for night in faults), *(night - 1 for night in faults)}
    if world.setting.second_unit_joins_night is not None:
        taken |= {world.setting.second_unit_joins_night}
    lively = world.quality > 0 and world.nights >= 4

    def free(share: float, room: int = 2) -> int | None:
        start = max(1, round(world.nights * share))
        for night in range(start, world.nights - room + 1):
            if not taken & set(range(night, night + room)):
                taken.update(range(night - 1, night + room + 1))
                return night
        return None

    rebulk = free(0.5) if lively else None
    long = lively and world.nights >= _LONG_RUN
    return Calendar(
        world.nights,
        world.setting.layout_change_nights,
        world.setting.second_unit_joins_night,
        rebulk,
        None if rebulk is None else rebulk + 1,
        free(0.2) if long else None,
        free(0.7) if long else None,
        free(0.85) if long else None,
        faults,
    )
