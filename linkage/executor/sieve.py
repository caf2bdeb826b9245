"""Which comparisons of a pair the sieve asks, and what the others can come to at most.

A comparison whose levels ask for equality alone costs next to nothing. Of the others the sieve asks the one whose
answer can lower a weight most for what it costs; what the rest ask cheaply bounds what they can come to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from linkage.executor.expressions import Tree, conjuncts, sql
from linkage.executor.settings import Comparison, CompiledModel
from linkage.executor.weights import Frequencies, level_weight

_CHEAP = (
    exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.EQ, exp.NEQ, exp.Is, exp.Not,
    exp.And, exp.Or,
)  # fmt: skip
#: What functions cost, in hundredths of a microsecond (handbook 8; distances as they are asked here, cheap ones first).
_COST = {
    "hamming": 2, "Levenshtein": 15, "damerau_levenshtein": 20, "JarowinklerSimilarity": 10, "jaro_similarity": 10,
    "RegexpExtract": 30, "regexp_matches": 30, "try_strptime": 30, "TimeToUnix": 5, "Substring": 5, "Left": 5,
    "list_has_any": 30,
}  # fmt: skip
_OTHERWISE = 10
_NONE = "-9e99"
_FIXED = re.compile(r"[-+.e0-9]+::double")


def parted(model: CompiledModel, *, carried: bool) -> tuple[list[Comparison], list[Comparison]]:
    """The comparisons that the sieve asks, and the others; `carried`: the right record has values worked out before."""
    dear = [c for c in model.comparisons if any(_tree_cost(tree, model, carried) for tree in _asked(c))]
    first = max(dear, key=lambda c: _power(c, model, carried) / _cost(c, model, carried), default=None)
    return [c for c in model.comparisons if c is first or c not in dear], [c for c in dear if c is not first]


def most_weight(comparison: Comparison, model: CompiledModel, parts: Frequencies, *, carried: bool) -> str:
    """SQL of the most that a comparison's part of the weight can come to, by what its levels ask cheaply."""
    arms: list[str] = []
    dear: list[str] = []  # what the dear levels so far can come to
    for level in comparison.levels:
        asked = [] if level.condition is None else conjuncts(level.condition)
        cheap = [part for part in asked if not _tree_cost(part, model, carried)]
        weight = level_weight(level, parts)
        if asked and len(cheap) == len(asked):
            arms.append(f"when {sql(level.condition)} then {_greatest([weight, *dear])}")
        else:
            needs = " and ".join(f"({sql(part)})" for part in cheap)
            dear.append(f"case when {needs} then {weight} else {_NONE} end" if needs else weight)
    rest = f"else {_greatest(dear)} " if dear else ""
    return f"(case {' '.join(arms)} {rest}end)" if arms else _greatest(dear)


def _greatest(weights: Sequence[str]) -> str:
    fixed = [float(weight.removesuffix("::double")) for weight in weights if _FIXED.fullmatch(weight)]
    most = [weight for weight in weights if not _FIXED.fullmatch(weight)]
    most += [f"{max(fixed)!r}::double"] if fixed else []
    return most[0] if len(most) == 1 else f"greatest({', '.join(most)})"


def _asked(comparison: Comparison) -> list[Tree]:
    return [level.condition for level in comparison.levels if level.condition is not None]


def _power(comparison: Comparison, model: CompiledModel, carried: bool) -> float:
    """By how many bits the answer can lower the weight of a pair that differs."""
    rest = [
        level.weight
        for level in comparison.levels
        if level.condition is None or _tree_cost(level.condition, model, carried)
    ]
    return max(rest) - min(rest)


def _cost(comparison: Comparison, model: CompiledModel, carried: bool) -> int:
    """What the functions cost, each different one once."""
    costs = {sql(node): _node_cost(node, model, carried) for tree in _asked(comparison) for node in tree.walk()}
    return max(sum(costs.values()), 1)


def _tree_cost(tree: Tree, model: CompiledModel, carried: bool) -> int:
    return sum(_node_cost(node, model, carried) for node in tree.walk())


def _node_cost(node: Tree, model: CompiledModel, carried: bool) -> int:
    if isinstance(node, exp.Column) and node.table == "r" and not carried and node.name in model.derived.trees:
        return _tree_cost(model.derived.trees[node.name], model, True)
    if isinstance(node, _CHEAP):
        return 0
    name = node.name.lower() if isinstance(node, exp.Anonymous) else type(node).__name__
    return _COST.get(name, _OTHERWISE if isinstance(node, exp.Func) else 1)
