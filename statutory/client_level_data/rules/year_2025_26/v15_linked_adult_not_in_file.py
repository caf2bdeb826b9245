"""V15: an adult named on a carer's row is in the file as a service user."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing

_LINKS = tuple(f"Adult {place} Linked Person_ID" for place in (1, 2, 3))


def check(file: ReturnFile) -> RuleOutcome:
    adults = file.text("LA Person Unique Identifier")[file.text("Client Type") == "Service user"].unique()
    lost = file.text("LA Code") != file.text("LA Code")
    for heading in _LINKS:
        lost |= file.filled(heading) & ~file.text(heading).isin(adults)
    return failing(file, lost)


RULE = Rule(
    code="V15",
    level="warning",
    text="Every linked person id is the id of a service user in the same file.",
    why="A link to nobody cannot be followed, and the adult is then counted as having no carer.",
    remedy="Check the relationship record; it may name an old id of the adult.",
    check=check,
    passing=Example(
        [
            {"Event Reference": "a:1", "LA Person Unique Identifier": "p1", "Client Type": "Service user"},
            {"Event Reference": "a:2", "Client Type": "Unpaid carer", "Adult 1 Linked Person_ID": "p1"},
        ]
    ),
    failing=Example(
        [{"Event Reference": "a:2", "Client Type": "Unpaid carer", "Adult 1 Linked Person_ID": "p9"}], fails=("a:2",)
    ),
)
