"""What kind of council a synthetic one is: which supplier serves which district, and what happens to it over time.

Each setting is one page of `connectors/synthetic/councils/`; the four of the programme papers and the small default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

FULL_LENGTH = 90  # nights the pages are written for
SYSTEMS = ("systmone", "liquidlogic", "carefirst", "micare", "controcc")


@dataclass(frozen=True, slots=True)
class Cutover:
    """A care system replaced by another (sources hand-book, 6.4). Nights count from the first load."""

    old: str
    new: str
    trial_load_nights: tuple[int, ...]  # the new system holds stale copies that must be ignored
    freeze_night: int  # the old system takes no new work from here on
    go_live_night: int  # the first night that tells of work in the new system
    dual_running_until_night: int  # until then late entries still reach the old system; a read-only archive afterwards


@dataclass(frozen=True, slots=True)
class Setting:
    """One kind of council. `care` says which system serves a district: west, east, and people from outside."""

    name: str
    title: str
    la_code: str
    reporting_period: tuple[date, date]
    quality_profile: str
    care: Mapping[str, str]
    finance: bool  # ContrOCC stands beside Liquidlogic
    children_share: float  # children per client among the records of the care systems
    second_unit_joins_night: int | None  # a second community unit's bulk arrives on this night
    layout_change_nights: tuple[int, ...]  # SystmOne's releases A, B, C begin: night 0 is A when this is not empty
    controller_change: date | None  # from this day on another body is controller of adult social care
    has_file_faults: bool  # every file fault of D91 once
    cutover: Cutover | None
    casework: bool = False  # allocations, safeguarding and deprivation of liberty are told too
    dols_per_resident: float = 0.0  # applications per resident of a care home over two years

    @property
    def systems(self) -> tuple[str, ...]:
        """Every supplier system of this council, the community record first."""
        care = {*self.care.values(), *([self.cutover.new] if self.cutover else [])}
        return tuple(
            s for s in SYSTEMS if s == "systmone" or s in care or (s == "controcc" and self.finance)
        )  # fmt: skip

    def over(self, nights: int) -> Setting:
        """The same story told in fewer nights: pages are written for `FULL_LENGTH`, shorter runs keep the order."""
        if nights >= FULL_LENGTH:
            return self

        def at(night: int) -> int:
            return round(night * nights / FULL_LENGTH)

        cutover = self.cutover and replace(
            self.cutover,
            trial_load_nights=tuple(at(night) for night in self.cutover.trial_load_nights),
            freeze_night=at(self.cutover.freeze_night),
            go_live_night=at(self.cutover.go_live_night),
            dual_running_until_night=at(self.cutover.dual_running_until_night),
        )
        return replace(
            self,
            second_unit_joins_night=self.second_unit_joins_night and at(self.second_unit_joins_night),
            layout_change_nights=tuple(at(night) for night in self.layout_change_nights),
            cutover=cutover,
        )


@cache
def load_setting(name: str) -> Setting:
    """The setting of that name. Raises `ValueError` when there is none, and names those there are."""
    page = files("connectors") / "synthetic" / "councils" / f"{name}.yml"
    if not page.is_file():
        raise ValueError(f"no setting {name!r}; there are {', '.join(setting_names())}")
    raw: dict[str, Any] = yaml.safe_load(page.read_text(encoding="utf-8"))
    cutover = raw.pop("cutover", None)
    if cutover:
        cutover = Cutover(**{**cutover, "trial_load_nights": tuple(cutover["trial_load_nights"])})
    period = raw.pop("reporting_period")
    raw["layout_change_nights"] = tuple(raw.get("layout_change_nights") or ())
    return Setting(**{"controller_change": None, "second_unit_joins_night": None} | raw,
                   name=name, reporting_period=(period["start"], period["end"]), cutover=cutover)  # fmt: skip


def setting_names() -> tuple[str, ...]:
    """Every setting there is, by name."""
    folder = files("connectors") / "synthetic" / "councils"
    return tuple(sorted(p.name.removesuffix(".yml") for p in folder.iterdir() if p.name.endswith(".yml")))
