"""DAT-004: 1 January 1900 or 1901 stands for "no date" and is read as missing (sources 3.3, 11 D41)."""

from expectations.moments import is_default, style_of
from expectations.rule import Condition, Example, Place, Rule, Use, any_of


def condition(use: Use, _: Place) -> Condition:
    style = style_of(use.option("style"))
    return Condition(any_of([is_default(name, style) for name in use.names()]))


RULE = Rule(
    code="DAT-004",
    text="A date is not the system's filler, 1 January 1900 or 1901.",
    severity="warn",
    why="Taken at its word it makes people 125 years old and services endless.",
    remedy="Enter the real date, or leave it empty; until then it is read as missing.",
    affects="Ages and durations; linkage.",
    condition=condition,
    examples=(
        Example({"end_at": "2025-01-01 00:00:00"}, breaks=False, fields=("end_at",), options={"style": "iso"}),
        Example({"end_at": "1900-01-01 00:00:00"}, breaks=True, fields=("end_at",), options={"style": "iso"}),
        Example({"end_at": "01-JAN-1901"}, breaks=True, fields=("end_at",), options={"style": "dmon"}),
    ),
)
