"""What one model version would change against another: people who merge or part, and pairs that change their band.

Counts and patterns only: a pattern says which levels, weights, guards or lines differ, never who shows it. The evidence
of a pair with a protected record is not told at all (governance PRO-1).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linkage.model import Bands, Model

NONE = "none"  # the band of a pair that is not kept: rejected, or never a candidate
_MOST_PATTERNS = 40
_LEAST_MOVE = 0.05  # bits a weight has to move to be named in a pattern

WHY = {
    "level": "a comparison gives the pair another level",
    "guard": "a guard holds under one version only",
    "weight": "the same levels weigh more or less",
    "line": "the lines of decision lie elsewhere",
    "rule": "another step of the ladder decides",
    "group": "the pair says the same by itself; the other records of the group, or a competitor, decide otherwise",
    "candidates": "only one version compares the pair",
    "protected": "a protected record: its evidence is not told",
}


@dataclass(frozen=True, slots=True)
class PairView:
    """One pair under one version. `parts` is comparison -> (level, weight); empty where it was not compared."""

    band: str
    reason: str
    own_band: str
    rule: str
    weight: float
    parts: Mapping[str, tuple[str, float]]
    guards: frozenset[str]
    is_protected: bool = False


def people_changed(before: Mapping[int, int], after: Mapping[int, int]) -> dict[str, int]:
    """How the groups of the same records differ: groups of `before` that meet others, and those that are parted."""
    joined, parted = _met(before, after), _met(after, before)
    merges = [groups for groups in joined.values() if len(groups) > 1]
    splits = [groups for groups in parted.values() if len(groups) > 1]
    touched = groups_touched(before, after)
    records = Counter(before.values())
    return {
        "people_before": len(parted),
        "people_after": len(joined),
        "people_unchanged": len(parted) - len(touched),
        "merges": len(merges),
        "people_who_would_merge": sum(len(groups) for groups in merges),
        "splits": len(splits),
        "people_who_would_be_made_of_splits": sum(len(groups) for groups in splits),
        "records_concerned": sum(records[group] for group in touched),
    }


def groups_touched(before: Mapping[int, int], after: Mapping[int, int]) -> set[int]:
    """The groups of `before` that meet others in `after`, or are parted."""
    merged = {group for groups in _met(before, after).values() if len(groups) > 1 for group in groups}
    return merged | {group for group, groups in _met(after, before).items() if len(groups) > 1}


def band_changes(
    pairs: Iterable[tuple[PairView | None, PairView | None]], before: Model, after: Model
) -> dict[str, Any]:
    """Pairs that change band, counted by move and reason, with the most frequent patterns."""
    moves: Counter[tuple[str, str, str]] = Counter()
    patterns: dict[tuple[str, str, str, str], list[tuple[float, float]]] = defaultdict(list)
    for one, other in pairs:
        first, second = (one.band if one else NONE), (other.band if other else NONE)
        why, pattern = explain_move(one, other, before, after)
        moves[first, second, why] += 1
        weights = (one.weight if one else 0.0, other.weight if other else 0.0)
        patterns[first, second, why, pattern].append((0.0, 0.0) if why == "protected" else weights)
    ranked = sorted(patterns.items(), key=lambda item: (-len(item[1]), item[0]))
    return {
        "meaning": dict(WHY),
        "moves": [
            {"from": first, "to": second, "why": why, "pairs": count}
            for (first, second, why), count in sorted(moves.items(), key=lambda item: (-item[1], item[0]))
        ],
        "patterns": [_pattern_line(key, weights) for key, weights in ranked[:_MOST_PATTERNS]],
        "pairs_of_rarer_patterns": sum(len(weights) for _, weights in ranked[_MOST_PATTERNS:]),
    }


def explain_move(one: PairView | None, other: PairView | None, before: Model, after: Model) -> tuple[str, str]:
    """Why a pair is judged otherwise, as one of `WHY`, and the pattern of it in words."""
    if (one and one.is_protected) or (other and other.is_protected):
        return "protected", "not told"
    if one is None or other is None or not one.parts or not other.parts:
        return "candidates", f"compared by {(after if one is None or not one.parts else before).version} only"
    if one.own_band == other.own_band:
        return "group", f"{one.reason or one.band} → {other.reason or other.band}".replace("_", " ")
    if one.guards != other.guards:
        gone, new = sorted(one.guards - other.guards), sorted(other.guards - one.guards)
        return "guard", "; ".join([f"no longer {name}" for name in gone] + [f"now {name}" for name in new])
    levels = _levels_changed(one, other)
    if levels:
        return "level", "; ".join(levels)
    if one.rule != other.rule:
        return "rule", f"{one.rule} → {other.rule}".replace("_", " ")
    if before.bands != after.bands and _by_line(other.weight, before.bands) == one.own_band:
        return "line", f"link at {before.bands.link:g} → {after.bands.link:g} bits, review from "
        f"{before.bands.review:g} → {after.bands.review:g}"
    return "weight", _weights_moved(one, other, after.starting_weight - before.starting_weight)


def parameters(before: Model, after: Model) -> list[dict[str, Any]]:
    """Every level of both versions side by side: m, u and weight, in the order of the later version."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for side, model in (("from", before), ("to", after)):
        for comparison in model.comparisons:
            for level in comparison.levels:
                if not level.is_null:
                    line = found.setdefault((comparison.name, level.label), {})
                    line[side] = {"m": level.m, "u": level.u, "bits": level.weight}
    order = {(c.name, lv.label): n for n, (c, lv) in enumerate((c, lv) for c in after.comparisons for lv in c.levels)}
    return [
        {"comparison": key[0], "level": key[1], "from": None, "to": None, **sides}
        for key, sides in sorted(found.items(), key=lambda item: order.get(item[0], len(order)))
    ]


def _met(groups: Mapping[int, int], by: Mapping[int, int]) -> dict[int, set[int]]:
    """For each group of `by`, the groups of the first that have a record in it."""
    met: dict[int, set[int]] = defaultdict(set)
    for record, group in groups.items():
        met[by[record]].add(group)
    return met


def _levels_changed(one: PairView, other: PairView) -> list[str]:
    changed = []
    for name in sorted(one.parts.keys() | other.parts.keys()):
        first, second = (view.parts.get(name, ("not compared", 0.0))[0] for view in (one, other))
        if first != second:
            changed.append(f"{name.replace('_', ' ')}: {first} → {second}")
    return changed


def _weights_moved(one: PairView, other: PairView, start: float) -> str:
    moved = [(other.parts[name][1] - part[1], name, part[0]) for name, part in one.parts.items()]
    told = [
        f"{name.replace('_', ' ')} {level} {'counts more' if bits > 0 else 'counts less'}"
        for bits, name, level in sorted(moved, key=lambda m: (-abs(m[0]), m[1]))
        if abs(bits) >= _LEAST_MOVE
    ][:2]
    if abs(start) >= _LEAST_MOVE and not told:
        told = [f"the starting weight {'rises' if start > 0 else 'falls'}"]
    return "; ".join(told) or "many small parts"


def _by_line(weight: float, bands: Bands) -> str:
    return "link" if weight >= bands.link else "review" if weight >= bands.review else NONE


def _pattern_line(key: tuple[str, str, str, str], weights: Sequence[tuple[float, float]]) -> dict[str, Any]:
    first, second, why, pattern = key
    means = [round(sum(side) / len(weights), 1) for side in zip(*weights, strict=True)]
    return {
        "from": first,
        "to": second,
        "why": why,
        "pattern": pattern,
        "pairs": len(weights),
        "mean_weight_from": means[0],
        "mean_weight_to": means[1],
    }
