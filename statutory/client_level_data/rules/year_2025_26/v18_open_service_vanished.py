"""V18: a service that was open in the last file is still here, open or ended."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome


def check(file: ReturnFile) -> RuleOutcome:
    if file.previous is None:
        return RuleOutcome(False, figures={"last file": "none to compare with"})
    before = file.previous
    was_open = before.is_event("Service") & ~before.filled("Event End Date") & before.filled("Event Reference")
    open_references = before.text("Event Reference")[was_open]
    vanished = open_references[~open_references.isin(file.text("Event Reference"))]
    return RuleOutcome(bool(len(vanished)), tuple(vanished.tolist()))


RULE = Rule(
    code="V18",
    level="warning",
    text="A service open in the last file is in this one too.",
    why="A service that drops out without an end stays open for ever in the national joined table.",
    remedy="Find out whether it was deleted or re-keyed; if it ended, record the end date.",
    check=check,
    passing=Example(
        rows=[{"Event Reference": "a:1", "Event Type": "Service", "Event End Date": "01/05/2025"}],
        previous=[{"Event Reference": "a:1", "Event Type": "Service"}],
    ),
    failing=Example(
        rows=[{"Event Reference": "a:2", "Event Type": "Service"}],
        previous=[{"Event Reference": "a:1", "Event Type": "Service"}],
        fails=("a:1",),
    ),
)
