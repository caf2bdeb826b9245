"""KEY-002: supplier ids are whole numbers; anything else was damaged on the way (sources 2.4, 11 D92)."""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of, filled


def condition(use: Use, _: Place) -> Condition:
    # At most 19 digits: ids are 64-bit. Empty keys are the business of KEY-001.
    return Condition(any_of([f"{filled(name)} and {name} !~ '^[0-9]{{1,19}}$'" for name in use.names()]))


RULE = Rule(
    code="KEY-002",
    text="An id is a whole number.",
    severity="hold",
    why="An id in exponent form or with a lost digit joins the row to somebody else or to nobody.",
    remedy="Find the step that opened the extract in a spreadsheet; send the table again straight from the system.",
    affects="Everything counted from the table, and links between tables.",
    condition=condition,
    on_removed=True,
    examples=(
        Example({"person_id": "343765868001"}, breaks=False, fields=("person_id",)),
        Example({"person_id": "3.43766E+11"}, breaks=True, fields=("person_id",)),
        Example({"person_id": "-1"}, breaks=True, fields=("person_id",)),
    ),
)
