"""The facts of a trial with somebody else's model: counts, levels, lines and patterns, never a value of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from linkage.trial.deciding import Decision, close_calls, histogram, lines_of
from linkage.trial.facts import PartFacts, PatternFacts

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from linkage.executor import CompiledModel, ExecutorCounts
    from linkage.trial.roles import Roles

    Found = Mapping[str, NDArray[Any]]

_FEWEST, _SHOWN = 10, 8
_SIDES = ("left", "right")


def foreign_facts(
    compiled: CompiledModel,
    model: Mapping[str, Any],
    files: Sequence[tuple[pa.Table, Roles]],
    columns: Sequence[Mapping[str, str]],
    found: Found,
    decision: Decision,
    counts: ExecutorCounts,
    *,
    seed: int,
) -> dict[str, Any]:
    """What `linkage.trial.facts.Facts` asks for and this way of linking knows; `found` are the pairs as arrays."""
    import duckdb

    unknown = "the model is used as it is, and its rules are not judged"
    return {
        "kind": "link" if len(files) == 2 else "dedupe",
        "sides": [_side(n, table, found_) for n, ((table, _), found_) in enumerate(zip(files, columns, strict=True))],
        "pairs": sum(rule.candidates for rule in counts.rules),
        "blocking": [
            {"rule": f"blocking rule {rule.rule + 1} of the model", "pairs": rule.kept, "all_pairs": rule.candidates,
             "largest_block": 0, "links": int((found["rule_number"][decision.chosen] == rule.rule).sum())}
            for rule in counts.rules
        ],
        "model": _model(compiled, model),
        "lines": lines_of(decision, across=len(files) == 2),
        "weights": histogram(found["match_weight"], decision.chosen),
        "links": len(decision.chosen),
        "patterns": patterns_of(compiled, model, found, decision.chosen),
        "close_calls": close_calls(found["left_id"], found["right_id"], found["match_weight"], decision.chosen)
        if len(files) == 2 else 0,
        "warnings": _warnings(decision.chosen),
        "not_measured": {"estimates": unknown, "steps": unknown, "patterns": "no ten pairs share one pattern"},
        "seed": seed,
        "engine": {"DuckDB": duckdb.__version__},
    }  # fmt: skip


def _side(number: int, table: pa.Table, columns: Mapping[str, str]) -> dict[str, Any]:
    fields = [
        {"field": name, "column": heading, "present": table.num_rows - table[heading].null_count}
        for name, heading in columns.items()
    ]
    return {"side": _SIDES[number], "records": table.num_rows, "fields": fields}


def _labels(raw: Mapping[str, Any]) -> dict[int, str]:
    """What every level of a comparison is called, by Splink's number of it."""
    levels = raw["comparison_levels"]
    gamma = sum(not level.get("is_null_level") for level in levels)
    labels = {-1: "missing"}
    for number, level in enumerate(levels):
        if not level.get("is_null_level"):
            gamma -= 1
            labels[gamma] = str(level.get("label_for_charts") or f"level {number + 1}")
    return labels


def _model(compiled: CompiledModel, model: Mapping[str, Any]) -> dict[str, Any]:
    comparisons = []
    for comparison, raw in zip(compiled.comparisons, model["comparisons"], strict=True):
        labels = _labels(raw)
        known = [level for level in raw["comparison_levels"] if not level.get("is_null_level")]
        told = []
        for level, settings in zip((one for one in comparison.levels if one.gamma >= 0), known, strict=True):
            m, u = settings.get("m_probability"), settings.get("u_probability")
            if isinstance(m, int | float) and isinstance(u, int | float):
                told.append({"level": labels[level.gamma], "m": float(m), "u": float(u), "bits": level.weight})
        comparisons.append({"name": comparison.name.replace("_", " "), "levels": told})
    how = "read from a model file that no trial has made, and used as it is; nothing was learnt from these files"
    return {"how": how, "starting_weight": compiled.starting_weight, "comparisons": comparisons, "guards": []}


def patterns_of(
    compiled: CompiledModel, model: Mapping[str, Any], found: Found, chosen: NDArray[np.int64]
) -> list[PatternFacts]:
    """The commonest patterns of the links with the mean weight of their parts, which add up to the total."""
    import numpy as np

    if not len(chosen):
        return []
    gammas = np.column_stack([found[comparison.gamma][chosen] for comparison in compiled.comparisons])
    kinds, number, counts = np.unique(gammas, axis=0, return_inverse=True, return_counts=True)
    made: list[PatternFacts] = []
    for kind in np.argsort(-counts, kind="stable")[:_SHOWN]:
        if counts[kind] < _FEWEST:
            continue
        rows = chosen[number.ravel() == kind]
        parts: list[PartFacts] = [{"part": "starting weight", "level": "", "bits": compiled.starting_weight}]
        for comparison, raw, gamma in zip(
            compiled.comparisons, model["comparisons"], kinds[kind].tolist(), strict=True
        ):
            weight = next(level.weight for level in comparison.levels if level.gamma == gamma)
            words = comparison.name.replace("_", " ")
            parts.append({"part": words, "level": _labels(raw)[gamma], "bits": weight})
        rest = float(found["match_weight"][rows].mean()) - sum(part["bits"] for part in parts)
        if abs(rest) > 1e-9:
            parts.append({"part": "how common the values are", "level": "", "bits": rest})
        rule = int(np.bincount(found["rule_number"][rows]).argmax()) + 1
        made.append({"linked": True, "pairs": len(rows), "rule": f"mostly blocking rule {rule} of the model",
                     "parts": parts, "total": sum(part["bits"] for part in parts)})  # fmt: skip
    return made


def _warnings(chosen: NDArray[np.int64]) -> list[str]:
    if len(chosen):
        return []
    return ["Nothing reached the line: the files may have nobody in common, or the model was made for other files."]
