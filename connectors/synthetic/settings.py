"""What a synthetic council is made from: seed, size, nights and how well its systems are kept.

The same settings always give the same council, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

QualityProfile = Literal["good", "typical", "poor"]

#: How many times the catalogue's typical rate each profile uses (sources hand-book, section 11).
QUALITY: Final[dict[QualityProfile, float]] = {"good": 0.5, "typical": 1.0, "poor": 2.0}


@dataclass(frozen=True, slots=True)
class SyntheticSettings:
    """Settings of one synthetic council; `scale` multiplies both head counts."""

    seed: int = 20260331
    scale: float = 1.0
    nights: int = 5
    first_night: date = date(2026, 3, 26)
    quality_profile: QualityProfile = "typical"
    care_clients: int = 5_000
    patients: int = 20_000

    def __post_init__(self) -> None:
        """Refuse settings that cannot make a council; raises ValueError."""
        if self.scale <= 0:
            raise ValueError("scale must be above zero")
        if self.nights < 0:
            raise ValueError("nights must not be negative")

    @property
    def quality(self) -> float:
        """The multiplier of every catalogue rate."""
        return QUALITY[self.quality_profile]

    @property
    def care_client_count(self) -> int:
        """Care clients at this scale (at least 20)."""
        return max(20, round(self.care_clients * self.scale))

    @property
    def patient_count(self) -> int:
        """Patients at this scale (at least 80)."""
        return max(80, round(self.patients * self.scale))
