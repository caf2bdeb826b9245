"""V04: nothing is dated after the day the data were taken, except the planned end of a fixed-term service."""

from __future__ import annotations

import datetime as dt

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing


def check(file: ReturnFile) -> RuleOutcome:
    today = dt.datetime.combine(file.facts.extract_date, dt.time())
    future = (
        (file.day("Date of Birth") > today)
        | (file.day("Date of Death") > today)
        | (file.day("Event Start Date") > today)
    )
    fixed_term = file.text("Service Type").str.startswith("Short term support:")
    return failing(file, future | ((file.day("Event End Date") > today) & ~fixed_term))


RULE = Rule(
    code="V04",
    level="warning",
    text="No date lies after the day the data were taken; only a short term service may have a planned end.",
    why="Future dates are typing errors or plans; either way the event is counted at the wrong time.",
    remedy="Correct the date; leave the end of a continuing service blank until it has ended.",
    check=check,
    passing=Example(
        [
            {
                "Event Reference": "a:1",
                "Event Type": "Service",
                "Service Type": "Short term support: ST-Max",
                "Event Start Date": "20/03/2026",
                "Event End Date": "01/05/2026",
            }
        ]
    ),
    failing=Example(
        [
            {
                "Event Reference": "a:1",
                "Event Type": "Service",
                "Service Type": "Long term support: Community",
                "Event Start Date": "20/03/2026",
                "Event End Date": "01/05/2026",
            }
        ],
        fails=("a:1",),
    ),
)
