"""Comparisons weighed together, because strangers agree on both at once: a place follows from its postcode.

Weighing one fact twice lets neighbours look like one person (handbook 17). The fields of a place of living form one
group whose cells are combinations of levels; a cell rarely seen leans on what its fields say apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from linkage.trial.comparisons import Comparison
from linkage.trial.learning import MISSING, NO_CELL, Shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PLACES_OF_LIVING = ("postcode", "address", "place", "region")
_MOST_CELLS = 500
_AGREEING = ("equal", "equal to another", "alike", "one letter", "two words", "same neighbourhood")

#: What of the same people's values differs wholly at most: no file is so bad that it would be worth linking then.
_MOST_DIFFERENT = {"name": 0.05, "birth_date": 0.05, "sex": 0.1}


@dataclass(frozen=True, slots=True)
class Part:
    """One comparison within a group: its column among the comparisons, and for each of its levels the state it has.

    States are levels, or *agrees* and *does not* where a group would otherwise grow too large.
    """

    column: int
    states: tuple[int, ...]

    @property
    def size(self) -> int:
        return max(self.states) + 1


@dataclass(frozen=True, slots=True)
class Group:
    """Comparisons weighed together; mostly one alone."""

    name: str
    parts: tuple[Part, ...]
    most_different: float = 1.0

    @property
    def shape(self) -> Shape:
        return tuple(part.size for part in self.parts)


def groups_for(comparisons: Sequence[Comparison]) -> list[Group]:
    """Fields of the place of living in one group, first the postcode; every other comparison alone."""
    order = {kind: n for n, kind in enumerate(_PLACES_OF_LIVING)}
    kinds = [re.sub(r"_\d+$", "", c["output_column_name"]) for c in comparisons]
    living = sorted((n for n, kind in enumerate(kinds) if kind in order), key=lambda n: (order[kinds[n]], n))
    made = [_alone(c, n) for n, c in enumerate(comparisons) if n not in living]
    if living:
        made.append(_living(comparisons, living))
    return made


def cells(levels: NDArray[np.uint8], groups: Sequence[Group]) -> NDArray[np.uint16]:
    """The cell of every group for each row of levels; `NO_CELL` where nothing in the group is known on both sides."""
    import numpy as np

    found = []
    for group in groups:
        cell, known = np.zeros(len(levels), dtype=np.int64), np.zeros(len(levels), dtype=bool)
        for part in group.parts:
            state = np.full(MISSING + 1, -1)
            state[: len(part.states)] = part.states
            here = state[levels[:, part.column]]
            known |= here >= 0
            cell = cell * (part.size + 1) + here + 1
        found.append(np.where(known, cell, NO_CELL).astype(np.uint16))
    return np.column_stack(found)


def states_of(group: Group) -> list[tuple[int, ...]]:
    """The states of every cell in order, -1 for missing."""
    return [tuple(n - 1 for n in cell) for cell in product(*(range(size + 1) for size in group.shape))]


def _alone(comparison: Comparison, column: int) -> Group:
    name = comparison["output_column_name"]
    return Group(name, (_part(comparison, column),), _MOST_DIFFERENT.get(name, 1.0))


def known_labels(comparison: Comparison) -> list[str]:
    """The levels of a comparison but for missing, best first."""
    return [v["label_for_charts"] for v in comparison["comparison_levels"] if not v.get("is_null_level")]


def _part(comparison: Comparison, column: int, *, coarse: bool = False) -> Part:
    labels = known_labels(comparison)
    if coarse:
        return Part(column, tuple(0 if label.startswith(_AGREEING) else 1 for label in labels))
    return Part(column, tuple(range(len(labels))))


def _living(comparisons: Sequence[Comparison], living: Sequence[int]) -> Group:
    name = " and ".join(comparisons[n]["output_column_name"] for n in living)
    fine = len(living)
    while True:
        parts = [_part(comparisons[n], n, coarse=place >= fine) for place, n in enumerate(living)]
        count = 1
        for part in parts:
            count *= part.size + 1
        if count <= _MOST_CELLS or fine == 0:
            return Group(name, tuple(parts))
        fine -= 1
