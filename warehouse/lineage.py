"""From any row of a release back to the line of the extract it came from: file, checksum, line.

The answer names places, never values; whoever may open the raw file looks there. A person has as many lines as there
are supplier records of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from governance.sql import identifier
from governance.store import Store
from warehouse.build import EVENTS


@dataclass(frozen=True, slots=True)
class LandedLine:
    """Where a fact was read: line `line` (first record = 1) of the file `file_name` with this checksum."""

    source: str
    delivery: str
    dataset: str
    file_name: str
    sha256: str
    line: int

    def __str__(self) -> str:
        return f"{self.source} {self.delivery}: {self.file_name} (sha256 {self.sha256[:12]}…), record {self.line}"


class UnknownRow(LookupError):
    """The release shows no such row."""


def lines_of(store: Store, thing: str, key: str, release: int | None = None) -> tuple[LandedLine, ...]:
    """The extract lines behind one row of `release.<thing>`, oldest delivery first.

    `key` is the person id for `person` and `identity`, the event id for every other thing; `release` is the current one
    unless a number is given. Raises `UnknownRow` when the release shows no such row, and `ValueError` for a thing that
    releases do not hold.
    """
    if thing in ("person", "identity"):
        view, column = "identity", "person_id"
    elif thing in EVENTS:
        view, column = thing, "event_id"
    else:
        raise ValueError(f"a release holds no {thing!r}; it holds person, identity, {', '.join(EVENTS)}")
    with store.snapshot("returns_officer", "system_operation", release) as connection:
        found = connection.exec_driver_sql(
            f"""select d.source, d.name, r.landed_dataset, f.name, f.sha256, l.line
                  from release.{identifier(view)} r
                 cross join lateral ledger.landed_line(r.landed_dataset, r.landed_version_id) l
                  join ledger.file f on f.file_id = l.file_id
                  join ledger.delivery d on d.delivery_id = f.delivery_id
                 where r.{column}::text = %(key)s
                 order by d.as_known_at, f.file_id, l.line""",
            {"key": key},
        ).all()
    if not found:
        raise UnknownRow(f"release {release or 'now'} shows no {thing} of that id")
    return tuple(LandedLine(*row) for row in found)
