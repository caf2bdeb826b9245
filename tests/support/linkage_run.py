"""A link run without a database: source tables in, everything the linkage report is built from out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linkage import outcome
from linkage.clustering import Constraints
from linkage.engine import EdgeFigures, find_edges, form_groups, open_calculation
from linkage.identity import Assignment, assign_people
from linkage.inputs import Decision, Sources
from linkage.model import Model, load_model
from tests.support.linkage_tables import address_table, person_table, reference_table

if TYPE_CHECKING:
    import duckdb


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
) -> LinkedRun:
    """Link every record with every other, as the stage does on its first night."""
    chosen, decided, calculation = model or load_model(), constraints or Constraints(), open_calculation()
    figures = find_edges(calculation, sources, chosen, synthetic=True, before=None)
    grouped = form_groups(calculation, chosen, decided, None, is_full=True)
    assignment = assign_people(grouped.grouping.groups, grouped.nodes, {}, {}, key=b"k" * 32, next_number=1)
    outcome.write_memberships(calculation, grouped, assignment)
    outcome.write_edges(calculation, grouped, decided, decisions, chosen)
    return LinkedRun(calculation, chosen, len(grouped.grouping.groups), figures, assignment)


def sources_of(persons: Iterable[dict[str, Any]]) -> Sources:
    """Source tables of a few records written by a test."""
    return Sources(person_table(persons), address_table(()), reference_table(()))
