"""What Client Level Data ought to say of a synthetic council, worked out from the truth alone.

Written from the hand-book (returns 2.3) without a line of the return's own code, so that agreement means something;
`return_comparison.py` sets the two side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connectors.synthetic import truth

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ASSOCIATION: Final = "Unpaid carer known by association"
SELECTED: Final = "selected"
EVENT_TYPES: Final = {"request": "Request", "assessment": "Assessment", "review": "Review", "service": "Service"}
_ADULT: Final = 18


@dataclass(frozen=True)
class Truth:
    """The truth after the last night, as tables.

    events: event_type, reference (source:event_key), person_id, record (source:key), client_type, start_date, end_date,
    status. people: person_id (index), birth_date, death_date, is_test. caring: carer, adult (true person ids).
    records: record, person_id. defects: defect_id, subject (source:key of an event or a record).
    """

    events: pd.DataFrame
    people: pd.DataFrame
    caring: pd.DataFrame
    records: pd.DataFrame
    defects: pd.DataFrame


def load_truth(folder: Path) -> Truth:
    """The truth as `truth.save` wrote it; raises `FileNotFoundError` when the council was not saved there."""
    return truth_of({name: truth.load(folder, name) for name in truth.FILES})


def truth_of(tables: Mapping[str, pa.Table]) -> Truth:
    """The part of the truth tables that the return is about."""
    events, people, records, defects, caring = (
        tables[name].to_pandas() for name in ("event", "person", "appearance", "defect", "caring")
    )
    events = events[events["kind"].isin(list(EVENT_TYPES))]
    return Truth(
        events=events.assign(
            event_type=events["kind"].map(EVENT_TYPES),
            reference=events["system"] + ":" + events["event_key"],
            record=events["system"] + ":" + events["appearance_key"],
        ),
        people=people.assign(is_test=["test_person" in tags for tags in people["tags"]]).set_index("person_id"),
        caring=caring.rename(columns={"carer_person_id": "carer", "cared_for_person_id": "adult"}),
        records=records.assign(record=records["system"] + ":" + records["key"]),
        defects=defects.assign(subject=defects["system"] + ":" + defects["key"]),
    )


def expected_lines(known: Truth, start: date, end: date) -> pd.DataFrame:
    """Every candidate with `selected` or the rule that keeps it out.

    Columns: event_type, reference, person_id, record, client_type, reason.
    """
    import pandas as pd

    people = {row.Index: row for row in known.people.itertuples()}
    events = _told_once(known.events)
    reasons = [_reason(event, people[event.person_id], start, end) for event in events.itertuples()]
    lines = events[["event_type", "reference", "person_id", "record", "client_type"]].assign(reason=reasons)
    return pd.concat([lines, _carer_lines(known, lines, start, end)], ignore_index=True)


def _told_once(events: pd.DataFrame) -> pd.DataFrame:
    """The events without those that only tell another again (`copy_of`), which lend it the end they alone know of."""
    if "copy_of" not in events or not events["copy_of"].notna().any():
        return events
    copies = events[events["copy_of"].notna()].drop_duplicates("copy_of", keep="last").set_index("copy_of")
    ends = events["event_id"].map(copies["end_date"])
    status = events["event_id"].map(copies["status"])
    left_open = (events["status"] == "open") & status.notna()
    told = events.assign(
        end_date=ends.where(left_open, events["end_date"]), status=status.where(left_open, events["status"])
    )
    known = set(told["event_id"])
    return told[told["copy_of"].isna() | ~told["copy_of"].isin(known)]


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
    if _is_child(person.birth_date, person.death_date, end):
        return "under_18_at_period_end"
    return "before_18" if started is not None and _is_child(person.birth_date, None, started) else SELECTED


def _carer_lines(known: Truth, events: pd.DataFrame, start: date, end: date) -> pd.DataFrame:
    import pandas as pd

    chosen = events[events["reason"] == SELECTED]
    with_events = set(chosen["person_id"])
    adults = set(chosen.loc[chosen["client_type"] == "Service user", "person_id"])
    lines = []
    # a tie to a child does not pass the door
    child = known.caring["adult"].map(lambda number: _is_child(known.people.loc[number, "birth_date"], None, end))
    for carer, pairs in known.caring[~child.astype(bool)].groupby("carer", sort=True):
        person = known.people.loc[carer]
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
