"""Decides which records belong in the file: each candidate is selected or left out for one named reason (returns 2.3).

Nothing is filtered silently: `Selection.lines` holds one line per candidate, and the counts of the run come from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from statutory.client_level_data.records import EVENT_TABLES, CareRecords, Period
from statutory.client_level_data.return_file import ASSOCIATION, age_on
from statutory.client_level_data.specification import Specification

if TYPE_CHECKING:
    import pandas as pd

SELECTED = "selected"


@dataclass(frozen=True)
class Selection:
    """The rows of the file before they are built.

    `lines` has the columns event_type, reference, reason: every candidate, with `selected` or why it was left out.
    """

    events: Mapping[str, pd.DataFrame]
    associated_carers: pd.Series[str]
    lines: pd.DataFrame

    def counts(self) -> dict[tuple[str, str], int]:
        """Candidates by event type and reason."""
        rows = self.lines.groupby(["event_type", "reason"]).size().reset_index(name="rows")
        return {(str(kind), str(reason)): int(count) for kind, reason, count in rows.itertuples(index=False, name=None)}


def select(records: CareRecords, period: Period, specification: Specification) -> Selection:
    """Select the events of the period, then the carers who are known only through an adult among them."""
    import pandas as pd

    people = records.person.set_index("person_id")
    chosen: dict[str, pd.DataFrame] = {}
    lines = []
    for event_type in EVENT_TABLES:
        candidates = records.events(event_type)
        reasons = _reasons(event_type, candidates, people, period, specification)
        chosen[event_type] = candidates[reasons == SELECTED]
        references = candidates["source"] + ":" + candidates["event_key"]
        lines.append(pd.DataFrame({"event_type": event_type, "reference": references, "reason": reasons}))
    carers, carer_lines = _associated_carers(records.caring, chosen, people, period, specification)
    return Selection(chosen, carers, pd.concat([*lines, carer_lines], ignore_index=True))


def _reasons(
    event_type: str, events: pd.DataFrame, people: pd.DataFrame, period: Period, specification: Specification
) -> pd.Series[str]:
    reasons = _Reasons(events)
    start, end = _day(period.start), _day(period.end)
    reasons.leave_out(events["status"] == "cancelled", "cancelled")
    if event_type == "Service":
        reasons.leave_out(events["start_date"] > end, "starts_after_the_period")
    else:
        reasons.leave_out(events["status"] == "open", "still_open")
        reasons.leave_out(events["end_date"].isna(), "completed_without_an_end_date")
        reasons.leave_out(events["end_date"] > end, "ended_after_the_period")
    reasons.leave_out(events["end_date"] < start, "ended_before_the_period")
    if event_type == "Assessment":
        reasons.leave_out(belongs_to_another_return(events["description"], specification), "assessment_of_another_act")
    reasons.leave_out(~events["person_id"].isin(people.index), "person_not_known")
    children = _children(people, period, int(specification.selection["youngest"]))
    reasons.leave_out(events["person_id"].isin(children), "under_18_at_period_end")
    return reasons.done()


def belongs_to_another_return(descriptions: pd.Series[str], specification: Specification) -> pd.Series[bool]:
    """Whether a description says the assessment was made under another Act (returns 2.3, excluded)."""
    phrases = "|".join(re.escape(str(phrase)) for phrase in specification.selection["excluded_assessments"])
    found: pd.Series[bool] = descriptions.str.contains(rf"\b(?:{phrases})\b", case=False, regex=True).astype(bool)
    return found


class _Reasons:
    """One reason per row; the first that fits stays."""

    def __init__(self, rows: pd.DataFrame) -> None:
        import pandas as pd

        self._reasons = pd.Series(SELECTED, index=rows.index, dtype="object")

    def leave_out(self, where: pd.Series[bool], reason: str) -> None:
        self._reasons[where & (self._reasons == SELECTED)] = reason

    def done(self) -> pd.Series[str]:
        return self._reasons


def _children(people: pd.DataFrame, period: Period, youngest: int) -> pd.Index[str]:
    return people.index[lived_to(people["birth_date"], people["death_date"], period.end) < youngest]


def lived_to(birth: pd.Series[pd.Timestamp], death: pd.Series[pd.Timestamp], day: date) -> pd.Series[float]:
    """Age in whole years on `day`, or at death when that came first; missing where the birth date is."""
    at_death = death.dt.year - birth.dt.year - (death.dt.strftime("%m%d") < birth.dt.strftime("%m%d")).astype("float")
    return age_on(birth, day).where(death.isna() | (death > _day(day)), at_death)


def relationships_in(caring: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Caring relationships in force on any day of the period, between two different people."""
    began = caring["valid_from"].isna() | (caring["valid_from"] <= _day(period.end))
    lasted = caring["valid_to"].isna() | (caring["valid_to"] >= _day(period.start))
    return caring[began & lasted & (caring["person_id"] != caring["cared_for_person_id"])]


def adults_in_the_file(events: Mapping[str, pd.DataFrame]) -> set[str]:
    """People who are in the file as service users, whom a carer's row may name."""
    return {
        str(person)
        for rows in events.values()
        for person in rows.loc[rows["client_type"] == "Service user", "person_id"].unique()
    }


def _associated_carers(
    caring: pd.DataFrame,
    chosen: Mapping[str, pd.DataFrame],
    people: pd.DataFrame,
    period: Period,
    specification: Specification,
) -> tuple[pd.Series[str], pd.DataFrame]:
    """Carers known by association, one line per carer, and the account of every carer considered."""
    import pandas as pd

    everybody = caring.loc[caring["person_id"] != caring["cared_for_person_id"], "person_id"]
    carers = pd.DataFrame({"person_id": sorted(everybody.unique())}, dtype="object")
    current = relationships_in(caring, period)
    adults = adults_in_the_file(chosen)
    with_events = {str(person) for rows in chosen.values() for person in rows["person_id"].unique()}
    linked = current.loc[current["cared_for_person_id"].isin(list(adults)), "person_id"]
    children = _children(people, period, int(specification.selection["youngest"]))

    person = carers["person_id"]
    reasons = _Reasons(carers)
    reasons.leave_out(~person.isin(current["person_id"]), "no_longer_caring_in_the_period")
    reasons.leave_out(person.isin(list(with_events)), "has_events_of_their_own")
    reasons.leave_out(~person.isin(linked), "cared_for_adult_not_in_the_file")
    reasons.leave_out(~person.isin(people.index), "person_not_known")
    reasons.leave_out(person.isin(people.index[people["death_date"] < _day(period.start)]), "died_before_the_period")
    reasons.leave_out(person.isin(children), "under_18_at_period_end")
    outcome = reasons.done()
    lines = pd.DataFrame({"event_type": ASSOCIATION, "reference": "carer:" + person, "reason": outcome})
    return person[outcome == SELECTED], lines


def _day(day: object) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(str(day))
