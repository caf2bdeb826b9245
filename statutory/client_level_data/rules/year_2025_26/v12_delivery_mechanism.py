"""V12: the delivery mechanism fits the service: needed in the community, absent in care homes."""

from __future__ import annotations

from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Example, Rule, RuleOutcome, failing


def check(file: ReturnFile) -> RuleOutcome:
    service, mechanism = file.text("Service Type"), file.text("Delivery Mechanism")
    wanting = (service == "Long term support: Community") & (mechanism == "")
    care_home = service.isin(["Long term support: Nursing care", "Long term support: Residential care"])
    in_prison = (service == "Long term support: Prison") & (mechanism == "Direct payment")
    return failing(file, wanting | (care_home & (mechanism != "")) | in_prison)


RULE = Rule(
    code="V12",
    level="warning",
    text="Community support says how it is delivered; care-home support does not; prison has no direct payment.",
    why="A blank mechanism takes the person out of the direct-payment measures.",
    remedy="Record direct payment, managed budget or commissioned support on the service line.",
    check=check,
    passing=Example(
        [
            {
                "Event Reference": "a:1",
                "Service Type": "Long term support: Community",
                "Delivery Mechanism": "Direct payment",
            },
            {"Event Reference": "a:2", "Service Type": "Long term support: Nursing care"},
        ]
    ),
    failing=Example(
        [
            {"Event Reference": "a:1", "Service Type": "Long term support: Community"},
            {
                "Event Reference": "a:2",
                "Service Type": "Long term support: Nursing care",
                "Delivery Mechanism": "Direct payment",
            },
            {
                "Event Reference": "a:3",
                "Service Type": "Long term support: Prison",
                "Delivery Mechanism": "Direct payment",
            },
        ],
        fails=("a:1", "a:2", "a:3"),
    ),
)
