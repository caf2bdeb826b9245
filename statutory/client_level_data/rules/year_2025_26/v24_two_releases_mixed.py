"""V24: a field does not mix values of Release 1 and Release 2."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing
from statutory.client_level_data.specification import load_specification


def check(file: ReturnFile) -> RuleOutcome:
    specification = load_specification()
    mixed = file.text("LA Code") != file.text("LA Code")
    fields = []
    for entry in specification.fields:
        if entry.format != "list" or entry.heading not in specification.earlier_lists:
            continue
        now, before = set(specification.lists[entry.heading]), set(specification.earlier_lists[entry.heading])
        column = file.text(entry.heading)
        earlier = column.isin(before - now)
        if bool(earlier.any()) and bool(column.isin(now - before).any()):
            mixed |= earlier
            fields.append(entry.heading)
    return failing(file, mixed, {"fields": ", ".join(fields) or "none"})


RULE = Rule(
    code="V24",
    level="error",
    text="All values of a field come from one release of the specification.",
    why="A mixture means that part of the file was built with old mappings.",
    remedy="This is a fault of the file: mend the mapping and prepare it again.",
    check=check,
    passing=Example(
        [
            {"Event Reference": "a:1", "Client Type": "Service user"},
            {"Event Reference": "a:2", "Client Type": "Unpaid carer"},
        ]
    ),
    failing=Example(
        [
            {"Event Reference": "a:1", "Client Type": "Service user"},
            {"Event Reference": "a:2", "Client Type": "Carer"},
        ],
        fails=("a:2",),
    ),
)
