"""The same answers from cheaper questions: string distances asked only where they can matter, and asked once.

`levenshtein(a, b) <= 1` of two birth dates is a count of differing places; `damerau_levenshtein(a, b) <= 1` needs the
dear function only where at most two places differ. Each rewrite is exact for every threshold it serves, which the
tests hold against the plain functions on random text; what is not known to be exact is left as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from linkage.executor.expressions import Tree, sides, sql

_FAR = 999  # a distance beyond every threshold
# Functions that never fail: asking one for a pair that another part of the condition would have kept from it is safe.
_NEVER_FAIL = (
    exp.Column, exp.Identifier, exp.Literal, exp.Paren, exp.JarowinklerSimilarity, exp.Levenshtein, exp.Abs, exp.Sub,
    exp.TimeToUnix, exp.Length, exp.ArraySize,
)  # fmt: skip
_NEVER_FAIL_BY_NAME = {"damerau_levenshtein", "jaro_similarity", "list_intersect", "try_strptime", "strlen"}
_NEVER = "-9e99"  # no measure is below this: asking makes DuckDB work the measure out once, ahead of the levels


def write_case(conditions: Sequence[Tree | None], results: Sequence[str]) -> str:
    """A CASE over the conditions in order (None: ELSE), each string function worked out once.

    A measure that several conditions ask about is guarded by the conditions before its first use, so that it is worked
    out for the same pairs as before and never for others.
    """
    if len(conditions) == 1 and conditions[0] is None:
        return results[0]
    uses = _uses(conditions)
    # What stands before a hoisted measure is asked twice, once in its guard: so it is worked out once as well.
    last = max((first for _, first, thresholds in uses.values() if len(thresholds) > 1), default=-1)
    ready: dict[str, str] = {}
    arms = []
    for text, (measure, first, thresholds) in sorted(uses.items(), key=lambda use: use[1][1]):
        cheap = cheaper(measure, thresholds)
        if first <= last and _may_go_first(measure, conditions[first]):
            earlier = " ".join(f"when {_rewritten(c, ready)} then null" for c in conditions[:first] if c is not None)
            cheap = f"(case {earlier} else {cheap} end)" if earlier else cheap
            arms.append(f"when {cheap} < {_NEVER} then null")
        ready[text] = cheap
    for condition, result in zip(conditions, results, strict=True):
        arms.append(f"else {result}" if condition is None else f"when {_rewritten(condition, ready)} then {result}")
    return f"(case {' '.join(arms)} end)"


def _may_go_first(measure: Tree, condition: Tree | None) -> bool:
    """Whether a measure may be worked out for every pair that reaches its condition, whatever else that asks."""
    if condition is not None and measure.parent.unnest() is condition.unnest():
        return True
    return all(
        isinstance(node, _NEVER_FAIL) or (isinstance(node, exp.Anonymous) and node.name.lower() in _NEVER_FAIL_BY_NAME)
        for node in measure.walk()
    )


def write_condition(condition: Tree) -> str:
    """One condition with its string distances guarded."""
    uses = _uses([condition])
    return _rewritten(condition, {text: cheaper(m, thresholds) for text, (m, _, thresholds) in uses.items()})


def cheaper(measure: Tree, thresholds: Sequence[float | None]) -> str:
    """A value that stands on the same side of every threshold as the measure; None is a threshold not understood."""
    name, arguments = _call(measure)
    if name not in {"levenshtein", "damerau_levenshtein"} or any(t is None for t in thresholds):
        return sql(measure)
    most = int(max(t for t in thresholds if t is not None))
    if most < 1 or len(arguments) != 2:
        return sql(measure)
    a, b = (sql(argument) for argument in arguments)
    apart = f"abs(strlen({a}) - strlen({b}))"
    if most > 1:
        within = f"levenshtein({a}, {b})"
        if name == "damerau_levenshtein":  # an exchange of neighbours costs two plain edits
            plain = f"levenshtein({a}, {b})"
            within = f"case when {plain} <= {2 * most} then damerau_levenshtein({a}, {b}) else {plain} + {_FAR} end"
        return f"(case when {apart} > {most} then {_FAR} else {within} end)"
    # Of one length, one edit is one differing place, one exchange of neighbours two; lengths one apart leave one edit.
    places = f"hamming({a}, {b})"
    if name == "damerau_levenshtein":
        places = f"case when {places} <= 2 then damerau_levenshtein({a}, {b}) else {_FAR} end"
    return (
        f"(case {apart} when 0 then case when {a} = {b} then 0 else {places} end"
        f" when 1 then levenshtein({a}, {b}) else {apart} + {_FAR} end)"
    )


def _uses(conditions: Sequence[Tree | None]) -> dict[str, tuple[Tree, int, list[float | None]]]:
    """Measure -> its tree, the first condition that uses it, and the thresholds `measure <= x` it is asked about."""
    found: dict[str, tuple[Tree, int, list[float | None]]] = {}
    for place, condition in enumerate(conditions):
        if condition is not None:
            for measure in _measures(condition):
                entry = found.setdefault(sql(measure), (measure, place, []))
                entry[2].append(_threshold(measure))
    return {text: found[text] for text in sorted(found, key=len, reverse=True)}


def _measures(tree: Tree) -> list[Tree]:
    """The numbers of a condition that come from functions over both sides and are held against a fixed number."""
    if isinstance(tree, exp.GT | exp.GTE | exp.LT | exp.LTE):
        both = (tree.left.unnest(), tree.right.unnest())
        return [
            m for m, bound in (both, both[::-1]) if isinstance(m, exp.Func) and len(sides(m)) == 2 and _is_number(bound)
        ]
    if isinstance(tree, exp.And | exp.Or):
        return [*_measures(tree.left), *_measures(tree.right)]
    if isinstance(tree, exp.Not | exp.Paren):
        return _measures(tree.this)
    return []


def _is_number(tree: Tree) -> bool:
    return isinstance(tree, exp.Literal) and not tree.is_string


def _threshold(measure: Tree) -> float | None:
    """The whole number x between which and x + 1 the condition parts the measure; else None."""
    parent = measure.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    on_left = parent.left.unnest() is measure
    value = float(sql((parent.right if on_left else parent.left).unnest()))
    if value != int(value):
        return None
    parts_above = isinstance(parent, exp.LTE | exp.GT) if on_left else isinstance(parent, exp.GTE | exp.LT)
    return value if parts_above else value - 1


def _rewritten(condition: Tree, replacements: dict[str, str]) -> str:
    if not replacements:
        return sql(condition)
    copy = condition.copy()
    names = {}
    for number, (text, replacement) in enumerate(replacements.items()):
        for measure in _measures(copy):
            if sql(measure) == text:
                names[f"__measure_{number}__"] = replacement
                placeholder = exp.column(f"__measure_{number}__")
                if measure is copy:
                    copy = placeholder
                else:
                    measure.replace(placeholder)
    result = sql(copy)
    for name, replacement in names.items():
        result = result.replace(name, replacement)
    return result


def _call(measure: Tree) -> tuple[str, list[Any]]:
    if isinstance(measure, exp.Levenshtein):
        return "levenshtein", [measure.this, measure.expression]
    if isinstance(measure, exp.Anonymous):
        return measure.name.lower(), list(measure.expressions)
    return type(measure).__name__, []
