"""The commonest patterns of agreement with the mean weight of their parts; the parts add up to the total.

Patterns, not people: a pattern that fewer than ten pairs share is not told.
"""

from __future__ import annotations

import re
from math import log2
from typing import TYPE_CHECKING

from linkage.trial.facts import PartFacts, PatternFacts
from linkage.trial.guards import guarded, moved_bits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from linkage.trial.work import Work

    Rows = NDArray[np.int64]

_FEWEST = 10
_ROUNDING = 1e-9
_LINKED_PATTERNS, _OTHER_PATTERNS = 8, 4
_NEAR = 12.0  # bits below the cut within which patterns that did not link are shown


def _called(work: Work, field: str) -> str:
    """A field in words; with the analyst's own heading where several are of its kind."""
    kind = re.sub(r"_\d+$", "", field)
    columns = work.cleaned[0].columns
    several = sum(re.sub(r"_\d+$", "", other) == kind for other in columns) > 1
    return kind.replace("_", " ") + (f" ({columns[field]})" if several and field in columns else "")


def patterns(work: Work, chosen: Rows) -> list[PatternFacts]:
    """The commonest patterns of the links (rows `chosen` of the candidates), and of pairs not far below the cut."""
    import numpy as np

    linked = np.zeros(len(work.left), dtype=bool)
    linked[chosen] = True
    made: list[PatternFacts] = []
    near = ~linked & (work.weight > work.weight[linked].min() - _NEAR) if linked.any() else ~linked
    for which, most in ((linked, _LINKED_PATTERNS), (near, _OTHER_PATTERNS)):
        rows = np.flatnonzero(which)
        if not len(rows):
            continue
        _, first, pattern, counts = np.unique(
            work.cells[work.levels.pattern[rows]], axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        pattern = pattern.ravel()
        for number in np.argsort(-counts, kind="stable")[:most]:
            if counts[number] >= _FEWEST:
                made.append(_pattern(work, rows[first[number]], rows[pattern == number], linked=which is linked))
    return made


def _pattern(work: Work, example: int, rows: Rows, *, linked: bool) -> PatternFacts:
    import numpy as np

    total = float(work.weight[rows].mean())
    parts: list[PartFacts] = [{"part": "starting weight", "level": "", "bits": float(work.weights.start)}]
    for number in range(len(work.groups)):
        cell = int(work.cells[work.levels.pattern[example], number])
        if cell < len(work.weights.m[number]):
            bits = log2(work.weights.m[number][cell] / work.weights.u[number][cell])
            parts.append({"part": _group_words(work, number), "level": _level_words(work, number, cell), "bits": bits})
    row = work.cells[work.levels.pattern[[example]]]
    for guard, held in guarded(row, work.groups, work.comparisons).items():
        if held[0]:
            parts.append({"part": f"guard: {guard.name}", "level": guard.meaning, "bits": guard.bits})
    if (moved := float(moved_bits(row, work.groups, work.comparisons, work.weights)[0])) > _ROUNDING:
        parts.append({"part": "people move", "level": "all that tells a home is one fact", "bits": moved})
    rest = total - sum(part["bits"] for part in parts)
    if abs(rest) > _ROUNDING:
        parts.append({"part": "how common the values are", "level": "", "bits": rest})
    total = sum(part["bits"] for part in parts)
    rules = [use.rule.name for use in work.uses if use.is_used]
    rule = rules[int(np.bincount(work.rule[rows]).argmax())]
    return {"linked": linked, "pairs": len(rows), "rule": f"mostly {rule}", "parts": parts, "total": total}


def _group_words(work: Work, number: int) -> str:
    parts = work.groups[number].parts
    if len(parts) > 1:
        return "where people live"
    return _called(work, work.comparisons[parts[0].column]["output_column_name"])


def _level_words(work: Work, number: int, cell: int) -> str:
    """The levels of one cell of a group in words."""
    words = []
    group = work.groups[number]
    for part in reversed(group.parts):
        cell, state = divmod(cell, part.size + 1)
        comparison = work.comparisons[part.column]
        known = [v["label_for_charts"] for v in comparison["comparison_levels"] if not v.get("is_null_level")]
        labels = [label for label, own in zip(known, part.states, strict=True) if own == state - 1]
        told = (
            "missing"
            if not labels
            else labels[0]
            if len(labels) == 1
            else ("agrees" if state == 1 else "does not agree")
        )
        words.append(told if len(group.parts) == 1 else f"{_called(work, comparison['output_column_name'])} {told}")
    return ", ".join(reversed(words))
