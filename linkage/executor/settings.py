"""Splink's settings read once: comparisons, weights, name frequencies, blocking rules.

The file is Splink's own (handbook 7.2), so whatever it leaves out takes Splink's defaults: untrained m and u, the
level whose u a frequency replaces, the earlier rule that keeps a pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.normalize import normalize
from sqlglot.optimizer.simplify import simplify

from linkage.executor.expressions import (
    Derived,
    Tree,
    conjuncts,
    disjuncts,
    parse_level,
    parse_rule,
    settle_one_sided,
    side_column,
)

_LINK_TYPES = ("link_only", "dedupe_only", "link_and_dedupe")
_SMALLEST = 1e-300  # below this a probability cannot be told from nothing; Splink's own bound


class SettingsRefused(ValueError):
    """The settings cannot be run; the message names the comparison or rule and what is wrong, never a record."""


@dataclass(frozen=True, slots=True)
class Frequency:
    """How a level's weight follows the frequency of a value: the rarer, the heavier."""

    column: str
    log2_u: float
    weight: float
    floor: float


@dataclass(frozen=True, slots=True)
class Level:
    """One outcome: `condition` is None for ELSE; `gamma` is Splink's number of the level, -1 for missing."""

    condition: Tree | None
    gamma: int
    weight: float
    frequency: Frequency | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One aspect compared, its levels best first."""

    name: str
    levels: tuple[Level, ...]

    @property
    def gamma(self) -> str:
        """The column that holds the number of the level."""
        return f"gamma_{self.name}".replace(" ", "_")


@dataclass(frozen=True, slots=True)
class Rule:
    """One blocking rule: `ways` are conditions of which one has to hold, `exploded` lists whose values meet singly."""

    number: int
    ways: tuple[Tree, ...]
    exploded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """One model file, compiled."""

    link_type: str
    unique_id: str
    source_column: str
    starting_weight: float
    comparisons: tuple[Comparison, ...]
    rules: tuple[Rule, ...]
    derived: Derived


def compile_settings(settings: Mapping[str, Any]) -> CompiledModel:
    """Read a Splink settings dictionary. Raises `SettingsRefused` with what is wrong and where."""
    link_type = settings.get("link_type")
    if link_type not in _LINK_TYPES:
        raise SettingsRefused(f"link_type must be one of {', '.join(_LINK_TYPES)}")
    prior = float(settings.get("probability_two_random_records_match", 0.0001))
    if not 0 < prior < 1:
        raise SettingsRefused("probability_two_random_records_match must lie between 0 and 1")
    derived = Derived()
    raw_comparisons = settings.get("comparisons") or ()
    comparisons = tuple(_comparison(raw, n, derived) for n, raw in enumerate(raw_comparisons))
    names = [c.gamma for c in comparisons]
    if len(set(names)) < len(names):
        raise SettingsRefused("two comparisons have the same output_column_name")
    raw_rules = settings.get("blocking_rules_to_generate_predictions") or ("1 = 1",)
    return CompiledModel(
        link_type=str(link_type),
        unique_id=str(settings.get("unique_id_column_name", "unique_id")).lower(),
        source_column=str(settings.get("source_dataset_column_name", "source_dataset")).lower(),
        starting_weight=log2(prior / (1 - prior)),
        comparisons=comparisons,
        rules=tuple(_rule(raw, n, derived) for n, raw in enumerate(raw_rules)),
        derived=derived,
    )


def _comparison(raw: Mapping[str, Any], number: int, derived: Derived) -> Comparison:
    raw_levels = raw.get("comparison_levels") or ()
    name = str(raw.get("output_column_name") or "")
    where = f"comparison {name or number + 1}"
    if not raw_levels:
        raise SettingsRefused(f"{where} has no comparison_levels")
    gamma = scored = sum(1 for level in raw_levels if not level.get("is_null_level"))
    trees = [_condition(level, f"{where}, level {n + 1}") for n, level in enumerate(raw_levels)]
    levels = []
    for level, tree in zip(raw_levels, trees, strict=True):
        is_null = bool(level.get("is_null_level"))
        gamma -= not is_null
        weight = 0.0 if is_null else log2(_share(level, "m", gamma, scored) / _share(level, "u", gamma, scored))
        frequency = None
        if not is_null and tree is not None and level.get("tf_adjustment_column"):
            frequency = _frequency(level, gamma, scored, raw_levels, trees, where)
        settled = None if tree is None else settle_one_sided(tree, derived)
        levels.append(Level(settled, -1 if is_null else gamma, weight, frequency))
    return Comparison(name or _name_from(trees), tuple(levels))


def _condition(level: Mapping[str, Any], where: str) -> Tree | None:
    text = level.get("sql_condition")
    if not isinstance(text, str):
        raise SettingsRefused(f"{where} has no sql_condition")
    if text.strip().upper() == "ELSE":
        return None
    try:
        return parse_level(text)
    except ValueError as problem:
        raise SettingsRefused(f"{where}: {problem}") from None


def _rule(raw: object, number: int, derived: Derived) -> Rule:
    where = f"blocking rule {number + 1}"
    text: object = raw
    exploded: tuple[str, ...] = ()
    if isinstance(raw, Mapping):
        text, exploded = raw.get("blocking_rule"), tuple(str(c).lower() for c in raw.get("arrays_to_explode") or ())
    if not isinstance(text, str):
        raise SettingsRefused(f"{where} has no condition")
    try:
        tree = parse_rule(text)
    except ValueError as problem:
        raise SettingsRefused(f"{where}: {problem}") from None
    if exploded:  # its columns mean single values here, not what other rules and levels read
        return Rule(number, (tree,), exploded)
    return Rule(number, tuple(settle_one_sided(way, derived) for way in disjuncts(tree)), ())


def _share(level: Mapping[str, Any], which: str, gamma: int, levels: int) -> float:
    """m or u of a level; Splink's defaults for what was not trained."""
    value = level.get(f"{which}_probability")
    if value is None or isinstance(value, str):  # Splink loads "level not observed" as not trained
        others = max(levels - 1, 1)
        value = 0.95 if gamma == levels - 1 else 0.05 / others
        if which == "u":
            start = 10.0 if gamma == levels - 1 else -5.0 if levels == 2 else -5 + 8 * gamma / max(levels - 2, 1)
            value = value / 2**start
    return max(float(value), _SMALLEST)


