"""Incidents: what may be a breach is opened as one, with its evidence frozen, and stays on record (INC-2, INC-3).

A line is only ever added. What was done about an incident is a note of its own, and the note that closes it says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.run import Finding

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PRIVACY: Final = "the information governance officer"
_SECURITY: Final = "whoever answers for information security"

#: Findings that are incidents and not errors of format, and who has to know (governance 9.1: F11, F19, F21).
OPENED_BY: Final[Mapping[str, str]] = {
    "FOREIGN_ORGANISATION": f"{_PRIVACY} and the sender",
    "HASH_DIFFERS": f"{_SECURITY} and the sender",
    "HOST_KEY_CHANGED": _SECURITY,
}

_OPEN: Final = """not exists (select from ledger.incident_note n where n.incident_id = i.incident_id and n.closes)"""


class NoSuchIncident(LookupError):
    """There is no open incident of that number."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as it was opened; `closed_by` and `closed_at` are empty while it is open."""

    number: int
    opened_at: datetime
    code: str
    source: str
    about: str
    message: str
    tell: str
    evidence: Mapping[str, object]
    closed_by: str = ""
    closed_at: datetime | None = None


def open_incident(
    connection: Connection,
    finding: Finding,
    source: str,
    *,
    about: str = "",
    content_hash: str = "",
    files: Iterable[Mapping[str, object]] = (),
) -> bool:
    """Open an incident when the finding is one; returns whether a line was written.

    Nothing is written while the same incident is open: a fault that is met every night is one incident. The evidence is
    frozen: the run's line of the ledger, the release that readers saw, size and hash of every file. No value of a
    person is among it.
    """
    if finding.code not in OPENED_BY:
        return False
    return bool(
        connection.exec_driver_sql(
            f"""insert into ledger.incident (code, source, about, content_hash, message, tell, evidence)
               select %(code)s, %(source)s, %(about)s, %(hash)s, %(message)s, %(tell)s,
                 %(files)s::jsonb || jsonb_build_object(
                   'run', (select max(entry_id) from ledger.run where scope = %(source)s and state = 'running'),
                   'release', (select max(number) from ledger.release))
                where not exists (select from ledger.incident i
                  where (i.code, i.source, i.about, i.content_hash) = (%(code)s, %(source)s, %(about)s, %(hash)s)
                    and {_OPEN})
               returning 1""",  # noqa: S608 - no value is put into the text
            {
                "code": finding.code,
                "source": source,
                "about": about or source,
                "hash": content_hash,
                "message": finding.message,
                "tell": OPENED_BY[finding.code],
                "files": json.dumps({"files": list(files)}),
            },
        ).scalar_one_or_none()
    )


def incidents(connection: Connection, *, only_open: bool = True) -> tuple[Incident, ...]:
    """The incidents, oldest first."""
    rows = connection.exec_driver_sql(
        """select i.incident_id, i.opened_at, i.code, i.source, i.about, i.message, i.tell, i.evidence,
               coalesce(n.noted_by, ''), n.noted_at
             from ledger.incident i
             left join lateral (select noted_by, noted_at from ledger.incident_note n
               where n.incident_id = i.incident_id and n.closes order by note_id limit 1) n on true
            order by i.incident_id"""
    )
    found = tuple(Incident(*row) for row in rows)
    return tuple(incident for incident in found if not (only_open and incident.closed_at))


def note_incident(connection: Connection, number: int, *, by: str, note: str, closes: bool = False) -> None:
    """Write down what was done about an open incident.

    Raises:
        ValueError: nobody, or nothing, is named.
        NoSuchIncident: there is none of that number, or it is closed.
    """
    if not by.strip() or not note.strip():
        raise ValueError("a note needs a person and what was done")
    written = connection.exec_driver_sql(
        f"""insert into ledger.incident_note (incident_id, noted_by, note, closes)
           select i.incident_id, %(by)s, %(note)s, %(closes)s from ledger.incident i
            where i.incident_id = %(number)s and {_OPEN} returning 1""",  # noqa: S608 - no value is put into the text
        {"number": number, "by": by.strip(), "note": note.strip(), "closes": closes},
    ).scalar_one_or_none()
    if not written:
        raise NoSuchIncident(f"no open incident has the number {number}")
