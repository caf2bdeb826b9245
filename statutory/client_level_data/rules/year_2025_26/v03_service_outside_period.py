"""V03: a service is sent when it was active on any day of the period."""

from __future__ import annotations

import datetime as dt

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing


def check(file: ReturnFile) -> RuleOutcome:
    first = dt.datetime.combine(file.facts.period_start, dt.time())
    last = dt.datetime.combine(file.facts.period_end, dt.time())
    outside = (file.day("Event Start Date") > last) | (file.day("Event End Date") < first)
    return failing(file, file.is_event("Service") & outside)


RULE = Rule(
    code="V03",
    level="error",
    text="A service started by the end of the period and had not ended before it began.",
    why="A service of another period would be counted as support given in this one.",
    remedy="This is a fault of the file, not of the record: report it; do not send the file.",
    check=check,
    passing=Example([{"Event Reference": "a:1", "Event Type": "Service", "Event Start Date": "01/06/2019"}]),
    failing=Example(
        [{"Event Reference": "a:1", "Event Type": "Service", "Event Start Date": "01/04/2026"}], fails=("a:1",)
    ),
)
