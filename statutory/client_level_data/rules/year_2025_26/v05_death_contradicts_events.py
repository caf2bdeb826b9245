"""V05: death comes after birth, nothing starts after death, and no service stays open after it."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing


def check(file: ReturnFile) -> RuleOutcome:
    death = file.day("Date of Death")
    before_birth = death < file.day("Date of Birth")
    started_after = file.day("Event Start Date") > death
    left_open = file.is_event("Service") & death.notna() & ~file.filled("Event End Date")
    return failing(file, before_birth | started_after | left_open)


RULE = Rule(
    code="V05",
    level="error",
    text="Death is after birth; no event starts after death; a service of someone who died has an end date.",
    why="Activity after death is dropped nationally, and open services of the dead inflate support and cost.",
    remedy="Check the date of death, then end the service or correct the start of the event.",
    check=check,
    passing=Example(
        [
            {
                "Event Reference": "a:1",
                "Event Type": "Service",
                "Date of Death": "02/06/2025",
                "Event Start Date": "01/06/2025",
                "Event End Date": "02/06/2025",
            }
        ]
    ),
    failing=Example(
        [
            {
                "Event Reference": "a:1",
                "Event Type": "Service",
                "Date of Death": "02/06/2025",
                "Event Start Date": "01/06/2025",
            },
            {
                "Event Reference": "a:2",
                "Event Type": "Review",
                "Date of Death": "02/06/2025",
                "Event Start Date": "03/06/2025",
                "Event End Date": "04/06/2025",
            },
            {"Event Reference": "a:3", "Date of Death": "02/06/2025", "Date of Birth": "03/06/2025"},
        ],
        fails=("a:1", "a:2", "a:3"),
    ),
)
