"""What people at work ask for, as proposals whose effects can be looked at before anything is stored.

Each function returns what to ask of a connection (role `linker`); asking raises `NotTaken` for a record, decision,
notice or entry that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from governance.records_named import NotTaken, record_number
from linkage.answers import against, answers, pair_of, standing
from linkage.do_not_link import entries
from linkage.effects import Proposal
from linkage.inputs import Decision, KeptApart
from linkage.notices import ANSWERS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    Propose = Callable[[Connection], Proposal]


def decided(one: str, other: str, answer: str) -> Propose:
    """A reviewer's answer about two records."""

    def propose(connection: Connection) -> Proposal:
        pair = pair_of(connection, one, other)
        return Proposal(pair, (Decision(*pair, answer, "proposed"),))

    return propose


def adjudicated(one: str, other: str, answer: str) -> Propose:
    """An answer that settles a contradiction: those against it are withdrawn."""

    def propose(connection: Connection) -> Proposal:
        pair = pair_of(connection, one, other)
        overruled = frozenset(kept.number for kept in against(connection, *pair, answer))
        return Proposal(pair, (Decision(*pair, answer, "proposed"),), overruled)

    return propose


def withdrawn(number: int) -> Propose:
    """A decision taken back."""

    def propose(connection: Connection) -> Proposal:
        kept = standing(connection, number)
        return Proposal((kept.left, kept.right), withdrawn=frozenset({kept.number}))

    return propose


def noticed(kind: str, one: str, other: str) -> Propose:
    """A notice of two officers: decisions of another answer about the two are withdrawn."""

    def propose(connection: Connection) -> Proposal:
        if kind not in ANSWERS:
            raise NotTaken(f"a notice is one of {', '.join(ANSWERS)}")
        pair, answer = pair_of(connection, one, other), ANSWERS[kind]
        overruled = frozenset(kept.number for kept in against(connection, *pair, answer))
        return Proposal(pair, (Decision(*pair, answer, "proposed", is_authorised=True),), overruled)

    return propose


def notice_withdrawn(number: int) -> Propose:
    """A notice taken back."""

    def propose(connection: Connection) -> Proposal:
        kept = next((a for a in answers(connection) if a.notice == number), None)
        if kept is None:
            raise NotTaken(f"there is no notice {number} in force")
        return Proposal((kept.left, kept.right), withdrawn=frozenset({kept.number}))

    return propose


def listed(record: str, other: str | None, officer: str) -> Propose:
    """An entry of the do-not-link list."""

    def propose(connection: Connection) -> Proposal:
        if other is None:
            number = record_number(connection, record)
            return Proposal((number,), kept_apart=(KeptApart(number, None, officer),))
        pair = pair_of(connection, record, other)
        return Proposal(pair, kept_apart=(KeptApart(*pair, officer),))

    return propose


def struck_off(entry: int) -> Propose:
    """An entry of the do-not-link list ended."""

    def propose(connection: Connection) -> Proposal:
        kept = next((e for e in entries(connection) if e.number == entry), None)
        if kept is None:
            raise NotTaken("there is no such entry in force")
        records = (kept.record, kept.other) if kept.other is not None else (kept.record,)
        return Proposal(records, struck_off=frozenset({entry}))

    return propose
