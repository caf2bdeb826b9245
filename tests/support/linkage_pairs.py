"""What the engine says of a few records: the ladder's answer for a pair, and the groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from linkage.clustering import Constraints
from linkage.engine import find_edges, form_groups, open_calculation
from linkage.inputs import Sources
from linkage.model import load_model
from tests.support.linkage_tables import address_table, person_table, reference_table


def judged(
    rows: Iterable[Mapping[str, Any]],
    references: Iterable[tuple[int, str, str]] = (),
    constraints: Constraints | None = None,
) -> tuple[dict[tuple[int, int], tuple[str, str, str]], set[frozenset[int]]]:
    """Pair -> (rule, final decision, final reason), and the groups of more than one record."""
    calculation, model = open_calculation(), load_model()
    sources = Sources(person_table(rows), address_table(), reference_table(references))
    find_edges(calculation, sources, model, synthetic=True, before=None)
    grouped = form_groups(calculation, model, constraints or Constraints(), None, is_full=True)
    outcomes = {pair: (grouped.grouping.rules[pair], *outcome) for pair, outcome in grouped.grouping.outcomes.items()}
    return outcomes, {frozenset(group) for group in grouped.grouping.groups if len(group) > 1}
