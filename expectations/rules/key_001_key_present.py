"""KEY-001: without its key a row can be neither told from others nor followed from night to night."""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of, filled


def condition(use: Use, _: Place) -> Condition:
    return Condition(any_of([f"not {filled(name)}" for name in use.names()]))


RULE = Rule(
    code="KEY-001",
    text="Every field of the key is filled.",
    severity="hold",
    why="A row without its key cannot be updated or removed later; loading it would add a ghost every night.",
    remedy="Ask the supplier to send the row again with its key; correct the extract definition if it happens often.",
    affects="Everything counted from the table.",
    condition=condition,
    on_removed=True,
    examples=(
        Example({"row_id": "35161102999", "visible_to": "NLX99"}, breaks=False, fields=("row_id", "visible_to")),
        Example({"row_id": "35161102999", "visible_to": " "}, breaks=True, fields=("row_id", "visible_to")),
        Example({"row_id": None, "visible_to": "NLX99"}, breaks=True, fields=("row_id", "visible_to")),
    ),
)
