"""V09: how many rows have an NHS number, by event type, against the target."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing, percent
from statutory.client_level_data.specification import load_specification


def check(file: ReturnFile) -> RuleOutcome:
    target = load_specification().targets["nhs_number_present_percent"]
    missing = ~file.filled("NHS Number")
    by_kind = missing.groupby(file.text("Event Type")).agg(["sum", "size"])
    figures = {
        str(kind or "no event"): f"{percent(size - gaps, size)} present" for kind, gaps, size in by_kind.itertuples()
    }
    below = by_kind.index[100 * (1 - by_kind["sum"] / by_kind["size"]) < target]
    return failing(file, missing & file.text("Event Type").isin(below), figures)


RULE = Rule(
    code="V09",
    level="info",
    text="The NHS number is present on at least 95 in 100 rows of each event type (target in the specification).",
    why="Without it a person cannot be joined to health records or followed from one council to another.",
    remedy="Have the numbers traced; start with people in long-term support.",
    check=check,
    passing=Example([{"Event Reference": "a:1", "Event Type": "Request", "NHS Number": "9990000018"}]),
    failing=Example([{"Event Reference": "a:1", "Event Type": "Request"}], fails=("a:1",)),
)
