"""What values of a column look like, by the supplier's own type: `connectors/<supplier>/shapes.yml`.

A shape is a pattern and its words, for dates also the style. It serves to notice that a column holds something else
than it did (a retyped column); a single odd value is the business of the rules. Counts and words leave this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

import yaml

#: Date styles met in the wild, tried in this order when a date column no longer has its declared one.
STYLES = {
    "yyyy-mm-dd": ("%Y-%m-%d", r"\d{4}-\d\d-\d\d"),
    "yyyy-mm-dd hh:mm:ss": ("%Y-%m-%d %H:%M:%S", r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"),
    "dd/mm/yyyy": ("%d/%m/%Y", r"\d\d/\d\d/\d{4}"),
    "dd/mm/yyyy hh:mm:ss": ("%d/%m/%Y %H:%M:%S", r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d"),
    "dd-mon-yyyy": ("%d-%b-%Y", r"\d\d-[A-Za-z]{3}-\d{4}"),
    "dd mon yyyy hh:mm:ss": ("%d %b %Y %H:%M:%S", r"\d\d [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d"),
    "yyyymmdd": ("%Y%m%d", r"(?:19|20)\d{6}"),
}
_MOSTLY = 0.9


@dataclass(frozen=True, slots=True)
class Shape:
    """What values of one type look like; `style` is how dates of it are written, '' where it is no date."""

    pattern: str
    words: str
    style: str = ""
    capitals: bool = False

    def share(self, values: Sequence[str | None]) -> float | None:
        """The share of the filled-in values that have this shape; None when none is filled in."""
        filled = [v.strip() for v in values if v and v.strip()]
        like = re.compile(self.pattern)
        return sum(1 for v in filled if like.fullmatch(v)) / len(filled) if filled else None

    def rewritten(self, value: str | None, read_as: str) -> str | None:
        """A date of the style `read_as` in this shape's own style; anything else unchanged, for the rules to judge."""
        if value is None or not self.style or read_as not in STYLES:
            return value
        try:
            text = datetime.strptime(value.strip().replace("T", " "), STYLES[read_as][0]).strftime(self.style)
        except ValueError:
            return value
        return text.upper() if self.capitals else text


@cache
def shapes_of(supplier: str) -> Mapping[str, Shape]:
    """The shapes of one supplier by type; none where it has no page."""
    page = files("connectors") / supplier / "shapes.yml"
    if not page.is_file():
        return {}
    raw = yaml.safe_load(page.read_text(encoding="utf-8")) or {}
    return {
        str(tag): Shape(s["pattern"], s["words"], s.get("style", ""), bool(s.get("capitals", False)))
        for tag, s in raw.items()
    }


def words_for(values: Sequence[str | None]) -> str:
    """What most of the values look like, in words: a date style, digits, postcodes or text."""
    if style := style_of(values):
        return f"dates like {style}"
    for words, pattern in (
        ("digits", r"\d+"),
        ("postcodes", r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}"),
        ("numbers", r"-?\d+(?:\.\d+)?"),
    ):
        if (Shape(pattern, words).share(values) or 0) >= _MOSTLY:
            return words
    return "text" if any(v and v.strip() for v in values) else "nothing"


def style_of(values: Sequence[str | None]) -> str:
    """The name of the date style that nearly all of the values have; '' when there is none."""
    for name, (_, pattern) in STYLES.items():
        if (Shape(pattern, name).share(values) or 0) >= _MOSTLY:
            return name
    return ""