def _frequency(
    level: Mapping[str, Any],
    gamma: int,
    scored: int,
    levels: Sequence[Mapping[str, Any]],
    trees: Sequence[Tree | None],
    where: str,
) -> Frequency | None:
    weight = float(level.get("tf_adjustment_weight", 1.0))
    if weight == 0:
        return None
    column = str(level["tf_adjustment_column"]).strip('"').lower()
    u = None
    if level.get("disable_tf_exact_match_detection"):
        u = _share(level, "u", gamma, scored)
    else:
        number = scored
        for other, tree in zip(levels, trees, strict=True):
            number -= not other.get("is_null_level")
            if u is None and tree is not None and _equal_columns(tree) == [column]:
                u = _share(other, "u", number, scored)
    if u is None:
        raise SettingsRefused(f"{where}: the frequency of {column} needs a level on which that column is equal")
    return Frequency(column, log2(u), weight, float(level.get("tf_minimum_u_value", 0.0)))


def _equal_columns(tree: Tree) -> list[str] | None:
    """The columns a level asks to be equal, when it asks nothing else."""
    found = []
    for part in conjuncts(simplify(normalize(tree.copy()))):
        both = [part.left, part.right] if isinstance(part, exp.EQ) else []
        if not both or not all(isinstance(side, exp.Column) for side in both) or both[0].name != both[1].name:
            return None
        found.append(both[0].name)
    return found


def proves_equal(tree: Tree, column: str) -> bool:
    """Whether a condition holds only where the column is equal on both sides."""
    wanted = {side_column(column, "l").sql(), side_column(column, "r").sql()}
    return any(
        isinstance(part, exp.EQ) and {part.left.unnest().sql(), part.right.unnest().sql()} == wanted
        for part in conjuncts(tree)
    )


def _name_from(trees: Sequence[Tree | None]) -> str:
    """Splink's own name for a comparison that has none."""
    names = list(dict.fromkeys(c.name for tree in trees if tree is not None for c in tree.find_all(exp.Column)))
    return names[0] if len(names) == 1 else f"custom_{'_'.join(names)}"
