"""The feature scores of the simulated tracing service, 0 to 100 each (sources hand-book 8.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable

import jellyfish


def soundex(name: str) -> str:
    """The sound of a name; "" for a name without letters."""
    letters = re.sub(r"[^A-Z]", "", name.upper())
    return jellyfish.soundex(letters) if letters else ""


def birth_parts_agree(asked: str, held: str) -> bool:
    """At least two of day, month and year; day and month exchanged, a transposed day or year are let through."""
    if len(asked) != 8:
        return False
    (year, month, day), (held_year, held_month, held_day) = _parts(asked), _parts(held)
    if (day, month) == (held_month, held_day) and year == held_year:
        return True
    days = day in (held_day, held_day[::-1])
    years = year in (held_year, held_year[:2] + held_year[2:][::-1])
    return days + (month == held_month) + years >= 2


def birth_score(asked: str, held: str) -> float | None:
    """100 equal; 66 two parts equal or day and month exchanged; 33 only the year; else 0."""
    if len(asked) != 8:
        return None
    if asked == held:
        return 100.0
    (year, month, day), (held_year, held_month, held_day) = _parts(asked), _parts(held)
    equal = (year == held_year) + (month == held_month) + (day == held_day)
    if equal == 2 or (year == held_year and (day, month) == (held_month, held_day)):
        return 66.0
    return 33.0 if year == held_year else 0.0


def gender_score(asked: str, held: str) -> float | None:
    """100 same; 50 when either is unknown or not specified; 0 male against female."""
    if asked in ("0", "9", "") or held in ("0", "9", ""):
        return 50.0
    return 100.0 if asked == held else 0.0


def postcode_score(asked: str, held: Iterable[str]) -> float | None:
    """100 equal to a current or past one; else the share of the common beginning; None when one side has none."""
    places = list(held)
    if " " not in asked or not places:
        return None
    return max(_shared_beginning(asked, place) for place in places)


def name_score(asked: str, held: Iterable[str]) -> float | None:
    """Jaro-Winkler with blanks and hyphens taken out, the best of current and past names; None for no name."""
    plain = _plain(asked)
    if not plain:
        return None
    return max(100 * jellyfish.jaro_winkler_similarity(plain, _plain(name)) for name in held)


def _plain(name: str) -> str:
    return re.sub(r"[\s-]", "", re.sub(r"[^\x00-\x7f]", "@", name.upper()))


def _parts(date: str) -> tuple[str, str, str]:
    return date[:4], date[4:6], date[6:]


def _shared_beginning(one: str, other: str) -> float:
    one, other = one.replace(" ", ""), other.replace(" ", "")
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return 100 * shared / max(len(one), len(other))
