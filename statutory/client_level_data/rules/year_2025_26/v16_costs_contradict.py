"""V16: a unit cost is above zero and its frequency agrees with the planned units a week."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing

# Units a week that each frequency means nationally (returns 2.9); planned units that differ contradict it.
_UNITS = {"Weekly": 1.0, "Fortnightly": 1 / 2, "4-weekly": 1 / 4, "Monthly": 12 / 52, "Quarterly": 4 / 52,
          "Annually": 1 / 52}  # fmt: skip
_BY_THE_UNIT = ("Per session", "Hourly", "Daily")
_TOLERANCE = 0.01


def check(file: ReturnFile) -> RuleOutcome:
    cost, units = file.number("Unit Cost"), file.number("Planned units per week")
    frequency = file.text("Cost Frequency (Unit Type)")
    worthless = (cost <= 0) & (frequency != "No charge to client")
    differs = (units - frequency.map(_UNITS)).abs() > _TOLERANCE
    uncounted = frequency.isin(_BY_THE_UNIT) & file.filled("Unit Cost") & ~(units > 0)
    return failing(file, worthless | differs | uncounted)


RULE = Rule(
    code="V16",
    level="warning",
    text="The unit cost is above zero; planned units a week agree with the cost frequency.",
    why="Cost per week is unit cost times units; a contradiction multiplies or loses the spend of a client.",
    remedy="Correct the rate, its frequency or the planned units on the service line.",
    check=check,
    passing=Example(
        [
            {
                "Event Reference": "a:1",
                "Unit Cost": "650.00",
                "Cost Frequency (Unit Type)": "Weekly",
                "Planned units per week": "1.00",
            }
        ]
    ),
    failing=Example(
        [
            {"Event Reference": "a:1", "Unit Cost": "-5.00", "Cost Frequency (Unit Type)": "Weekly"},
            {
                "Event Reference": "a:2",
                "Unit Cost": "650.00",
                "Cost Frequency (Unit Type)": "Weekly",
                "Planned units per week": "7.00",
            },
            {"Event Reference": "a:3", "Unit Cost": "21.00", "Cost Frequency (Unit Type)": "Hourly"},
        ],
        fails=("a:1", "a:2", "a:3"),
    ),
)
