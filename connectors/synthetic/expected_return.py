"""What Client Level Data ought to say of a synthetic council, worked out from the truth alone.

Written from the hand-book (returns 2.3) without a line of the return's own code, so that agreement means something;
`return_comparison.py` sets the two side by side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from connectors.synthetic.keys import event_key
from connectors.synthetic.world import Appearance, World

if TYPE_CHECKING:
    import pandas as pd

ASSOCIATION: Final = "Unpaid carer known by association"
SELECTED: Final = "selected"
EVENT_TYPES: Final = {"request": "Request", "assessment": "Assessment", "review": "Review", "service": "Service"}
_CARE_SYSTEMS: Final = ("liquidlogic", "carefirst")
_ADULT: Final = 18


@dataclass(frozen=True)
class Truth:
    """The truth after the last night, as tables.

    events: event_type, reference, person_id, record, client_type, start_date, end_date, status.
    people: person_id (index), birth_date, death_date, is_test. caring: carer, adult (true person ids).
    records: record (source:key), person_id. defects: defect_id, subject (source:key).
    """

    events: pd.DataFrame
    people: pd.DataFrame
    caring: pd.DataFrame
    records: pd.DataFrame
    defects: pd.DataFrame


def truth_after(world: World, night: int) -> Truth:
    """The world's truth after `night`, as far as the care systems could know it."""
    import pandas as pd

    here = [record for record in world.appearances if record.as_of(night) is not None]
    return Truth(
        events=pd.DataFrame(_events(world, night), columns=list(_EVENT_COLUMNS)),
        people=pd.DataFrame(
            [(p.person_id, p.birth_date, p.death_date, "test_person" in p.tags) for p in world.people],
            columns=["person_id", "birth_date", "death_date", "is_test"],
        ).set_index("person_id"),
        caring=pd.DataFrame(_caring(world, here), columns=["carer", "adult"]),
        records=pd.DataFrame(
            [(f"{record.system}:{record.key}", record.person_id) for record in world.appearances],
            columns=["record", "person_id"],
        ),
        defects=pd.DataFrame(
            [(defect.defect_id, f"{defect.system}:{defect.key}") for defect in world.defects],
            columns=["defect_id", "subject"],
        ),
    )


_EVENT_COLUMNS: Final = (
    "event_type", "reference", "person_id", "record", "client_type", "start_date", "end_date", "status",
)  # fmt: skip


def _events(world: World, night: int) -> Iterable[tuple[object, ...]]:
    for event in world.events:
        state = event.as_of(night)
        if state is not None and event.kind in EVENT_TYPES:
            yield (
                EVENT_TYPES[event.kind],
                f"{event.system}:{event_key(event)}",
                event.person_id,
                f"{event.system}:{event.appearance_key}",
                event.client_type,
                state.start_at.date(),
                state.end_at.date() if state.end_at else None,
                state.status,
            )


def _caring(world: World, here: Iterable[Appearance]) -> Iterable[tuple[int, int]]:
    """Pairs of carer and adult who both have a record in the same care system."""
    known = {(record.system, record.person_id) for record in here if not record.is_test}
    for person in world.people:
        for adult in person.relations.get("cares_for", []):
            if any((system, person.person_id) in known and (system, adult) in known for system in _CARE_SYSTEMS):
                yield person.person_id, adult


def expected_lines(truth: Truth, start: date, end: date) -> pd.DataFrame:
    """Every candidate with `selected` or the rule that keeps it out.

    Columns: event_type, reference, person_id, record, client_type, reason.
    """
    import pandas as pd

    people = {row.Index: row for row in truth.people.itertuples()}
    reasons = [_reason(event, people[event.person_id], start, end) for event in truth.events.itertuples()]
    lines = truth.events[["event_type", "reference", "person_id", "record", "client_type"]].assign(reason=reasons)
    return pd.concat([lines, _carer_lines(truth, lines, start, end)], ignore_index=True)


def _reason(event: Any, person: Any, start: date, end: date) -> str:
    ended, started = _day(event.end_date), _day(event.start_date)
    if person.is_test:
        return "test_person"
    if event.status == "cancelled":
        return "cancelled"
    if event.event_type == "Service":
        if started is not None and started > end:
            return "starts_after_the_period"
    elif event.status == "open":
        return "still_open"
    elif ended is None:
        return "completed_without_an_end_date"
    elif ended > end:
        return "ended_after_the_period"
    if ended is not None and ended < start:
        return "ended_before_the_period"
    return "under_18_at_period_end" if _is_child(person.birth_date, person.death_date, end) else SELECTED


def _carer_lines(truth: Truth, events: pd.DataFrame, start: date, end: date) -> pd.DataFrame:
    import pandas as pd

    chosen = events[events["reason"] == SELECTED]
    with_events = set(chosen["person_id"])
    adults = set(chosen.loc[chosen["client_type"] == "Service user", "person_id"])
    lines = []
    for carer, pairs in truth.caring.groupby("carer", sort=True):
        person = truth.people.loc[carer]
        reason = SELECTED
        if carer in with_events:
            reason = "has_events_of_their_own"
        elif not adults & set(pairs["adult"]):
            reason = "cared_for_adult_not_in_the_file"
        elif (died := _day(person["death_date"])) is not None and died < start:
            reason = "died_before_the_period"
        elif _is_child(person["birth_date"], person["death_date"], end):
            reason = "under_18_at_period_end"
        lines.append((ASSOCIATION, f"person:{carer}", carer, "", ASSOCIATION, reason))
    return pd.DataFrame(lines, columns=["event_type", "reference", "person_id", "record", "client_type", "reason"])


def _is_child(birth: object, death: object, end: date) -> bool:
    born, died = _day(birth), _day(death)
    if born is None:
        return False
    day = died if died is not None and died <= end else end
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day)) < _ADULT


def _day(value: object) -> date | None:
    import pandas as pd

    return None if value is None or value is pd.NaT or value != value else pd.Timestamp(str(value)).date()
