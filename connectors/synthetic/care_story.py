"""The four kinds of care event, written for one person: never before their first day, never after their death.

`CareStory` knows the person's calendar and which care system records what happens on which day; `care_events` tells
what happens.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Final

from connectors.synthetic.care_profile import pick
from connectors.synthetic.care_services import service_facts
from connectors.synthetic.council import Council
from connectors.synthetic.event_book import EventBook, at_work, midnight
from connectors.synthetic.world import ClientType, TruePerson

NEXT_ASSESSMENT: Final = "Progress to assessment, review or reassessment"
NEXT_SUPPORT: Final = "Progress to support planning or services"
NEXT_REABLEMENT: Final = "Progress to reablement/ST-Max"
CONTINUE: Final = "Continuation of support or services"
DECEASED: Final = "NFA: Deceased"
AS_PLANNED: Final = "NFA: Support ended as planned"
OTHER_END: Final = "NFA: Support ended for other reason"
_CANCELLED: Final = 0.02

_ROUTES: Final = (
    ("Community / Other route", 66), ("Discharge from Hospital", 22), ("Diversion from Hospital Services", 4),
    ("Planned Entry (Transition)", 1), ("Self-Funder", 3), ("Discharge from Reablement", 2), ("Transfer from Other LA",
    1.5),
    ("Prison", 0.5),
)  # fmt: skip
_METHODS: Final = (("Service user only", 62), ("Service user and unpaid carer", 38))
_ACHIEVED: Final = (("Fully met", 44), ("Partially met", 46), ("Not met", 10))


def _eighteenth_birthday(birth: date) -> date:
    return birth.replace(year=birth.year + 18, day=min(birth.day, 28)) + timedelta(days=3)


class CareStory:
    """Writes the events of one client or carer into the book."""

    def __init__(
        self,
        council: Council,
        book: EventBook,
        rng: random.Random,
        person: TruePerson,
        client_type: ClientType = "Service user",
        *,
        as_child: bool = False,
    ) -> None:
        """The story runs from the council's first day to the person's death or the last day.

        `as_child` tells the part before the eighteenth birthday, otherwise only what comes after it is told.
        """
        self.rng = rng
        self.person = person
        of_age = _eighteenth_birthday(person.birth_date).toordinal()
        self.adult = person.birth_date.toordinal() if as_child else of_age
        self.first = max(council.first_day.toordinal(), self.adult)
        self.last = council.last_day.toordinal()
        self.death = person.death_date.toordinal() if person.death_date else None
        self.limit = self.last if self.death is None else min(self.last, self.death)
        if as_child:
            self.limit = min(self.limit, of_age - 5)
        self._council = council
        self._book = book
        self._client_type = client_type
        self._spell = council.care[person.person_id]

    @property
    def alone(self) -> bool:
        """Whether these are events of an unpaid carer."""
        return self._client_type == "Unpaid carer"

    def _end(self, start: int, days: int) -> tuple[int | None, bool]:
        """The day something ends (None: not within sight) and whether death cut it short."""
        end = start + days
        if self.death is not None and end > self.death:
            return self.death, True
        return (None if end > self.last else end), False

    def _reason(self) -> str:
        return "Social support: Support to unpaid carer" if self.alone else self.person.primary_support_reason

    def request(self, day: int, outcome: str, route: str = "", *, told_at_once: bool = False) -> int | None:
        """A request for support; gives the day it was decided, None when it never was."""
        if not self.first <= day <= self.limit:
            return None
        end, died = self._end(day, int(self.rng.expovariate(1 / 3.0)))
        cancelled = self.rng.random() < _CANCELLED
        start = at_work(self.rng, date.fromordinal(day))
        conversation = " - first conversation" if self.rng.random() < 0.12 else ""
        facts = {
            "route_of_access": route or pick(self.rng, _ROUTES), "outcome": "",
            "primary_support_reason": self._reason(),
            "description": "Request for support" + conversation,
        }  # fmt: skip
        ending = {"outcome": DECEASED if died else "" if cancelled else outcome}
        closed = None if end is None else max(start, at_work(self.rng, date.fromordinal(end)))
        self._book.add(
            self.rng, self.person, "request", self._spell.on(start.date()), start, closed, facts, ending=ending,
            cancelled=cancelled, client_type=self._client_type, told=day if told_at_once else None,
        )  # fmt: skip
        return None if died or cancelled else end

    def assessment(self, day: int, outcome: str, *, long_term: bool = True, eligible: str = "Yes") -> int | None:
        """An assessment; gives the day it was completed, None when it never was."""
        if not self.first <= day <= self.limit:
            return None
        end, died = self._end(day, 1 + int(self.rng.expovariate(1 / (21.0 if long_term else 9.0))))
        cancelled = died or self.rng.random() < _CANCELLED
        method = "Unpaid carer only" if self.alone else pick(self.rng, _METHODS)
        facts = {
            "assessment_type": "Long term assessment" if long_term else "Short term assessment", "eligible_needs": "",
            "method": method, "outcome": "", "primary_support_reason": self._reason(),
            "description": self._kind_of_assessment(long_term),
        }  # fmt: skip
        ending = {} if cancelled else {"outcome": outcome, "eligible_needs": eligible}
        self._dated("assessment", day, end, facts, ending, cancelled=cancelled)
        return None if cancelled else end

    def _kind_of_assessment(self, long_term: bool) -> str:
        if self.alone:
            return "Carer assessment"
        return "Care Act assessment" if long_term else "Occupational therapy assessment"

    def review(self, day: int, reason: str, outcome: str, due: int | None = None) -> int | None:
        """A review; gives the day it was completed, None when it never was."""
        if not self.first <= day <= self.limit:
            return None
        end, died = self._end(day, int(self.rng.expovariate(1 / 6.0)))
        cancelled = died or self.rng.random() < _CANCELLED
        facts = {
            "review_reason": reason, "outcomes_achieved": "", "outcome": "", "primary_support_reason": self._reason(),
            "method": "Unpaid carer only" if self.alone else pick(self.rng, _METHODS),
            "due_date": date.fromordinal(due).isoformat() if due else "", "description": "Review of support",
        }  # fmt: skip
        ending = {} if cancelled else {"outcome": outcome, "outcomes_achieved": pick(self.rng, _ACHIEVED)}
        self._dated("review", day, end, facts, ending, cancelled=cancelled)
        return None if cancelled else end

    def service(self, day: int, days: int, service_type: str, outcome: str = AS_PLANNED) -> int | None:
        """A service line of so many days; gives the day it ended, None when it runs on."""
        facts = service_facts(self._council, self.rng, self.person, service_type)
        facts["primary_support_reason"] = self._reason()
        day = max(day, self.adult)
        if day > self.limit:
            return None
        end, died = self._end(day, days)
        if (end is not None and end < self.first) or (self.death is not None and day > self.death):
            return end
        switch = self._spell.switch.toordinal() if self._spell.switch and not self._spell.cut_over else None
        if switch is not None and day < switch and (end is None or end > switch):
            self._line(day, switch - 1, dict(facts), OTHER_END)
            day = switch
        self._line(day, end, facts, DECEASED if died else outcome)
        return end

    def _line(self, day: int, end: int | None, facts: dict[str, str], outcome: str) -> None:
        cancelled = end is not None and self.rng.random() < 0.008
        self._dated("service", day, end, facts, {} if cancelled else {"end_outcome": outcome}, cancelled=cancelled)

    def _dated(
        self, kind: str, day: int, end: int | None, facts: dict[str, str], ending: dict[str, str], *, cancelled: bool
    ) -> None:
        start = midnight(date.fromordinal(day))
        closed = None if end is None else midnight(date.fromordinal(end))
        self._book.add(
            self.rng, self.person, kind, self._spell.on(start.date()), start, closed, facts, ending=ending,  # type: ignore[arg-type]
            cancelled=cancelled, client_type=self._client_type,
        )  # fmt: skip
