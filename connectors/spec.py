"""What one supplier table looks like: its columns under the supplier's names and under ours.

Read from `connectors/<supplier>/spec/<table>.yml`. A specification only renames; it never changes a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Column:
    name: str  # the supplier's
    field: str  # ours
    tag: str  # the supplier's type
    required: bool
    sensitivity: str  # identifier, personal, or "" for neither


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows left out by policy when `field` equals `value`; counted under `reason`."""

    field: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class TableSpec:
    table: str
    dataset: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    removed: tuple[str, str] | None
    exclude: tuple[Exclusion, ...]
    reference: bool

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(column.field for column in self.columns)

    def facts(self) -> dict[str, Any]:
        """What later stages need to know of the table; travels inside the landed file."""
        return {
            "dataset": self.dataset,
            "source": self.dataset.split("__")[0],
            "key": list(self.key),
            "removed": {"field": self.removed[0], "value": self.removed[1]} if self.removed else None,
            "exclude": [{"field": e.field, "value": e.value, "reason": e.reason} for e in self.exclude],
            "reference": self.reference,
        }


@cache
def table_specs(source: str) -> Mapping[str, TableSpec]:
    """All specifications of one supplier by its own table names. Raises `ValueError` when one contradicts itself."""
    specs = {}
    folder = files("connectors") / source / "spec"
    for page in sorted(folder.iterdir(), key=lambda p: p.name):
        if page.name.endswith(".yml") and not page.name.endswith(".diff.yml"):
            spec = _from_mapping(yaml.safe_load(page.read_text(encoding="utf-8")), page.name)
            specs[spec.table] = spec
    return specs


def _from_mapping(raw: Mapping[str, Any], page: str) -> TableSpec:
    columns = tuple(
        Column(
            str(c["name"]),
            str(c["field"]),
            str(c.get("tag", "")),
            bool(c.get("required", False)),
            str(c.get("sensitivity", "")),
        )
        for c in raw["columns"]
    )
    spec = TableSpec(
        table=str(raw["table"]),
        dataset=str(raw["dataset"]),
        meaning=str(raw["meaning"]),
        key=tuple(raw["key"]),
        columns=columns,
        removed=(raw["removed"]["field"], str(raw["removed"]["value"])) if raw.get("removed") else None,
        exclude=tuple(Exclusion(e["field"], str(e["value"]), e["reason"]) for e in raw.get("exclude") or ()),
        reference=bool(raw.get("reference", False)),
    )
    unknown = {*spec.key, *(e.field for e in spec.exclude), *([spec.removed[0]] if spec.removed else [])} - {
        *spec.fields
    }
    if unknown or len(set(spec.fields)) != len(spec.fields):
        raise ValueError(f"{page}: fields {sorted(unknown)} are not columns of the table, or a field appears twice")
    return spec
