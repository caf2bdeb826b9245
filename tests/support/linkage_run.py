"""A link run without a database: source tables in, everything the linkage report is built from out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linkage import outcome
from linkage.clustering import Constraints
from linkage.engine import EdgeFigures, find_edges, form_groups, open_calculation
from linkage.identity import Assignment, KnownPerson, assign_people
from linkage.inputs import Decision, Sources
from linkage.model import Model, load_model
from tests.support.linkage_tables import address_table, person_table, reference_table
from tests.support.linkage_world import WorldRecords, council, records_after

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass
class LinkedRun:
    """What one run over all pairs leaves."""

    calculation: duckdb.DuckDBPyConnection
    model: Model
    people: int
    figures: EdgeFigures
    assignment: Assignment


def link_all(
    sources: Sources,
    constraints: Constraints | None = None,
    decisions: Sequence[Decision] = (),
    model: Model | None = None,
    believed: Mapping[int, str] | None = None,
) -> LinkedRun:
    """Link every record with every other, as the stage does on its first night.

    `believed` (record -> person) is what an earlier run said; all those people are alive.
    """
    chosen, decided, calculation = model or load_model(), constraints or Constraints(), open_calculation()
    figures = find_edges(calculation, sources, chosen, synthetic=True, before=None)
    known = dict(believed or {})
    grouped = form_groups(calculation, chosen, decided, _memberships(known), is_full=True)
    names = sorted(set(known.values()))
    people = {name: KnownPerson(name, place) for place, name in enumerate(names, 1)}
    assignment = assign_people(
        grouped.grouping.groups, grouped.nodes, known, people, key=b"k" * 32, next_number=len(names) + 1
    )
    outcome.write_memberships(calculation, grouped, assignment)
    outcome.write_edges(calculation, grouped, decided, decisions, chosen)
    return LinkedRun(calculation, chosen, len(grouped.grouping.groups), figures, assignment)


def _memberships(believed: Mapping[int, str]) -> pa.Table | None:
    import pyarrow as pa

    if not believed:
        return None
    columns = {
        "record_id": pa.array(list(believed), pa.int64()),
        "person_id": pa.array(list(believed.values()), pa.string()),
        "reason": pa.array(["single"] * len(believed), pa.string()),
        "is_current": pa.array([True] * len(believed), pa.bool_()),
    }
    return pa.table(columns)


def sources_of(persons: Iterable[dict[str, Any]]) -> Sources:
    """Source tables of a few records written by a test."""
    return Sources(person_table(persons), address_table(()), reference_table(()))


@dataclass
class LinkedCouncil:
    """A small synthetic council, linked, with the true person of every record id."""

    run: LinkedRun
    records: WorldRecords
    truth: dict[int, int]


def linked_council(seed: int, scale: float) -> LinkedCouncil:
    """A council of its own seed after its last night."""
    records = records_after(council(seed, scale), 5)
    run = link_all(records.sources)
    keys = rows_of(run, "select record_id, record_key from standard")
    return LinkedCouncil(run, records, {record: records.truth[key] for record, key in keys})


def rows_of(run: LinkedRun, query: str) -> list[tuple[Any, ...]]:
    """All rows of a question about a run."""
    found: list[tuple[Any, ...]] = run.calculation.execute(query).fetchall()
    return found


def one(run: LinkedRun, query: str) -> Any:
    """The first value of the first row."""
    return rows_of(run, query)[0][0]
