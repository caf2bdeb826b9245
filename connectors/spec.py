"""What one supplier table looks like: its columns under the supplier's names and under ours.

Read from `connectors/<supplier>/spec/<table>.yml` and the dated differences `<table>.<yyyy-mm-dd>.diff.yml` beside it.
A specification only renames; it never changes a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from connectors.subject import NOBODY, Subject, subject_from
from domain.pages import parse

DIFFERENCE = ".diff.yml"


@dataclass(frozen=True, slots=True)
class Column:
    name: str  # the supplier's
    field: str  # ours
    tag: str  # the supplier's type
    required: bool
    sensitivity: str  # identifier, personal, or "" for neither


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns a table has had since a date (None: from the beginning), and why they changed."""

    since: date | None
    columns: tuple[Column, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows left out by policy when `field` equals `value`, or is a number of the block; counted under `reason`."""

    field: str
    value: str
    reason: str
    block: tuple[int, int] | None = None  # from and to, both included


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table. `columns` are those of the newest layout and, after them, what only older layouts had: every field the
    table ever had has a place, whichever layout a file follows.
    """

    table: str
    dataset: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    removed: tuple[str, str] | None
    exclude: tuple[Exclusion, ...]
    reference: bool
    layouts: tuple[Layout, ...] = ()  # oldest first; empty: there has only ever been one
    subject: Subject = NOBODY  # whom a row is about, for the door

    @property
    def history(self) -> tuple[Layout, ...]:
        """Every layout the table has had, oldest first."""
        return self.layouts or (Layout(None, self.columns),)

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
            "exclude": [
                {"field": e.field, "value": e.value, "reason": e.reason, "block": e.block} for e in self.exclude
            ],
            "reference": self.reference,
            "people": [f for f in (self.subject.person, *self.subject.related) if f],
            "is_person_table": self.subject.is_person_table,
        }


@cache
def table_specs(source: str) -> Mapping[str, TableSpec]:
    """All specifications of one supplier by its own table names. Raises `ValueError` when one contradicts itself."""
    folder = files("connectors") / source / "spec"
    pages = {
        page.name: parse(page.read_text(encoding="utf-8"))
        for page in sorted(folder.iterdir(), key=lambda p: p.name)
        if page.name.endswith(".yml")
    }
    specs = {}
    for name, raw in pages.items():
        if not name.endswith(DIFFERENCE):
            spec = spec_from_pages(name, raw, {n: d for n, d in pages.items() if n.endswith(DIFFERENCE)})
            specs[spec.table] = spec
    return specs


def spec_from_pages(page: str, raw: Mapping[str, Any], differences: Mapping[str, Mapping[str, Any]]) -> TableSpec:
    """One table from its page and, of all `differences` by file name, those called `<page>.<yyyy-mm-dd>.diff.yml`.

    Raises:
        ValueError: when a page contradicts itself, or a difference changes what is not there.
    """
    layouts = [Layout(None, tuple(_column(c) for c in raw["columns"]))]
    for name in sorted(differences):
        day = name.removeprefix(page.removesuffix(".yml") + ".").removesuffix(DIFFERENCE)
        if name.startswith(page.removesuffix(".yml") + ".") and "." not in day:
            layouts.append(_changed(layouts[-1], differences[name], date.fromisoformat(day), name))
    newest = layouts[-1].columns
    places = {column.field: column for layout in layouts for column in layout.columns}
    gone = tuple(column for field, column in places.items() if field not in {c.field for c in newest})
    return _from_mapping(raw, page, (*newest, *gone), tuple(layouts) if len(layouts) > 1 else ())


def _column(raw: Mapping[str, Any]) -> Column:
    return Column(
        str(raw["name"]),
        str(raw["field"]),
        str(raw.get("tag", "")),
        bool(raw.get("required", False)),
        str(raw.get("sensitivity", "")),
    )


def _changed(before: Layout, change: Mapping[str, Any], since: date, page: str) -> Layout:
    """The layout after a dated difference: it may add, remove, rename and retype columns; its `note` says why."""
    renamed, retyped, removed = change.get("rename") or {}, change.get("retype") or {}, set(change.get("remove") or ())
    added = tuple(_column(c) for c in change.get("add") or ())
    strangers = {*renamed, *retyped, *removed} - {c.name for c in before.columns}
    if strangers or not str(change.get("note", "")).strip():
        raise ValueError(f"{page}: it needs a note, and {sorted(strangers)} are no columns of the layout before it")
    kept = tuple(
        replace(c, name=str(renamed.get(c.name, c.name)), tag=str(retyped.get(c.name, c.tag)))
        for c in before.columns
        if c.name not in removed
    )
    return Layout(since, (*kept, *added), str(change["note"]).strip())


def _exclusion(raw: Mapping[str, Any]) -> Exclusion:
    block = (int(raw["from"]), int(raw["to"])) if "from" in raw else None
    return Exclusion(raw["field"], str(raw.get("value", "")), raw["reason"], block)


def _from_mapping(
    raw: Mapping[str, Any], page: str, columns: tuple[Column, ...], layouts: tuple[Layout, ...]
) -> TableSpec:
    spec = TableSpec(
        table=str(raw["table"]),
        dataset=str(raw["dataset"]),
        meaning=str(raw["meaning"]),
        key=tuple(raw["key"]),
        columns=columns,
        removed=(raw["removed"]["field"], str(raw["removed"]["value"])) if raw.get("removed") else None,
        exclude=tuple(_exclusion(e) for e in raw.get("exclude") or ()),
        reference=bool(raw.get("reference", False)),
        layouts=layouts,
        subject=subject_from(raw, page),
    )
    named = {*spec.key, *(e.field for e in spec.exclude), *([spec.removed[0]] if spec.removed else [])}
    unknown = (named | set(spec.subject.fields)) - {*spec.fields}
    if unknown or len(set(spec.fields)) != len(spec.fields):
        raise ValueError(f"{page}: fields {sorted(unknown)} are not columns of the table, or a field appears twice")
    return spec
