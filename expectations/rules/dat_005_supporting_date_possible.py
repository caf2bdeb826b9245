"""DAT-005: a date nothing is counted by is read as missing when it is impossible; the row is kept (F39)."""

from expectations.moments import is_impossible, style_of
from expectations.rule import Condition, Example, Place, Rule, Use, any_of


def condition(use: Use, _: Place) -> Condition:
    style = style_of(use.option("style"))
    return Condition(any_of([is_impossible(name, style, first="18900101", last="20991231") for name in use.names()]))


_ISO = {"style": "iso"}

RULE = Rule(
    code="DAT-005",
    text="Supporting dates (recorded, due, created) are possible dates.",
    severity="warn",
    why="Late recording and overdue reviews are measured by them.",
    remedy="Correct the date in the source system; until then it is read as missing.",
    affects="Timeliness measures.",
    condition=condition,
    examples=(
        Example({"due_at": "2026-05-01 00:00:00"}, breaks=False, fields=("due_at",), options=_ISO),
        Example({"due_at": "2026-13-01 00:00:00"}, breaks=True, fields=("due_at",), options=_ISO),
    ),
)
