"""COD-002: any other code that the mapping does not know is read as unknown, and counted (F52)."""

from expectations.codes import unknown_code_condition
from expectations.rule import Example, Rule

_FIELDS, _SET = ("ethnicity_code",), {"code_set": "ethnicity"}
_KNOWN = (("code", "ethnicity", "WBRI"),)

RULE = Rule(
    code="COD-002",
    text="Codes are in the mapping of the source.",
    severity="warn",
    why="An unknown code is shown as unknown in breakdowns.",
    remedy="Add the code to the mapping of the source, or correct the record.",
    affects="Breakdowns by that code.",
    condition=unknown_code_condition,
    retry="mapping",
    examples=(
        Example({"ethnicity_code": "wbri"}, False, _FIELDS, _SET, _KNOWN),
        Example({"ethnicity_code": "ZZZZ"}, True, _FIELDS, _SET, _KNOWN),
        Example({"ethnicity_code": "-1"}, False, _FIELDS, _SET, _KNOWN),
    ),
)
