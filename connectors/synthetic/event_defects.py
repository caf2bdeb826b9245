"""Events that change after they were told: deleted (D81), corrected (D82), open for ever (D83); after a death (D45)."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Final

from connectors.synthetic.appearances import Register
from connectors.synthetic.care_story import OTHER_END
from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.council import Council
from connectors.synthetic.defects import defect_rng, rate
from connectors.synthetic.event_book import EventBook, midnight
from connectors.synthetic.world import TrueEvent

_DAYS_A_MONTH: Final = 30.4
#: Kinds that can stay open for ever, with the facts known only at their end.
_STAYS_OPEN: Final[dict[str, tuple[str, ...]]] = {
    "service": ("end_outcome",), "involvement": (), "safeguarding": ("risk_outcome", "msp_asked"),
}  # fmt: skip


def disturb_events(council: Council, book: EventBook, register: Register) -> None:
    """Marks events for deletion or change on the later nights, and adds the few that are dated after a death."""
    rng = defect_rng(council.settings.seed, "all", "events")
    _after_death(council, book, register, rng)
    nights = council.settings.nights
    if not nights:
        return
    quality = council.settings.quality
    told_twice = {e.copy_of for e in book.events if e.copy_of is not None}
    steady = [
        e
        for e in book.events
        if e.recorded_night == 0 and e.changed_night is None and e.status != "open" and e.event_id not in told_twice
    ]
    forever = _open_for_ever(book, rng, steady, nights, quality)
    steady = [e for e in steady if e.event_id not in forever]
    month = nights / _DAYS_A_MONTH
    plan = council.settings.kind.cutover

    def last_night(event: TrueEvent) -> int:
        """A system that is replaced changes nothing after its freeze."""
        return max(1, plan.freeze_night - 1) if plan is not None and event.system == plan.old else nights

    late = choose(rng, steady, how_many(rng, rate("D82", "systmone", quality) * month, len(steady)))
    for place, event in enumerate(late):
        night = 1 + place % last_night(event)
        _change(rng, event, night)
        book.log("D82", event, "end_at", night)
    changed = {e.event_id for e in late}
    referred = {e.facts["referral_event_id"] for e in book.events if e.system == "systmone" and e.kind != "referral"}
    free = [e for e in steady if e.event_id not in changed and str(e.event_id) not in referred]
    for place, event in enumerate(
        choose(rng, free, how_many(rng, rate("D81", "systmone", quality) * month, len(steady)))
    ):
        event.deleted_night = 1 + place % last_night(event)
        book.log("D81", event, "key", event.deleted_night)


def _open_for_ever(
    book: EventBook, rng: random.Random, steady: list[TrueEvent], nights: int, quality: float
) -> set[int]:
    """Services, allocations and safeguarding nobody closed, until somebody closes them all on one night (D83)."""
    closed = [e for e in steady if e.kind in _STAYS_OPEN and e.status == "completed"]
    hit = choose(rng, closed, how_many(rng, rate("D83", "liquidlogic", quality), len(closed)))
    night = min(2, nights)
    for event in hit:
        event.changed_night, event.changed_end_at, event.changed_status = night, event.end_at, event.status
        event.changed_facts = {name: event.facts[name] for name in _STAYS_OPEN[event.kind]}
        event.facts = {**event.facts, **dict.fromkeys(event.changed_facts, "")}
        event.end_at, event.status = None, "open"
        book.log("D83", event, "end_at", night)
    return {event.event_id for event in hit}


def _change(rng: random.Random, event: TrueEvent, night: int) -> None:
    """A later correction: another end within the event's life, or another outcome, price or length."""
    event.changed_night = night
    event.changed_status = event.status
    event.changed_end_at = event.end_at
    if (
        event.end_at is not None
        and event.kind in ("assessment", "review", "service", "referral")
        and rng.random() < 0.5
    ):
        span = (event.end_at - event.start_at).days
        if span > 2:
            event.changed_end_at = event.end_at - timedelta(days=rng.randrange(1, min(span, 14)))
            return
    if event.kind == "service":
        event.changed_facts = {"unit_cost": f"{float(event.facts['unit_cost']) * 1.04:.2f}"}
    elif event.kind == "involvement":
        event.changed_facts = {"role": "other" if event.facts["role"] != "other" else "duty"}
    elif event.kind == "safeguarding":
        event.changed_facts = {"msp_asked": "not known" if event.facts["msp_asked"] != "not known" else "not asked"}
    elif event.kind == "dols":
        event.changed_facts = {"place": "hospital" if event.facts["place"] == "care home" else "care home"}
    elif event.kind in ("visit", "appointment"):
        event.changed_facts = {"duration_minutes": rng.choice(("5", "25", "40", "90"))}
    elif event.kind == "referral":
        event.changed_facts = {"urgency": "Urgent" if event.facts["urgency"] == "Routine" else "Routine"}
    elif event.status == "completed":
        event.changed_facts = {"outcome": "NFA: Other" if event.facts["outcome"] != "NFA: Other" else OTHER_END}
    else:
        event.changed_facts = {"description": "Recorded in error"}


def _after_death(council: Council, book: EventBook, register: Register, rng: random.Random) -> None:
    """Reviews held, by the date, after the person died (D45): somebody closed the case and called it a review."""
    records = [record for system in council.care_systems() for record in register.by_system[system]]
    clients = [record for record in records if record.role == "client" and record.duplicate_of is None]
    dead = [record for record in clients if council.people[record.person_id - 1].death_date is not None]
    told = max(1, how_many(rng, rate("D45c", "liquidlogic", council.settings.quality), len(dead)))
    for record in choose(rng, dead, told):
        person = council.people[record.person_id - 1]
        if person.death_date is None:
            continue
        day: date = min(council.last_day, person.death_date + timedelta(days=rng.randrange(3, 20)))
        if day <= person.death_date or council.care[person.person_id].on(day) != record.system:
            continue
        plan = council.settings.kind.cutover
        if plan is not None and record.system == plan.old and council.night_of(day) >= plan.freeze_night:
            continue
        facts = {
            "review_reason": "Unplanned: Other reason", "outcomes_achieved": "Not met", "method": "Service user only",
            "due_date": "",
            "outcome": "NFA: Deceased", "primary_support_reason": person.primary_support_reason,
            "description": "Case closed",
        }  # fmt: skip
        event = book.add(
            rng, person, "review", record.system, midnight(day), midnight(day), facts, told=day.toordinal()
        )
        if event is not None:
            book.not_before(event, record.recorded_night)
            event.appearance_key = record.key
            book.log("D45", event, "start_at", event.recorded_night)
