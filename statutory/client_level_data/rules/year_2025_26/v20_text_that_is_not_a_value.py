"""V20: no cell holds the word NULL, blanks at its ends, a non-breaking blank, or a long dash in a listed value."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing
from statutory.client_level_data.specification import load_specification

_NOT_A_VALUE = r"(?i:^\s*null\s*$)|^\s|\s$|\u00a0"
_WRONG_DASH = r"[\u2010-\u2015\u2212]"


def check(file: ReturnFile) -> RuleOutcome:
    found = file.text("LA Code") != file.text("LA Code")
    for entry in load_specification().fields:
        pattern = f"{_NOT_A_VALUE}|{_WRONG_DASH}" if entry.format == "list" else _NOT_A_VALUE
        column = file.text(entry.heading)
        different = column.drop_duplicates()
        wrong = different[different.str.contains(pattern, regex=True)]
        if len(wrong):
            found |= column.isin(wrong)
    return failing(file, found)


RULE = Rule(
    code="V20",
    level="error",
    text="Blank is blank: no NULL, no blanks around a value, no non-breaking blank, no long dash in a listed value.",
    why="Values are compared letter by letter; such a cell counts as not in the list.",
    remedy="This is a fault of the file: report it with the field's name.",
    check=check,
    passing=Example([{"Event Reference": "a:1", "Event Outcome": "NFA: Other", "Event Description": ""}]),
    failing=Example(
        [
            {"Event Reference": "a:1", "Event Description": "NULL"},
            {"Event Reference": "a:2", "Event Outcome": "NFA: Other "},
            {"Event Reference": "a:3", "Event Outcome": "NFA:\u00a0Other"},
            {"Event Reference": "a:4", "Event Outcome": "NFA \u2013 Other"},
        ],
        fails=("a:1", "a:2", "a:3", "a:4"),
    ),
)
