"""COD-001: a code without which an event would drop out of a return is held until the mapping knows it (F52)."""

from expectations.codes import unknown_code_condition
from expectations.rule import Example, Rule

_FIELDS, _SET = ("service_type",), {"code_set": "service_type"}
_KNOWN = (("code", "service_type", "LTC"),)

RULE = Rule(
    code="COD-001",
    text="The code that decides whether and where an event is counted in a return is in the mapping.",
    severity="hold",
    why="With an unknown service type the line would silently be missing from the return.",
    remedy="Add the code to the mapping of the source; the held rows are loaded at the next run.",
    affects="Counts of services, requests, assessments and reviews in the returns.",
    condition=unknown_code_condition,
    retry="mapping",
    examples=(
        Example({"service_type": " ltc "}, False, _FIELDS, _SET, _KNOWN),
        Example({"service_type": "NEWCODE"}, True, _FIELDS, _SET, _KNOWN),
        Example({"service_type": None}, False, _FIELDS, _SET, _KNOWN),
    ),
)
