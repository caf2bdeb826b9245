"""The engine numbers fields of one kind (`place 0`, `place 1`); people read the analyst's own headings instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from linkage.trial.facts import SideFacts


def reader_words(sides: Sequence[SideFacts]) -> Callable[[Any], Any]:
    """A function that rewords every text of a JSON-like value: `place 1` becomes `place (birth_place)`.

    The number goes where there is only one field of a kind; of two files the left one's headings speak.
    """
    named = [(field["field"].replace("_", " "), field["column"]) for side in sides[:1] for field in side["fields"]]
    kinds = [re.sub(r" \d+$", "", name) for name, _ in named]
    told = {
        name: kind if kinds.count(kind) == 1 else f"{kind} ({column})"
        for (name, column), kind in zip(named, kinds, strict=True)
        if name != kind
    }
    if not told:
        return lambda value: value
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, sorted(told, key=len, reverse=True))) + r")\b")

    def reword(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda found: told[found[1]], value)
        if isinstance(value, dict):
            return {key: reword(inner) for key, inner in value.items()}
        return [reword(inner) for inner in value] if isinstance(value, list) else value

    return reword
