"""What a synthetic council is made from: seed, size, nights and how well its systems are kept.

The same settings always give the same council, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast

from connectors.synthetic.setting import Setting, load_setting

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
    setting: str = "two_districts"
    shard: int = 0  # which part of a county: its numbers, keys and lists lie apart from those of every other part

    @staticmethod
    def of(setting: str, *, nights: int, seed: int = 20260331, scale: float = 1.0) -> SyntheticSettings:
        """A council of that setting, its last night at the end of the reporting period; ValueError for no such one."""
        kind = load_setting(setting)
        first = date.fromordinal(kind.reporting_period[1].toordinal() - nights)
        quality = cast(QualityProfile, kind.quality_profile)
        return SyntheticSettings(seed, scale, nights, first, quality, setting=setting)

    @property
    def kind(self) -> Setting:
        """What kind of council this is, its calendar told in as many nights as there are."""
        return load_setting(self.setting).over(self.nights)

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
