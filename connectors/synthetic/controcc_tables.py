"""The tables of the simulated finance database, and the codes its clerks pick (assumptions all)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from connectors.spec import table_specs

SCHEMA: Final = "dbo"
REFRESH_TABLE: Final = "TSys_DatabaseRefresh"

#: What is true (CLD Release 2 wording) -> the code in use; kept apart from the connector's mapping on purpose.
SERVICE_TYPES: Final = {
    "Short term support: ST-Max": "STR",
    "Short term support: Ongoing low level": "STL",
    "Short term support: Other short term": "STO",
    "Long term support: Nursing care": "NUR",
    "Long term support: Residential care": "RES",
    "Long term support: Community": "COM",
    "Long term support: Prison": "PRI",
    "Unpaid carer support: Direct to unpaid carer": "CAR",
    "Unpaid carer support: Support involving the person cared-for": "CAI",
}
FREQUENCIES: Final = {
    "No charge to client": "NC",
    "Per session": "SES",
    "Hourly": "H",
    "Daily": "D",
    "Weekly": "W",
    "Fortnightly": "2W",
    "4-weekly": "4W",
    "Monthly": "M",
    "Quarterly": "Q",
    "Annually": "Y",
    "One-off": "ONE",
}
STATUSES: Final = {"open": "ACT", "completed": "END", "cancelled": "CAN"}


@cache
def finance_tables() -> Mapping[str, Mapping[str, str]]:
    """Table -> column -> SQL Server type, the refresh stamp's own table included."""
    tables = {spec.table: {c.name: c.tag for c in spec.columns} for spec in table_specs("controcc").values()}
    tables["T_Client"] = {**tables["T_Client"], "Notes": "nvarchar(max)"}  # in the database, never read
    return tables | {REFRESH_TABLE: {"RefreshedDate": "datetime"}}
