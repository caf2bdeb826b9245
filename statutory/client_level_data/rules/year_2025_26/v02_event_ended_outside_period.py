"""V02: requests, assessments and reviews are sent only when they ended in the period."""

from __future__ import annotations

import datetime as dt

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing


def check(file: ReturnFile) -> RuleOutcome:
    ended = file.day("Event End Date")
    first = dt.datetime.combine(file.facts.period_start, dt.time())
    last = dt.datetime.combine(file.facts.period_end, dt.time())
    outside = ended.notna() & ~ended.between(first, last)
    return failing(file, file.is_event("Request", "Assessment", "Review") & outside)


RULE = Rule(
    code="V02",
    level="error",
    text="A request, assessment or review ended inside the reporting period.",
    why="Open events are not collected; an event of another period would be counted twice or in the wrong year.",
    remedy="This is a fault of the file, not of the record: report it; do not send the file.",
    check=check,
    passing=Example([{"Event Reference": "a:1", "Event Type": "Review", "Event End Date": "31/03/2026"}]),
    failing=Example(
        [{"Event Reference": "a:1", "Event Type": "Review", "Event End Date": "31/03/2025"}], fails=("a:1",)
    ),
)
