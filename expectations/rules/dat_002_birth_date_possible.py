"""DAT-002: an impossible birth date is read as missing; the person's row is kept (F39)."""

from expectations.moments import is_impossible, style_of
from expectations.rule import Condition, Example, Place, Rule, Use, any_of


def condition(use: Use, place: Place) -> Condition:
    style = style_of(use.option("style"))
    return Condition(any_of([is_impossible(name, style, first="18900101", last=place.day) for name in use.names()]))


_DMON = {"style": "dmon"}
_BIRTH = ("birth_at",)

RULE = Rule(
    code="DAT-002",
    text="A birth date is a possible date, not in the future.",
    severity="warn",
    why="A wrong birth date keeps two records of one person apart, or joins two people.",
    remedy="Check the date with the person or the GP record and correct it in the source system.",
    affects="Linkage; ages in every return.",
    condition=condition,
    examples=(
        Example({"birth_at": "02 Jul 1941 00:00"}, breaks=False, fields=_BIRTH, options=_DMON),
        Example({"birth_at": "31 Jun 1941 00:00"}, breaks=True, fields=_BIRTH, options=_DMON),
        Example({"birth_at": "02 Jul 2199"}, breaks=True, fields=_BIRTH, options=_DMON),
    ),
)
