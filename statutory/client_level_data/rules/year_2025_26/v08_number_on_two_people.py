"""V08: an NHS number belongs to one person id."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing


def check(file: ReturnFile) -> RuleOutcome:
    number = file.text("NHS Number").where(file.filled("NHS Number"))
    people = file.text("LA Person Unique Identifier").groupby(number).transform("nunique")
    return failing(file, people > 1)


RULE = Rule(
    code="V08",
    level="warning",
    text="An NHS number stands on one person id only.",
    why="The same person with two ids is counted twice; two people with one number are counted once.",
    remedy="Compare the two records: merge a duplicate, or have the wrong number traced.",
    check=check,
    passing=Example(
        [
            {"Event Reference": "a:1", "LA Person Unique Identifier": "p1", "NHS Number": "9990000018"},
            {"Event Reference": "a:2", "LA Person Unique Identifier": "p1", "NHS Number": "9990000018"},
        ]
    ),
    failing=Example(
        [
            {"Event Reference": "a:1", "LA Person Unique Identifier": "p1", "NHS Number": "9990000018"},
            {"Event Reference": "a:2", "LA Person Unique Identifier": "p2", "NHS Number": "9990000018"},
        ],
        fails=("a:1", "a:2"),
    ),
)
