"""What a cut-over does to events: open work is re-created in the new system, some is told twice, some typed late.

Follows the phases of the sources hand-book, 6.4: nothing new reaches the old system from the freeze on except late
entries while both run; services and allocations start again in the new system on the day it goes live.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, cast

from connectors.synthetic.council import Council
from connectors.synthetic.event_book import EventBook, midnight
from connectors.synthetic.setting import Cutover
from connectors.synthetic.world import System, TrueEvent

_KEYED_INTO_THE_NEW: Final = 0.80  # of the work of the freeze itself
_TOLD_TWICE: Final = 0.30  # of closed work that began in the last weeks before the freeze
_LAST_WEEKS: Final = 21
_END_TYPED_IN_THE_OLD_TOO: Final = 0.10
_TYPED_IN_THE_OLD_BY_HABIT: Final = 0.04
_BEGINS_AGAIN: Final = frozenset({"service", "involvement"})


@dataclass(frozen=True, slots=True)
class _Calendar:
    plan: Cutover
    old: System
    new: System
    freeze_day: date
    go_live_day: date

    @staticmethod
    def of(council: Council, plan: Cutover) -> _Calendar:
        return _Calendar(
            plan, cast(System, plan.old), cast(System, plan.new),
            council.day_of(plan.freeze_night), council.day_of(plan.go_live_night),
        )  # fmt: skip


def carry_over(council: Council, book: EventBook) -> None:
    """Moves, copies and delays the care events of a council whose care system is replaced; others are left alone."""
    plan = council.settings.kind.cutover
    if plan is None:
        return
    rng, when = council.rng("cut-over of events"), _Calendar.of(council, plan)
    known = {e.person_id for e in book.events if e.system == when.old and e.recorded_night < plan.freeze_night}
    for event in list(book.events):
        if event.system == when.new:
            _by_habit(book, rng, when, event, known=event.person_id in known)
        elif event.system == when.old:
            _settle(book, rng, when, event, known=event.person_id in known)


def _by_habit(book: EventBook, rng: random.Random, when: _Calendar, event: TrueEvent, *, known: bool) -> None:
    """Now and then somebody goes on typing new work into the old system while both run."""
    late = known and event.recorded_night <= when.plan.dual_running_until_night
    if late and rng.random() < _TYPED_IN_THE_OLD_BY_HABIT:
        event.system = when.old
        _keep_until_archive(when, event)
        return
    book.not_before(event, when.plan.go_live_night)


def _settle(book: EventBook, rng: random.Random, when: _Calendar, event: TrueEvent, *, known: bool) -> None:
    """Decides what becomes of one event of the old system."""
    plan = when.plan
    told_after = event.recorded_night >= plan.freeze_night
    in_the_freeze = event.start_at.date() >= when.freeze_day
    too_late = event.recorded_night > plan.dual_running_until_night
    if told_after and (not known or too_late or (in_the_freeze and rng.random() < _KEYED_INTO_THE_NEW)):
        event.system = when.new
        book.not_before(event, plan.go_live_night)
        return
    if told_after:
        book.not_before(event, plan.go_live_night)
    state = event.as_of(plan.freeze_night - 1) or event
    night = max(plan.go_live_night, event.recorded_night)
    recent = (when.freeze_day - event.start_at.date()).days <= _LAST_WEEKS
    if state.status == "open":
        _begin_again(book, rng, when, event, night=night + 4 * told_after)
    elif state.facts.get("authorised_to", "") >= when.go_live_day.isoformat():  # decided and still in force
        book.brought_over(event, book.tell_again(state, when.new, night, event.start_at))
    elif recent and rng.random() < _TOLD_TWICE:
        start = min(event.start_at + timedelta(days=rng.choice((-1, 1, 1, 2))), _eve(when))
        book.brought_over(event, book.tell_again(state, when.new, night, start))
    _keep_until_archive(when, event)


def _eve(when: _Calendar) -> datetime:
    return midnight(when.go_live_day) - timedelta(hours=1)


def _begin_again(book: EventBook, rng: random.Random, when: _Calendar, event: TrueEvent, night: int) -> None:
    """Open work in the new system; what later becomes of it is told there and seldom in the old one."""
    changed, end = event.changed_night, event.changed_end_at
    status, facts = event.changed_status, event.changed_facts
    typed_before = changed is not None and changed < when.plan.freeze_night
    if typed_before:  # closed before the freeze and yet open: only a late entry can be that
        return
    start = event.start_at
    if event.kind in _BEGINS_AGAIN:
        start = max(start, midnight(when.go_live_day))
    elif rng.random() < 0.3:
        start = min(start + timedelta(days=rng.choice((-1, 1))), _eve(when))
    copy = book.brought_over(event, book.tell_again(event, when.new, night, start))
    if changed is None:
        return
    copy.changed_night, copy.changed_status, copy.changed_facts = max(night + 1, changed), status, dict(facts)
    copy.changed_end_at = None if end is None else max(end, copy.start_at)
    if changed > when.plan.dual_running_until_night or rng.random() >= _END_TYPED_IN_THE_OLD_TOO:
        event.changed_night = event.changed_end_at = event.changed_status = None
        event.changed_facts = {}
    else:
        event.changed_night = max(changed, when.plan.go_live_night, event.recorded_night + 1)


def _keep_until_archive(when: _Calendar, event: TrueEvent) -> None:
    """A read-only archive learns nothing: what would be told later stays as it was."""
    changed = event.changed_night
    if changed is None:
        return
    if changed > when.plan.dual_running_until_night:
        event.changed_night = event.changed_end_at = event.changed_status = None
        event.changed_facts = {}
    elif when.plan.freeze_night <= changed < when.plan.go_live_night:
        event.changed_night = max(when.plan.go_live_night, event.recorded_night + 1)
