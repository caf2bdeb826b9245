"""What is known before a file is read: how often levels agree among the same people and among strangers anywhere.

A judgement in the spirit of the model cards and the linkage handbook (7.1 and 17), not a measurement, given to the
learning as so many imagined pairs. A handful of records leans on it, thousands forget it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from linkage.trial.comparisons import Comparison
    from linkage.trial.groups import Group

#: How many imagined pairs of the same person, and of strangers, general experience counts for.
SAME_PEOPLE, STRANGERS = 20.0, 50.0
#: Of the fields that tell a home, all after the first largely follow from the first, among strangers as well.
_FOLLOWS = 0.3

#: Beginning of a level's name -> share among the same people, share among strangers. The first that fits counts.
Table = Mapping[str, tuple[float, float]]
_NAME: Table = {
    "full name equal, with further names": (0.1, 1e-6),
    "full name equal": (0.7, 1e-5),
    "surname equal, forename a nickname": (0.05, 2e-5),
    "names exchanged": (0.005, 1e-6),
    "three words": (0.01, 2e-6),
    "surname equal, forename alike": (0.03, 2e-5),
    "forename equal, surname alike": (0.03, 2e-5),
    "both alike": (0.01, 2e-5),
    "two words": (0.01, 2e-5),
    "names alike but exchanged": (0.002, 2e-6),
    "another given name shared, surname": (0.005, 3e-5),
    "surname equal, forename missing": (0.005, 2e-5),
    "surname equal only": (0.01, 1e-3),
    "forename equal, surname missing": (0.005, 1e-5),
    "both somewhat alike": (0.005, 3e-4),
    "forename equal only": (0.015, 4e-3),
    "another given name or word": (0.004, 0.01),
    "surname alike only": (0.003, 3e-3),
    "forename alike only": (0.003, 0.01),
    "different": (0.005, 0.97),
}
_BIRTH_DATE: Table = {
    "equal, 1 January": (0.005, 4e-6),
    "equal": (0.93, 4e-5),
    "day and month": (0.003, 2e-5),
    "one digit": (0.02, 1e-3),
    "year equal, one is": (0.005, 5e-4),
    "year and": (0.015, 1.5e-3),
    "month and day": (0.006, 3e-3),
    "two digits": (0.006, 0.015),
    "year equal only": (0.003, 0.015),
    "different": (0.007, 0.96),
}
_POSTCODE: Table = {
    "equal to another": (0.1, 2e-4),
    "equal": (0.7, 2e-4),
    "one letter": (0.03, 1e-3),
    "same neighbourhood": (0.02, 5e-3),
    "same district": (0.04, 0.05),
    "different": (0.21, 0.94),
}
_TEXT: Table = {
    "equal to another": (0.02, 0.002),
    "equal": (0.7, 0.01),
    "alike": (0.1, 0.005),
    "two words": (0.03, 0.005),
    "one word": (0.04, 0.06),
    "somewhat": (0.02, 0.02),
    "different": (0.1, 0.9),
}
_SHORT: Table = {
    "equal to another": (0.02, 0.01),
    "equal": (0.85, 0.1),
    "one letter": (0.03, 0.1),
    "different": (0.1, 0.8),
}
_TELEPHONE: Table = {
    "equal to another": (0.05, 1e-4),
    "equal": (0.7, 1e-4),
    "one letter": (0.03, 1e-5),
    "different": (0.22, 0.999),
}
_EMAIL: Table = {
    "equal": (0.75, 1e-5),
    "same name": (0.05, 1e-4),
    "alike": (0.05, 1e-4),
    "names before": (0.03, 2e-3),
    "different": (0.12, 0.997),
}
_NUMBER: Table = {
    "equal to another": (0.01, 1e-6),
    "equal": (0.95, 1e-6),
    "one digit": (0.02, 1e-5),
    "two digits": (0.005, 2e-4),
    "different": (0.02, 0.999),
}
_KINDS: Mapping[str, Table] = {
    "name": _NAME,
    "birth_date": _BIRTH_DATE,
    "sex": {"equal": (0.985, 0.5), "different": (0.015, 0.5)},
    "postcode": _POSTCODE,
    "place": _TEXT,
    "address": _TEXT,
    "other": _TEXT,
    "region": _SHORT,
    "house_number": {**_SHORT, "equal": (0.8, 0.03)},
    "telephone": _TELEPHONE,
    "email": _EMAIL,
    "identifier": _NUMBER,
    "nhs_number": _NUMBER,
}


@dataclass(frozen=True, slots=True)
class Prior:
    """Imagined counts of one group: for each of its fields, one number a state, among the same people and strangers."""

    m: tuple[NDArray[np.float64], ...]
    u: tuple[NDArray[np.float64], ...]


def priors_for(comparisons: Sequence[Comparison], groups: Sequence[Group]) -> list[Prior]:
    """Imagined counts for the groups of a trial. Raises `KeyError` for a level that has no general experience."""
    return [_prior(comparisons, group) for group in groups]


def _prior(comparisons: Sequence[Comparison], group: Group) -> Prior:
    import numpy as np

    m: list[NDArray[np.float64]] = []
    u: list[NDArray[np.float64]] = []
    for place, part in enumerate(group.parts):
        same, strangers = np.array(list(_shares(comparisons[part.column]))).T
        same, strangers = same / same.sum(), strangers / strangers.sum()
        if place:
            strangers = (1 - _FOLLOWS) * strangers + _FOLLOWS * same
        for made, counts in ((m, SAME_PEOPLE * same), (u, STRANGERS * strangers)):
            made.append(np.bincount(part.states, weights=counts, minlength=part.size).astype(np.float64))
    return Prior(tuple(m), tuple(u))


def _shares(comparison: Comparison) -> Iterator[tuple[float, float]]:
    kind = re.sub(r"_\d+$", "", comparison["output_column_name"])
    for level in comparison["comparison_levels"]:
        if not level.get("is_null_level"):
            label = str(level["label_for_charts"])
            known = [shares for beginning, shares in _KINDS[kind].items() if label.startswith(beginning)]
            if not known:
                raise KeyError(f"no general experience with level {label!r} of {kind}")
            yield known[0]
