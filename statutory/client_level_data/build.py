"""Makes the rows of the file from the selected records: fifty columns of text in the order of the return (2.4).

The order of rows is fixed (event type, source, key), so the same release always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statutory.client_level_data.conditions import MANDATORY, NOT_APPLICABLE, Conditions
from statutory.client_level_data.outcomes import event_outcomes
from statutory.client_level_data.people import (
    UNMAPPED,
    characteristic_columns,
    linked_adults,
    person_columns,
    support_reason,
)
from statutory.client_level_data.records import CareRecords, Period
from statutory.client_level_data.return_file import ASSOCIATION, FileFacts, ReturnFile
from statutory.client_level_data.select import Selection, adults_in_the_file
from statutory.client_level_data.specification import Specification

if TYPE_CHECKING:
    import pandas as pd

# Heading of the return -> column of the event's table, for fields that are taken over as they are.
_TAKEN_OVER: Mapping[str, Mapping[str, str]] = {
    "Request": {"Request: Route of Access": "route_of_access"},
    "Assessment": {
        "Assessment Type": "assessment_type",
        "Eligible Needs Identified": "eligible_needs",
        "Method of Assessment": "method",
    },
    "Review": {
        "Review Reason": "review_reason",
        "Review Outcomes Achieved": "outcomes_achieved",
        "Method of Review": "method",
    },
    "Service": {
        "Service Type": "service_type",
        "Service Component": "service_component",
        "Delivery Mechanism": "delivery_mechanism",
        "Provider CQC Location Name": "provider_name",
        "Provider CQC Location ID": "cqc_location_id",
        "Unit Cost": "unit_cost",
        "Cost Frequency (Unit Type)": "cost_frequency",
        "Planned units per week": "planned_units",
    },
}
_FREE_TEXT = ("First Name", "Last Name", "GP Practice Code", "Event Description", "Provider CQC Location Name",
              "Provider CQC Location ID", "NHS Number", "Postcode")  # fmt: skip
_DAYS = ("Date of Birth", "Date of Death", "Event Start Date", "Event End Date")
_AMOUNTS = ("Unit Cost", "Planned units per week")


@dataclass(frozen=True)
class Built:
    """The file, and how many values of each heading a source holds that have no place in the return's lists."""

    file: ReturnFile
    unmapped: Mapping[str, int]


def build(
    selection: Selection, records: CareRecords, period: Period, specification: Specification, facts: FileFacts
) -> Built:
    """Build the file; the same input always gives the same rows in the same order."""
    import pandas as pd

    parts = [_event_rows(kind, selection, records, period, specification) for kind in selection.events]
    parts.append(pd.DataFrame({"person": selection.associated_carers, "Client Type": ASSOCIATION}, dtype="object"))
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.join(person_columns(records.person), on="person")
    rows = rows.join(characteristic_columns(records, period), on="person")
    rows = rows.join(linked_adults(records.caring, adults_in_the_file(selection.events), period), on="person")
    rows["LA Code"] = facts.la_code
    rows["Reporting Period Start Date"] = period.start.strftime(facts.date_format)
    rows["Reporting Period End Date"] = period.end.strftime(facts.date_format)
    frame = _as_text(rows.reindex(columns=specification.headings), facts.date_format)
    frame = _with_defaults(frame, specification, facts)
    frame[list(specification.leave_blank)] = ""
    return Built(ReturnFile(frame, facts), _unmapped(selection))


def _event_rows(
    event_type: str, selection: Selection, records: CareRecords, period: Period, specification: Specification
) -> pd.DataFrame:
    import pandas as pd

    events = selection.events[event_type]
    columns = {
        "person": events["person_id"],
        "Client Type": events["client_type"],
        "Primary Support Reason": support_reason(events, records, period),
        "Event Type": event_type,
        "Event Reference": events["source"] + ":" + events["event_key"],
        "Event Start Date": events["start_date"],
        "Event End Date": events["end_date"],
        "Event Description": events["description"],
        "Event Outcome": event_outcomes(event_type, events, records.service, period, specification.defaults),
        **{heading: events[column] for heading, column in _TAKEN_OVER[event_type].items()},
    }
    rows = pd.DataFrame(columns, index=events.index)
    carers = rows["Client Type"] == "Unpaid carer"
    if event_type == "Request":
        wanting = carers & (events["route_of_access"] == "") & (events["route_of_access_raw"] == "")
        rows.loc[wanting, "Request: Route of Access"] = specification.defaults["carer_route_of_access"]
    if event_type == "Review":
        wanting = carers & (events["review_reason"] == "") & (events["review_reason_raw"] == "")
        rows.loc[wanting, "Review Reason"] = specification.defaults["carer_review_reason"]
    return rows


def _as_text(rows: pd.DataFrame, date_format: str) -> pd.DataFrame:
    import pandas as pd

    text = {}
    for heading in rows.columns:
        values = rows[heading]
        if heading in _DAYS:
            text[heading] = pd.to_datetime(values).dt.strftime(date_format)
        elif heading in _AMOUNTS:
            text[heading] = values.map("{:.2f}".format, na_action="ignore")
        elif heading in _FREE_TEXT:
            text[heading] = _plain(values, 255 if heading == "Event Description" else None)
        else:
            text[heading] = values
    return pd.DataFrame(text, index=rows.index, dtype="object").fillna("")


def _plain(values: pd.Series[str], longest: int | None) -> pd.Series[str]:
    """One line, single blanks, no control characters, no literal NULL: a flat file has room for nothing else."""
    import pandas as pd

    codes, different = pd.factorize(values.fillna(""))
    plain = pd.Series(different, dtype="object")
    plain = plain.str.replace(r"[\s\u00a0\x00-\x1f\x7f]+", " ", regex=True).str.strip()
    plain = plain.str.slice(0, longest).str.strip()
    plain = plain.mask(plain.str.upper() == "NULL", "")
    return pd.Series(plain.to_numpy()[codes], index=values.index, dtype="object")


def _with_defaults(frame: pd.DataFrame, specification: Specification, facts: FileFacts) -> pd.DataFrame:
    """Blank what does not apply; fill what is mandatory and was recorded nowhere with its stated default.

    The support reason goes first, because conditions of other fields depend on it.
    """
    frame = frame.copy()
    first = [f for f in specification.fields if f.heading == "Primary Support Reason"]
    for group in (first, specification.fields):
        conditions = Conditions(specification, ReturnFile(frame.copy(deep=False), facts))
        for entry in group:
            status = conditions.field_status(entry)
            values = frame[entry.heading].mask(status == NOT_APPLICABLE, "")
            wanting = (values == "") & (status == MANDATORY)
            frame[entry.heading] = values.mask(wanting, entry.when_nothing_recorded)
    return frame.replace(UNMAPPED, "")


def _unmapped(selection: Selection) -> dict[str, int]:
    """Per heading, how many selected records hold a source value without a counterpart: a mapping to be mended."""
    counts: dict[str, int] = {}
    shared = {"Primary Support Reason": "primary_support_reason"}
    for event_type, events in selection.events.items():
        for heading, column in {**_TAKEN_OVER[event_type], **shared}.items():
            if f"{column}_raw" in events.columns:
                clean = events[column].isna() if column == "unit_cost" else events[column] == ""
                missed = int((clean & (events[f"{column}_raw"] != "")).sum())
                if missed:
                    counts[heading] = counts.get(heading, 0) + missed
        missed = int(((events["outcomes"].str.len().fillna(0) == 0) & (events["outcomes_raw"].str.strip() != "")).sum())
        if missed:
            counts["Event Outcome"] = counts.get("Event Outcome", 0) + missed
    return counts
