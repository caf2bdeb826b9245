"""DAT-003: an event ends on or after the day it starts (sources 11 D70, F39)."""

from expectations.moments import day_of, is_default, style_of
from expectations.rule import Condition, Example, Place, Rule, Use


def condition(use: Use, _: Place) -> Condition:
    start, end = use.names(2)
    style = style_of(use.option("style"))
    # "No date" written as 1 January 1900 is the business of DAT-004.
    return Condition(f"({day_of(end, style)} < {day_of(start, style)} and not {is_default(end, style)})")


_FIELDS, _SLASH = ("start_at", "end_at"), {"style": "slash"}

RULE = Rule(
    code="DAT-003",
    text="An event does not end before it starts; the same day is fine.",
    severity="warn",
    why="Such a line has no length: it drops out of anything counted by days and fails the national checks.",
    remedy="Correct whichever date is wrong in the source system; the row is kept as it is until then.",
    affects="Services and assessments active in a period.",
    condition=condition,
    examples=(
        Example(
            {"start_at": "01/04/2025 09:00:00", "end_at": "01/04/2025"}, breaks=False, fields=_FIELDS, options=_SLASH
        ),
        Example({"start_at": "01/04/2025", "end_at": "31/03/2025"}, breaks=True, fields=_FIELDS, options=_SLASH),
        Example({"start_at": "01/04/2025", "end_at": None}, breaks=False, fields=_FIELDS, options=_SLASH),
        Example({"start_at": "01/04/2025", "end_at": "01/01/1900"}, breaks=False, fields=_FIELDS, options=_SLASH),
    ),
)
