"""REF-001: a child row waits in quarantine until its parent has come (F50, CTL-16)."""

from expectations.parents import orphan_condition
from expectations.rule import Example, Rule

_FIELDS, _PARENT = ("patient_id", "visible_to"), {"parent": "systmone__patient"}
_KNOWN = (("systmone__patient", "35161102999|NLX99", ""),)

RULE = Rule(
    code="REF-001",
    text="The record a row belongs to is known, or comes with the same delivery.",
    severity="hold",
    why="An event whose person is unknown would be counted for nobody, or vanish.",
    remedy="None needed when the person's record is only late: the row is tried again at every run. After some weeks "
    "ask the supplier why the person's record is missing.",
    affects="Counts of the events in the table.",
    condition=orphan_condition,
    retry="parent",
    examples=(
        Example({"patient_id": "35161102999", "visible_to": "NLX99"}, False, _FIELDS, _PARENT, _KNOWN),
        Example({"patient_id": "35161102777", "visible_to": "NLX99"}, True, _FIELDS, _PARENT, _KNOWN),
        Example({"patient_id": "-1", "visible_to": "NLX99"}, False, _FIELDS, _PARENT, _KNOWN),
        Example({"patient_id": None, "visible_to": "NLX99"}, False, _FIELDS, _PARENT, _KNOWN),
    ),
)
