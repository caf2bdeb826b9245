"""What happens to care clients and carers over two years, archetype by archetype, in plausible chains.

Request, then assessment, then support, then review; long-term support that began years before; reablement that ends;
people who only asked. Five to eight events a client (assumption).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from connectors.synthetic.canaries import TAGS
from connectors.synthetic.care_profile import pick
from connectors.synthetic.care_services import (
    COMMUNITY,
    DIRECT_TO_CARER,
    INVOLVING_CARED_FOR,
    LOW_LEVEL,
    NURSING,
    OTHER_SHORT,
    RESIDENTIAL,
    ST_MAX,
)
from connectors.synthetic.care_story import (
    AS_PLANNED,
    CONTINUE,
    NEXT_ASSESSMENT,
    NEXT_REABLEMENT,
    NEXT_SUPPORT,
    OTHER_END,
    CareStory,
)
from connectors.synthetic.council import Council
from connectors.synthetic.event_book import EventBook

_FOREVER: Final = 100_000
_NO_FURTHER: Final = (
    ("NFA: Information and advice or signposting", 50), ("NFA: Support declined", 9),
    ("NFA: No services offered for other reason", 12),
    ("NFA: Referral to other service within the local authority", 9),
    ("NFA: Referral to NHS services or NHS funded social care", 6),
    ("NFA: Self-funded client or under 12wk disregard", 8), ("NFA: Other", 5), ("Admitted to hospital", 1),
)  # fmt: skip
_UNPLANNED: Final = (
    ("Unplanned: Hospital (planned and unplanned episodes)", 34), ("Unplanned: Carer related", 14),
    ("Unplanned: Safeguarding concern", 9),
    ("Unplanned: Other reason", 36), ("Unplanned: Provider failure", 3),
    ("Unplanned: Change in commissioning arrangements", 4),
)  # fmt: skip
_SHORT_END: Final = (
    (AS_PLANNED, 62), (OTHER_END, 10), ("Admitted to hospital", 10), (NEXT_ASSESSMENT, 10),
    ("NFA: Support declined", 8),
)  # fmt: skip


def tell_care(council: Council, book: EventBook) -> None:
    """Writes every care event of every client, then of every carer."""
    rng = council.rng("care events")
    stories: dict[str, Callable[[CareStory, Council], None]] = {
        "residential": _placed, "nursing": _placed, "community": _supported_at_home, "new_long_term": _new_long_term,
        "short_term": _short_term, "equipment": _equipment, "request_only": _only_asked,
    }  # fmt: skip
    for person in council.people:
        kind = council.kind_of_client.get(person.person_id)
        if person.tags & TAGS:
            if kind is not None:
                _canary(CareStory(council, book, rng, person), council)
        elif "night_newcomer" in person.tags:
            _newcomer(CareStory(council, book, rng, person), council)
        elif kind is not None:
            stories[kind](CareStory(council, book, rng, person), council)
        if "carer_with_events" in person.tags:
            _carer(CareStory(council, book, rng, person, "Unpaid carer"))


def _somewhere(story: CareStory, tail: int = 0) -> int:
    """A day of the window that leaves, where it can, `tail` days before the story ends."""
    latest = max(story.first, story.limit - tail)
    return story.first + int(story.rng.random() * (latest - story.first + 1))


def _yearly_reviews(story: CareStory, since: int) -> None:
    due = since + 50
    while due <= story.limit:
        held = due + int(story.rng.triangular(-30, 200, 20))
        outcome = CONTINUE if story.rng.random() < 0.78 else NEXT_SUPPORT
        if held >= story.first and story.rng.random() < 0.82:
            story.review(held, "Planned", outcome, due)
        due += 365


def _sometimes(rng: random.Random, mean: float) -> int:
    """How many times something happens (small mean)."""
    count = int(mean)
    return count + (1 if rng.random() < mean - count else 0)


def _unplanned(story: CareStory, since: int, mean: float) -> None:
    for _ in range(_sometimes(story.rng, mean)):
        day = max(since, _somewhere(story))
        story.review(day, pick(story.rng, _UNPLANNED), NEXT_SUPPORT if story.rng.random() < 0.5 else CONTINUE)


def _asks_again(story: CareStory, since: int, mean: float) -> None:
    for _ in range(_sometimes(story.rng, mean)):
        day = max(since, _somewhere(story))
        if story.rng.random() < 0.5:
            decided = story.request(day, NEXT_ASSESSMENT)
            if decided is not None:
                story.assessment(decided + 1 + int(story.rng.expovariate(1 / 15)), NEXT_SUPPORT)
        else:
            story.request(day, pick(story.rng, _NO_FURTHER))


def _lines(story: CareStory, since: int, service_type: str, yearly_change: float, ends: float) -> None:
    """A line of support that is replaced by another now and then, and sometimes ends for good."""
    day = since
    while day <= story.limit:
        days = 20 + int(story.rng.expovariate(yearly_change / 365))
        if day + days < story.first:
            day = day + days + 1
            continue
        over = story.rng.random() < ends
        ended = story.service(day, days, service_type, OTHER_END if over else AS_PLANNED)
        if ended is None or over:
            return
        day = ended + 1


def _supported_at_home(story: CareStory, council: Council) -> None:
    since = story.first - int(story.rng.expovariate(1 / 1100)) - 60
    for _ in range(story.rng.choices((1, 2, 3), weights=(62, 28, 10))[0]):
        start = since if story.rng.random() < 0.7 else since + int(story.rng.random() * (story.limit - since))
        _lines(story, start, COMMUNITY, 0.75, 0.10)
    _yearly_reviews(story, since)
    _unplanned(story, story.first, 0.75)
    _asks_again(story, story.first, 0.95)
    if story.rng.random() < 0.18:
        _short_stay(story, _somewhere(story, 40))
    if story.rng.random() < 0.22:
        story.service(_somewhere(story), 1, LOW_LEVEL)


def _short_stay(story: CareStory, day: int) -> None:
    ended = story.service(day, 7 + int(story.rng.expovariate(1 / 14)), OTHER_SHORT, pick(story.rng, _SHORT_END))
    if ended is not None and story.rng.random() < 0.5:
        story.review(ended + 3, "Review of short term support", CONTINUE)


def _placed(story: CareStory, council: Council) -> None:
    placed = council.placed_on[story.person.person_id].toordinal()
    nursing = council.kind_of_client[story.person.person_id] == "nursing"
    if placed > story.first + 30:
        asked = placed - 40 - int(story.rng.random() * 60)
        if story.rng.random() < 0.6:
            _home_care_until(story, placed - 1)
        decided = story.request(asked, NEXT_ASSESSMENT)
        if decided is not None:
            story.assessment(min(decided + 2, placed - 1), NEXT_SUPPORT)
    _lines(story, placed, NURSING if nursing else RESIDENTIAL, 0.7, 0.02)
    _yearly_reviews(story, placed)
    _unplanned(story, max(story.first, placed), 0.5)
    _asks_again(story, max(story.first, placed), 0.5)


def _home_care_until(story: CareStory, end: int) -> None:
    start = end - 60 - int(story.rng.expovariate(1 / 500))
    story.service(start, end - start, COMMUNITY, NEXT_SUPPORT)


def _new_long_term(story: CareStory, council: Council) -> None:
    rng = story.rng
    asked = _somewhere(story, 60)
    reablement = rng.random() < 0.5
    decided = story.request(asked, NEXT_REABLEMENT if reablement else NEXT_ASSESSMENT)
    if decided is None:
        return
    if reablement:
        begun = decided + rng.randrange(1, 8)
        ended = story.service(begun, rng.randrange(14, 44), ST_MAX, NEXT_ASSESSMENT)
        if ended is None:
            return
        story.review(max(begun, ended - 2), "Review of short term support", NEXT_ASSESSMENT)
        decided = ended
    assessed = story.assessment(decided + 1 + int(rng.expovariate(1 / 18)), NEXT_SUPPORT)
    if assessed is None:
        return
    begun = assessed + 1 + int(rng.expovariate(1 / 12))
    for _ in range(rng.choices((1, 2), weights=(75, 25))[0]):
        _lines(story, begun, COMMUNITY, 0.9, 0.10)
    _yearly_reviews(story, begun)
    _unplanned(story, begun, 0.35)
    _asks_again(story, begun, 0.5)
    if rng.random() < 0.35:
        story.service(begun + rng.randrange(5, 60), 1, LOW_LEVEL)


def _short_term(story: CareStory, council: Council) -> None:
    rng = story.rng
    for _ in range(1 + (rng.random() < 0.45)):
        decided = story.request(
            _somewhere(story, 50), NEXT_REABLEMENT, "Discharge from Hospital" if rng.random() < 0.5 else ""
        )
        if decided is None:
            continue
        if rng.random() < 0.75:
            story.assessment(decided + rng.randrange(0, 6), NEXT_REABLEMENT, long_term=False, eligible="Unknown")
        begun = decided + rng.randrange(1, 10)
        outcome = pick(rng, _SHORT_END)
        ended = story.service(begun, rng.randrange(7, 44), ST_MAX, outcome)
        if ended is not None and rng.random() < 0.7:
            story.review(max(begun, ended - rng.randrange(0, 4)), "Review of short term support", outcome)
    _asks_again(story, story.first, 0.3)


def _equipment(story: CareStory, council: Council) -> None:
    rng = story.rng
    for _ in range(1 + (rng.random() < 0.3)):
        decided = story.request(_somewhere(story, 30), NEXT_ASSESSMENT)
        if decided is None:
            continue
        assessed = story.assessment(
            decided + 1 + int(rng.expovariate(1 / 20)), NEXT_SUPPORT, long_term=False, eligible="Unknown"
        )
        if assessed is not None:
            story.service(assessed + rng.randrange(1, 25), 1, LOW_LEVEL)
    _asks_again(story, story.first, 0.4)


def _only_asked(story: CareStory, council: Council) -> None:
    for _ in range(story.rng.choices((1, 2, 3), weights=(40, 38, 22))[0]):
        if story.rng.random() < 0.3:
            decided = story.request(_somewhere(story, 30), NEXT_ASSESSMENT)
            if decided is not None:
                story.assessment(decided + story.rng.randrange(1, 30), pick(story.rng, _NO_FURTHER), eligible="No")
        else:
            story.request(_somewhere(story), pick(story.rng, _NO_FURTHER))


def _canary(story: CareStory, council: Council) -> None:
    """A restricted person with support on each side of a change of system."""
    switch = council.care[story.person.person_id].switch
    since = story.first - 400
    story.request(story.first + 5, NEXT_ASSESSMENT, told_at_once=True)
    _lines(story, since, COMMUNITY, 0.2, 0.0)
    if switch is not None:
        story.request(max(switch.toordinal(), story.first) + 1, NEXT_ASSESSMENT, told_at_once=True)


def _newcomer(story: CareStory, council: Council) -> None:
    """A first request on one of the nights, told the night after."""
    nights = max(1, council.settings.nights)
    story.request(story.last - story.person.person_id % nights, NEXT_ASSESSMENT, told_at_once=True)


def _carer(story: CareStory) -> None:
    rng = story.rng
    decided = (
        story.request(_somewhere(story, 40), NEXT_ASSESSMENT, "Community / Other route")
        if rng.random() < 0.8
        else _somewhere(story, 40)
    )
    if decided is None:
        return
    eligible = rng.random() < 0.6
    assessed = story.assessment(
        decided + 1 + int(rng.expovariate(1 / 20)),
        NEXT_SUPPORT if eligible else pick(rng, _NO_FURTHER[:1]),
        eligible="Yes" if eligible else "No",
    )
    if assessed is None or not eligible:
        return
    if rng.random() < 0.7:
        story.service(assessed + rng.randrange(1, 30), rng.choice((1, 90, 365, _FOREVER)), DIRECT_TO_CARER)
    if rng.random() < 0.25:
        story.service(assessed + rng.randrange(1, 60), rng.randrange(7, 22), INVOLVING_CARED_FOR)
    if rng.random() < 0.5:
        story.review(assessed + 330 + rng.randrange(0, 90), "Planned", CONTINUE, assessed + 365)
