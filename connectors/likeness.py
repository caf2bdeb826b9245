"""Which new heading may be the missing column: how alike the names are, where it stands, what its values look like.

It only ever suggests. A person says yes, and is told the evidence in words; no value of a person is among it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from connectors.shapes import shapes_of
from connectors.spec import Layout, TableSpec

#: From this score on a heading is suggested: alike by name, or half alike and in the very same place.
ENOUGH = 0.5
_NAME, _PLACE = 0.6, 0.4
_SHAPE_MUST_FIT = 0.5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`heading` of `table` may be the specified `column`; `evidence` says why, in words."""

    source: str
    table: str
    heading: str
    column: str
    score: float
    evidence: str
    read_as: str = ""  # for a retyped date column: the style its values have now


def best_suggestions(
    source: str,
    names: Sequence[str],
    needed: Sequence[str],
    layout: Layout,
    spec: TableSpec,
    samples: Mapping[str, Sequence[str | None]],
) -> tuple[Suggestion, ...]:
    """For each needed column the likeliest unknown heading, no heading twice; columns without any are left out."""
    known = [c.name for c in layout.columns]
    strangers = [name for name in names if name not in known]
    scored = []
    for column in needed:
        for heading in strangers:
            place = _same_place(heading, column, names, known)
            alike = similarity(heading, column)
            lonely = len(needed) == len(strangers) == 1 and place == 1
            score = _NAME * alike + _PLACE * place
            fits = _shape_fits(heading, column, layout, spec, samples)
            if fits is not False and (score >= ENOUGH or lonely):
                scored.append(Suggestion(source, spec.table, heading, column, score, _words(alike, place, fits)))
    found: dict[str, Suggestion] = {}
    for suggestion in sorted(scored, key=lambda s: (-s.score, s.column, s.heading)):
        if suggestion.column not in found and suggestion.heading not in {s.heading for s in found.values()}:
            found[suggestion.column] = suggestion
    return tuple(found[column] for column in needed if column in found)


def similarity(one: str, other: str) -> float:
    """How alike two headings are, from 0 to 1, whatever their capitals, separators and order of words."""
    a, b = _words_of(one), _words_of(other)
    straight = SequenceMatcher(None, "".join(a), "".join(b)).ratio()
    sorted_words = SequenceMatcher(None, "".join(sorted(a)), "".join(sorted(b))).ratio()
    short, long = sorted(("".join(a), "".join(b)), key=len)
    abbreviated = 0.75 if len(short) >= 3 and short[:1] == long[:1] and _is_within(short, long) else 0.0
    return max(straight, sorted_words, abbreviated)


def _words_of(heading: str) -> list[str]:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", heading)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", parted) if word]


def _is_within(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)


def _same_place(heading: str, column: str, names: Sequence[str], known: Sequence[str]) -> float:
    """1 when the heading stands between the neighbours the column has in the layout, a half for one of them."""
    here, there = names.index(heading), known.index(column)
    before = (names[here - 1] if here else "") == (known[there - 1] if there else "")
    after = (names[here + 1] if here + 1 < len(names) else "") == (known[there + 1] if there + 1 < len(known) else "")
    return (before + after) / 2


def _shape_fits(
    heading: str, column: str, layout: Layout, spec: TableSpec, samples: Mapping[str, Sequence[str | None]]
) -> bool | None:
    tag = next(c.tag for c in layout.columns if c.name == column)
    shape = shapes_of(spec.dataset.split("__")[0]).get(tag)
    share = shape.share(samples[heading]) if shape and heading in samples else None
    return None if share is None else share >= _SHAPE_MUST_FIT


def _words(alike: float, place: float, fits: bool | None) -> str:
    told = [
        f"names {alike:.0%} alike",
        {1: "in the same place", 0.5: "beside one of its neighbours", 0: "elsewhere"}[place],
    ]
    return ", ".join([*told, *(["values of the same shape"] if fits else [])])
