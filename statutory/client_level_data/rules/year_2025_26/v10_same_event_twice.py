"""V10: no two rows are the same event by the Department's own key (returns 2.7 step 5, single table)."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing

_ALWAYS = ("LA Code", "Client Type", "Event Type", "Event Start Date", "Request: Route of Access", "Assessment Type",
           "Service Type", "Service Component", "Delivery Mechanism", "Unit Cost", "Cost Frequency (Unit Type)",
           "Planned units per week")  # fmt: skip


def check(file: ReturnFile) -> RuleOutcome:
    key = file.frame[list(_ALWAYS)].copy()
    own = file.text("LA Code") + "_" + file.text("LA Person Unique Identifier")
    key["person"] = file.text("NHS Number").where(file.filled("NHS Number"), own)
    # The end of a service is not part of the key; for the others death ends the event (2.7 step 3).
    end, death = file.day("Event End Date"), file.day("Date of Death")
    cut_short = (death >= file.day("Event Start Date")) & (end.isna() | (death < end))
    key["end"] = end.mask(cut_short, death).mask(file.is_event("Service"))
    events = file.filled("Event Type")
    return failing(file, key.duplicated(keep=False) & events)


RULE = Rule(
    code="V10",
    level="warning",
    text="No two rows agree on person, start, kind and all else that makes an event unique.",
    why="The Department keeps one of them; the file then counts more than the published figures.",
    remedy="If it is one event recorded twice, delete one. Double-handed care on two lines needs no action.",
    check=check,
    passing=Example(
        [
            {
                "Event Reference": "a:1",
                "Event Type": "Review",
                "NHS Number": "9990000018",
                "Event Start Date": "01/05/2025",
            },
            {
                "Event Reference": "a:2",
                "Event Type": "Review",
                "NHS Number": "9990000018",
                "Event Start Date": "02/05/2025",
            },
        ]
    ),
    failing=Example(
        [
            {
                "Event Reference": "a:1",
                "Event Type": "Review",
                "NHS Number": "9990000018",
                "Event Start Date": "01/05/2025",
            },
            {
                "Event Reference": "b:7",
                "Event Type": "Review",
                "NHS Number": "9990000018",
                "Event Start Date": "01/05/2025",
            },
        ],
        fails=("a:1", "b:7"),
    ),
)
