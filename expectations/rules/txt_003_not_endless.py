"""TXT-003: no field is longer than anything a person would type (F42)."""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of

LONGEST = 100_000


def condition(use: Use, place: Place) -> Condition:
    return Condition(any_of([f"length({name}) > {LONGEST}" for name in (use.names() if use.fields else place.fields)]))


RULE = Rule(
    code="TXT-003",
    text="No field is longer than 100,000 characters.",
    severity="hold",
    why="Such a field is a document or a fault of the export; it would slow down everything that touches the row.",
    remedy="Ask the owner what it is. The whole row is kept; release it if it is right.",
    affects="Nothing but the one row.",
    condition=condition,
    examples=(
        Example({"street": "x" * LONGEST}, breaks=False, fields=("street",)),
        Example({"street": "x" * (LONGEST + 1)}, breaks=True, fields=("street",)),
        Example({"street": None}, breaks=False, fields=("street",)),
    ),
)
