"""Recognises how each record of the old system went over, from what the pipeline knows and never from a truth.

The rules are the page `patterns.sql`; this module runs it over gathered facts (patterns: sources hand-book 6.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

#: Every pattern, in the order in which they are told, in words for a reader.
MEANING: Final = {
    "one_to_one": "one old record became one new record",
    "several_to_one": "several old records became one; only the list knows all of them",
    "one_to_several": "one old record was split into several",
    "not_migrated": "no new record: closed long ago, or left in the archive",
    "created_in_both": "keyed into both systems; nothing points from one to the other",
    "re_keyed": "a new id of a trial load survives in somebody's list",
    "wrong_link": "the new record's old id names somebody else",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """How one old record went over: keys only. A key is "" when there is none."""

    old_key: str
    new_key: str
    pattern: str
    why: str


def recognise(scratch: duckdb.DuckDBPyConnection) -> list[Pattern]:
    """Fill the table `pattern` of the gathered facts and return it, in the order of keys."""
    scratch.execute((files(__package__) / "patterns.sql").read_text(encoding="utf-8"))
    rows = scratch.execute(
        "select distinct coalesce(old_key, ''), coalesce(new_key, ''), pattern, why from pattern order by all"
    ).fetchall()
    return [Pattern(*map(str, row)) for row in rows]
