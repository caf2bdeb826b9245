"""When a whole delivery goes wrong: each system meets each fault of D91 once, on nights that belong to nothing else.

Faults keep away from each other and from the nights on which layouts, units or systems change, so that whatever a run
reports on such a night has one cause only.
"""

from __future__ import annotations

import random
from typing import Final, cast

from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import FileFault, FileFaultKind, System

#: In the order in which short runs get them; a renamed column comes last, for it stays renamed.
KINDS: Final[tuple[FileFaultKind, ...]] = (
    "missing", "truncated", "duplicated", "out_of_order", "empty", "extra_column", "renamed_column",
)  # fmt: skip
FIRST_FAULTY_NIGHT: Final = 3
APART: Final = 5  # nights from one fault of a system to its next, at least
AWAY: Final = 4  # nights to a change of layout, unit or system, at least


def schedule(settings: SyntheticSettings) -> list[FileFault]:
    """Every fault of every system in order of system and night; none where the setting has no file faults.

    Runs of 60 nights and more hold all seven kinds; shorter ones those that fit. The night after a fault is always
    within the run, because most faults are made good on it.
    """
    kind = settings.kind
    if not kind.has_file_faults:
        return []
    faults: list[FileFault] = []
    for name in kind.systems:
        system = cast(System, name)
        rng = random.Random(f"{settings.seed}:{system}:file faults")
        nights = _nights(settings, system, rng)
        kinds = list(KINDS[: len(nights)])
        early = [k for k in kinds if k != "renamed_column"]
        rng.shuffle(early)
        kinds = [*early, *kinds[len(early) :]]
        faults.extend(FileFault(system, night, fault) for night, fault in zip(nights, kinds, strict=True))
    return faults


def busy_nights(settings: SyntheticSettings, system: System) -> set[int]:
    """The nights on which something else happens to that system's deliveries."""
    kind = settings.kind
    busy: set[int] = set()
    if system == "systmone":
        busy |= {*kind.layout_change_nights, *([kind.second_unit_joins_night] if kind.second_unit_joins_night else [])}
        busy.discard(0)
    elif kind.cutover is not None:
        plan = kind.cutover
        busy |= {*plan.trial_load_nights, plan.freeze_night, plan.go_live_night, plan.dual_running_until_night}
    return busy


def _allowed(settings: SyntheticSettings, system: System) -> list[int]:
    plan = settings.kind.cutover
    first, last = FIRST_FAULTY_NIGHT, settings.nights - 1
    if plan is not None and system == plan.old:
        last = min(last, plan.dual_running_until_night - AWAY)
    elif plan is not None and system != "systmone":
        first = plan.go_live_night + AWAY
    busy = busy_nights(settings, system)
    return [night for night in range(first, last + 1) if all(abs(night - other) >= AWAY for other in busy)]


def _nights(settings: SyntheticSettings, system: System, rng: random.Random) -> list[int]:
    """Up to seven nights, apart from each other, spread over the run."""
    allowed = _allowed(settings, system)
    best: list[int] = []
    for start in rng.sample(range(APART), APART):
        taken: list[int] = []
        for night in allowed[start:]:
            if not taken or night - taken[-1] >= APART:
                taken.append(night)
        if len(taken) > len(best):
            best = taken
        if len(best) >= len(KINDS):
            break
    count = min(len(best), len(KINDS))
    return [best[place * (len(best) - 1) // max(1, count - 1)] for place in range(count)]
