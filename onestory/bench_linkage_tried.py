"""What was tried for a figure of the linkage benchmark that is missed: told only as long as it is missed."""

from __future__ import annotations

from typing import Final

_STEP: Final = (
    "keys joined apart from the records and pairs grouped as whole numbers, exact but cheaper questions for the "
    "distances, values of one record worked out once, the dearest comparison asked last of pairs that can still reach "
    "the line. What is left is reading and preparing both files, the joins of the rules and the distances of pairs "
    "near the line; preparing only the records that the identifier stage leaves open would save at most two parts in "
    "a hundred and is not done. The hand-book measured 0.20 and 0.14 for SQL written by hand; the one of this run, "
    "with the same links, stands beside the figure."
)
_NIGHT: Final = (
    "keys sorted and mapped from disk instead of joined, records read only where they are touched, the statements "
    "written once when a run is kept. What is left is starting DuckDB and planning four selects, which does not grow "
    "with the files, and the pairs of changed records themselves; so the share falls as the files grow."
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
    ("growth", "exponent", "the left file taken in parts above a few million records, so that pairs of one part at a "
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
