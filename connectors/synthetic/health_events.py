"""What the community trust does for its patients: referrals, home visits by nurses, clinic appointments.

About one and a half referrals a patient over two years, six or seven visits for a nursing referral,
four appointments for
a clinic one (assumption). Appointments ahead are booked; they finish on the night after they took place.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Final

from connectors.synthetic.council import Council, age_on
from connectors.synthetic.event_book import EventBook, at_work
from connectors.synthetic.world import EventKind, TrueEvent, TruePerson

_NURSING: Final = "Community Nursing"
_OLD_SERVICES: Final = (
    (_NURSING, 62), ("Podiatry", 9), ("Physiotherapy", 9), ("Falls and Balance", 6), ("Continence", 4),
    ("Speech and Language Therapy", 3),
    ("Community Matron", 4), ("Wheelchair Service", 3),
)  # fmt: skip
_ADULT_SERVICES: Final = (
    (_NURSING, 38), ("Physiotherapy", 26), ("Podiatry", 13), ("Diabetes", 9), ("Continence", 5),
    ("Speech and Language Therapy", 5),
    ("Wheelchair Service", 4),
)  # fmt: skip
_CHILD_SERVICES: Final = (
    ("Health Visiting", 38), ("Speech and Language Therapy", 24), ("School Nursing", 14), ("Children's Physiotherapy",
    10),
    ("Children's Occupational Therapy", 9), ("Children's Community Nursing", 5),
)  # fmt: skip
_AT_HOME: Final = frozenset({_NURSING, "Community Matron", "Health Visiting", "Children's Community Nursing"})
_SOURCES: Final = (
    ("General Medical Practitioner", 48), ("Acute hospital", 22), ("Self referral", 8), ("Community nurse", 10),
    ("Local authority social services", 8),
    ("Care home", 4),
)  # fmt: skip
_REASONS: Final = (
    "Wound care", "Leg ulcer", "Catheter care", "Insulin administration", "Pressure area care", "End of life care",
    "Falls risk",
    "Mobility assessment", "Foot care", "Swallowing assessment", "Continence assessment", "Developmental review",
)  # fmt: skip
_DISCHARGE: Final = (
    ("Treatment completed", 66), ("Referred to other service", 12), ("Declined treatment", 6), ("Admitted to hospital",
    8),
    ("Moved out of area", 3), ("Did not attend", 5),
)  # fmt: skip
_VISIT_STATES: Final = (
    ("Finished", 92), ("No access visit", 2.5), ("Cancelled by patient", 2), ("Cancelled by unit", 2), ("Deferred",
    1.5),
)  # fmt: skip
_APPOINTMENT_STATES: Final = (
    ("Finished", 83), ("Did not attend", 7), ("Cancelled by patient", 6), ("Cancelled by unit", 3.5),
    ("Patient walked out", 0.5),
)  # fmt: skip
_MINUTES: Final = ("10", "15", "15", "20", "20", "30", "30", "45", "60")
_BOOKED_AHEAD: Final = 28


class _Draw:
    """Weighted choice with the weights added up once."""

    def __init__(self, choices: tuple[tuple[str, float], ...]) -> None:
        self._values = [value for value, _ in choices]
        total = 0.0
        self._running = [total := total + weight for _, weight in choices]

    def __call__(self, rng: random.Random) -> str:
        return rng.choices(self._values, cum_weights=self._running)[0]


_DRAW_OLD, _DRAW_ADULT, _DRAW_CHILD = _Draw(_OLD_SERVICES), _Draw(_ADULT_SERVICES), _Draw(_CHILD_SERVICES)
_DRAW_SOURCE, _DRAW_DISCHARGE = _Draw(_SOURCES), _Draw(_DISCHARGE)
_DRAW_VISIT, _DRAW_APPOINTMENT = _Draw(_VISIT_STATES), _Draw(_APPOINTMENT_STATES)


def tell_health(council: Council, book: EventBook) -> None:
    """Writes every referral, visit and appointment of every patient."""
    rng = council.rng("health events")
    for person in council.people:
        if "patient" in person.tags and "test_person" not in person.tags:
            for _ in range(rng.choices((1, 2, 3, 4), weights=(62, 26, 9, 3))[0]):
                _episode(council, book, rng, person)


def _service(rng: random.Random, age: int) -> str:
    return (_DRAW_OLD if age >= 65 else _DRAW_ADULT if age >= 18 else _DRAW_CHILD)(rng)


def _episode(council: Council, book: EventBook, rng: random.Random, person: TruePerson) -> None:
    """One referral with its contacts, until discharge, death or the last day."""
    first, last = council.first_day.toordinal(), council.last_day.toordinal()
    death = person.death_date.toordinal() if person.death_date else None
    limit = last if death is None else min(last, death)
    earliest = max(first - 60, person.birth_date.toordinal() + 1)
    day = earliest + int(rng.random() * max(1, limit - earliest + 1))
    start = at_work(rng, date.fromordinal(day))
    service = _service(rng, age_on(person.birth_date, start.date()))
    nursing = service in _AT_HOME
    contacts = 1 + int(rng.expovariate(1 / 7.2 if nursing else 1 / 3.6))
    step = rng.choice((1, 2, 3, 7, 7, 14)) if nursing else rng.choice((7, 14, 21, 28))
    days = [day + 1 + int(rng.expovariate(1 / 6)) + place * step for place in range(contacts)]
    end = days[-1] + int(rng.expovariate(1 / 12))
    reason = _DRAW_DISCHARGE(rng)
    if death is not None and end > death:
        end, reason = death, "Patient died"
    facts = {
        "referral_source": _DRAW_SOURCE(rng), "service": service,
        "urgency": "Urgent" if rng.random() < 0.18 else "Routine",
        "primary_reason": rng.choice(_REASONS), "discharge_reason": "",
    }  # fmt: skip
    closed = max(start, at_work(rng, date.fromordinal(end))) if end <= last else None
    referral = book.add(rng, person, "referral", "systmone", start, closed, facts, ending={"discharge_reason": reason})
    if referral is None:
        return
    kind: EventKind = "visit" if nursing else "appointment"
    for when in days:
        if first <= when <= limit:
            _contact(book, rng, person, referral, kind, when)
        elif when > last and kind == "appointment" and death is None and when <= last + _BOOKED_AHEAD:
            _booking(council, book, rng, person, referral, when)


def _contact(
    book: EventBook, rng: random.Random, person: TruePerson, referral: TrueEvent, kind: EventKind, when: int
) -> None:
    start = at_work(rng, date.fromordinal(when))
    state = (_DRAW_VISIT if kind == "visit" else _DRAW_APPOINTMENT)(rng)
    minutes = rng.choice(_MINUTES)
    facts = {"status": state, "duration_minutes": minutes, "referral_event_id": str(referral.event_id)}
    cancelled = state.startswith("Cancelled") or state == "Deferred"
    event = book.add(
        rng, person, kind, "systmone", start, start + timedelta(minutes=int(minutes)), facts, cancelled=cancelled
    )
    if event is not None:
        book.not_before(event, referral.recorded_night)


def _booking(
    council: Council, book: EventBook, rng: random.Random, person: TruePerson, referral: TrueEvent, when: int
) -> None:
    """An appointment still ahead on the last night: booked on or after the day of referral, not yet held."""
    told = max(referral.start_at.toordinal(), council.last_day.toordinal() - rng.randrange(0, 40))
    start: datetime = at_work(rng, date.fromordinal(when))
    facts = {"status": "Booked", "duration_minutes": rng.choice(_MINUTES), "referral_event_id": str(referral.event_id)}
    event = book.add(rng, person, "appointment", "systmone", start, None, facts, told=told)
    if event is not None:
        book.not_before(event, referral.recorded_night)
