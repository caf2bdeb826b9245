"""Every record by an id of its own: pairs are told by ids, so a repeated one would link people nobody compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import duckdb


class RecordsRefused(ValueError):
    """The records cannot be linked; the message says which file and how many ids, never a value."""


def refuse_repeated(con: duckdb.DuckDBPyConnection, table: str, which: str, by: Sequence[str] = ("__id",)) -> None:
    """Raises `RecordsRefused` when an id of a prepared table is missing or stands more than once.

    Hashes are sorted first, eight bytes a record; only where two are equal are the ids themselves counted.
    """
    names = ", ".join(f'"{name}"' for name in by)
    missing = con.execute(f"select count(*) - count({by[-1]}) from {table}").fetchall()[0][0]
    if missing:
        raise RecordsRefused(f"records without an id in {which}: {missing}; every record needs one")
    keys = np.sort(np.asarray(con.execute(f"select hash({names}) as key from {table}").fetchnumpy()["key"]))
    if not bool((keys[1:] == keys[:-1]).any()):
        return
    repeated = con.execute(f"""
        select count(*) from (select 1 from {table} group by {names} having count(*) > 1)""").fetchall()[0][0]
    if repeated:
        raise RecordsRefused(
            f"ids that stand more than once in {which}: {repeated}; every record needs an id of its own"
        )
