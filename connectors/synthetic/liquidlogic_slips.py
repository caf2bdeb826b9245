"""Single values as the clerks of the simulated site type them: right most of the time, with the catalogue's slips.

Defects D70, D84, D86, D88 and D93 are made and logged here, each decided by the event's key alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from connectors.synthetic.liquidlogic_codes import OUTCOME_FLAGS, RETIRED, code_for
from connectors.synthetic.liquidlogic_referrals import NO_REFERRAL
from connectors.synthetic.liquidlogic_rows import NO_DATE, Mart, Row
from connectors.synthetic.world import TrueEvent

_ODD_TEXT: Final = (' | see "notes"', "\r\nrang back, no reply", ",\tas agreed", "\x0b(copied)", "; O'Brien & Co")
_ODD_UNITS: Final = ("2 hrs", "£12.50", "1 x wk", "tbc")
_FIRST_PLAN: Final = 910_000_000


@dataclass(frozen=True, slots=True)
class Work:
    """One event as the mart tells it from one night on."""

    event: TrueEvent  # the state of that night
    key: str
    number: int
    night: int
    created: datetime
    ended: datetime | None


def end_typed(mart: Mart, table: str, state: TrueEvent, key: str) -> datetime | None:
    if state.end_at is None:
        return mart.no_date(f"end:{key}")
    if state.kind == "service" and mart.hit("D70a", key):
        mart.log("D70a", table, key, "END_DTTM")
        return state.start_at - timedelta(days=1 + int(mart.draw("backwards", key) * 30))
    if state.kind == "service" and mart.hit("D70b", key):
        mart.log("D70b", table, key, "END_DTTM")
        return NO_DATE
    return state.end_at


def outcome_flags(mart: Mart, work: Work, outcome: str) -> Row:
    """The wide row of outcomes: the one that counts, and for some a second one of lower rank beside it."""
    chosen = {OUTCOME_FLAGS[outcome]} if outcome else set()
    if outcome and mart.draw("second outcome", work.key) < 0.08:
        ranked = list(OUTCOME_FLAGS)
        lower = ranked[ranked.index(outcome) + 1 :]
        if lower:
            chosen.add(OUTCOME_FLAGS[mart.pick("which outcome", work.key, lower)])
    row: Row = {flag: "Y" if flag in chosen else "N" for flag in OUTCOME_FLAGS.values()}
    return row | {
        "OTHER_OUTCOMES_EXIST_FLAG": "Y" if len(chosen) > 1 else "N",
        "TOTAL_NO_OF_OUTCOMES": len(chosen),
        "OUTCOME_COMMENTS": "Agreed with the person." if chosen else None,
    }


def code_typed(mart: Mart, table: str, work: Work, code_set: str, column: str) -> str | None:
    """The local code, or one not in the list, a retired one, or the right one in another case (D84)."""
    code = code_for(code_set, work.event.facts.get(code_set, ""))
    if code is None:
        return None
    for defect, wrong in (("D84a", "ZZ9"), ("D84b", RETIRED.get((code_set, code))), ("D84c", code.capitalize())):
        if wrong is not None and mart.hit(defect, work.key):
            mart.log(defect, table, work.key, column, work.night)
            return wrong
    return code


def text_typed(mart: Mart, table: str, work: Work, column: str) -> str | None:
    text = work.event.facts.get("description", "")
    if text and mart.hit("D88", work.key):
        mart.log("D88", table, work.key, column, work.night)
        return text + str(mart.pick("odd text", work.key, _ODD_TEXT))
    return text or None


def worker(mart: Mart, table: str, work: Work) -> int:
    if mart.hit("D86c", work.key):
        mart.log("D86c", table, work.key, "COMPLETED_BY_USER_ID", work.night)
        return -1
    return 3_001 + work.number % 60


def care_plan(mart: Mart, table: str, work: Work) -> int:
    if mart.hit("D86b", work.key):
        mart.log("D86b", table, work.key, "FACT_CARE_PLAN_ID", work.night)
        return NO_REFERRAL
    return plan_number(work)


def units_typed(mart: Mart, table: str, work: Work) -> str | None:
    units = work.event.facts.get("planned_units", "")
    if units and mart.hit("D93", work.key):
        mart.log("D93", table, work.key, "PLANNED_UNITS", work.night)
        return str(mart.pick("odd units", work.key, _ODD_UNITS))
    return units or None


def amount(text: str) -> Decimal | None:
    try:
        return Decimal(text).quantize(Decimal("0.01")) if text else None
    except InvalidOperation:
        return None


def plan_number(work: Work) -> int:
    """The id of the care plan the event belongs to; the plans themselves are not simulated."""
    return _FIRST_PLAN + work.event.event_id
