"""VAL-001: flags and short lists hold one of their values."""

from expectations.rule import Condition, Example, Place, Rule, RuleError, Use, any_of, literal, present


def condition(use: Use, _: Place) -> Condition:
    values = use.options.get("values")
    if not isinstance(values, tuple) or not values:
        raise RuleError(f"{use.rule} needs the option 'values', a list")
    listed = ", ".join(literal(value.upper()) for value in values)
    return Condition(any_of([f"{present(name)} and upper(btrim({name})) not in ({listed})" for name in use.names()]))


_VALUES = {"values": ("M", "F", "I", "U")}

RULE = Rule(
    code="VAL-001",
    text="A field with a short list of values holds one of them, in capitals or not.",
    severity="warn",
    why="A value outside the list is read as unknown.",
    remedy="Choose a value of the list in the source system, or add the new value to the mapping.",
    affects="Breakdowns by that field.",
    condition=condition,
    examples=(
        Example({"gender": "f "}, breaks=False, fields=("gender",), options=_VALUES),
        Example({"gender": "X9"}, breaks=True, fields=("gender",), options=_VALUES),
        Example({"gender": None}, breaks=False, fields=("gender",), options=_VALUES),
    ),
)
