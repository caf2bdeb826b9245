"""PER-001: an NHS number that fails its check digit is kept and counted, and never used for matching (F33)."""

from expectations.nhs_numbers import fails_check_digit
from expectations.rule import Condition, Example, Place, Rule, Use, any_of

_NUMBER = ("nhs_number",)


def condition(use: Use, _: Place) -> Condition:
    return Condition(any_of([fails_check_digit(name) for name in use.names()]))


RULE = Rule(
    code="PER-001",
    text="A ten-digit NHS number passes its check digit.",
    severity="warn",
    why="The number was mistyped; used for matching it would join two different people.",
    remedy="Trace the person again and correct the number in the source system.",
    affects="Linkage: the record is matched on its other details.",
    condition=condition,
    examples=(
        Example({"nhs_number": "9434765919"}, breaks=False, fields=_NUMBER),
        Example({"nhs_number": "943 476-5919"}, breaks=False, fields=_NUMBER),
        Example({"nhs_number": "9434765918"}, breaks=True, fields=_NUMBER),
        Example({"nhs_number": "9990000000"}, breaks=True, fields=_NUMBER),
        Example({"nhs_number": "9000000009"}, breaks=False, fields=_NUMBER),
        Example({"nhs_number": None}, breaks=False, fields=_NUMBER),
    ),
)
