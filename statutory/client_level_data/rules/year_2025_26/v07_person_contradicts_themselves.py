"""V07: one person has one birth date, gender, ethnicity and NHS number throughout the file."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing

_ONE_EACH = ("Date of Birth", "Gender", "Ethnicity", "NHS Number")


def check(file: ReturnFile) -> RuleOutcome:
    person = file.text("LA Person Unique Identifier")
    contradicting = person != person
    for heading in _ONE_EACH:
        values = file.text(heading).where(file.filled(heading))
        contradicting |= values.groupby(person).transform("nunique") > 1
    return failing(file, contradicting & (person != ""))


RULE = Rule(
    code="V07",
    level="warning",
    text="All rows of a person agree on birth date, gender, ethnicity and NHS number.",
    why="Two birth dates on one id are mostly a carer and the person cared for mixed up, or two people on one record.",
    remedy="Look at the records joined under this person id; split them or correct the value.",
    check=check,
    passing=Example(
        [
            {"Event Reference": "a:1", "LA Person Unique Identifier": "p1", "Date of Birth": "01/06/1950"},
            {"Event Reference": "a:2", "LA Person Unique Identifier": "p1", "Date of Birth": "01/06/1950"},
        ]
    ),
    failing=Example(
        [
            {"Event Reference": "a:1", "LA Person Unique Identifier": "p1", "Date of Birth": "01/06/1950"},
            {"Event Reference": "a:2", "LA Person Unique Identifier": "p1", "Date of Birth": "01/06/1952"},
            {"Event Reference": "a:3", "LA Person Unique Identifier": "p2", "Date of Birth": "01/06/1952"},
        ],
        fails=("a:1", "a:2"),
    ),
)
