"""The weight of a pair as one SQL expression: where everybody starts, and a part for each comparison.

The part of a name's frequency is worked out beforehand for each record of the left file wherever a level proves the
value equal on both sides; only other levels look at both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linkage.executor.distances import write_case
from linkage.executor.settings import Comparison, CompiledModel, Frequency, Level, proves_equal


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Where the frequency parts of weights stand: columns of the prepared records, by what they hold."""

    settled: Mapping[Frequency, str]  # the whole part of a weight, for levels on which the value is equal
    shares: Mapping[str, str]  # column -> its share, for levels that do not prove it equal


def level_column(comparison: Comparison) -> str:
    """The number of the comparison's level, Splink's gamma."""
    return write_case(
        [level.condition for level in comparison.levels], [str(level.gamma) for level in comparison.levels]
    )


def weight_column(comparison: Comparison, frequencies: Frequencies, gamma: str | None = None) -> str:
    """The comparison's part of the weight; from the number of its level when that is worked out anyway."""
    parts = [level_weight(level, frequencies) for level in comparison.levels]
    if gamma is None:
        return write_case([level.condition for level in comparison.levels], parts)
    arms = {level.gamma: part for level, part in zip(comparison.levels, parts, strict=True)}
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


def _is_settled(level: Level) -> bool:
    return (
        level.frequency is not None
        and level.condition is not None
        and proves_equal(level.condition, level.frequency.column)
    )


def level_weight(level: Level, frequencies: Frequencies) -> str:
    """What a pair on this level weighs."""
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
