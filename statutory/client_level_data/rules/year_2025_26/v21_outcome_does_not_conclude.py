"""V21: how many requests and short-term services lead nowhere: the outcome says more follows, and nothing does."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing, percent

_CONCLUDES = ("NFA:", "Admitted to hospital")
_REABLEMENT = "Short term support: ST-Max"


def check(file: ReturnFile) -> RuleOutcome:
    person, end, start = (
        file.text("LA Person Unique Identifier"),
        file.day("Event End Date"),
        file.day("Event Start Date"),
    )
    latest_start = start.groupby(person).transform("max")
    followed = latest_start >= end
    concluded = file.text("Event Outcome").str.startswith(_CONCLUDES)
    unclear = end.notna() & ~concluded & ~followed
    requests, reablement = file.is_event("Request"), file.text("Service Type") == _REABLEMENT
    figures = {
        "requests unable to classify": percent(int((unclear & requests).sum()), int(requests.sum())),
        "ST-Max unable to classify": percent(int((unclear & reablement).sum()), int((reablement & end.notna()).sum())),
    }
    return failing(file, unclear & (requests | reablement), figures)


RULE = Rule(
    code="V21",
    level="info",
    text="A request or short-term service either concludes or is followed by another event of the person.",
    why="Otherwise its sequel is published as unable to classify: a third of requests nationally.",
    remedy="Record the final outcome, or record the event that followed.",
    check=check,
    passing=Example(
        [
            {
                "Event Reference": "a:1",
                "LA Person Unique Identifier": "p1",
                "Event Type": "Request",
                "Event Start Date": "01/05/2025",
                "Event End Date": "03/05/2025",
                "Event Outcome": "NFA: Support declined",
            }
        ]
    ),
    failing=Example(
        [
            {
                "Event Reference": "a:1",
                "LA Person Unique Identifier": "p1",
                "Event Type": "Request",
                "Event Start Date": "01/05/2025",
                "Event End Date": "03/05/2025",
                "Event Outcome": "Progress to support planning or services",
            }
        ],
        fails=("a:1",),
    ),
)
