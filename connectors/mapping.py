"""What people have decided about a supplier's headings: `<home>/mappings/<source>.yml`, one decision an entry.

A decision says which specified column a heading that was met stands for, who says so, when and why. Readers use the
decisions in force while one source is being landed; nothing here decides anything by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import yaml

from domain.profile import Profile

_HEAD = "# Decided by people, written by `onestory drift accept`: a supplier's heading, and the column it stands for.\n"


class MappingError(ValueError):
    """The mapping page cannot be used: names the page and what is wrong with the entry."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`heading` of the supplier's `table` stands for the specified `column`.

    Where both are the same name, the column's values have another shape than specified and are taken all the same;
    `read_as` names the date style they have now, when they are to be read by it.
    """

    table: str
    heading: str
    column: str
    decided_by: str
    decided_on: date
    reason: str
    read_as: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions of one source, and the unknown columns (dataset, heading) whose review is over."""

    source: str = ""
    entries: tuple[Decision, ...] = ()
    reviewed: frozenset[tuple[str, str]] = frozenset()

    def stand_in(self, table: str) -> dict[str, str]:
        """Heading -> column for one table, where they differ."""
        return {d.heading: d.column for d in self.entries if d.table == table and d.heading != d.column}

    def new_shape(self, table: str) -> dict[str, str]:
        """Column -> the style its values have now ('': taken as they come), where a person accepted a new shape."""
        return {d.column: d.read_as for d in self.entries if d.table == table and (d.read_as or d.heading == d.column)}


_NONE = Decisions()
_IN_FORCE: ContextVar[Decisions] = ContextVar("decisions", default=_NONE)


def page_of(profile: Profile, source: str) -> Path:
    """Where the decisions of one source are kept."""
    return profile.home / "mappings" / f"{source}.yml"


def decisions_of(profile: Profile, source: str) -> Decisions:
    """The decisions about one source; none without a page.

    Raises:
        MappingError: when the page is no list of decisions, or an entry lacks who, when or why.
    """
    page = page_of(profile, source)
    if not page.is_file():
        return Decisions(source)
    try:
        raw = yaml.safe_load(page.read_text(encoding="utf-8")) or {}
        entries = tuple(_entry(entry, page) for entry in raw.get("decisions") or ())
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as problem:
        raise MappingError(f"{page.name}: not a page of decisions ({type(problem).__name__})") from None
    pairs = [(entry.table, entry.heading) for entry in entries]
    if len(set(pairs)) != len(pairs):
        raise MappingError(f"{page.name}: a heading of a table is decided twice")
    return Decisions(source, entries)


def _entry(raw: dict[str, object], page: Path) -> Decision:
    entry = Decision(
        str(raw["table"]),
        str(raw["heading"]),
        str(raw["column"]),
        str(raw["decided_by"]).strip(),
        date.fromisoformat(str(raw["decided_on"])),
        str(raw["reason"]).strip(),
        str(raw.get("read_as", "") or ""),
    )
    if not entry.decided_by or not entry.reason:
        raise MappingError(f"{page.name}: {entry.table} {entry.heading}: who decided, and why?")
    return entry


def decide(profile: Profile, source: str, decision: Decision) -> Path:
    """Add a decision to the source's page, in place of an earlier one about the same heading; returns the page.

    The page is replaced as a whole, so that a killed process leaves the old one or the new one.
    """
    before = decisions_of(profile, source).entries
    kept = [d for d in before if (d.table, d.heading) != (decision.table, decision.heading)]
    entries = [{k: str(v) for k, v in asdict(d).items() if v != ""} for d in (*kept, decision)]
    page = page_of(profile, source)
    page.parent.mkdir(parents=True, exist_ok=True)
    unfinished = page.with_name(f".{page.name}.{os.getpid()}")
    unfinished.write_text(_HEAD + yaml.safe_dump({"decisions": entries}, sort_keys=False, allow_unicode=True), "utf-8")
    unfinished.replace(page)
    return page


def decisions_in_force() -> Decisions:
    """The decisions about the source that is being landed now; none outside of `in_force`."""
    return _IN_FORCE.get()


@contextmanager
def in_force(decisions: Decisions) -> Iterator[None]:
    """Let every reader use `decisions` while the block runs."""
    token = _IN_FORCE.set(decisions)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)
