"""Evidence that is not independent: relatives, twins, parents and children lose bits instead of being one person.

Adding weights takes every field for a witness of its own; a household's are not. What looks like two people of one
home is adjusted, never forbidden, and the report shows it (linkage handbook 7.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkage.trial.comparisons import Comparison
from linkage.trial.groups import Group, known_labels
from linkage.trial.learning import Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Cells = NDArray[np.uint16]
    Mask = NDArray[np.bool_]
    Bits = NDArray[np.float64]

_FORENAME_UNLIKE = ("surname equal only", "surname alike only", "different")
_SURNAME_ALONE = ("surname equal only", "surname alike only")
_NAMES_AGREE = ("full name equal", "surname equal, forename a nickname", "three words", "surname equal, forename alike",
                "forename equal, surname alike", "both alike", "two words")  # fmt: skip
_BIRTH_UNLIKE = ("year equal only", "month and day equal", "two digits wrong", "different")
_HOMES = ("postcode", "address")
_SHARED = (*_HOMES, "house_number", "telephone")
_LIVING = ("postcode", "address", "place", "region", "house_number", "telephone")
_MOVED = 0.02
_STRANGERS = -60.0
_NUMBERS = ("nhs_number", "identifier")


@dataclass(frozen=True, slots=True)
class Guard:
    """What a pair loses that looks like two people of one family."""

    name: str
    meaning: str
    bits: float


RELATIVES = Guard("possible relatives", "forenames unlike, birth dates unlike or not compared, no equal number", -8.0)
TWINS = Guard("possible twins", "birth dates and surnames agree, forenames unlike, no equal number", -8.0)
GENERATIONS = Guard(
    "possible parent and child", "names agree, one home, birth dates wholly different, no equal number", -8.0
)
GUARDS = (RELATIVES, TWINS, GENERATIONS)


def guarded(cells: Cells, groups: Sequence[Group], comparisons: Sequence[Comparison]) -> dict[Guard, Mask]:
    """For each guard, the rows of cells it holds for; none where names are not compared."""
    find = _Finder(cells, groups, comparisons)
    unlike, numbered = find.alone("name", _FORENAME_UNLIKE), find.same(_NUMBERS)
    return {
        RELATIVES: unlike & find.born_unlike() & ~numbered,
        TWINS: find.alone("name", _SURNAME_ALONE) & find.alone("birth_date", ("equal",)) & ~numbered,
        GENERATIONS: find.alone("name", _NAMES_AGREE) & find.alone("birth_date", ("different",))
        & find.same(_HOMES) & ~numbered,
    }  # fmt: skip


def guard_bits(
    cells: Cells, groups: Sequence[Group], comparisons: Sequence[Comparison], *, learning: bool = False
) -> NDArray[np.float64]:
    """What every row of cells loses to guards.

    To the learning, relatives of one home are strangers: it would take homes for people where they are as many.
    """
    import numpy as np

    total = np.zeros(len(cells))
    for guard, rows in guarded(cells, groups, comparisons).items():
        total[rows] += guard.bits
        if learning and guard is RELATIVES:
            total[rows & _Finder(cells, groups, comparisons).same(_SHARED)] = _STRANGERS
    return total


def moved_bits(cells: Cells, groups: Sequence[Group], comparisons: Sequence[Comparison], weights: Weights) -> Bits:
    """What every row of cells gets back because people move: however many fields tell a home, they tell one fact.

    Beside living on in one home (what m says of each field) stands having moved, which says nothing of the new home.
    """
    import numpy as np

    home = np.zeros(len(cells))
    for column, group in enumerate(groups):
        if comparisons[group.parts[0].column]["output_column_name"].startswith(_LIVING):
            m, u = weights.m[column], weights.u[column]
            home += np.append(np.log2(m / u), 0.0)[np.minimum(cells[:, column], len(m))]
    against = np.minimum(home, 0.0)
    return np.log2((1 - _MOVED) * np.exp2(against) + _MOVED) - against


@dataclass(frozen=True, slots=True)
class _Finder:
    cells: Cells
    groups: Sequence[Group]
    comparisons: Sequence[Comparison]

    def alone(self, name: str, beginnings: tuple[str, ...]) -> Mask:
        """Rows on which the comparison `name`, which is a group of its own, has a level that begins like this."""
        import numpy as np

        column = next((n for n, group in enumerate(self.groups) if group.name == name), None)
        if column is None:
            return np.zeros(len(self.cells), dtype=bool)
        labels = known_labels(self.comparisons[self.groups[column].parts[0].column])
        states = [n + 1 for n, label in enumerate(labels) if label.startswith(beginnings)]
        return np.isin(self.cells[:, column], states)

    def born_unlike(self) -> Mask:
        """Rows on which fewer than two parts of the birth dates are equal; all, where no dates are compared."""
        import numpy as np

        if any(group.name == "birth_date" for group in self.groups):
            return self.alone("birth_date", _BIRTH_UNLIKE)
        return np.ones(len(self.cells), dtype=bool)

    def same(self, kinds: tuple[str, ...]) -> Mask:
        """Rows on which any field of these kinds is equal, or agrees where a group does not tell its levels apart."""
        import numpy as np

        found = np.zeros(len(self.cells), dtype=bool)
        for column, group in enumerate(self.groups):
            rest = self.cells[:, column].astype(np.int64)
            rest[rest >= int(np.prod([part.size + 1 for part in group.parts]))] = 0
            for part in reversed(group.parts):
                rest, state = np.divmod(rest, part.size + 1)
                if self.comparisons[part.column]["output_column_name"].startswith(kinds):
                    found |= state == 1  # the first state is the best one
        return found
