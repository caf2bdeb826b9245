"""V22: the numbers of rows and people stay near those of the last file, event type by event type."""

from __future__ import annotations

from statutory.client_level_data.return_file import EVENT_TYPES, ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome
from statutory.client_level_data.specification import load_specification


def check(file: ReturnFile) -> RuleOutcome:
    if file.previous is None:
        return RuleOutcome(False, figures={"last file": "none to compare with"})
    limit = load_specification().targets["largest_change_percent"]
    figures, moved = {}, False
    for event_type in EVENT_TYPES:
        for unit, now, before in zip(
            ("rows", "people"), _counts(file, event_type), _counts(file.previous, event_type), strict=True
        ):
            figures[f"{event_type}, {unit}"] = f"{before} → {now}"
            moved |= 100 * abs(now - before) > limit * max(before, 1)
    return RuleOutcome(moved, figures=figures)


def _counts(file: ReturnFile, event_type: str) -> tuple[int, int]:
    rows = file.is_event(event_type)
    return int(rows.sum()), int(file.text("LA Person Unique Identifier")[rows].nunique())


RULE = Rule(
    code="V22",
    level="warning",
    text="Rows and people of each event type differ by no more than 10 in 100 from the last file.",
    why="A jump is more often a mapping, a missing team or a changed extract than a change in care.",
    remedy="Explain the movement before sending; look at the newest mappings and deliveries first.",
    check=check,
    passing=Example(
        rows=[{"Event Reference": "a:1", "Event Type": "Request", "LA Person Unique Identifier": "p1"}],
        previous=[{"Event Reference": "a:0", "Event Type": "Request", "LA Person Unique Identifier": "p2"}],
    ),
    failing=Example(
        rows=[{"Event Reference": f"a:{n}", "Event Type": "Request"} for n in range(3)],
        previous=[{"Event Reference": "a:0", "Event Type": "Request"}],
    ),
)
