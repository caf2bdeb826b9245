"""V06: people in the file are adults of a plausible age with a real birth date."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing

_YOUNGEST, _OLDEST = 18, 115
_STAND_INS = ("01/01/1900", "01/01/1901", "1900-01-01", "1901-01-01")  # typed when the birth date is not known


def check(file: ReturnFile) -> RuleOutcome:
    birth, start = file.day("Date of Birth"), file.day("Event Start Date")
    birthday_to_come = (start.dt.month < birth.dt.month) | (
        (start.dt.month == birth.dt.month) & (start.dt.day < birth.dt.day)
    )
    age = start.dt.year - birth.dt.year - birthday_to_come.astype("float")
    implausible = age.notna() & ~age.between(_YOUNGEST, _OLDEST)
    return failing(file, implausible | file.text("Date of Birth").isin(_STAND_INS))


RULE = Rule(
    code="V06",
    level="warning",
    text="The person is 18 to 115 years old when the event starts, and the birth date is not a stand-in.",
    why="Age decides which measure a person counts in; a stand-in date puts them in the oldest band.",
    remedy="Find the birth date (the health record often has it) and correct it in the case system.",
    check=check,
    passing=Example([{"Event Reference": "a:1", "Date of Birth": "01/06/2007", "Event Start Date": "01/06/2025"}]),
    failing=Example(
        [
            {"Event Reference": "a:1", "Date of Birth": "02/06/2007", "Event Start Date": "01/06/2025"},
            {"Event Reference": "a:2", "Date of Birth": "01/01/1900", "Event Start Date": "01/06/2025"},
        ],
        fails=("a:1", "a:2"),
    ),
)
