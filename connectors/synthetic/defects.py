"""The defect catalogue as numbers: how often each system gets each thing wrong, and the log of every injection.

Rates are those of the sources hand-book, section 11, profile *typical*; a world's `quality` multiplies them. Doors that
inject defects of their own tables ask `rate`, draw from `defect_rng` and write down every hit in a `DefectLog`.

The hand-book gives D20 and D21 as observed shares of *pairs* (forename 2.4 %, surname 6.8 % of women and 2.2 % of men)
and their parts D24 to D28 as assumptions per record. With these, one pair in ten would differ: what was observed wins,
and the parts are made smaller until pairs differ as often as observed. Logged without a line of the catalogue: SSR
(references typed in wrong), FIN (finance's own ways), CUT (told again by a cut-over); not logged: `habits.py`.
"""

from __future__ import annotations

import random
from typing import Final

from connectors.synthetic.world import Defect, System, World

_CARE_ONLY: Final = "care"

#: defect -> system (or "care" for both care systems, or "*" for all) -> typical rate. Parts of one line of the
#: catalogue have a suffix: D12 is one line, D41a (1900) and D41b (1 January) are two.
RATES: Final[dict[str, dict[str, float]]] = {
    "D01": {"liquidlogic": 0.06, "carefirst": 0.12, "micare": 0.25},
    "D02": {"liquidlogic": 0.35, "carefirst": 0.40, "micare": 0.50},
    "D03": {"systmone": 0.011},
    "D04": {"liquidlogic": 0.15, "carefirst": 0.30, "micare": 0.60, "systmone": 0.03},
    "D05": {"care": 0.004, "systmone": 0.0002},
    "D06": {"carefirst": 0.005, "micare": 0.005},
    "D07": {"carefirst": 0.002, "micare": 0.002},
    "D08": {"*": 0.0046},
    "D09": {"liquidlogic": 0.01, "carefirst": 0.10, "micare": 0.10},
    "D10": {"*": 0.003},
    "D11": {"liquidlogic": 0.015, "carefirst": 0.03, "micare": 0.04, "systmone": 0.003},
    "D12": {"liquidlogic": 0.015, "carefirst": 0.01, "micare": 0.01},
    "D13": {"*": 0.0005},
    "D14": {"*": 0.001},
    "D14u": {"*": 0.0002},
    "D20": {"*": 0.0002},  # the rest of D20 is D22, D24, D25, D27, D28, D30 and D31
    "D21f": {"*": 0.023},  # the rest of D21 is D22, D26, D27, D28, D30
    "D21m": {"*": 0.001},
    "D22": {"*": 0.0022},
    "D23": {"*": 0.0004},
    "D24": {"*": 0.002},
    "D25": {"*": 0.0015},
    "D25i": {"*": 0.0005},
    "D26": {"*": 0.05},
    "D27": {"*": 0.04},
    "D28": {"*": 0.002},
    "D29": {"carefirst": 1.0, "micare": 1.0, "liquidlogic": 0.005, "systmone": 0.005},
    "D31": {"*": 0.003},
    "D32": {"*": 0.003},
    "D33": {"*": 0.01},
    "D40": {"*": 0.00245},  # 0.49 % of pairs: half on each side
    "D41a": {"care": 0.003},
    "D41b": {"*": 0.008},
    "D41c": {"*": 0.04},
    "D42": {"*": 0.005},
    "D43": {"*": 0.001},
    "D44a": {"care": 0.08},
    "D44b": {"care": 0.01},
    "D45a": {"*": 0.05},
    "D45b": {"*": 0.0001},
    "D45c": {"care": 0.005},
    "D46": {"*": 0.00165},
    "D47": {"care": 0.005},
    "D47c": {"care": 0.03},
    "D48": {"care": 0.12, "systmone": 0.08},
    "D48c": {"*": 0.03},  # 6 % of pairs: half on each side
    "D60": {"*": 0.22},  # on either side: about 31 % of pairs, with the care-home lag
    "D61": {"*": 0.0003},
    "D62": {"*": 0.004},
    "D63m": {"care": 0.02},
    "D63x": {"care": 0.001},
    "D63n": {"care": 0.001},
    "D63l": {"care": 0.05},
    "D63s": {"care": 0.10},
    "D63o": {"care": 0.005},
    "D64": {"systmone": 0.20, "care": 0.05},
    "D65a": {"*": 0.30},
    "D65b": {"*": 0.05},
    "D65c": {"*": 0.01},
    "D65d": {"*": 0.03},
    "D68": {"*": 0.002},
    "D69m": {"liquidlogic": 0.20, "carefirst": 0.95, "micare": 0.95},
    "D69w": {"care": 0.01},
    "D69e": {"care": 0.001},
    "D70a": {"*": 0.002},
    "D70b": {"*": 0.001},
    "D81": {"*": 0.003},  # a month
    "D82": {"*": 0.01},  # a month
    "D83": {"care": 0.05},
    "D84a": {"*": 0.005},
    "D84b": {"*": 0.01},
    "D84c": {"*": 0.02},
    "D86a": {"*": 0.003},
    "D86b": {"*": 0.02},
    "D86c": {"*": 0.01},
    "D87": {"systmone": 0.03},
    "D88": {"*": 0.03},
    "D89a": {"*": 0.0005},
    "D89b": {"*": 0.002},
    "D89c": {"*": 0.05},
    "D90": {"*": 1 / 8760},
    "D93": {"care": 0.005},
}

#: No doubling takes a rate above this (the catalogue says "capped").
CAP: Final = 0.95


def rate(defect_id: str, system: System, quality: float = 1.0) -> float:
    """How often `system` shows the defect, between 0 and 1; 0 when the catalogue does not name the system.

    Rates of 0.95 and more (capitals in CareFirst) are habits, not faults: quality does not move them.
    """
    by_system = RATES[defect_id]
    typical = by_system.get(system)
    if system == "controcc":  # finance has habits of its own: controcc_people.py
        typical = typical or 0.0
    if typical is None and system != "systmone":
        typical = by_system.get(_CARE_ONLY)
    if typical is None:
        typical = by_system.get("*", 0.0)
    if typical >= CAP:
        return typical
    return min(CAP, typical * quality)


def defect_rng(seed: int, system: str, purpose: str) -> random.Random:
    """A generator of its own for one system and purpose, so that one door's draws never move another's."""
    return random.Random(f"{seed}:{system}:{purpose}")


class DefectLog:
    """Collects the defects of one system and table into the world's one list."""

    def __init__(self, defects: list[Defect], system: str) -> None:
        """`defects` is `World.defects` (or the list that will become it)."""
        self._defects = defects
        self._system = system

    def add(self, defect_id: str, table: str, key: str, field: str = "", night: int = 0) -> None:
        """Write down one injected defect; the catalogue id only (a suffix of `RATES` is cut off), never the value."""
        self._defects.append(Defect(defect_id[:3], self._system, table, key, field, night))


def log_of(world: World, system: System) -> DefectLog:
    """The log a door writes its own defects to."""
    return DefectLog(world.defects, system)
