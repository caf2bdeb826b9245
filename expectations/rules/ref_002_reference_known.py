"""REF-002: workers, teams, organisations and earlier steps that cannot be found are counted (sources 11 D86)."""

from expectations.parents import orphan_condition
from expectations.rule import Example, Rule

_FIELDS, _PARENT = ("provider_id",), {"parent": "carefirst__provider"}
_KNOWN = (("carefirst__provider", "70012", ""),)

RULE = Rule(
    code="REF-002",
    text="Workers, providers, organisations and earlier steps that a row names are known.",
    severity="warn",
    why="The row is complete without them, but breakdowns by team or provider fall short.",
    remedy="Ask the supplier for the missing reference rows, or close the old code in the source system.",
    affects="Breakdowns by team, worker, provider or organisation.",
    condition=orphan_condition,
    retry="parent",
    examples=(
        Example({"provider_id": "70012"}, False, _FIELDS, _PARENT, _KNOWN),
        Example({"provider_id": "70013"}, True, _FIELDS, _PARENT, _KNOWN),
        Example({"provider_id": "0"}, False, _FIELDS, _PARENT, _KNOWN),
    ),
)
