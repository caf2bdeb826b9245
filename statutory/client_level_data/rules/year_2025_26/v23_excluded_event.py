"""V23: the file holds no children and no assessments of other Acts."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing
from statutory.client_level_data.select import belongs_to_another_return, lived_to
from statutory.client_level_data.specification import load_specification


def check(file: ReturnFile) -> RuleOutcome:
    specification = load_specification()
    age = lived_to(file.day("Date of Birth"), file.day("Date of Death"), file.facts.period_end)
    children = age < int(specification.selection["youngest"])
    other = file.is_event("Assessment") & belongs_to_another_return(file.text("Event Description"), specification)
    return failing(file, children | other)


RULE = Rule(
    code="V23",
    level="error",
    text="No row is about a child, and no assessment is a DoLS, safeguarding, capacity or Mental Health Act one.",
    why="They belong to other returns or to none; sending them shares personal data without a legal basis.",
    remedy="This is a fault of the file: report it; do not send the file.",
    check=check,
    passing=Example(
        [
            {"Event Reference": "a:1", "Event Type": "Assessment", "Event Description": "Care needs assessment"},
            {"Event Reference": "a:2", "Event Type": "Request", "Date of Birth": "31/03/2008"},
        ]
    ),
    failing=Example(
        [
            {"Event Reference": "a:1", "Event Type": "Assessment", "Event Description": "DoLS form 3"},
            {"Event Reference": "a:2", "Event Type": "Request", "Date of Birth": "01/04/2008"},
        ],
        fails=("a:1", "a:2"),
    ),
)
