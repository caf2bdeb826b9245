"""What the file says of people: identifiers, the latest characteristics of the period, and whom a carer cares for.

Every row of a person carries the same person details, so one file cannot contradict itself about anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.codes import codes
from domain.identifiers import parse_postcode
from statutory.client_level_data.records import CareRecords, Period
from statutory.client_level_data.select import relationships_in

if TYPE_CHECKING:
    import pandas as pd

# A fact was recorded, but its value has no place in the return's list: no default may stand in for it.
UNMAPPED = "\x1a"

_KIND_HEADINGS = {
    "accommodation_status": "Accommodation Status",
    "employment_status": "Employment Status",
    "has_unpaid_carer": "Has Unpaid Carer",
    "autism": "Autism Spectrum Disorder (ASD)",
    "visual_impairment": "Visual Impairment",
    "hearing_impairment": "Hearing Impairment",
    "dementia": "Dementia",
    "client_funding_status": "Client Funding Status",
    "hours_caring": "Total Hrs Caring per week",
}


def person_columns(people: pd.DataFrame) -> pd.DataFrame:
    """Fields 4 to 16 that belong to the person, indexed by person id; gender and ethnicity as the return words them."""
    import pandas as pd

    gender = codes("nhs_data_dictionary", "Person stated gender to CLD gender (assumption)")
    ethnicity = codes("nhs_data_dictionary", "Ethnic category to CLD R2 ethnicity (assumption)")
    known_ethnicity = people["ethnicity_code"].str.strip().where(people["ethnicity_code"].isin(list(ethnicity)), "99")
    columns = {
        "NHS Number": people["nhs_number"],
        "LA Person Unique Identifier": people["person_id"],
        "First Name": people["forename"],
        "Last Name": people["surname"],
        "GP Practice Code": people["gp_practice_code"],
        "Gender": people["sex"].where(people["sex"].isin(list(gender)), "X").map(gender),
        "Ethnicity": known_ethnicity.map(ethnicity),
        "Date of Birth": people["birth_date"],
        "Date of Death": people["death_date"],
        "Postcode": people["postcode"].map({p: _postcode(p) for p in people["postcode"].unique()}),
    }
    return pd.DataFrame(columns).set_index(pd.Index(people["person_id"], name="person"))


def _postcode(text: str) -> str:
    """Capitals and one space; what is not a postcode stays as it is, so that its check fails rather than hides it."""
    return parse_postcode(text).postcode or text


def characteristic_columns(records: CareRecords, period: Period) -> pd.DataFrame:
    """Fields 17 to 24 and 35, indexed by person id: the latest known in the period, known before unknown (2.8)."""
    facts = records.characteristic
    began = facts["valid_from"].isna() | (facts["valid_from"] <= str(period.end))
    lasted = facts["valid_to"].isna() | (facts["valid_to"] >= str(period.start))
    facts = facts[began & lasted & facts["kind"].isin(list(_KIND_HEADINGS))]
    latest = _latest(facts[facts["value"] != ""], ["person_id", "kind"])
    wide = latest.pivot(index="person_id", columns="kind", values="value")
    wide = wide.reindex(columns=list(_KIND_HEADINGS)).rename(columns=_KIND_HEADINGS).astype("object").fillna("")
    return _with_carers(wide, records, period)


def _latest(facts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """One row for each `by`: known values before Unknown, then the latest; equals by source and value."""
    unknown = facts["value"] == "Unknown"
    ordered = facts.assign(unknown=unknown, ongoing=facts["valid_to"].isna()).sort_values(
        [*by, "unknown", "valid_from", "ongoing", "valid_to", "source", "value"],
        ascending=[True] * len(by) + [True, False, False, False, True, True],
        na_position="last",
        kind="stable",
    )
    return ordered.drop_duplicates(by)


def _with_carers(wide: pd.DataFrame, records: CareRecords, period: Period) -> pd.DataFrame:
    """Says yes to "has unpaid carer" where a carer is on record and the field itself is not known."""
    import pandas as pd

    cared_for = pd.Index(relationships_in(records.caring, period)["cared_for_person_id"].unique())
    wide = wide.reindex(wide.index.union(cared_for), fill_value="")
    not_known = wide["Has Unpaid Carer"].isin(["", "Unknown"])
    wide.loc[not_known & wide.index.isin(cared_for), "Has Unpaid Carer"] = "Yes"
    return wide


def support_reason(events: pd.DataFrame, records: CareRecords, period: Period) -> pd.Series[str]:
    """The event's own support reason, else the one of the person in force on the event's day (returns 7)."""
    recorded = events["primary_support_reason"]
    unmapped = (recorded == "") & (events["primary_support_reason_raw"] != "")
    wanting = events.loc[recorded == "", ["person_id", "start_date", "end_date"]]
    if wanting.empty:
        return recorded
    last = str(period.end)
    day = wanting["end_date"].where(wanting["end_date"] <= last).fillna(last)
    facts = records.characteristic
    facts = facts[(facts["kind"] == "primary_support_reason") & (facts["value"] != "")]
    pairs = wanting.assign(day=day).rename_axis("row").reset_index().merge(facts, on="person_id")
    pairs = pairs[pairs["valid_from"].isna() | (pairs["valid_from"] <= pairs["day"])]
    in_force = pairs["valid_to"].isna() | (pairs["valid_to"] >= pairs["day"])
    best = _latest(pairs[in_force], ["row"]).set_index("row")["value"]
    found = best.reindex(events.index).fillna("")
    return recorded.where(recorded != "", found.mask((found == "") & unmapped, UNMAPPED))


def linked_adults(caring: pd.DataFrame, adults: set[str], period: Period) -> pd.DataFrame:
    """Fields 36 to 39, indexed by carer: how many adults are cared for, and the first three who are in the file."""
    import pandas as pd

    current = relationships_in(caring, period).sort_values(
        ["person_id", "valid_from", "cared_for_person_id"], na_position="first", kind="stable"
    )
    pairs = current.drop_duplicates(["person_id", "cared_for_person_id"])
    number = pairs.groupby("person_id").size().astype(str)
    linked = pairs[pairs["cared_for_person_id"].isin(list(adults))].copy()
    linked["place"] = linked.groupby("person_id").cumcount() + 1
    wide = linked[linked["place"] <= 3].pivot(index="person_id", columns="place", values="cared_for_person_id")
    wide = wide.reindex(index=number.index, columns=[1, 2, 3]).astype("object").fillna("")
    wide.columns = pd.Index([f"Adult {place} Linked Person_ID" for place in (1, 2, 3)])
    return wide.assign(**{"No. of adults being cared for": number})
