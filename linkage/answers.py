"""Reviewers' answers about two records: same, not the same, cannot tell; taken back, and adjudicated (F71).

An answer is an event with an author. Only a new event with a reason and a second person takes one back, a further
person settles answers that contradict each other, and joining or parting people that readers have seen needs two people
at once (governance REV-6 and REV-7, linkage handbook 9.4 and 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.run import RunContext, RunResult
from governance.acts import Told, act_as_linker
from governance.recipients import shown_people
from governance.records_named import NotTaken, plain, record_number, two_people
from linkage.constraints import components
from linkage.decisions import constraints_from

if TYPE_CHECKING:
    from sqlalchemy import Connection

ANSWERS: Final = ("same", "not_same", "cannot_tell")

_TOLD: Final = Told(
    "decision", "decision", "DECISION_KEPT", "DECISION_REFUSED", "decision {}", "the next link run follows"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer about two records (`source:key`), by whom and why; `second` agrees to it."""

    one: str
    other: str
    answer: str
    reviewer: str
    reason: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it is kept; `withdrawn_at` is empty while it stands, `notice` is the notice it was made from."""

    number: int
    left: int
    right: int
    answer: str
    reviewer: str
    second: str
    reason: str
    decided_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str
    withdrawal_reason: str
    notice: int | None


def record_answer(context: RunContext, answer: Answer) -> RunResult:
    """Put an answer on record; every later link run follows it.

    Ends `refused`, and says why, for a record that is unknown, protected or on the do-not-link list, without a name or
    a reason, without a second person where readers have seen the people concerned, or where the reviewer has answered.
    """
    return act_as_linker(context, lambda connection: _put(connection, answer), _TOLD)


def withdraw_answer(context: RunContext, number: int, *, reason: str, first: str, second: str) -> RunResult:
    """Take an answer back, by two people and for a reason; it stays on record. Ends `refused` when it may not be."""

    def act(connection: Connection) -> tuple[int, str]:
        officers, why = two_people(first, second), plain(reason, "the reason")
        kept = standing(connection, number)
        if kept.notice is not None:
            raise NotTaken(f"notice {kept.notice} stands behind it: withdraw the notice")
        _withdraw(connection, [number], " and ".join(officers), why)
        return number, "was withdrawn"

    return act_as_linker(context, act, _TOLD)


def adjudicate(context: RunContext, answer: Answer) -> RunResult:
    """Settle a contradiction about two records: answers against this one are withdrawn, and stay on record.

    Ends `refused` when nothing contradictory waits about the two, when who adjudicates is one of those who contradict
    each other, or when a notice says otherwise.
    """
    return act_as_linker(context, lambda connection: _settle(connection, answer), _TOLD)


def answers(connection: Connection, *, only_standing: bool = True) -> tuple[KeptAnswer, ...]:
    """Every answer, oldest first."""
    rows = connection.exec_driver_sql(
        """select d.decision_id, left_record_id, right_record_id, answer, reviewer, second_reviewer, reason, decided_at,
               withdrawn_at, withdrawn_by, withdrawal_reason,
               (select max(notice_id) from ledger.notice n where n.decision_id = d.decision_id)
             from identity.decision d where withdrawn_at is null or not %(now)s order by d.decision_id""",
        {"now": only_standing},
    )
    return tuple(KeptAnswer(*row) for row in rows)


def standing(connection: Connection, number: int) -> KeptAnswer:
    """The answer of that number. Raises `NotTaken` when there is none in force."""
    found = next((kept for kept in answers(connection) if kept.number == number), None)
    if found is None:
        raise NotTaken(f"there is no decision {number} in force")
    return found


def contradictions(connection: Connection) -> tuple[tuple[KeptAnswer, ...], ...]:
    """The answers that contradict each other, also through a third record, each contradiction together (F71)."""
    kept = answers(connection)
    attention = constraints_from((a.left, a.right, a.answer) for a in kept).attention
    chain = components(attention)
    found: dict[int, list[KeptAnswer]] = {}
    for one in kept:
        if (one.left, one.right) in attention:
            found.setdefault(chain[one.left], []).append(one)
    return tuple(tuple(found[name]) for name in sorted(found))


def against(connection: Connection, left: int, right: int, answer: str) -> tuple[KeptAnswer, ...]:
    """Standing answers about the two records that adjudicating so would withdraw."""
    return tuple(a for a in answers(connection) if (a.left, a.right) == (left, right) and a.answer != answer)


def pair_of(connection: Connection, one: str, other: str) -> tuple[int, int]:
    """Two different records by name, the smaller number first. Raises `NotTaken`."""
    left, right = sorted((record_number(connection, one), record_number(connection, other)))
    if left == right:
        raise NotTaken("a decision is about two different records")
    return left, right


def _put(connection: Connection, answer: Answer) -> tuple[int, str]:
    reviewer, reason = plain(answer.reviewer, "the reviewer"), plain(answer.reason, "the reason")
    left, right = pair_of(connection, answer.one, answer.other)
    if answer.answer not in ANSWERS:
        raise NotTaken(f"an answer is one of {', '.join(ANSWERS)}")
    own = [a for a in answers(connection) if (a.left, a.right) == (left, right)]
    for kept in own:
        if kept.reviewer.casefold() == reviewer.casefold():
            raise NotTaken(f"the reviewer has decided about these two before: decision {kept.number}")
    if answer.answer == "same" and connection.exec_driver_sql(_KEPT_APART, {"pair": [left, right]}).scalar_one():
        raise NotTaken("no decision joins these two: one is protected, or an officer keeps it apart")
    second = answer.second.strip()
    if not second and _is_seen(connection, left, right, answer.answer):
        raise NotTaken("readers have seen these people as they are: a second person has to agree")
    if second:
        _, second = two_people(reviewer, second)
    return _write(connection, (left, right), answer.answer, reviewer, reason, second), "was made"


def _settle(connection: Connection, answer: Answer) -> tuple[int, str]:
    who, why = plain(answer.reviewer, "who adjudicates"), plain(answer.reason, "the reason")
    pair = pair_of(connection, answer.one, answer.other)
    if answer.answer not in ("same", "not_same"):
        raise NotTaken("adjudication says same or not_same")
    waiting = next((c for c in contradictions(connection) if any((a.left, a.right) == pair for a in c)), ())
    if not waiting:
        raise NotTaken("no contradiction about these two waits")
    if any(who.casefold() in _authors(kept) for kept in waiting):
        raise NotTaken("who adjudicates is none of those who contradict each other")
    overruled = against(connection, *pair, answer.answer)
    noticed = next((kept for kept in overruled if kept.notice is not None), None)
    if noticed:
        raise NotTaken(f"notice {noticed.notice} says otherwise, and only two officers withdraw it")
    _withdraw(connection, [kept.number for kept in overruled], who, f"adjudicated: {why}")
    return _write(connection, pair, answer.answer, who, f"adjudicated: {why}", ""), "settles the contradiction"


def _authors(kept: KeptAnswer) -> set[str]:
    return {name.casefold() for name in (*kept.reviewer.split(" and "), kept.second) if name}


def _is_seen(connection: Connection, left: int, right: int, answer: str) -> bool:
    """Whether the answer joins two people whom readers have seen apart, or parts one they have seen."""
    people = {str(row[0]) for row in connection.exec_driver_sql(_PEOPLE, {"pair": [left, right]})}
    if len(people) != (2 if answer == "same" else 1) or answer == "cannot_tell":
        return False
    return len(shown_people(connection, people)) == len(people)


def _write(connection: Connection, pair: tuple[int, int], answer: str, who: str, why: str, second: str) -> int:
    facts = {"left": pair[0], "right": pair[1], "answer": answer, "who": who, "why": why, "second": second}
    return int(
        connection.exec_driver_sql(
            """insert into identity.decision (left_record_id, right_record_id, answer, reviewer, reason,
                 second_reviewer) values (%(left)s, %(right)s, %(answer)s, %(who)s, %(why)s, %(second)s)
               returning decision_id""",
            facts,
        ).scalar_one()
    )


def _withdraw(connection: Connection, numbers: list[int], who: str, why: str) -> None:
    connection.exec_driver_sql(
        """update identity.decision set withdrawn_at = clock_timestamp(), withdrawn_by = %(who)s,
             withdrawal_reason = %(why)s where decision_id = any(%(numbers)s) and withdrawn_at is null""",
        {"who": who, "why": why, "numbers": numbers},
    )


_KEPT_APART: Final = """
select exists (select from identity.source_person where source_record_id = any(%(pair)s) and known_to is null
                 and is_restricted is distinct from false)
    or exists (select from identity.do_not_link where ended_at is null
                 and (source_record_id = any(%(pair)s) and other_record_id is null
                      or source_record_id = any(%(pair)s) and other_record_id = any(%(pair)s)))"""
_PEOPLE: Final = """select person_id from identity.membership
    where source_record_id = any(%(pair)s) and known_to is null"""
