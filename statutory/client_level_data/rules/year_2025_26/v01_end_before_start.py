"""V01: an event cannot end before it starts."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing


def check(file: ReturnFile) -> RuleOutcome:
    return failing(file, file.day("Event End Date") < file.day("Event Start Date"))


RULE = Rule(
    code="V01",
    level="error",
    text="The event end date is on or after the event start date.",
    why="An event of negative length is dropped from waiting times and costs.",
    remedy="Correct the start or the end of the event in the case system.",
    check=check,
    passing=Example([{"Event Reference": "a:1", "Event Start Date": "01/05/2025", "Event End Date": "01/05/2025"}]),
    failing=Example(
        [{"Event Reference": "a:1", "Event Start Date": "02/05/2025", "Event End Date": "01/05/2025"}],
        fails=("a:1",),
    ),
)
