"""A version of the linkage model, read from `linkage/models/`: the parameters, the guards and the lines of decision.

One version is three files that never change: `<version>.json` in Splink's own settings format, `<version>.sidecar.json`
with everything Splink has no word for, and `<version>.names.csv` with the name frequencies frozen at training. A
change is a new version with a card (`<version>.md`) and a line in `current.txt` (linkage handbook 7.2).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

START = "starting weight"
FILES = (".json", ".sidecar.json", ".names.csv")  # the files of a version that never change


@dataclass(frozen=True, slots=True)
class Guard:
    """An adjustment made after the sum, because some fields agree together in households (linkage handbook 7.1)."""

    name: str
    meaning: str
    condition: str  # SQL over the columns `<field>_l` and `<field>_r`
    bits: float


@dataclass(frozen=True, slots=True)
class Bands:
    """Lines of decision, in bits, and the settings of standardising and clustering that belong to the same version."""

    link: float
    review: float
    margin: float  # a competitor this close sends both to review
    despite_numbers: float | None  # the line above which two different numbers, not both verified, link; None: never
    missing_pair: float  # what a pair counts that was never a candidate, in a group's mean
    group_mean: float  # the mean weight below which two groups are not joined
    name_floor: float
    full_name_floor: float
    communal_surnames: int
    block_cap: int  # larger blocks of a loose rule are left out, counted and reported
    pair_limit_per_record: int  # the run refuses to score more pairs than this for each record
    part: float | None = None  # the lower line: who is one person is parted only below it; None: at `link` as well


@dataclass(frozen=True, slots=True)
class Level:
    """One outcome of a comparison. `weight` is log2(m/u); the null level weighs nothing."""

    label: str
    condition: str
    is_null: bool
    m: float
    u: float
    weight: float
    frequency_column: str | None
    frequency_floor: float
    frequency_weight: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One aspect compared, its levels best first."""

    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """One version of the model."""

    version: str
    settings: Mapping[str, Any]
    starting_weight: float
    comparisons: tuple[Comparison, ...]
    guards: tuple[Guard, ...]
    bands: Bands
    facts: Mapping[str, Any]
    shares: tuple[tuple[str, str, float], ...]  # kind, name, share

    def name_shares(self) -> pa.Table:
        """The frozen name frequencies as a table: kind, name, share."""
        import pyarrow as pa

        return pa.table(
            {
                "kind": pa.array([kind for kind, _, _ in self.shares], pa.string()),
                "name": pa.array([name for _, name, _ in self.shares], pa.string()),
                "share": pa.array([share for _, _, share in self.shares], pa.float64()),
            }
        )


@cache
def current_version() -> str:
    """The version in use: the content of `linkage/models/current.txt`."""
    return (files("linkage") / "models" / "current.txt").read_text(encoding="utf-8").strip()


@cache
def kept_versions() -> tuple[str, ...]:
    """The versions this release holds, in the order of their names."""
    names = {f.name for f in (files("linkage") / "models").iterdir()}
    found = (name.removesuffix(FILES[1]) for name in names if name.endswith(FILES[1]))
    return tuple(sorted(version for version in found if all(version + ending in names for ending in FILES)))


def card(version: str) -> str:
    """The model card of a version (Markdown). Raises `FileNotFoundError` when there is none."""
    return (files("linkage") / "models" / f"{version}.md").read_text(encoding="utf-8")


def card_facts(version: str) -> dict[str, str]:
    """The first table of the card: status, made on, trained on and so on."""
    rows = [line.strip().strip("|").split("|", 1) for line in card(version).split("##")[0].splitlines() if "|" in line]
    return {row[0].strip(): row[1].strip() for row in rows if len(row) == 2 and row[0].strip(" -")}


@cache
def load_model(version: str | None = None) -> Model:
    """One model version, by default the one in use. Raises `FileNotFoundError` when there is no such version."""
    version = version or current_version()
    folder = files("linkage") / "models"
    settings = json.loads((folder / f"{version}.json").read_text(encoding="utf-8"))
    sidecar = json.loads((folder / f"{version}.sidecar.json").read_text(encoding="utf-8"))
    with (folder / f"{version}.names.csv").open("r", encoding="utf-8") as lines:
        shares = tuple((row["kind"], row["name"], float(row["share"])) for row in csv.DictReader(lines))
    return model_from(version, settings, sidecar, shares)


def model_from(
    version: str, settings: Mapping[str, Any], sidecar: Mapping[str, Any], shares: tuple[tuple[str, str, float], ...]
) -> Model:
    """Build a model from the content of its three files."""
    from math import log2

    prior = float(settings["probability_two_random_records_match"])
    return Model(
        version=version,
        settings=settings,
        starting_weight=log2(prior / (1 - prior)),
        comparisons=tuple(_comparison(c) for c in settings["comparisons"]),
        guards=tuple(Guard(**guard) for guard in sidecar["guards"]),
        bands=Bands(**sidecar["bands"]),
        facts=sidecar["facts"],
        shares=shares,
    )


def _comparison(raw: Mapping[str, Any]) -> Comparison:
    return Comparison(raw["output_column_name"], tuple(_level(level) for level in raw["comparison_levels"]))


def _level(raw: Mapping[str, Any]) -> Level:
    from math import log2

    is_null = bool(raw.get("is_null_level", False))
    m, u = (1.0, 1.0) if is_null else (float(raw["m_probability"]), float(raw["u_probability"]))
    return Level(
        label=raw["label_for_charts"],
        condition=raw["sql_condition"],
        is_null=is_null,
        m=m,
        u=u,
        weight=log2(m / u),
        frequency_column=raw.get("tf_adjustment_column"),
        frequency_floor=float(raw.get("tf_minimum_u_value", 0.0)),
        frequency_weight=float(raw.get("tf_adjustment_weight", 1.0)),
    )
