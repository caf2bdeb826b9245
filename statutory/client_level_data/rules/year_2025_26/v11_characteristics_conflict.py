"""V11: rows of the same person and day agree on support reason, accommodation and employment."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing

_ONE_EACH = ("Primary Support Reason", "Accommodation Status", "Employment Status")


def check(file: ReturnFile) -> RuleOutcome:
    person, start = file.text("LA Person Unique Identifier"), file.text("Event Start Date")
    conflicting = person != person
    for heading in _ONE_EACH:
        values = file.text(heading).where(file.filled(heading))
        conflicting |= values.groupby([person, start]).transform("nunique") > 1
    return failing(file, conflicting & (person != ""))


RULE = Rule(
    code="V11",
    level="warning",
    text="Events of one person that start on one day show one support reason, accommodation and employment.",
    why="Where they disagree the national processing sets the person to Unknown.",
    remedy="Agree the value with the team and correct the event that differs.",
    check=check,
    passing=Example(
        [
            {
                "Event Reference": f"a:{n}",
                "LA Person Unique Identifier": "p1",
                "Event Start Date": "01/05/2025",
                "Primary Support Reason": "Mental health support",
            }
            for n in (1, 2)
        ]
    ),
    failing=Example(
        [
            {
                "Event Reference": f"a:{n}",
                "LA Person Unique Identifier": "p1",
                "Event Start Date": "01/05/2025",
                "Primary Support Reason": reason,
            }
            for n, reason in ((1, "Mental health support"), (2, "Learning disability support"))
        ],
        fails=("a:1", "a:2"),
    ),
)
