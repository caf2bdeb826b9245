"""Care records written out by hand for the return: each call gives one row, with everything not named left plain."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from statutory.client_level_data.build import Built, build
from statutory.client_level_data.records import COLUMNS, CareRecords, Period, care_records
from statutory.client_level_data.return_file import FileFacts
from statutory.client_level_data.select import Selection, select
from statutory.client_level_data.specification import load_specification

PERIOD = Period(date(2025, 4, 1), date(2026, 3, 31))
FACTS = FileFacts("990", PERIOD.start, PERIOD.end, date(2026, 3, 31), allow_test_numbers=True)
SPECIFICATION = load_specification()
NUMBERS = ("9990000018", "9990000026", "9990000034")

_EVENT = {
    "source": "liquidlogic",
    "person_id": "ada",
    "client_type": "Service user",
    "status": "completed",
    "start_date": date(2025, 6, 1),
    "end_date": date(2025, 6, 9),
    "primary_support_reason": "Mental health support",
    "outcomes": ["NFA: Other"],
}
_KINDS: dict[str, dict[str, Any]] = {
    "request": {**_EVENT, "route_of_access": "Prison"},
    "assessment": {**_EVENT, "assessment_type": "Long term assessment", "method": "Service user only"},
    "review": {
        **_EVENT,
        "review_reason": "Planned",
        "outcomes_achieved": "Fully met",
        "method": "Service user only",
    },
    "service": {
        **_EVENT,
        "status": "open",
        "end_date": None,
        "outcomes": [],
        "service_type": "Long term support: Community",
        "service_component": "Home support or domiciliary care",
        "delivery_mechanism": "Direct payment",
        "unit_cost": 20.0,
        "cost_frequency": "Hourly",
        "planned_units": 7.0,
    },
    "characteristic": {"source": "liquidlogic", "person_id": "ada", "valid_from": date(2020, 1, 1)},
    "caring": {"source": "liquidlogic", "person_id": "bea", "cared_for_person_id": "ada"},
    "person": {
        "person_id": "ada",
        "nhs_number": NUMBERS[0],
        "forename": "Ada",
        "surname": "Vale",
        "birth_date": date(1950, 5, 17),
        "sex": "2",
        "ethnicity_code": "A",
        "postcode": "LN1 1YZ",
        "gp_practice_code": "Y99001",
    },
}


def row(table: str, event_key: str = "1", /, **columns: Any) -> tuple[str, dict[str, Any]]:
    """One row of a table; fails when a column does not exist."""
    unknown = set(columns) - set(COLUMNS[table])
    assert not unknown, f"{table} has no columns {unknown}"
    key = {} if table == "person" else {"event_key": event_key}
    return table, {**dict.fromkeys(COLUMNS[table]), **_KINDS[table], **key, **columns}


def records(*rows: tuple[str, dict[str, Any]]) -> CareRecords:
    """Tables of these rows; Ada is always there."""
    everything = [row("person"), *rows]
    kinds = {kind for kind, _ in everything}
    return care_records({kind: pd.DataFrame([r for k, r in everything if k == kind], dtype=object) for kind in kinds})


def selection(*rows: tuple[str, dict[str, Any]], period: Period = PERIOD) -> Selection:
    return select(records(*rows), period, SPECIFICATION)


def reason(*rows: tuple[str, dict[str, Any]], period: Period = PERIOD) -> str:
    """Why the one candidate was selected or left out."""
    (only,) = selection(*rows, period=period).lines["reason"]
    return str(only)


def built(*rows: tuple[str, dict[str, Any]]) -> Built:
    care = records(*rows)
    return build(select(care, PERIOD, SPECIFICATION), care, PERIOD, SPECIFICATION, FACTS)


def only_row(*rows: tuple[str, dict[str, Any]]) -> dict[str, str]:
    """The one row of the file these records give."""
    (only,) = built(*rows).file.frame.to_dict("records")
    return {str(heading): str(value) for heading, value in only.items()}
