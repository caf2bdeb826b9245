"""The facts of a trial for its report: counts, weights and lines, and never a value of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from linkage.agglomerate import group_sizes
from linkage.trial.deciding import close_calls, histogram, lines_of
from linkage.trial.export import labels_of
from linkage.trial.guards import guarded
from linkage.trial.patterns import patterns
from linkage.trial.priors import SAME_PEOPLE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from linkage.trial.cleaning import Cleaned
    from linkage.trial.work import Work

_LEAST_OBSERVED = 10.0
#: With fewer pairs of the same people than this, what is learnt is told to lean on general experience.
ENOUGH = 100.0
_SIDES = ("left", "right")


def facts_of(work: Work, chosen: NDArray[np.int64], groups: NDArray[np.int64]) -> dict[str, Any]:
    """Everything `linkage.trial.facts.Facts` asks for that was measured."""
    import duckdb

    sizes = group_sizes(groups.tolist())
    together = {size: count for size, count in sizes.items() if size > 1}
    blocking, missed = _blocking(work, chosen), _missed(work)
    return {
        "kind": "link" if work.across else "dedupe",
        "sides": work.sides,
        "steps": work.steps,
        "possible_pairs": work.possible,
        "pairs": len(work.left),
        "blocking": blocking,
        "model": _model(work),
        "lines": lines_of(work.decision, across=work.across),
        "weights": histogram(work.weight, chosen),
        "links": len(chosen),
        "clusters": sum(together.values()),
        "linked_records": _linked(work, chosen),
        "cluster_sizes": [{"records": size, "clusters": count} for size, count in sizes.items()],
        "estimates": [missed, _false_links(work, chosen)],
        "close_calls": close_calls(work.left, work.right, work.weight, chosen) if work.across else 0,
        "warnings": _warnings(work, chosen),
        "patterns": patterns(work, chosen),
        "not_measured": {"patterns": "no ten pairs share one pattern of agreement"},
        "seed": work.settings.seed,
        "engine": {"DuckDB": duckdb.__version__},
    }


def side_of(side: int, slices: Sequence[Cleaned], placeholders: Mapping[str, int]) -> dict[str, Any]:
    """What one file holds: records, and how many of them have each field."""
    fields = []
    for name, heading in slices[0].columns.items():
        present = sum(one.present[name] for one in slices)
        told = {"field": name.replace("_", " "), "column": heading, "present": present}
        if placeholders.get(name):
            told["placeholders"] = placeholders[name]
        fields.append(told)
    return {"side": _SIDES[side], "records": sum(len(one.ids) for one in slices), "fields": fields}


def _blocking(work: Work, chosen: NDArray[np.int64]) -> list[dict[str, Any]]:
    import numpy as np

    first, links = (np.bincount(rules, minlength=len(work.uses)).tolist() for rules in (work.rule, work.rule[chosen]))
    return [
        {
            "rule": use.rule.name,
            "pairs": first[number],
            "all_pairs": use.pairs,
            "largest_block": use.largest_block,
            "blocks_left_out": use.blocks_left_out,
            "links": links[number],
        }
        for number, use in enumerate(work.uses)
        if use.is_used
    ]


def _model(work: Work) -> dict[str, Any]:
    from math import log2

    comparisons = []
    for number, group in enumerate(work.groups):
        m, u = work.weights.m[number], work.weights.u[number]
        observed = work.weights.observed[number] if work.weights.observed else None
        levels = [
            {"level": label, "m": float(m[cell]), "u": float(u[cell]), "bits": log2(m[cell] / u[cell]),
             "learnt": observed is None or bool(observed[cell] >= _LEAST_OBSERVED)}
            for cell, label in enumerate(labels_of(work.comparisons, group))
            if cell and (len(group.parts) == 1 or observed is None or observed[cell] >= 1)
        ]  # fmt: skip
        comparisons.append({"name": group.name.replace("_", " "), "levels": levels})
    held = guarded(work.cells, work.groups, work.comparisons)
    how = "read from a model file" if work.settings.model else (
        "u from random pairs without those that look like matches, m by EM over the patterns of all pairs, u fixed; "
        "the starting weight from the number of matches this finds; frequencies count people, not records"
    )  # fmt: skip
    return {
        "how": how,
        "starting_weight": work.weights.start,
        "comparisons": comparisons,
        "guards": [
            {"name": guard.name, "meaning": guard.meaning, "bits": guard.bits,
             "pairs": int(work.levels.counts[rows].sum())}
            for guard, rows in held.items() if rows.any()
        ],
    }  # fmt: skip


def _linked(work: Work, chosen: NDArray[np.int64]) -> dict[str, int]:
    import numpy as np

    if not work.across:
        return {"left": len(np.unique(np.concatenate([work.left[chosen], work.right[chosen]])))}
    return {"left": len(np.unique(work.left[chosen])), "right": len(np.unique(work.right[chosen]))}


def _missed(work: Work) -> dict[str, Any]:
    """Capture and recapture: matches found by rules without the name, and by rules without the birth date."""
    import numpy as np

    likely = 1 / (1 + np.exp2(-np.clip(work.weight, -60, 60)))
    one, other = (work.without & 1) > 0, (work.without & 2) > 0
    a, b, both, union = (float(likely[rows].sum()) for rows in (one, other, one & other, one | other))
    everything = a * b / both if both >= 1 else 0.0
    share = max(0.0, 1 - max(union, float(likely.sum())) / everything) if everything else None
    how = (
        "capture and recapture between rules that do not use the name and rules that do not use the birth date; "
        "assumes that errors in both are independent, so it is rather too low"
    )
    return {"what": "missed by the rules that choose pairs", "value": share, "low": None, "high": None, "how": how}


def _false_links(work: Work, chosen: NDArray[np.int64]) -> dict[str, Any]:
    import numpy as np

    value = float((1 / (1 + np.exp2(np.clip(work.weight[chosen], -60, 60)))).mean()) if len(chosen) else None
    how = "what the model itself reckons; a model's reckoning is no error rate, so check a sample by hand"
    return {"what": "false links", "value": value, "low": None, "high": None, "how": how}


def _warnings(work: Work, chosen: NDArray[np.int64]) -> list[str]:
    found = []
    matches = work.weights.matches
    if matches is not None and matches < ENOUGH:
        lean = round(100 * SAME_PEOPLE / (SAME_PEOPLE + matches))
        found.append(
            f"Too little to learn from: only about {max(1, round(matches))} pairs look like the same people. The "
            f"weights lean to {lean} % on general experience with records of people, not on these files; look at the "
            "links one by one."
        )
    dropped = [use.rule.name for use in work.uses if not use.is_used and use.blocks_left_out]
    if dropped:
        found.append(f"{len(dropped)} rules for choosing pairs were left out because they would make too many pairs.")
    if not len(chosen):
        found.append("Nothing reached the line: the files may have nobody in common, or too few fields say anything.")
    return found
