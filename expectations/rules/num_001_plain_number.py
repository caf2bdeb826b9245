"""NUM-001: amounts are plain numbers; "£12.50" and "2 hrs" are not read (sources 11 D93)."""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of, filled


def condition(use: Use, _: Place) -> Condition:
    # The same shape as landing.number_or_null.
    shape = "^ *-?[0-9]{1,15}([.][0-9]{1,6})? *$"
    return Condition(any_of([f"{filled(name)} and {name} !~ '{shape}'" for name in use.names()]))


RULE = Rule(
    code="NUM-001",
    text="An amount is a plain number without currency sign, unit or thousands separator.",
    severity="warn",
    why="The amount is read as missing; the text beside it is kept.",
    remedy="Enter the number alone in the source system; the unit has a field of its own.",
    affects="Costs and units of services.",
    condition=condition,
    examples=(
        Example({"unit_cost": "12.50"}, breaks=False, fields=("unit_cost",)),
        Example({"unit_cost": "£12.50"}, breaks=True, fields=("unit_cost",)),
        Example({"unit_cost": "2 hrs"}, breaks=True, fields=("unit_cost",)),
        Example({"unit_cost": ""}, breaks=False, fields=("unit_cost",)),
    ),
)
