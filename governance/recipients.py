"""Who was given what about a person: releases that showed them, and returns prepared from these (F38, INC-1).

Persons are named by their pseudonymous ids only. After a split the list of either part names every release that showed
its records as the person they once shared; after a merge, those that showed them as two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RECORDS = """select source_record_id from ledger.shown_in_release where person_id = %(person)s
    union select source_record_id from ledger.shown_in_release where person_id_now = %(person)s"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One release that showed records of the person: as whom, how many, and how many belong to somebody else now."""

    release: int
    published_at: datetime
    shown_as: str
    records: int
    elsewhere_now: int


@dataclass(frozen=True, slots=True)
class PreparedFrom:
    """One return prepared from such a release; its file tells whether the person is in it."""

    collection: str
    release: int
    period_start: date
    period_end: date
    status: str
    sha256: str
    path: Path | None


def releases_showing(connection: Connection, person_id: str) -> tuple[Shown, ...]:
    """Every release that showed a record which was ever shown as this person or belongs to them now, oldest first."""
    rows = connection.exec_driver_sql(
        f"""select release, published_at, person_id, count(*),
                 count(*) filter (where person_id_now is distinct from person_id)
            from ledger.shown_in_release where source_record_id in ({_RECORDS})
           group by 1, 2, 3 order by 1, 3""",  # noqa: S608 - no value is put into the text
        {"person": person_id},
    )
    return tuple(Shown(*row) for row in rows)


def shown_people(connection: Connection, people: Iterable[str]) -> dict[str, int]:
    """Of these persons those whom a release showed under their id, each with the number of releases that did."""
    rows = connection.exec_driver_sql(
        """select person_id, count(distinct release) from ledger.shown_in_release
            where person_id = any(%(people)s) group by 1 order by 1""",
        {"people": sorted(set(people))},
    )
    return {str(name): int(releases) for name, releases in rows}


def returns_from(connection: Connection, releases: Collection[int]) -> tuple[PreparedFrom, ...]:
    """Every return that was prepared from one of the releases, in the order of their making."""
    rows = connection.exec_driver_sql(
        """select collection, release, period_start, period_end, status, file_sha256, facts ->> 'path'
             from ledger.prepared_return where release = any(%(releases)s) order by return_id""",
        {"releases": sorted(releases)},
    )
    return tuple(
        PreparedFrom(collection, release, start, end, status, sha256, Path(path) if path else None)
        for collection, release, start, end, status, sha256, path in rows
    )


@dataclass(frozen=True, slots=True)
class EventsTold:
    """How many events of one kind hang on some records, and how many of them a period's return would tell."""

    kind: str
    events: int
    in_period: int


def events_of(
    connection: Connection, records: Collection[int], period_start: date, period_end: date
) -> tuple[EventsTold, ...]:
    """The events of the records by kind, counts only (role `publisher`: payload by internal number, no identifiers)."""
    facts = {"records": sorted(records), "start": period_start, "end": period_end}
    rows = connection.exec_driver_sql(_EVENTS, facts)
    return tuple(EventsTold(str(kind), int(events), int(told)) for kind, events, told in rows)


_RETURNED = ("request", "assessment", "review", "service")
_TOLD = "status <> 'cancelled' and start_date <= %(end)s and coalesce(end_date, 'infinity') >= %(start)s"
_EVENTS = " union all ".join(
    f"""select '{kind}', count(*), {f"count(*) filter (where {_TOLD})" if kind in _RETURNED else 0}
          from payload.{kind} where known_to is null and source_record_id = any(%(records)s) having count(*) > 0"""  # noqa: S608 - no value is put into the text
    for kind in (*_RETURNED, "characteristic", "caring", "referral", "contact")
)
