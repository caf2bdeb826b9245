"""A council with one system of adult care, its nights carried through every stage, and what its warehouse then tells.

What every care door's tests of survived faults share; how a night is spoilt is each door's own.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, cast

from connectors import conform, stage
from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from governance.store import Store
from tests.support.survival import canonical_dump

CANARY = "Zzcanary"
_SINCE = ("known_from", "known_to", "landed_line")
Dump = dict[str, list[str]]


class Told(NamedTuple):
    """What the stages of one night said."""

    landed: RunResult
    checked: RunResult
    conformed: RunResult

    @property
    def codes(self) -> set[str]:
        return {finding.code for result in self for finding in result.findings}


class CareDoor:
    """A council whose only source is one care system."""

    def __init__(self, profile: Profile, source: SourceSettings) -> None:
        self.source = source.name
        self.profile = replace(profile, sources=(source,))

    @property
    def context(self) -> RunContext:
        return RunContext(self.profile, "night", "test", source=self.source)

    def land(self) -> RunResult:
        """Look at the door and take what is whole."""
        return stage.run(self.context)

    def through(self) -> Told:
        """Land, check and conform."""
        told = Told(stage.run(self.context), check.run(self.context), conform.run(self.context))
        assert told.conformed.state is RunState.DONE, told.conformed.findings
        return told

    def whole_night(self) -> Told:
        """A night without any fault: every stage is done."""
        told = self.through()
        assert [result.state for result in told] == [RunState.DONE] * 3, told
        return told

    def options(self, **options: str) -> None:
        source = self.profile.source(self.source)
        self.profile = replace(self.profile, sources=(replace(source, options={**source.options, **options}),))

    def dump(self) -> Dump:
        return canonical_dump(self.profile, self.source)

    def believed(self) -> Dump:
        return believed(self.dump())

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the loader reads."""
        return cast(list[dict[str, Any]], Store(self.profile).read_arrow("loader", query).to_pylist())

    def left_out(self) -> dict[tuple[str, str], int]:
        """Rows left out so far by table and reason."""
        query = "select dataset, reason, sum(rows)::int as n from ledger.exclusion group by 1, 2"
        return {(r["dataset"].partition("__")[2], r["reason"]): r["n"] for r in self.rows(query)}

    def held(self) -> list[tuple[str, tuple[str, ...]]]:
        """Table and rules of every row that waits in quarantine."""
        query = "select dataset, rules from quarantine.held_row where state = 'held' order by dataset, line"
        return [(r["dataset"].partition("__")[2], tuple(r["rules"])) for r in self.rows(query)]


def believed(dump: Dump, at: datetime | None = None) -> Dump:
    """The rows of a dump that count at a moment (now unless given), without their line and since when they count.

    This must be equal when a fault was met and mended later: the history rightly tells that the value came late.
    """
    return {
        name: sorted(_plain(line) for line in lines if _counts(line, at)) if name != "quarantine" else lines
        for name, lines in dump.items()
    }


def _counts(line: str, at: datetime | None) -> bool:
    row = json.loads(line)
    if row.get("is_removed") or "known_from" not in row:
        return not row.get("is_removed")
    if at is None:
        return row["known_to"] is None
    since, until = (datetime.fromisoformat(row[name]) if row[name] else None for name in ("known_from", "known_to"))
    return since is not None and since <= at and (until is None or at < until)


def _plain(line: str) -> str:
    return json.dumps({name: value for name, value in json.loads(line).items() if name not in _SINCE}, sort_keys=True)
