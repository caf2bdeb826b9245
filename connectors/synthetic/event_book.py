"""Writes down what happened and works out on which night each system first tells of it.

An event is told on the night after the day it was typed. Most are typed on the day itself, some days or months late
(D80); what ends after it was first told changes on the night its end is told. What nobody has typed by the last night
is left out.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Final

from connectors.synthetic.council import Council
from connectors.synthetic.defects import DefectLog
from connectors.synthetic.keys import EVENTS_EACH, event_key
from connectors.synthetic.world import (
    SYSTEMS,
    ClientType,
    Defect,
    EventKind,
    EventStatus,
    System,
    TrueEvent,
    TruePerson,
)

_LATE: Final = 3
_TIMES: Final = tuple(time(hour, minute) for hour in range(8, 18) for minute in (0, 10, 15, 20, 30, 40, 45, 50))


def typing_delay(rng: random.Random) -> int:
    """Days between an event and its typing: same day 70 %, to 3 days 20 %, to 14 days 7 %, to 90 days 2.5 % (D80)."""
    chance = rng.random()
    if chance < 0.70:
        return 0
    if chance < 0.90:
        return rng.randrange(1, 4)
    if chance < 0.97:
        return rng.randrange(4, 15)
    if chance < 0.995:
        return rng.randrange(15, 91)
    return rng.randrange(91, 200)


class EventBook:
    """All events of a council in the order they were written down."""

    def __init__(self, council: Council, defects: list[Defect]) -> None:
        """Events are numbered from 1; late ones are logged in `defects`."""
        self.events: list[TrueEvent] = []
        self._council = council
        self._nights = council.settings.nights
        self._first = council.settings.first_night.toordinal()
        self._before = council.settings.shard * EVENTS_EACH
        self._logs = {system: DefectLog(defects, system) for system in SYSTEMS}
        self._late: list[TrueEvent] = []
        self._cut: list[tuple[TrueEvent, TrueEvent]] = []

    def add(
        self,
        rng: random.Random,
        person: TruePerson,
        kind: EventKind,
        system: System,
        start: datetime,
        end: datetime | None,
        facts: dict[str, str],
        *,
        ending: dict[str, str] | None = None,
        cancelled: bool = False,
        client_type: ClientType = "Service user",
        told: int | None = None,
        closed_told: int | None = None,
    ) -> TrueEvent | None:
        """Writes down one event; `ending` are the facts known only once it has ended.

        Gives None when no night of this council tells of it. `told` fixes the day (ordinal) it was typed, `closed_told`
        the day its end was.
        """
        typed = told if told is not None else start.toordinal() + typing_delay(rng)
        night = max(0, typed - self._first + 1)
        if night > self._nights:
            return None
        event = TrueEvent(
            self._before + len(self.events) + 1,
            person.person_id,
            kind,
            system,
            client_type,
            start,
            None,
            "open",
            night,
            facts,
        )
        self._close(rng, event, end, ending or {}, "cancelled" if cancelled else "completed", typed, closed_told)
        self.events.append(event)
        if night and typed - start.toordinal() > _LATE:
            self._late.append(event)
        return event

    def log_late(self) -> None:
        """Logs late events (D80) and those a cut-over doubled; asked for once, when each is in its final system."""
        for event in self._late:
            self.log("D80", event, "recorded", event.recorded_night)
        for event, copy in self._cut:
            self.log("CUT", event, "start_at", copy.recorded_night)
            self.log("CUT", copy, "start_at", copy.recorded_night)

    def tell_again(self, event: TrueEvent, system: System, night: int, start: datetime) -> TrueEvent:
        """The event once more in another system, as known by now, from `night` on and with a start of its own."""
        end = event.end_at if event.end_at is None or event.end_at >= start else start
        copy = TrueEvent(
            self._before + len(self.events) + 1, event.person_id, event.kind, system, event.client_type, start, end,
            event.status, night, dict(event.facts), copy_of=event.event_id,
        )  # fmt: skip
        self.events.append(copy)
        return copy

    def brought_over(self, event: TrueEvent, copy: TrueEvent) -> TrueEvent:
        """Notes that a cut-over made one event two (CUT, no line of the catalogue); gives the copy."""
        self._cut.append((event, copy))
        return copy

    def _close(
        self,
        rng: random.Random,
        event: TrueEvent,
        end: datetime | None,
        ending: dict[str, str],
        status: EventStatus,
        typed: int,
        closed_told: int | None,
    ) -> None:
        if end is None:
            return
        closed = max(typed, end.toordinal() + typing_delay(rng) // 2 if closed_told is None else closed_told)
        night = max(0, closed - self._first + 1)
        if night > self._nights:
            return
        if night <= event.recorded_night:
            event.end_at, event.status = end, status
            event.facts = {**event.facts, **ending}
            return
        event.changed_night, event.changed_end_at, event.changed_status = night, end, status
        event.changed_facts = ending

    def not_before(self, event: TrueEvent, night: int) -> None:
        """Nobody tells of the event before `night` (that of its referral); what changed by then is told at once."""
        event.recorded_night = max(event.recorded_night, night)
        if event.changed_night is not None and event.changed_night <= event.recorded_night:
            event.end_at, event.status = event.changed_end_at, event.changed_status or event.status
            event.facts = {**event.facts, **event.changed_facts}
            event.changed_night = event.changed_end_at = event.changed_status = None
            event.changed_facts = {}

    def log(self, defect_id: str, event: TrueEvent, field: str, night: int = 0) -> None:
        """Writes down a defect of one event."""
        self._logs[event.system].add(defect_id, event.kind, event_key(event), field, night)


def at_work(rng: random.Random, day: date) -> datetime:
    """A moment of the working day."""
    return datetime.combine(day, _TIMES[int(rng.random() * len(_TIMES))])


def midnight(day: date) -> datetime:
    """The day itself, for events whose time nobody keeps."""
    return datetime(day.year, day.month, day.day)


def days_after(day: date, days: int) -> date:
    """`day` and so many days."""
    return day + timedelta(days=days)
