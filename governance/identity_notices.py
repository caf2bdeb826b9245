"""Notices about who somebody is: an NHS number was replaced, two files are one person, one number was two people's.

A notice is a decision two people stand for, with the reference of the letter it came by; linkage obeys it in every
later run until it is withdrawn (governance F36 to F38). Numbers and names are not written down, only which records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, Literal

from domain.profile import Profile
from domain.run import Finding, RunContext, RunResult, RunState
from governance.ledger import recorded
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

STAGE: Final = "notice"
Kind = Literal["replacement", "merge", "split"]
_ANSWERS: Final[dict[Kind, str]] = {"replacement": "same", "merge": "same", "split": "not_same"}


class NoticeError(ValueError):
    """A notice that cannot be taken: says what is missing."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who was given a release that showed a person: analysts by the release itself, others by a file of it."""

    release: int
    published_at: datetime
    what: str


def record(profile: Profile, kind: Kind, one: str, other: str, *, reference: str, first: str, second: str) -> int:
    """Take a notice about two records, each named `source:key`; returns its number, by which it can be withdrawn.

    Raises:
        NoticeError: no reference, not two different people, or a record that never came.
    """
    actor = _two_people(first, second)
    if not reference.strip():
        raise NoticeError("say which letter or message the notice came by")

    def write(connection: Connection) -> int:
        left, right = sorted((_record(connection, one), _record(connection, other)))
        if left == right:
            raise NoticeError("a notice is about two different records")
        return int(
            connection.exec_driver_sql(
                """insert into identity.decision (left_record_id, right_record_id, answer, reviewer, reason)
                   values (%(left)s, %(right)s, %(answer)s, %(by)s, %(reason)s) returning decision_id""",
                {
                    "left": left,
                    "right": right,
                    "answer": _ANSWERS[kind],
                    "by": actor,
                    "reason": f"{kind} notice {reference.strip()}",
                },
            ).scalar_one()
        )

    return _in_the_ledger(profile, actor, f"{kind} notice {reference.strip()} was recorded", write)


def withdraw(profile: Profile, number: int, *, reason: str, first: str, second: str) -> None:
    """Take a notice back: later runs link as if it had never been. It stays on record.

    Raises:
        NoticeError: no reason, not two different people, or no such notice in force.
    """
    actor = _two_people(first, second)
    if not reason.strip():
        raise NoticeError("say why the notice is taken back")

    def write(connection: Connection) -> int:
        done = connection.exec_driver_sql(
            """update identity.decision set withdrawn_at = clock_timestamp()
                where decision_id = %(number)s and withdrawn_at is null""",
            {"number": number},
        )
        if done.rowcount != 1:
            raise NoticeError(f"there is no notice {number} in force")
        return number

    _in_the_ledger(profile, actor, f"notice {number} was withdrawn: {reason.strip()}", write)


def recipients(profile: Profile, person_id: str) -> list[Recipient]:
    """Who was given releases that showed this person, oldest first: whom to tell when it was two people (F38)."""
    with Store(profile).connect("publisher") as connection:
        rows = connection.exec_driver_sql(
            """select r.number, r.published_at, coalesce(f.collection || ', ' || f.status, 'analysts of the release')
                 from ledger.release r left join (select distinct collection, status, release from
                        ledger.prepared_return union all select null, null, number from ledger.release) f
                   on f.release = r.number
                where exists (select from core.person p
                               where p.person_id = %(person)s and p.known_from <= r.as_known_at
                                 and (p.known_to is null or p.known_to > r.as_known_at))
                order by r.number, f.collection nulls first, f.status""",
            {"person": person_id},
        )
        return [Recipient(int(number), moment, str(what)) for number, moment, what in rows]


def _in_the_ledger(profile: Profile, actor: str, told: str, write: Callable[[Connection], int]) -> int:
    def body(store: Store, _: object) -> RunResult:
        with store.connect("linker") as connection:
            number = write(connection)
        finding = Finding("NOTICE", told, "link and build again; the next release follows it")
        return RunResult(STAGE, "", RunState.DONE, {"notice": number}, (finding,))

    result = recorded(STAGE, "linker", RunContext(profile, f"by-hand-{date.today()}", actor), body)
    if not result.is_done:
        raise NoticeError("somebody else is recording a notice at this moment; try again")
    return result.counts["notice"]


def _two_people(first: str, second: str) -> str:
    if not first.strip() or not second.strip() or first.strip().casefold() == second.strip().casefold():
        raise NoticeError("a notice needs two different people who stand for it")
    return f"{first.strip()} and {second.strip()}"


def _record(connection: Connection, name: str) -> int:
    source, _, key = name.partition(":")
    found = connection.exec_driver_sql(
        "select source_record_id from identity.source_record where source = %(source)s and source_person_key = %(key)s",
        {"source": source, "key": key},
    ).scalar_one_or_none()
    if found is None:
        raise NoticeError("one of the two records has never been delivered; name them as source:key")
    return int(found)
