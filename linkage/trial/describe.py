"""A finished trial as facts to be shown: rules with cost and yield, the model, weights, patterns and what was missed.

Reads what the work left in memory; counts and headings only, never a value of a person. Patterns that fewer than ten
pairs share are not told.
"""

from __future__ import annotations

import re
from math import log2
from typing import TYPE_CHECKING

from linkage.trial.facts import (
    BlockingFacts,
    ComparisonFacts,
    EstimateFacts,
    Facts,
    LevelFacts,
    LineFacts,
    PartFacts,
    PatternFacts,
    SideFacts,
    WeightBin,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from linkage.trial.cleaning import Cleaned
    from linkage.trial.work import Work

    Rows = NDArray[np.int64]

_BIN = 2.0
_FEWEST = 10
_LINKED_PATTERNS, _OTHER_PATTERNS = 8, 4
_NEAR = 12.0  # bits below the cut within which patterns that did not link are shown
_MARGIN = 4.0  # bits (linkage handbook 9)
_HOLDS = {"name": ("forename", "surname"), "birth_date": ("birth_text",)}


def describe(work: Work, chosen: Rows) -> Facts:
    """The facts of a finished trial; `chosen` are the rows of the candidate pairs that became links."""
    import duckdb
    import numpy as np

    linked = np.zeros(len(work.left), dtype=bool)
    linked[chosen] = True
    return {
        "sides": [_side(cleaned, place) for place, cleaned in enumerate(work.cleaned)],
        "possible_pairs": int(work.possible),
        "pairs": len(work.left),
        "blocking": _blocking(work, linked),
        "by_identifier": _by_identifier(work, linked),
        "model": {
            "how": "Learnt from these files alone, without knowing who is who: u from random pairs, m and the starting "
            "weight by an EM over the patterns of the compared pairs.",
            "starting_weight": float(work.weights.start),
            "comparisons": comparison_facts(work),
            "guards": [],
        },
        "lines": _lines(work),
        "weights": _weights(work, linked),
        "patterns": _patterns(work, linked),
        "estimates": [_missed_by_rules(work, linked)],
        "close_calls": _close_calls(work, linked),
        "seed": work.settings.seed,
        "engine": {"duckdb": duckdb.__version__},
    }


def _lines(work: Work) -> LineFacts:
    if work.settings.cut is not None:
        how = "given by --cut"
    else:
        how = "the engine's own line, the same for all files and chosen before any of them was seen"
    if not work.across:
        clustering = (
            "average linkage: groups are joined while the mean weight between them reaches the cut; a pair never "
            "compared counts -5 bits, so no single strong pair can chain strangers together"
        )
    elif work.one_to_one:
        clustering = "the strongest pair goes first, and every record has at most one partner"
    else:
        clustering = "a record goes with its best partner; records that share one stand together"
    return {"cut": float(work.cut), "how": how, "one_to_one": work.one_to_one, "clustering": clustering}


def _side(cleaned: Cleaned, place: int) -> SideFacts:
    import pyarrow.compute as pc

    def present(field: str) -> int:
        columns = [cleaned.table[c] for c in _HOLDS.get(field, (field,)) if c in cleaned.table.column_names]
        filled = [pc.is_valid(column) for column in columns]
        both = filled[0] if filled else None
        for more in filled[1:]:
            both = pc.or_(both, more)
        return int(pc.sum(both).as_py() or 0) if both is not None else 0

    return {
        "side": "right" if place else "left",
        "records": cleaned.table.num_rows,
        "fields": [
            {
                "field": re.sub(r"_\d+$", "", f),
                "column": c,
                "present": present(f),
                "placeholders": int(cleaned.placeholders.get(f, 0)),
            }
            for f, c in cleaned.columns.items()
        ],
    }


def _blocking(work: Work, linked: NDArray[np.bool_]) -> list[BlockingFacts]:
    import numpy as np

    used = [use for use in work.uses if use.is_used]
    first = np.bincount(work.rule, minlength=len(used))
    links = np.bincount(work.rule[linked], minlength=len(used))
    return [
        {
            "rule": use.rule.name,
            "pairs": int(first[n]),
            "all_pairs": use.pairs,
            "largest_block": use.largest_block,
            "blocks_left_out": use.blocks_left_out,
            "links": int(links[n]),
        }
        for n, use in enumerate(used)
    ]


def _by_identifier(work: Work, linked: NDArray[np.bool_]) -> int:
    import numpy as np

    numbers = [n for n, use in enumerate(u for u in work.uses if u.is_used) if use.rule.is_identifier]
    return int(np.isin(work.rule[linked], numbers).sum())


def comparison_facts(work: Work) -> list[ComparisonFacts]:
    """m, u and bits of every level of every comparison, as they weigh when nothing else of their group is known."""
    made: list[ComparisonFacts] = []
    for number, group in enumerate(work.groups):
        shape = [size + 1 for size in group.shape]
        for axis, part in enumerate(group.parts):
            alone = tuple(slice(1, None) if a == axis else 0 for a in range(len(shape)))
            m, u = (table[number].reshape(shape)[alone] for table in (work.weights.m, work.weights.u))
            comparison = work.comparisons[part.column]
            name = _called(work, comparison["output_column_name"])
            together = "" if len(group.parts) == 1 else " (weighed together with the other parts of where people live)"
            made.append({"name": name + together, "levels": _levels(comparison, part.states, m, u)})
    return made


def _called(work: Work, field: str) -> str:
    """A field in words; with the analyst's own heading where several are of its kind."""
    kind = re.sub(r"_\d+$", "", field)
    columns = work.cleaned[0].columns
    several = sum(re.sub(r"_\d+$", "", other) == kind for other in columns) > 1
    return kind.replace("_", " ") + (f" ({columns[field]})" if several and field in columns else "")


def _levels(
    comparison: dict[str, object], states: tuple[int, ...], m: NDArray[np.float64], u: NDArray[np.float64]
) -> list[LevelFacts]:
    known = [v for v in comparison["comparison_levels"] if not v.get("is_null_level")]  # type: ignore[attr-defined]
    by_state: dict[int, list[str]] = {}
    for level, state in zip(known, states, strict=True):
        by_state.setdefault(state, []).append(level["label_for_charts"])
    frequent = {state for level, state in zip(known, states, strict=True) if "tf_adjustment_column" in level}
    return [
        {
            "level": ", or ".join(labels),
            "m": float(m[state]),
            "u": float(u[state]),
            "bits": log2(m[state] / u[state]),
            "by_frequency": state in frequent,
        }
        for state, labels in by_state.items()
    ]


def _weights(work: Work, linked: NDArray[np.bool_]) -> list[WeightBin]:
    import numpy as np

    if not len(work.weight):
        return []
    bins = np.floor(work.weight / _BIN).astype(np.int64)
    low, size = int(bins.min()), int(bins.max() - bins.min()) + 1
    yes, no = (np.bincount(bins[which] - low, minlength=size) for which in (linked, ~linked))
    return [
        {"low": _BIN * (low + n), "high": _BIN * (low + n + 1), "linked": int(yes[n]), "rejected": int(no[n])}
        for n in range(size)
    ]


def _patterns(work: Work, linked: NDArray[np.bool_]) -> list[PatternFacts]:
    import numpy as np

    made: list[PatternFacts] = []
    near = ~linked & (work.weight > work.weight[linked].min() - _NEAR) if linked.any() else ~linked
    for which, most in ((linked, _LINKED_PATTERNS), (near, _OTHER_PATTERNS)):
        rows = np.flatnonzero(which)
        if not len(rows):
            continue
        _, first, pattern, counts = np.unique(
            work.cells[rows], axis=0, return_index=True, return_inverse=True, return_counts=True
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
        cell = int(work.cells[example, number])
        if cell < len(work.weights.m[number]):
            bits = log2(work.weights.m[number][cell] / work.weights.u[number][cell])
            parts.append({"part": _group_words(work, number), "level": _level_words(work, number, cell), "bits": bits})
    rest = total - sum(part["bits"] for part in parts)
    if abs(rest) > 1e-6:
        parts.append({"part": "how common the values are, and guards", "level": "", "bits": rest})
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


def _missed_by_rules(work: Work, linked: NDArray[np.bool_]) -> EstimateFacts:
    """Capture and recapture between rules without the name and rules without the birth date (linkage handbook 6)."""
    no_name, no_birth = ((work.without[linked] & bit) > 0 for bit in (1, 2))
    one, other, both = int(no_name.sum()), int(no_birth.sum()), int((no_name & no_birth).sum())
    what = "true pairs that no rule finds"
    if both < _FEWEST:
        few = "too few links are found by rules without the name and by rules without the birth date"
        return {"what": what, "value": None, "low": None, "high": None, "how": few}
    all_pairs = (one + 1) * (other + 1) / (both + 1) - 1
    missed = max(0.0, 1 - int(linked.sum()) / max(all_pairs, 1.0))
    return {
        "what": what,
        "value": missed,
        "low": None,
        "high": None,
        "how": f"capture and recapture: {one:,} links are found without the name, {other:,} without the birth date, "
        f"{both:,} by both ways; assumes that errors in the two are independent",
    }


def _close_calls(work: Work, linked: NDArray[np.bool_]) -> int:
    """Links of which a record has another, unlinked pair within the margin."""
    import numpy as np

    best = np.full(work.size, -np.inf)
    for side in (work.left, work.right):
        np.maximum.at(best, side[~linked], work.weight[~linked])
    rival = np.maximum(best[work.left[linked]], best[work.right[linked]])
    return int((rival > work.weight[linked] - _MARGIN).sum())
