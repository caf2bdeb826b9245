"""The tables of the simulated mart: their columns, types and how they travel as Arrow.

The columns are those of the specification pages, with the free-text columns that a real mart also has and that OneStory
never reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from connectors.spec import table_specs

if TYPE_CHECKING:
    import pyarrow as pa

REFRESH_TABLE: Final = "MART_REFRESH"
SCHEMA: Final = "Adult_Social"

#: In the mart, but not on the specification pages: case-note text stays where it is (sources 15).
_NOT_FOR_US: Final = {
    "FACT_CONTACTS": {"OUTCOME_COMMENTS": "nvarchar(4000)"},
    "FACT_ADULT_ASSESSMENT": {"OUTCOME_COMMENTS": "nvarchar(4000)"},
}


@cache
def mart_tables() -> Mapping[str, Mapping[str, str]]:
    """Table -> column -> SQL Server type, the refresh stamp's own table included."""
    tables = {
        spec.table: {c.name: c.tag for c in spec.columns} | _NOT_FOR_US.get(spec.table, {})
        for spec in table_specs("liquidlogic").values()
    }
    return tables | {REFRESH_TABLE: {"REFRESHED_DTTM": "datetime"}}


def arrow_type(tag: str) -> pa.DataType:
    """How a column of that SQL Server type is kept on disk."""
    import pyarrow as pa

    kinds: dict[str, Any] = {"int": pa.int32(), "datetime": pa.timestamp("us")}
    return kinds.get(tag) or (pa.decimal128(18, 2) if tag.startswith("numeric") else pa.string())


def postgres_type(tag: str) -> str:
    """The PostgreSQL type that stands for the SQL Server type."""
    return {"int": "integer", "datetime": "timestamp"}.get(tag) or (tag if tag.startswith("numeric") else "text")
