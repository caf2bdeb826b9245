"""PER-003: an NHS number has ten digits; spreadsheet damage is not repaired (sources 7.1, 11 D09)."""

from expectations.nhs_numbers import is_not_ten_digits
from expectations.rule import Condition, Example, Place, Rule, Use, any_of

_NUMBER = ("nhs_number",)


def condition(use: Use, _: Place) -> Condition:
    return Condition(any_of([is_not_ten_digits(name) for name in use.names()]))


RULE = Rule(
    code="PER-003",
    text="An NHS number has ten digits; spaces, hyphens and a trailing .0 are forgiven.",
    severity="warn",
    why="A number in exponent form has lost digits that nobody can guess back.",
    remedy="Trace the person again; find the spreadsheet the number went through.",
    affects="Linkage: the record is matched on its other details.",
    condition=condition,
    examples=(
        Example({"nhs_number": "9434765919.0"}, breaks=False, fields=_NUMBER),
        Example({"nhs_number": "9.434766E+09"}, breaks=True, fields=_NUMBER),
        Example({"nhs_number": "943476591"}, breaks=True, fields=_NUMBER),
        Example({"nhs_number": " "}, breaks=False, fields=_NUMBER),
    ),
)
