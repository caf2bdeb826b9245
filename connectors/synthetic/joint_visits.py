"""Visits that health and care both record (D87): one assessment or review, held together, told by two systems.

The care event is the original; SystmOne's visit says `copy_of`. The share is that of joint-team visits: visits to
people whom both worlds know (sources hand-book, 11.5).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.council import Council
from connectors.synthetic.defects import rate
from connectors.synthetic.event_book import EventBook, at_work
from connectors.synthetic.world import TrueEvent


def tell_joint_visits(council: Council, book: EventBook) -> None:
    """Adds SystmOne visits for some care assessments and reviews of patients who were under a referral that day."""
    rng = council.rng("joint visits")
    referrals: dict[int, list[TrueEvent]] = {}
    for event in book.events:
        if event.kind == "referral" and event.person_id in council.care:
            referrals.setdefault(event.person_id, []).append(event)
    visits = sum(1 for event in book.events if event.kind == "visit" and event.person_id in referrals)
    able = [(event, under) for event in book.events if (under := _under(event, referrals)) is not None]
    wanted = max(1, how_many(rng, rate("D87", "systmone", council.settings.quality), visits))
    for event, referral in choose(rng, able, wanted):
        start: datetime = at_work(rng, event.start_at.date())
        minutes = rng.choice((30, 45, 60))
        visit = book.tell_again(event, "systmone", max(event.recorded_night, referral.recorded_night), start)
        visit.kind, visit.client_type, visit.status = "visit", "Service user", "completed"
        visit.end_at = start + timedelta(minutes=minutes)
        visit.facts = {
            "status": "Finished", "duration_minutes": str(minutes), "referral_event_id": str(referral.event_id),
        }  # fmt: skip
        for told in (event, visit):
            book.log("D87", told, "start_at", told.recorded_night)


def _under(event: TrueEvent, referrals: dict[int, list[TrueEvent]]) -> TrueEvent | None:
    """The referral a joint visit would hang on: begun before the day and still open then; None when there is none."""
    if event.kind not in ("assessment", "review") or event.status == "cancelled" or event.copy_of is not None:
        return None
    if event.client_type != "Service user":
        return None
    for referral in referrals.get(event.person_id, []):
        end = referral.end_at or referral.changed_end_at
        if referral.start_at < event.start_at and (end is None or event.start_at <= end):
            return referral
    return None
