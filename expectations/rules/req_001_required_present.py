"""REQ-001: fields without which the row says nothing that can be used."""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of, present


def condition(use: Use, _: Place) -> Condition:
    return Condition(any_of([f"not {present(name)}" for name in use.names()]))


RULE = Rule(
    code="REQ-001",
    text="The fields that make the row usable are filled; -1, 0, NULL and N/A count as empty.",
    severity="hold",
    why="An event without a person or a start date cannot be shown to anybody or counted in any period.",
    remedy="Complete the record in the source system; the corrected row arrives with the next extract.",
    affects="Counts of the events in the table.",
    condition=condition,
    examples=(
        Example({"person_id": "1021", "start_date": "01-APR-2025"}, breaks=False, fields=("person_id", "start_date")),
        Example({"person_id": "-1", "start_date": "01-APR-2025"}, breaks=True, fields=("person_id", "start_date")),
        Example({"person_id": "1021", "start_date": None}, breaks=True, fields=("person_id", "start_date")),
    ),
)
