"""From weighed pairs to links and clusters, with lines that are the same for all files.

One file: average linkage. Two files that hold nobody twice: one to one, the strongest first. Otherwise every record
goes with its best partner (linkage handbook 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linkage.agglomerate import MISSING_PAIR, average_linkage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Records = NDArray[np.integer[Any]]  # numbers of records, as wide as the caller keeps them
    Bits = NDArray[np.float64]

#: A link between two files: odds of eight to one by the model's own reckoning.
LINK_CUT = 3.0
#: A couple of one file, which no third record bears out, is parted below this.
COUPLE_CUT = 3.0
#: Groups of one file are joined while their mean is at least this; a pair never compared counts −5.
GROUP_CUT = -3.0
MARGIN = 4.0
#: A pair of which nobody would doubt that it is one person.
SURE = 12.0
_MOST_WITH_TWO = 0.005


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of the pairs: rows of the links, the group of every record, and by which lines."""

    chosen: Numbers
    groups: Numbers
    cut: float
    one_to_one: bool
    is_given: bool


def decide(
    sizes: Sequence[int],
    left: Records,
    right: Records,
    weight: Bits,
    *,
    cut: float | None,
    one_to_one_wished: bool | None,
) -> Decision:
    """Links and groups of one file or two; `cut` and `one_to_one_wished` are None where nothing was asked for."""
    import numpy as np

    size = sum(sizes)
    if len(sizes) == 2:
        line = LINK_CUT if cut is None else cut
        alone = holds_nobody_twice(left, right, weight) if one_to_one_wished is None else one_to_one_wished
        chosen = (one_to_one if alone else best_partners)(left, right, weight, line)
        return Decision(chosen, components(size, left[chosen], right[chosen]), line, alone, cut is not None)
    line = GROUP_CUT if cut is None else max(cut, MISSING_PAIR + 1)
    groups = average_linkage(size, left, right, weight, stop=line)
    if cut is None:
        groups = part_weak_couples(groups, left, right, weight, COUPLE_CUT)
    return Decision(np.flatnonzero(groups[left] == groups[right]), groups, line, False, cut is not None)


def lines_of(decision: Decision, *, across: bool) -> dict[str, Any]:
    """Where links begin and why there, for the report."""
    how = "given" if decision.is_given else "the same for all files, chosen without truth"
    if not across:
        clustering = "average linkage: groups join while the mean weight of their pairs stays above the line"
    elif decision.one_to_one:
        clustering = "one to one: the strongest pair first, every record at most once"
    else:
        clustering = "every record with its best partner, because a file seems to hold some people twice"
    return {"cut": decision.cut, "how": how, "one_to_one": decision.one_to_one, "clustering": clustering}


def histogram(weight: Bits, chosen: Numbers) -> list[dict[str, Any]]:
    """How many pairs lie between every two bits, linked and not."""
    import numpy as np

    linked = np.zeros(len(weight), dtype=bool)
    linked[chosen] = True
    edges = np.arange(-20, 62, 2)
    clipped = np.clip(weight, edges[0], edges[-1] - 1e-6)
    yes, no = (np.histogram(clipped[rows], edges)[0].tolist() for rows in (linked, ~linked))
    return [
        {"low": float(low), "high": float(low + 2), "linked": a, "rejected": b}
        for low, a, b in zip(edges[:-1], yes, no, strict=True)
        if a or b
    ]


def holds_nobody_twice(left: Records, right: Records, weight: Bits) -> bool:
    """Whether both files look free of duplicates: hardly any record has two partners it agrees with beyond doubt."""
    import numpy as np

    sure = weight >= SURE
    if not sure.any():
        return True
    for side in (left[sure], right[sure]):
        _, counts = np.unique(side, return_counts=True)
        if (counts > 1).mean() > _MOST_WITH_TWO:
            return False
    return True


def one_to_one(left: Records, right: Records, weight: Bits, cut: float) -> Numbers:
    """Rows of the pairs at or above `cut` that remain when the strongest goes first and every record has one partner.

    Equal weights: the smaller numbers first.
    """
    import numpy as np

    rows = np.flatnonzero(weight >= cut)
    rows = rows[np.lexsort((right[rows], left[rows], -weight[rows]))]
    taken: set[int] = set()
    kept = []
    for row, one, other in zip(rows.tolist(), left[rows].tolist(), right[rows].tolist(), strict=True):
        if one not in taken and other not in taken:
            taken.update((one, other))
            kept.append(row)
    return np.array(sorted(kept), dtype=np.int64)


def best_partners(left: Records, right: Records, weight: Bits, cut: float) -> Numbers:
    """Rows at or above `cut` that are the best of at least one of their two records, equal bests included."""
    import numpy as np

    kept = np.zeros(len(weight), dtype=bool)
    for side in (left, right):
        best = np.full(int(side.max(initial=0)) + 1, -np.inf)
        np.maximum.at(best, side, weight)
        kept |= weight >= best[side]
    return np.flatnonzero(kept & (weight >= cut))


def components(size: int, left: Records, right: Records) -> Numbers:
    """Connected records, named by the smallest of them."""
    import numpy as np

    names = np.arange(size)
    while True:
        before = names.copy()
        low = np.minimum(names[left], names[right])
        np.minimum.at(names, left, low)
        np.minimum.at(names, right, low)
        names = names[names]
        if (names == before).all():
            return names


def close_calls(left: Records, right: Records, weight: Bits, chosen: Numbers) -> int:
    """Chosen links of which one record has another partner within the margin."""
    import numpy as np

    close = np.zeros(len(chosen), dtype=bool)
    for side in (left, right):
        order = np.lexsort((-weight, side))
        same = side[order][1:] == side[order][:-1]
        first = np.append(True, ~same) if len(order) else np.zeros(0, dtype=bool)
        second = np.full(int(side.max(initial=0)) + 1, -np.inf)
        follows = np.flatnonzero(~first & np.append(False, first[:-1]))
        second[side[order][follows]] = weight[order][follows]
        close |= second[side[chosen]] >= weight[chosen] - MARGIN
    return int(close.sum())


def part_weak_couples(groups: Numbers, left: Records, right: Records, weight: Bits, line: float) -> Numbers:
    """The groups, with those of just two records parted whose one weight is below `line`: no third record bears them
    out."""
    import numpy as np

    sizes = np.bincount(groups, minlength=len(groups))
    weak = (groups[left] == groups[right]) & (sizes[groups[left]] == 2) & (weight < line)
    result = groups.copy()
    result[right[weak]] = right[weak]
    return result
