"""Periods of work in the simulated mart: one `FACT_REFERRALS` row for each person and primary support reason.

The truth knows no such thing; the mart needs it, because that is where a case system keeps the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.synthetic.liquidlogic_codes import RETIRED, code_for
from connectors.synthetic.liquidlogic_rows import SYSTEM, Mart
from connectors.synthetic.world import TrueEvent

#: The mart's unknown member (sources 3.3).
NO_REFERRAL: Final = -1
_FIRST_REFERRAL: Final = 810_000_000
_RECODED: Final = 500_000_000


@dataclass(slots=True)
class _Referral:
    number: int
    start_at: datetime
    first_night: int


class Referrals:
    """Finds the referral an event belongs to."""

    def __init__(self, mart: Mart) -> None:
        self._mart = mart
        self._by_reason: dict[tuple[str, str, bool], _Referral] = {}
        self._born = {person.person_id: person.birth_date for person in mart.world.people}
        for event in mart.world.events:
            if event.system == SYSTEM and event.appearance_key:
                self._note(event, event.facts, event.recorded_night)
                if event.changed_night is not None:
                    self._note(event, event.changed_facts, event.changed_night)
        self._tell_apart()

    def _tell_apart(self) -> None:
        """Two reasons first met in one event (it was re-coded) must not share a number."""
        used: set[int] = set()
        for referral in self._by_reason.values():
            while referral.number in used:
                referral.number += _RECODED
            used.add(referral.number)

    def _note(self, event: TrueEvent, facts: dict[str, str], night: int) -> None:
        reason = facts.get("primary_support_reason", "")
        if not reason:
            return
        number = _FIRST_REFERRAL + event.event_id
        key = (event.appearance_key, reason, self._is_adult(event))
        known = self._by_reason.setdefault(key, _Referral(number, event.start_at, night))
        known.number = min(known.number, number)
        known.start_at = min(known.start_at, event.start_at)
        known.first_night = min(known.first_night, night)

    def of(self, event: TrueEvent, reason: str) -> int:
        """The id of the referral for that reason of the event's person; -1 when there is none.

        Adult services open one of their own at eighteen.
        """
        known = self._by_reason.get((event.appearance_key, reason, self._is_adult(event)))
        return NO_REFERRAL if known is None else known.number

    def _is_adult(self, event: TrueEvent) -> bool:
        born, day = self._born[event.person_id], event.start_at.date()
        return (day.year - 18, day.month, day.day) >= (born.year, born.month, born.day)

    def write(self) -> None:
        """Write the rows of `FACT_REFERRALS`."""
        mart = self._mart
        for (person_key, reason, _), referral in self._by_reason.items():
            key = f"referral:{referral.number}"
            code = code_for("primary_support_reason", reason)
            retired = RETIRED.get(("primary_support_reason", str(code)))
            if retired and mart.hit("D84b", key):
                mart.log("D84b", "FACT_REFERRALS", key, "DIM_LOOKUP_PSR_CODE", referral.first_night)
                code = retired
            mart.tables["FACT_REFERRALS"].add(
                {
                    "FACT_REFERRAL_ID": referral.number,
                    "DIM_PERSON_ID": int(person_key),
                    "REFRL_START_DTTM": referral.start_at,
                    "REFRL_END_DTTM": mart.no_date(key),
                    "DIM_LOOKUP_CATEGORY_OF_NEED_CODE": mart.blank(f"need:{key}"),
                    "DIM_LOOKUP_CONT_SORC_ID": -1,
                    "DIM_LOOKUP_PSR_CODE": code,
                    "DIM_LOOKUP_PSR_DESC": reason,
                    "DIM_DEPARTMENT_ID": 700 + referral.number % 9,
                    "DIM_WORKER_ID_DESC": mart.pick("worker", key, ("Team duty desk", "Unallocated", "-1")),
                    "CREATED_DTTM": mart.touched_at(referral.first_night, key, referral.start_at),
                    "MODIF_DTTM": mart.touched_at(referral.first_night, key, referral.start_at),
                },
                referral.first_night,
                mart.last_night + 1,
            )
