"""The learnt model as a file: Splink's settings format, with a sidecar that lets a later trial use it unchanged.

The conditions read the cleaned columns. Fields weighed together become one comparison whose levels are combinations;
remove `sidecar` to load the file with Splink (linkage handbook 7.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from linkage.trial.blocks import RuleUse
from linkage.trial.comparisons import Comparison
from linkage.trial.groups import Group, states_of
from linkage.trial.learning import Weights
from linkage.trial.refusal import Refused
from linkage.trial.splink_rules import blocking_rules, not_in_splink


def model_of(
    comparisons: Sequence[Comparison],
    groups: Sequence[Group],
    weights: Weights,
    uses: Sequence[RuleUse],
    *,
    two_files: bool,
) -> dict[str, Any]:
    """Settings and sidecar of one learnt model; `uses` are the rules that chose its pairs."""
    made = []
    for group, m, u in zip(groups, weights.m, weights.u, strict=True):
        levels = _levels(comparisons, group)
        for level, m_value, u_value in zip(levels, m, u, strict=True):
            if not level.get("is_null_level"):
                level["m_probability"], level["u_probability"] = float(m_value), float(u_value)
        made.append({"output_column_name": group.name.replace(" ", "_"), "comparison_levels": levels})
    return {
        "link_type": "link_only" if two_files else "dedupe_only",
        "unique_id_column_name": "record_id",
        "probability_two_random_records_match": weights.share,
        "comparisons": made,
        "blocking_rules_to_generate_predictions": blocking_rules(uses),
        "sidecar": {
            "not_in_splink": not_in_splink(uses, comparisons),
            "groups": [group.name for group in groups],
            "m": [m.tolist() for m in weights.m],
            "u": [u.tolist() for u in weights.u],
        },
    }


def weights_from(model: Mapping[str, Any], groups: Sequence[Group]) -> Weights:
    """The weights that `model` carries for these groups.

    Raises:
        Refused: when the model has no sidecar or was learnt from other fields.
    """
    import numpy as np

    sidecar = model.get("sidecar")
    if not sidecar:
        raise Refused("The model has no sidecar of an earlier trial; give the model.json that a trial has written.")
    m, u = ([np.array(v) for v in sidecar[key]] for key in ("m", "u"))
    sizes = [len(states_of(group)) for group in groups]
    if sidecar["groups"] != [group.name for group in groups] or [len(v) for v in m] != sizes:
        raise Refused(
            "The model was learnt from other fields than these files have; use files with the same kinds of columns, "
            "or leave the model out."
        )
    return Weights(tuple(m), tuple(u), float(model["probability_two_random_records_match"]))


def labels_of(comparisons: Sequence[Comparison], group: Group) -> list[str]:
    """What every cell of a group is called."""
    return [str(level["label_for_charts"]) for level in _levels(comparisons, group)]


def _levels(comparisons: Sequence[Comparison], group: Group) -> list[dict[str, Any]]:
    """One level for each cell, in the order of cells: the first whose condition holds is the right one."""
    ways = [_ways(comparisons[part.column], part.states) for part in group.parts]
    levels: list[dict[str, Any]] = []
    for cell in states_of(group):
        chosen = [way[state + 1] for way, state in zip(ways, cell, strict=True)]
        conditions = [f"({condition})" for _, condition, _ in chosen if condition != "ELSE"]
        level: dict[str, Any] = {
            "label_for_charts": "; ".join(
                label if len(ways) == 1 else f"{comparisons[part.column]['output_column_name']} {label}"
                for part, (label, _, _) in zip(group.parts, chosen, strict=True)
            ),
            "sql_condition": " and ".join(conditions) or "ELSE",
        }
        if all(state == -1 for state in cell):
            level["is_null_level"] = True
        more = next((extra for _, _, extra in chosen if extra), {})
        levels.append(level | more)
    return levels


def _ways(comparison: Comparison, states: Sequence[int]) -> list[tuple[str, str, dict[str, Any]]]:
    """Label, condition and frequency settings of missing and of each state."""
    found = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
    null = next(level for level in comparison["comparison_levels"] if level.get("is_null_level"))
    made: list[tuple[str, str, dict[str, Any]]] = [("missing", null["sql_condition"], {})]
    for state in range(max(states) + 1):
        mine = [level for level, own in zip(found, states, strict=True) if own == state]
        last = found[-1] in mine
        condition = "ELSE" if last else " or ".join(f"({level['sql_condition']})" for level in mine)
        if last and len(mine) > 1:
            label = "not alike"
        else:
            label = str(mine[0]["label_for_charts"]) if len(mine) == 1 else "alike"
        frequency = {key: value for key, value in mine[0].items() if key.startswith(("tf_", "disable_tf"))}
        made.append((label, condition, frequency if len(mine) == 1 else {}))
    return made
