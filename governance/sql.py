"""What is needed to run reviewed SQL safely: plain names from an allow-list pattern, and pages without parameters.

Names of tables and fields come from specification files in this repository; values never become part of a statement
(governance CTL-22).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult

#: Up to so many rows are looked up by their keys, one by one; more are joined with the whole table.
FEW: Final = 20_000

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,62}$")


def identifier(name: str) -> str:
    """`name` itself when it is a plain lower-case SQL name (schema-qualified allowed); raises `ValueError` when not."""
    if not all(_NAME.match(part) for part in name.split(".")) or name.count(".") > 1:
        raise ValueError(f"{name!r} is not a plain table or field name")
    return name


def among(column: str, select: str) -> str:
    """SQL: `column` is one of what `select` yields, found by the column's index whatever the planner believes."""
    return f"{column} = any(array({select}))"


def run_page(connection: Connection, page: str) -> CursorResult[Any]:
    """Run SQL that takes no parameters, one statement or several; a % in it stands for itself."""
    return connection.exec_driver_sql(page.replace("%", "%%"))
