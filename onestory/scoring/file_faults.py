"""Whether every fault of a whole delivery (D91) was noticed: what the runs of those nights said of the source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.store import Store

if TYPE_CHECKING:
    from domain.profile import Profile

#: What the operator is told of each fault; a database's faults show in other words than a file's.
_NOTICED = {
    "missing": {"NOTHING_NEW", "GAP", "NO_FOLDER", "NO_INBOX"},
    "empty": {"EMPTY_FILE", "SHRANK", "BEING_REBUILT", "ARCHIVE", "MANIFEST", "PART_MISSING", "CUT_OFF"},
    "truncated": {"CUT_OFF", "ARCHIVE", "PART_MISSING", "SHRANK", "BEING_REBUILT", "ROWS_DIFFER", "NO_TRAILER"},
    "duplicated": {"REPEATED", "NOTHING_NEW"},
    "out_of_order": {"NOTHING_NEW", "GAP", "OLDER_THAN_LAST"},
    "extra_column": {"UNKNOWN_COLUMN"},
    "renamed_column": {"COLUMN_RENAMED"},
}
_SAID = """select distinct left(substring(run_id from '[0-9]{4}-[0-9]{2}-[0-9]{2}'), 10) as night, scope as source,
                  message ->> 'code' as code
             from ledger.run, jsonb_array_elements(messages) message where stage in ('land', 'check')"""


def faults_found(profile: Profile, store: Store, truth_folder: Path) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every fault of the truth log with whether the source's runs of that night or the next spoke of it."""
    from connectors.synthetic import truth

    try:
        faults = truth.load(truth_folder, "file_fault").to_pylist()
    except FileNotFoundError:
        return
    said: dict[tuple[str, str], set[str]] = {}
    with store.connect("auditor") as connection:
        for night, source, code in connection.exec_driver_sql(_SAID):
            said.setdefault((source, night), set()).add(code)
    for fault in faults:
        day: date = fault["night_date"]
        codes = said.get((fault["system"], day.isoformat()), set())
        codes |= said.get((fault["system"], (day + timedelta(days=1)).isoformat()), set())
        yield fault, bool(codes & _NOTICED[fault["kind"]])
