"""In how many parts a run is taken, so that what it holds at once stays within the memory that DuckDB was given.

Prepared records are DuckDB's to spill; what a part has to hold is the pairs of its records and the tables they are
looked up in. A part takes half of the limit: the rest is for the records themselves and for sorting, and what goes
beyond is spilled. Smaller parts were measured to lower the peak little, while each reads the prepared records again.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_A_LEFT_RECORD = 1_000  # bytes: some dozen candidates, and what looking them up costs (measured: 600)
_A_RIGHT_RECORD = 100  # bytes: its keys and its number
_SHARE = 2
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def parts_for(con: duckdb.DuckDBPyConnection, left: int, right: int) -> int:
    """How many parts so many records of the left and of the right file are taken in; 1 where memory suffices."""
    needed = left * _A_LEFT_RECORD + right * _A_RIGHT_RECORD
    return max(1, min(ceil(needed * _SHARE / memory_limit(con)), left))


def memory_limit(con: duckdb.DuckDBPyConnection) -> float:
    """DuckDB's memory limit in bytes."""
    number, unit = str(con.execute("select current_setting('memory_limit')").fetchall()[0][0]).split()
    return float(number) * _UNITS[unit]
