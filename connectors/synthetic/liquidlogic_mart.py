"""The simulated mart as a database: PostgreSQL stands for the SQL Server database `HDM`, schema `Adult_Social`."""

from __future__ import annotations

from pathlib import Path

from connectors.synthetic.liquidlogic_tables import REFRESH_TABLE, SCHEMA, mart_tables
from connectors.synthetic.reporting_database import Kit, rebuild


def mart_kit() -> Kit:
    """The mart: its tables, its login, and what faults do to it."""
    return Kit(
        system="liquidlogic",
        schema=SCHEMA,
        reader="hdm_reader",
        tables=mart_tables(),
        refresh_table=REFRESH_TABLE,
        emptied="FACT_SERVICE_PROVISION",
        extra=("DIM_PERSON", "CONTACT_METHOD_CODE"),
        renamed=("FACT_CONTACTS", "CONTACT_DTTM", "CONTACT_DATE_DTTM"),
    )


def rebuild_mart(supply: Path, night: int, admin_url: str, *, half_filled: bool = False) -> None:
    """Make the mart hold what `night` holds; see `reporting_database.rebuild` for the arguments and what is raised."""
    rebuild(mart_kit(), supply, night, admin_url, half_filled=half_filled)
