"""Authorised notices about who is who: a number replaced, two records merged, a shared number taken apart (F36 to F38).

A notice is a kind of its own on the ledger, with its reference and the two officers who authorise it, and it is what a
decision that joins two different numbers rests on (governance PRO-3). The next link run follows it; a later notice
about the same two records takes the earlier one's decision back, so that nothing contradicts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.run import Finding, RunContext, RunResult, RunState
from governance.ledger import Lease, recorded
from governance.records_named import NotTaken, names_of, plain
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: What kind of notice says what about its two records.
ANSWERS: Final = {"number_replaced": "same", "merged": "same", "split": "not_same"}


class NoticeRefused(ValueError):
    """A notice that may not be followed; says why without naming a person."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What an authorised notice says about two records, by their internal numbers; `reference` is where it is filed."""

    kind: str
    left: int
    right: int
    reference: str
    first_officer: str
    second_officer: str


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A notice as the ledger keeps it; the persons are those the records were taken for when it came."""

    number: int
    noted_at: datetime
    notice: Notice
    left_person: str
    right_person: str
    is_in_force: bool


def note_notice(context: RunContext, notice: Notice) -> RunResult:
    """Put a notice on record and let it decide about its two records from the next link run on.

    Decisions of another answer about the same pair are withdrawn, and stay on record. Raises nothing for a notice that
    may not be followed: the result is `refused` and says why (an officer missing, a record unknown or protected).
    """
    return recorded("notice", "linker", context, lambda store, lease: _note(store, lease, notice))


def withdraw_notice(
    context: RunContext, number: int, reason: str, first_officer: str, second_officer: str
) -> RunResult:
    """Take a notice back: later runs link as if it had never come. It stays on record.

    The result is `refused`, and says why, without a reason, without two officers, or when no such notice is in force.
    """
    officers = (first_officer.strip(), second_officer.strip())
    return recorded("notice", "linker", context, lambda store, lease: _withdraw(store, lease, number, reason, officers))


def notices(connection: Connection) -> tuple[KeptNotice, ...]:
    """Every notice, oldest first; one is in force while the decision made from it is."""
    rows = connection.exec_driver_sql(
        """select n.notice_id, n.noted_at, n.kind, n.left_record_id, n.right_record_id, n.reference, n.first_officer,
               n.second_officer, coalesce(n.left_person_id, ''), coalesce(n.right_person_id, ''),
               d.withdrawn_at is null
             from ledger.notice n join identity.decision d using (decision_id) order by 1"""
    )
    return tuple(KeptNotice(row[0], row[1], Notice(*row[2:8]), *row[8:]) for row in rows)


def _note(store: Store, _: Lease, notice: Notice) -> RunResult:
    try:
        with store.connect("linker") as connection:
            number = _write(connection, notice)
            names = names_of(connection, (notice.left, notice.right))
    except NoticeRefused as problem:
        finding = Finding("NOTICE_REFUSED", str(problem), "nothing was changed; correct it and note it again")
        return RunResult("notice", "", RunState.REFUSED, findings=(finding,))
    about = f"{names[notice.left]} and {names[notice.right]}"
    told = Finding(
        "NOTICE_KEPT", f"notice {number}: {notice.kind}, {about}, {notice.reference}", "the next run follows"
    )
    return RunResult("notice", "", RunState.DONE, {"notices": 1}, (told,))


def _withdraw(store: Store, _: Lease, number: int, reason: str, officers: tuple[str, str]) -> RunResult:
    refusal = "" if reason.strip() and _are_two(officers) else "taking a notice back needs a reason and two officers"
    if not refusal:
        with store.connect("linker") as connection:
            facts = {"number": number, "officers": " and ".join(officers), "reason": reason.strip()}
            done = connection.exec_driver_sql(_TAKE_BACK, facts).rowcount
        refusal = "" if done else f"there is no notice {number} in force"
    if refusal:
        finding = Finding("NOTICE_REFUSED", refusal, "nothing was changed; see the list of notices")
        return RunResult("notice", "", RunState.REFUSED, findings=(finding,))
    told = Finding("NOTICE_WITHDRAWN", f"notice {number}, by {' and '.join(officers)}: {reason.strip()}")
    return RunResult("notice", "", RunState.DONE, {"notices": 1}, (told,))


def _are_two(officers: tuple[str, str]) -> bool:
    return all(officers) and officers[0].casefold() != officers[1].casefold()


def _write(connection: Connection, notice: Notice) -> int:
    officers = (notice.first_officer.strip(), notice.second_officer.strip())
    if notice.kind not in ANSWERS:
        raise NoticeRefused(f"a notice is one of {', '.join(ANSWERS)}")
    if not notice.reference.strip() or not _are_two(officers):
        raise NoticeRefused("a notice needs its reference and two different officers")
    try:
        plain(notice.reference, "the reference")
    except NotTaken as problem:
        raise NoticeRefused(str(problem)) from None
    left, right = sorted((notice.left, notice.right))
    if left == right:
        raise NoticeRefused("a notice is about two different records")
    known = connection.exec_driver_sql(_RECORDS, {"records": [left, right]})
    protected = {int(number): bool(is_protected) for number, is_protected in known}
    if set(protected) != {left, right}:
        raise NoticeRefused("one of the records is not known")
    answer = ANSWERS[notice.kind]
    if answer == "same" and any(protected.values()):
        raise NoticeRefused("one of the records is protected: it is never joined by a notice")
    facts = {"left": left, "right": right, "answer": answer, "reference": notice.reference.strip()}
    facts |= {"kind": notice.kind, "first": officers[0], "second": officers[1], "reviewer": " and ".join(officers)}
    connection.exec_driver_sql(_WITHDRAW, facts)
    return int(connection.exec_driver_sql(_KEEP, facts).scalar_one())


_RECORDS = """select r.source_record_id, coalesce(bool_or(p.is_restricted), false)
    from identity.source_record r
    left join identity.source_person p on p.source_record_id = r.source_record_id and p.known_to is null
   where r.source_record_id = any(%(records)s) group by 1"""
_WITHDRAW = """update identity.decision set withdrawn_at = clock_timestamp(), withdrawn_by = %(reviewer)s,
     withdrawal_reason = 'notice ' || %(kind)s || ': ' || %(reference)s
   where left_record_id = %(left)s and right_record_id = %(right)s and withdrawn_at is null and answer <> %(answer)s"""
_TAKE_BACK = """update identity.decision d set withdrawn_at = clock_timestamp(), withdrawn_by = %(officers)s,
     withdrawal_reason = %(reason)s from ledger.notice n
   where n.notice_id = %(number)s and n.decision_id = d.decision_id and d.withdrawn_at is null"""
_KEEP = """with decided as (
    insert into identity.decision (left_record_id, right_record_id, answer, reviewer, reason)
    values (%(left)s, %(right)s, %(answer)s, %(reviewer)s, 'notice ' || %(kind)s || ': ' || %(reference)s)
    returning decision_id)
  insert into ledger.notice (kind, left_record_id, right_record_id, left_person_id, right_person_id, decision_id,
    reference, first_officer, second_officer)
  select %(kind)s, %(left)s, %(right)s,
    (select person_id from identity.membership where source_record_id = %(left)s and known_to is null),
    (select person_id from identity.membership where source_record_id = %(right)s and known_to is null),
    decision_id, %(reference)s, %(first)s, %(second)s from decided
  returning notice_id"""
