"""The reviewable specification of the return, read and checked once: fields, conditions, defaults, targets.

The YAML files beside this module hold everything an analyst may need to correct; loading refuses a file that names an
unknown condition, field or list, so that a slip is found before any data are touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from domain.codes import code_list

Condition = str | Mapping[str, Any]
FORMATS = (
    "la_code", "period_start", "period_end", "nhs_number", "text", "practice_code", "list", "date", "postcode",
    "whole_number", "cqc_location", "amount",
)  # fmt: skip


class SpecificationError(ValueError):
    """The specification cannot be used: says which field or condition, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class FieldSpecification:
    """One column of the file."""

    position: int
    heading: str
    module: str
    format: str
    mandatory: Condition
    applicable: Condition
    shown: bool
    when_nothing_recorded: str
    longest: int | None
    lowest: int | None
    highest: int | None


@dataclass(frozen=True, slots=True)
class Specification:
    """One release of the return."""

    release: int
    fields: tuple[FieldSpecification, ...]
    conditions: Mapping[str, Condition]
    must_be_known: frozenset[str]
    lists: Mapping[str, Mapping[str, str]]
    earlier_lists: Mapping[str, Mapping[str, str]]
    date_format: str
    leave_blank: frozenset[str]
    defaults: Mapping[str, Any]
    selection: Mapping[str, Any]
    targets: Mapping[str, int]
    not_to_be_sent_when_failing: tuple[str, ...]
    rules_year: str

    @property
    def headings(self) -> list[str]:
        return [f.heading for f in self.fields]

    def field(self, heading: str) -> FieldSpecification:
        """The field with this heading; raises `SpecificationError` when there is none."""
        for candidate in self.fields:
            if candidate.heading == heading:
                return candidate
        raise SpecificationError(f"no field is headed {heading!r}")


@cache
def load_specification(release: int = 2) -> Specification:
    """Read `spec/release_<n>.yml`; raises `SpecificationError` when it contradicts itself or the code lists."""
    source = files("statutory.client_level_data") / "spec" / f"release_{release}.yml"
    raw = yaml.safe_load(source.read_text(encoding="utf-8"))
    listed = code_list(raw["field_list"])
    modules = {
        heading: (int(position), module) for heading, codes in listed.items() for position, module in codes.items()
    }
    fields = tuple(_field(entry, modules) for entry in raw["fields"])
    specification = Specification(
        release=int(raw["release"]),
        fields=fields,
        conditions=raw["conditions"],
        must_be_known=frozenset(raw["must_be_known"]),
        lists=code_list(raw["code_list"]),
        earlier_lists=code_list(raw["earlier_code_list"]),
        date_format=str(raw["file"]["date_format"]),
        leave_blank=frozenset(raw["file"]["leave_blank"]),
        defaults=raw["defaults"],
        selection=raw["selection"],
        targets=raw["targets"],
        not_to_be_sent_when_failing=tuple(raw["not_to_be_sent_when_failing"]),
        rules_year=str(raw["rules_year"]),
    )
    _check(specification, modules)
    return specification


def _field(entry: Mapping[str, Any], modules: Mapping[str, tuple[int, str]]) -> FieldSpecification:
    heading = str(entry["heading"])
    if heading not in modules:
        raise SpecificationError(f"{heading!r} is not a heading of the return")
    position, module = modules[heading]
    return FieldSpecification(
        position=position,
        heading=heading,
        module=module,
        format=str(entry["format"]),
        mandatory=entry.get("mandatory", "never"),
        applicable=entry.get("applicable", "never"),
        shown=bool(entry.get("shown", False)),
        when_nothing_recorded=str(entry.get("when_nothing_recorded", "")),
        longest=entry.get("longest"),
        lowest=entry.get("lowest"),
        highest=entry.get("highest"),
    )


def _check(specification: Specification, modules: Mapping[str, tuple[int, str]]) -> None:
    positions = [f.position for f in specification.fields]
    if positions != list(range(1, len(modules) + 1)):
        raise SpecificationError("the fields must stand in the order of the return, each once")
    for entry in specification.fields:
        if entry.format not in FORMATS:
            raise SpecificationError(f"{entry.heading}: {entry.format!r} is not a format; known: {', '.join(FORMATS)}")
        if entry.format == "list" and entry.heading not in specification.lists:
            raise SpecificationError(f"{entry.heading}: the code list has no values for it")
        _check_condition(entry.mandatory, specification)
        _check_condition(entry.applicable, specification)
    for condition in specification.conditions.values():
        _check_condition(condition, specification)


def _check_condition(condition: Condition, specification: Specification) -> None:
    if isinstance(condition, str):
        if condition not in ("always", "never") and condition not in specification.conditions:
            raise SpecificationError(f"no condition is called {condition!r}")
        return
    for word in ("all", "any"):
        if word in condition:
            for part in condition[word]:
                _check_condition(part, specification)
            return
    if "not" in condition:
        _check_condition(condition["not"], specification)
    elif "field" in condition:
        specification.field(condition["field"])
        if not {"is", "in", "starts_with", "filled"} & set(condition):
            raise SpecificationError(f"{condition['field']}: a test is one of is, in, starts_with, filled")
    elif "age_at_period_end" not in condition:
        raise SpecificationError(f"this is not a condition: {dict(condition)}")
