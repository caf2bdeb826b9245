"""The tables of the simulated mart: their columns and types.

The columns are those of the specification pages, with the free-text columns that a real mart also has and that OneStory
never reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from connectors.spec import table_specs

REFRESH_TABLE: Final = "MART_REFRESH"
SCHEMA: Final = "Adult_Social"

#: In the mart, but not on the specification pages: case-note text stays where it is (sources 15).
_NOT_FOR_US: Final = {
    "FACT_CONTACTS": {"OUTCOME_COMMENTS": "nvarchar(4000)"},
    "FACT_ADULT_ASSESSMENT": {"OUTCOME_COMMENTS": "nvarchar(4000)"},
    "FACT_CASENOTES": {"NOTE_TEXT": "nvarchar(max)"},
}


@cache
def mart_tables() -> Mapping[str, Mapping[str, str]]:
    """Table -> column -> SQL Server type, the refresh stamp's own table included."""
    tables = {
        spec.table: {c.name: c.tag for c in spec.columns} | _NOT_FOR_US.get(spec.table, {})
        for spec in table_specs("liquidlogic").values()
    }
    return tables | {REFRESH_TABLE: {"REFRESHED_DTTM": "datetime", "LOAD_NO": "int"}}
