"""The weight of a pair as one SQL expression, shortened by what the join that found the pair already proves.

In the pairs of "birth date and surname" nobody has to compare birth dates or surnames again: those levels are settled,
and so are the earlier rules that ask the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linkage.executor.distances import write_case, write_condition
from linkage.executor.expressions import Facts, Tree, is_false, is_true, reduce
from linkage.executor.settings import CompiledModel, Comparison, Frequency, Level, proves_equal


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Where the frequency parts of weights stand: columns of the prepared records, by what they hold."""

    settled: Mapping[Frequency, str]  # the whole part of a weight, for levels on which the value is equal
    shares: Mapping[str, str]  # column -> its share, for levels that do not prove it equal


def level_column(comparison: Comparison, facts: Facts) -> str:
    """The number of the comparison's level, Splink's gamma."""
    conditions, levels = _open_levels(comparison, facts)
    return write_case(conditions, [str(level.gamma) for level in levels])


def weight_column(comparison: Comparison, facts: Facts, frequencies: Frequencies, gamma: str | None = None) -> str:
    """The comparison's part of the weight; from the number of its level when that is worked out anyway."""
    conditions, levels = _open_levels(comparison, facts)
    if gamma is None:
        return write_case(conditions, [_weight(level, frequencies) for level in levels])
    arms = {level.gamma: _weight(level, frequencies) for level in levels}
    return f"(case {gamma} {' '.join(f'when {number} then {part}' for number, part in arms.items())} end)"


def total_weight(model: CompiledModel, parts: Sequence[str]) -> str:
    """The match weight: where everybody starts, and a part for each comparison."""
    return " + ".join([f"{model.starting_weight!r}::double", *parts])


def frequencies_read(model: CompiledModel) -> tuple[dict[Frequency, None], dict[str, None]]:
    """The frequency parts the model needs: those of levels that prove the value equal, and columns of the others."""
    settled: dict[Frequency, None] = {}
    shares: dict[str, None] = {}
    for level in (level for comparison in model.comparisons for level in comparison.levels):
        if level.frequency is not None and _is_settled(level):
            settled[level.frequency] = None
        elif level.frequency is not None:
            shares[level.frequency.column] = None
    return settled, shares


def excluded(earlier: Sequence[Tree], facts: Facts) -> list[str] | None:
    """Conditions that leave out what earlier rules found; None when they found everything already."""
    result = []
    for way in earlier:
        rest = reduce(way, facts)
        if is_true(rest):
            return None
        if not is_false(rest):
            result.append(f"not coalesce({write_condition(rest)}, false)")
    return result


def _open_levels(comparison: Comparison, facts: Facts) -> tuple[list[Tree | None], list[Level]]:
    conditions: list[Tree | None] = []
    levels: list[Level] = []
    for level in comparison.levels:
        rest = None if level.condition is None else reduce(level.condition, facts)
        if rest is not None and is_false(rest):
            continue
        decided = rest is None or is_true(rest)
        conditions.append(None if decided else rest)
        levels.append(level)
        if decided:
            break
    return conditions, levels


def _is_settled(level: Level) -> bool:
    return (
        level.frequency is not None
        and level.condition is not None
        and proves_equal(level.condition, level.frequency.column)
    )


def _weight(level: Level, frequencies: Frequencies) -> str:
    fixed = f"{level.weight!r}::double"
    frequency = level.frequency
    if frequency is None:
        return fixed
    if _is_settled(level):
        return f'({fixed} + l."{frequencies.settled[frequency]}")'
    share = frequencies.shares[frequency.column]
    both = f'coalesce(l."{share}", r."{share}")', f'coalesce(r."{share}", l."{share}")'
    common = f"log2(greatest({both[0]}, {both[1]}, {frequency.floor!r}::double))"
    part = f"{frequency.weight!r}::double * ({frequency.log2_u!r}::double - {common})"
    return f"({fixed} + case when {both[0]} is null then 0.0::double else {part} end)"
