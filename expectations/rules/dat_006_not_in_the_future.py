"""DAT-006: what has happened cannot lie after the delivery (deaths in the future: sources 11 D45)."""

from expectations.moments import day_of, style_of
from expectations.rule import Condition, Example, Place, Rule, Use, any_of, literal


def condition(use: Use, place: Place) -> Condition:
    style = style_of(use.option("style"))
    return Condition(any_of([f"{day_of(name, style)} > {literal(place.day)}" for name in use.names()]))


_DMON = {"style": "dmon"}

RULE = Rule(
    code="DAT-006",
    text="A death or an event that has happened is not dated after the delivery.",
    severity="warn",
    why="A future date is a slip of the keyboard; it hides the real date.",
    remedy="Correct the date in the source system.",
    affects="Deaths and completed events of the period.",
    condition=condition,
    examples=(
        Example({"death_at": "30 Mar 2026"}, breaks=False, fields=("death_at",), options=_DMON),
        Example({"death_at": "30 Mar 2062"}, breaks=True, fields=("death_at",), options=_DMON),
    ),
)
