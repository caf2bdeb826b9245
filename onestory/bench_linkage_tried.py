"""What was tried for a figure of the linkage benchmark that is missed: told only as long as it is missed."""

from __future__ import annotations

from typing import Final

_STEP: Final = (
    "records meet by keys stored once and pairs are whole numbers, exact but cheaper questions for the distances, "
    "values of one record worked out once, a sieve that drops pairs which cannot reach the line before the dear "
    "questions are asked. What is left is reading and preparing both files, the joins of the rules and the distances "
    "of pairs near the line. The hand-book measured 0.20 and 0.14 for SQL written by hand; the one of this run, with "
    "the same links, stands beside the figure."
)
_NIGHT: Final = (
    "keys sorted and mapped from disk instead of joined, records read only where they are touched, the statements "
    "written once when a run is kept. What is left is starting DuckDB and planning a few selects, which does not grow "
    "with the files, and the pairs of changed records themselves; each time the full run becomes faster, a night is a "
    "larger share of it. Beside a full run of plain Splink it is the share that the table tells."
)
#: (figure, words of the value's name, what was tried)
_TRIED: Final = (
    ("speed", "CPU", _STEP),
    ("large", "CPU", _STEP),
    ("tight", "wall", "the same executor on recordlinkage's rules. What is left is reading and preparing the larger "
     "file, the three joins, the weighing and reading the model. The peer computes six scores a pair and no weights of "
     "frequencies; wall depends on what else the machine does, both CPU columns do not."),
    ("night", "CPU", _NIGHT),
    ("night_large", "CPU", _NIGHT),
    ("growth", "exponent", "the left file taken in parts where memory asks for it, so that pairs of one part at a "
     "time are held; keys joined apart from the records. What still bends the curve is tables that no longer fit the "
     "processor's caches, and what is spilled and read again."),
)  # fmt: skip


def tried(figure: str, value: str) -> str:
    """What was tried for a value of a figure; says so when nothing is written down."""
    for name, words, text in _TRIED:
        if name == figure and words in value:
            return text
    return NOTHING


NOTHING: Final = "nothing is written down of what was tried."
