"""V13: the service component is of the same kind as the service type."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing

_SHORT = ("Reablement", "Short term nursing care", "Short term residential care", "Other short term support")
_LONG = ("Long term nursing care", "Long term residential care", "Other long term support")
_CARER = ("Unpaid carer sitting service", "Unpaid carer universal services", "Other unpaid carer support")
# How a service type begins -> components that cannot stand under it.
_CONTRADICTIONS = {
    "Long term support:": (*_SHORT, *_CARER),
    "Short term support:": (*_LONG, *_CARER),
    "Unpaid carer support:": ("Reablement", "Long term nursing care", "Long term residential care"),
    "Long term support: Nursing care": ("Long term residential care",),
    "Long term support: Residential care": ("Long term nursing care",),
    "Long term support: Community": ("Long term nursing care", "Long term residential care"),
}


def check(file: ReturnFile) -> RuleOutcome:
    service, component = file.text("Service Type"), file.text("Service Component")
    contradicting = service != service
    for beginning, components in _CONTRADICTIONS.items():
        contradicting |= service.str.startswith(beginning) & component.isin(components)
    return failing(file, contradicting)


RULE = Rule(
    code="V13",
    level="warning",
    text="The service component belongs under the service type.",
    why="Temporary and permanent care-home stays look alike when the two disagree, and admissions are miscounted.",
    remedy="Correct the service type or the component; mend the mapping when a whole element is wrong.",
    check=check,
    passing=Example(
        [
            {
                "Event Reference": "a:1",
                "Service Type": "Long term support: Residential care",
                "Service Component": "Long term residential care",
            }
        ]
    ),
    failing=Example(
        [
            {
                "Event Reference": "a:1",
                "Service Type": "Long term support: Residential care",
                "Service Component": "Short term residential care",
            }
        ],
        fails=("a:1",),
    ),
)
