"""KEY-003: a hand-made list still says what was typed; a spreadsheet has not rewritten it (sources 11 D92, F40).

Digits that an exponent swallowed are gone; `45836` is one day in one kind of workbook and another in the other kind;
`01-Feb` was `1-2` or `2-1`. None of it is guessed.
"""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of, filled, literal


def condition(use: Use, _: Place) -> Condition:
    shape = literal(f"^ *({use.option('shape')}) *$")
    return Condition(any_of([f"{filled(name)} and upper({name}) !~ {shape}" for name in use.names()]))


_DIGITS = {"shape": "[0-9]{1,12}"}
_DATE = {"shape": "[0-9]{2}/[0-9]{2}/[0-9]{4}"}
_STEP = {"shape": "[0-9]-[0-9]"}

RULE = Rule(
    code="KEY-003",
    text="Ids, numbers, dates and codes of a hand-made list have the shape in which people typed them.",
    severity="hold",
    why="A spreadsheet turns ids into exponents, dates into serial numbers, 1-2 into a date; what was meant is lost.",
    remedy="Format the column as text, restore the values from the project's records, save the list under a new date.",
    affects="Links that rest on the migration's cross-reference list.",
    condition=condition,
    examples=(
        Example({"new_id": "100123"}, breaks=False, fields=("new_id",), options=_DIGITS),
        Example({"new_id": "1.00E+05"}, breaks=True, fields=("new_id",), options=_DIGITS),
        Example({"decided_on": "28/06/2025"}, breaks=False, fields=("decided_on",), options=_DATE),
        Example({"decided_on": "45836"}, breaks=True, fields=("decided_on",), options=_DATE),
        Example({"match_rule": "1-2"}, breaks=False, fields=("match_rule",), options=_STEP),
        Example({"match_rule": "01-Feb"}, breaks=True, fields=("match_rule",), options=_STEP),
        Example({"match_rule": ""}, breaks=False, fields=("match_rule",), options=_STEP),
    ),
)
