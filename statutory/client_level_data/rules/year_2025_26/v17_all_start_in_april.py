"""V17: services do not all start on 1 April, as they do when a yearly roll-over resets their dates."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing, percent
from statutory.client_level_data.specification import load_specification

_FEWEST = 5  # fewer services than this on the day are no pattern


def check(file: ReturnFile) -> RuleOutcome:
    limit = load_specification().targets["april_start_percent"]
    services, start = file.is_event("Service"), file.day("Event Start Date")
    on_the_day = services & (start.dt.month == 4) & (start.dt.day == 1)
    number, all_services = int(on_the_day.sum()), int(services.sum())
    suspicious = number >= _FEWEST and 100 * number >= limit * all_services
    return failing(file, on_the_day & suspicious, {"start on 1 April": percent(number, all_services)})


RULE = Rule(
    code="V17",
    level="warning",
    text="Fewer than one service in five starts on 1 April (share in the specification).",
    why="Reset start dates make long-standing support look new and break its history.",
    remedy="Ask the supplier to carry the first start date over; the roll-over belongs in the finance system only.",
    check=check,
    passing=Example(
        [
            {"Event Reference": f"a:{n}", "Event Type": "Service", "Event Start Date": f"{n:02}/04/2025"}
            for n in range(1, 11)
        ]
    ),
    failing=Example(
        [{"Event Reference": f"a:{n}", "Event Type": "Service", "Event Start Date": "01/04/2025"} for n in range(5)],
        fails=("a:0", "a:1", "a:2", "a:3", "a:4"),
    ),
)
