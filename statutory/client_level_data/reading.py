"""Reads the records, the sources' state and the last file for one return; all inside the caller's one transaction.

The statements are the files of `sql/`. The connection shows one moment of one release (governance F80), so a release
published meanwhile changes nothing here.
"""

from __future__ import annotations

import csv
import hashlib
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from statutory.client_level_data.completeness import SourceState
from statutory.client_level_data.records import COLUMNS, CareRecords, care_records
from statutory.client_level_data.return_file import FileFacts, ReturnFile
from statutory.client_level_data.specification import Specification

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection


def read_records(connection: Connection) -> CareRecords:
    """All care records of the pinned release."""
    return care_records({name: _frame(connection, name) for name in COLUMNS})


@cache
def _statement(name: str) -> str:
    return (files("statutory.client_level_data") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _frame(connection: Connection, name: str) -> pd.DataFrame:
    import pandas as pd

    result = connection.exec_driver_sql(_statement(name))
    return pd.DataFrame(result.fetchall(), columns=list(result.keys()), dtype="object")


def read_source_states(connection: Connection, moment: datetime) -> dict[str, SourceState]:
    """How far each source is known in a release of this moment, and whether something after that waits."""
    rows = connection.exec_driver_sql(_statement("source_state"), {"moment": moment})
    return {row.source: SourceState(row.source, row.up_to, bool(row.waiting)) for row in rows}


def read_last_file(
    connection: Connection, release: int, specification: Specification, facts: FileFacts
) -> ReturnFile | None:
    """The last submission made from an earlier release; None when there is none or its file has changed since."""
    row = connection.exec_driver_sql(_statement("last_submission"), {"release": release}).one_or_none()
    if row is None:
        return None
    path = Path(row.path)
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != row.file_sha256:
        return None
    before = FileFacts(
        facts.la_code, row.period_start, row.period_end, facts.extract_date, facts.date_format, facts.allow_test_numbers
    )
    return read_return_file(path, specification, before)


def read_return_file(path: Path, specification: Specification, facts: FileFacts) -> ReturnFile:
    """A file as it was sent; raises `ValueError` when its headings are not those of the release."""
    import pandas as pd

    with path.open("r", encoding="utf-8", newline="") as handle:
        rows = csv.reader(handle, strict=True)
        headings = next(rows)
        if headings != specification.headings:
            raise ValueError("the file does not have the headings of the return in their order")
        return ReturnFile(pd.DataFrame(list(rows), columns=headings, dtype="object"), facts)
