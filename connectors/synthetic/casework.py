"""Casework beside the four events of the national return: allocations, safeguarding, deprivation of liberty.

Told only where the setting says so (`casework`). Volumes and lengths are assumptions; where the controller of adult
social care changes, safeguarding cases left open for long are closed in bulk on that one day (sources hand-book, 1).
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Final

from connectors.synthetic.canaries import TAGS
from connectors.synthetic.care_profile import MEMORY, pick
from connectors.synthetic.children import is_child_client
from connectors.synthetic.council import Council
from connectors.synthetic.event_book import EventBook, midnight
from connectors.synthetic.world import EventKind, TrueEvent, TruePerson

#: Teams a case can be with (code, name); events hold the code, workers a running number from 1 to `WORKERS`.
TEAMS: Final = (
    ("FIRSTC", "First Contact"), ("OPNORT", "Older People North"), ("OPSOUT", "Older People South"),
    ("LEARND", "Learning Disability"), ("MENTAL", "Mental Health"), ("HOSPIT", "Hospital Discharge"),
    ("SAFEGD", "Safeguarding Adults"), ("REVIEW", "Review"),
)  # fmt: skip
CHILDREN_TEAM: Final = ("CHILDR", "Children and Families")
WORKERS: Final = 64
ROLES: Final = ("allocated worker", "duty", "reviewing", "other")
_SAFEGUARDING: Final = 0.13  # concerns per client over two years
_ENQUIRY: Final = 0.45
_LONG_OPEN: Final = 0.30  # of enquiries where a controller change closes them; elsewhere a third of it
_RISK: Final = (("removed", 24), ("reduced", 60), ("remains", 16))
_ASKED: Final = (
    ("asked, outcomes told", 62), ("asked, no outcomes told", 14), ("not asked", 14), ("not known", 10),
)  # fmt: skip
_HOSPITAL: Final = 0.12
_SIX_MONTHS: Final = 182


class _Case:
    """One person's time with the council, and the book to write in."""

    def __init__(self, council: Council, book: EventBook, rng: random.Random, person: TruePerson) -> None:
        self.council, self.book, self.rng, self.person = council, book, rng, person
        born = person.birth_date
        adult = born.replace(year=born.year + 18, day=min(born.day, 28)).toordinal() + 3
        self.is_child = "child" in person.tags
        begin = born.toordinal() + 1 if self.is_child else adult
        self.first = max(council.first_day.toordinal(), begin)
        self.last = council.last_day.toordinal()
        self.limit = min(self.last, person.death_date.toordinal()) if person.death_date else self.last

    def add(
        self, kind: EventKind, start: int, end: int, facts: dict[str, str], ending: dict[str, str] | None = None,
        *, closed_told: int | None = None,
    ) -> TrueEvent | None:  # fmt: skip
        """Writes one event; death and the last day cut it short."""
        if not self.first <= start <= self.limit:
            return None
        died = self.person.death_date is not None and end > self.limit
        until = self.limit if died else end
        day = date.fromordinal(start)
        return self.book.add(
            self.rng, self.person, kind, self.council.care[self.person.person_id].on(day), midnight(day),
            midnight(date.fromordinal(until)) if until <= self.last else None, facts, ending=ending,
            closed_told=closed_told,
        )  # fmt: skip

    def day(self) -> int:
        """Some day of the time."""
        return self.first + int(self.rng.random() * max(1, self.limit - self.first + 1))


def tell_casework(council: Council, book: EventBook) -> None:
    """Writes every allocation, then every safeguarding case and application of every client."""
    if not council.settings.kind.casework:
        return
    rng = council.rng("casework")
    for person in council.people:
        client = "care_client" in person.tags
        if person.person_id not in council.care or not (client or is_child_client(person)):
            continue
        case = _Case(council, book, rng, person)
        if case.first > case.limit:
            continue
        _allocations(case)
        if client and rng.random() < _SAFEGUARDING:
            _safeguarding(case)
        if client and person.addresses[-1].kind == "care_home":
            _deprivation_of_liberty(case)


