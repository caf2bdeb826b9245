"""PER-002: made-up numbers that pass the check digit are read as missing, and counted (F34)."""

from expectations.nhs_numbers import is_filler
from expectations.rule import Condition, Example, Place, Rule, Use, any_of

_NUMBER = ("nhs_number",)


def condition(use: Use, _: Place) -> Condition:
    return Condition(any_of([is_filler(name) for name in use.names()]))


RULE = Rule(
    code="PER-002",
    text="An NHS number is not a filler such as 0000000000 or 1234567881.",
    severity="warn",
    why="Many people share a filler; used for matching it would join all of them.",
    remedy="Leave the number empty when it is not known, then trace it.",
    affects="Linkage: the record is matched on its other details.",
    condition=condition,
    examples=(
        Example({"nhs_number": "9434765919"}, breaks=False, fields=_NUMBER),
        Example({"nhs_number": "1111111111"}, breaks=True, fields=_NUMBER),
        Example({"nhs_number": "987 654 3210"}, breaks=True, fields=_NUMBER),
    ),
)
