"""Nights that begin with what the night before kept believe what a run over everything would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings

from linkage import engine
from linkage.engine import EdgeFigures, find_edges, find_edges_near
from linkage.inputs import Before, Changes, Sources
from linkage.kept import Kept
from linkage.model import Model
from tests.support import linkage_history
from tests.support.linkage_history import Evening, Morning, link
from tests.unit.linkage.test_histories import MODEL, Change, few, first_night, nights, put

pytestmark = pytest.mark.property
NO_VERSIONS = pa.table({name: pa.array([], pa.int64()) for name in ("kind", "version_id", "record_id")})


@dataclass
class Nights:
    """A council whose nights begin with what the night before kept, as in the stage."""

    path: Path
    night: int = 0
    near: int = 0  # nights that were linked from what was kept
    read: Sources | None = None
    kept: Kept | None = None

    def link(self, evening: Evening) -> Morning:
        self.night += 1
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(engine, "_ALL_ANEW_ABOVE", 2.0)
            patched.setattr(linkage_history, "_morning", self._finished(linkage_history._morning))
            return link(evening, MODEL, find=self._find)

    def _find(
        self, calculation: duckdb.DuckDBPyConnection, sources: Sources, model: Model, *, synthetic: bool,
        before: Before | None,
    ) -> EdgeFigures:  # fmt: skip
        self.kept = Kept.attach(calculation, self.path, model, synthetic=synthetic, run=f"run {self.night - 1}")
        assert self.kept is not None
        before_that, self.read = self.read, sources
        if self.kept.is_usable and before_that is not None:
            self.near += 1
            changes = difference(before_that, sources)
            return find_edges_near(calculation, changes, model, synthetic=synthetic, kept=self.kept)
        return find_edges(calculation, sources, model, synthetic=synthetic, before=before, kept=self.kept)

    def _finished(self, morning_of: Any) -> Any:
        def finish(*given: Any) -> Morning:
            assert self.kept is not None
            self.kept.finish(f"run {self.night}", NO_VERSIONS)
            morning: Morning = morning_of(*given)
            return morning

        return finish


def difference(earlier: Sources, now: Sources) -> Changes:
    """As the stage asks the database for it: records one of whose rows is new or gone, with their rows of now."""
    told: set[int] = set()
    for name in ("persons", "addresses", "references"):
        rows = [[tuple(row.items()) for row in getattr(s, name).to_pylist()] for s in (earlier, now)]
        told |= {dict(row)["source_record_id"] for a, b in (rows, rows[::-1]) for row in a if row not in b}
    records = pa.table({"record_id": pa.array(sorted(told), pa.int64())})
    return Changes(records, Sources(*(_of(getattr(now, n), told) for n in ("persons", "addresses", "references"))))


def _of(table: pa.Table, records: set[int]) -> pa.Table:
    return table.filter(pa.array([r in records for r in table["source_record_id"].to_pylist()], pa.bool_()))


def evenings(
    first: list[dict[str, Any]], later: list[list[Change]], council: Nights
) -> Iterator[tuple[Evening, Morning]]:
    evening = Evening()
    for night in [[put(number, fields) for number, fields in enumerate(first, 1)], *later]:
        for step in night:
            evening = step(evening)
        morning = council.link(evening)
        yield evening, morning
        evening = morning.next


@settings(few, max_examples=6)
@given(first_night, nights)
def test_a_night_from_what_was_kept_believes_what_a_run_of_everything_would(
    first: list[dict[str, Any]], later: list[list[Change]]
) -> None:
    with TemporaryDirectory() as folder:
        council = Nights(Path(folder) / "kept" / "linkage.duckdb")
        for evening, morning in evenings(first, later, council):
            assert link(evening, MODEL, is_full=True).believed == morning.believed
        assert council.near == len(later)