def _allocation(case: _Case, start: int, end: int, role: str) -> None:
    worker = case.rng.randrange(WORKERS)
    team = CHILDREN_TEAM[0] if case.is_child else TEAMS[worker % len(TEAMS)][0]
    case.add("involvement", start, end, {"team": team, "worker": str(worker + 1), "role": role})


def _allocations(case: _Case) -> None:
    """A worker while something is arranged, a review team later; half of long-term cases have one now."""
    rng = case.rng
    kind = case.council.kind_of_client.get(case.person.person_id)
    if kind == "request_only" and not case.person.tags & TAGS:
        if rng.random() < 0.2:
            start = case.day()
            _allocation(case, start, start + rng.randrange(1, 15), "duty")
        return
    start = case.first + rng.randrange(0, 40) if case.person.tags & TAGS else case.day()
    length = 20 + int(rng.expovariate(1 / 110))
    _allocation(case, start, start + (5000 if rng.random() < 0.35 else length), "allocated worker")
    if rng.random() < 0.4:
        later = start + length + rng.randrange(1, 120)
        _allocation(case, later, later + 10 + int(rng.expovariate(1 / 60)), "reviewing")


def _safeguarding(case: _Case) -> None:
    """A concern that is looked into, or one that becomes an enquiry; some enquiries nobody closes for long."""
    rng, change = case.rng, case.council.settings.kind.controller_change
    start = case.day()
    facts = {
        "concern_date": date.fromordinal(start).isoformat(), "enquiry_type": "", "enquiry_start_date": "",
        "risk_outcome": "", "msp_asked": "",
    }  # fmt: skip
    if rng.random() >= _ENQUIRY:
        case.add("safeguarding", start, start + rng.randrange(1, 12), facts)
        return
    facts["enquiry_type"] = "section 42" if rng.random() < 0.85 else "other"
    facts["enquiry_start_date"] = date.fromordinal(min(case.limit, start + rng.randrange(0, 5))).isoformat()
    ending = {"risk_outcome": pick(rng, _RISK), "msp_asked": pick(rng, _ASKED)}
    end = start + 8 + int(rng.expovariate(1 / 55))
    if rng.random() < _LONG_OPEN / (1 if change else 3):
        end = start + 300 + int(rng.expovariate(1 / 300))
        bulk = change.toordinal() if change else 0
        if start + 90 < bulk < min(end, case.limit + 1):
            event = case.add("safeguarding", start, bulk, facts, ending, closed_told=bulk)
            if event is not None:
                case.book.log("D83", event, "end_at", event.changed_night or 0)
            return
    case.add("safeguarding", start, end, facts, ending)


def _deprivation_of_liberty(case: _Case) -> None:
    """Applications one after the other for a resident who cannot consent: decided late, in force for up to a year."""
    rng = case.rng
    wanted = case.council.settings.kind.dols_per_resident * (
        1.6 if case.person.primary_support_reason == MEMORY else 0.8
    )
    placed = case.council.placed_on.get(case.person.person_id)
    day = max(case.first, placed.toordinal() if placed else case.first) + rng.randrange(0, 300)
    for _ in range(int(wanted) + (rng.random() < wanted % 1)):
        decided = day + 14 + int(rng.expovariate(1 / 120))
        granted = rng.random() < 0.62
        until = decided + rng.choice((_SIX_MONTHS, 364, 364))
        facts = {
            "received_date": date.fromordinal(day).isoformat(), "decision": "", "decided_date": "",
            "authorised_from": "", "authorised_to": "",
            "place": "hospital" if rng.random() < _HOSPITAL else "care home",
        }  # fmt: skip
        ending = {
            "decision": "granted" if granted else "not granted",
            "decided_date": date.fromordinal(decided).isoformat(),
            "authorised_from": date.fromordinal(decided).isoformat() if granted else "",
            "authorised_to": date.fromordinal(until).isoformat() if granted else "",
        }
        if case.person.death_date and decided > case.limit:
            ending = {"decision": "not granted", "decided_date": date.fromordinal(case.limit).isoformat()}
        case.add("dols", day, decided, facts, ending)
        day = (until if granted else decided) - rng.randrange(0, 20) + timedelta(days=21).days
