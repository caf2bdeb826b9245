"""REQ-002: fields a row can live without, but should not have to."""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of, present


def condition(use: Use, _: Place) -> Condition:
    return Condition(any_of([f"not {present(name)}" for name in use.names()]))


RULE = Rule(
    code="REQ-002",
    text="Fields that are normally known are filled.",
    severity="warn",
    why="Missing names, birth dates and codes weaken linkage and leave gaps in the returns.",
    remedy="Complete the record in the source system, starting with people who receive long-term support.",
    affects="Linkage recall; completeness tables of the returns.",
    condition=condition,
    examples=(
        Example({"surname": "Okafor"}, breaks=False, fields=("surname",)),
        Example({"surname": "  "}, breaks=True, fields=("surname",)),
    ),
)
