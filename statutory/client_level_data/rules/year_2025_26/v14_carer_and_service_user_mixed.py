"""V14: carers receive carer support, service users receive theirs, and the two are different people."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing

_LINKS = tuple(f"Adult {place} Linked Person_ID" for place in (1, 2, 3))


def check(file: ReturnFile) -> RuleOutcome:
    carer = file.text("Client Type").str.startswith("Unpaid carer")
    carer_support = file.text("Service Type").str.startswith("Unpaid carer support:")
    mixed = file.filled("Service Type") & (carer != carer_support)
    birth = file.frame.drop_duplicates("LA Person Unique Identifier").set_index("LA Person Unique Identifier")[
        "Date of Birth"
    ]
    for heading in _LINKS:
        mixed |= file.filled("Date of Birth") & (file.text(heading).map(birth) == file.text("Date of Birth"))
    return failing(file, mixed)


RULE = Rule(
    code="V14",
    level="warning",
    text="Carer rows hold carer services only, service-user rows none; carer and adult have different birth dates.",
    why="Support given to one is counted for the other; an equal birth date mostly means one record used for both.",
    remedy="Put the service on the right person's record; check whether carer and adult share a record.",
    check=check,
    passing=Example(
        [
            {
                "Event Reference": "a:1",
                "Client Type": "Unpaid carer",
                "Service Type": "Unpaid carer support: Direct to unpaid carer",
            }
        ]
    ),
    failing=Example(
        [
            {
                "Event Reference": "a:1",
                "LA Person Unique Identifier": "p1",
                "Client Type": "Unpaid carer",
                "Service Type": "Long term support: Community",
                "Date of Birth": "01/05/1960",
            },
            {
                "Event Reference": "a:2",
                "LA Person Unique Identifier": "p2",
                "Client Type": "Unpaid carer",
                "Adult 1 Linked Person_ID": "p1",
                "Date of Birth": "01/05/1960",
            },
        ],
        fails=("a:1", "a:2"),
    ),
)
