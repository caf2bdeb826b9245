"""V19: the events cover every month of the stated period."""

from __future__ import annotations

from statutory.client_level_data.period import derive_period
from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome

_MONTHS = [f"{month:02}/2025" for month in range(4, 13)] + [f"{month:02}/2026" for month in range(1, 4)]
_YEAR = [
    {"Event Reference": f"a:{month}-{n}", "Event Type": kind, "Event End Date": f"{n + 1:02}/{month}"}
    for month in _MONTHS
    for n, kind in enumerate(["Request", "Assessment", "Service", "Review"] * 3)
]


def check(file: ReturnFile) -> RuleOutcome:
    derived = derive_period(file)
    complete = derived.covers(file.facts.period_start, file.facts.period_end) and not derived.thin_months
    figures = {
        "derived period": f"{derived.start} to {derived.end}",
        "months that do not count": ", ".join(derived.thin_months) or "none",
    }
    return RuleOutcome(not complete, figures=figures)


RULE = Rule(
    code="V19",
    level="error",
    text="Every month of the period has at least 2 in 100 of the events and three of the four event types.",
    why="The Department derives the period from the events; a thin month shortens it and the file is not used.",
    remedy="Wait for the missing delivery, or find out why a team stopped closing events; then prepare the file again.",
    check=check,
    passing=Example(_YEAR),
    failing=Example([row for row in _YEAR if not row["Event End Date"].endswith("03/2026")]),
)
