"""The national two results for every field: when it is mandatory, applicable or neither, and what a value is worth."""

from __future__ import annotations

from datetime import date

import pytest

from statutory.client_level_data.field_checks import check_fields
from statutory.client_level_data.return_file import file_from_rows
from statutory.client_level_data.rules.base import EXAMPLE_FACTS
from statutory.client_level_data.specification import SpecificationError, load_specification

SPECIFICATION = load_specification()
REQUEST = {"Client Type": "Service user", "Event Type": "Request"}
ASSESSMENT = {"Client Type": "Service user", "Event Type": "Assessment"}
REVIEW = {"Client Type": "Service user", "Event Type": "Review"}
SERVICE = {"Client Type": "Service user", "Event Type": "Service"}
CARER = {"Client Type": "Unpaid carer", "Event Type": "Request"}
ASSOCIATED = {"Client Type": "Unpaid carer known by association"}
NOTHING: dict[str, str] = {}

LEARNING = {"Primary Support Reason": "Learning disability support", "Date of Birth": "01/06/1990"}
NURSING = {**SERVICE, "Service Type": "Long term support: Nursing care"}
RESPITE = {**SERVICE, "Service Component": "Unpaid carer respite"}
CARER_SERVICE = {
    **SERVICE,
    "Client Type": "Unpaid carer",
    "Service Type": "Unpaid carer support: Direct to unpaid carer",
}
LOW_LEVEL = {**SERVICE, "Service Type": "Short term support: Ongoing low level", "Service Component": "Equipment"}


def result(row: dict[str, str], heading: str) -> tuple[int, int]:
    """`field_status` and `check` of one field in a file of this one row."""
    file = file_from_rows([row], SPECIFICATION.headings, EXAMPLE_FACTS)
    found = next(field for field in check_fields(file, SPECIFICATION) if field.entry.heading == heading)
    return int(found.status[0]), int(found.check[0])


ALWAYS_MANDATORY = (
    "LA Code", "Reporting Period Start Date", "Reporting Period End Date", "NHS Number",
    "LA Person Unique Identifier", "Gender", "Ethnicity", "Date of Birth", "Client Type", "Postcode",
    "Accommodation Status", "Has Unpaid Carer",
)  # fmt: skip
ALWAYS_OPTIONAL = ("First Name", "Last Name", "GP Practice Name", "GP Practice Code", "Date of Death")
IMPAIRMENTS = ("Autism Spectrum Disorder (ASD)", "Visual Impairment", "Hearing Impairment", "Dementia")
CARER_FIELDS = (
    "Total Hrs Caring per week", "No. of adults being cared for", "Adult 1 Linked Person_ID",
    "Adult 2 Linked Person_ID", "Adult 3 Linked Person_ID",
)  # fmt: skip
EVENT_FIELDS = (
    "Event Type", "Event Reference", "Event Start Date", "Event End Date", "Event Description", "Event Outcome",
)  # fmt: skip
COSTS = ("Unit Cost", "Cost Frequency (Unit Type)", "Planned units per week")

#: heading, row, status: for each field a row in which its condition holds and one in which it does not.
STATUSES = [
    *((heading, row, 2) for heading in ALWAYS_MANDATORY for row in (SERVICE, ASSOCIATED, NOTHING)),
    *((heading, row, 1) for heading in ALWAYS_OPTIONAL for row in (SERVICE, ASSOCIATED, NOTHING)),
    ("Primary Support Reason", REQUEST, 1),
    ("Primary Support Reason", REVIEW, 2),
    ("Primary Support Reason", ASSOCIATED, 2),
    ("Employment Status", {**REVIEW, **LEARNING}, 2),
    ("Employment Status", {**REVIEW, **LEARNING, "Date of Birth": "01/04/1961"}, 2),
    ("Employment Status", {**REVIEW, **LEARNING, "Date of Birth": "31/03/1961"}, 1),
    ("Employment Status", {**REVIEW, **LEARNING, "Primary Support Reason": "Mental health support"}, 1),
    ("Employment Status", {**REVIEW, **LEARNING, "Client Type": "Unpaid carer"}, 1),
    ("Employment Status", {**REVIEW, **LEARNING, "Date of Birth": ""}, -1),
    *((heading, row, status) for heading in IMPAIRMENTS for row, status in ((SERVICE, 1), (CARER, 0), (ASSOCIATED, 0))),
    ("Client Funding Status", SERVICE, 2),
    ("Client Funding Status", REVIEW, 2),
    ("Client Funding Status", ASSESSMENT, 1),
    ("Client Funding Status", {**SERVICE, "Client Type": "Unpaid carer"}, 0),
    ("Client Funding Status", {"Client Type": "Service user"}, -1),
    *((h, REQUEST, 2) for h in ("Event Type", "Event Start Date", "Event End Date", "Event Outcome")),
    *((h, REQUEST, 1) for h in ("Event Reference", "Event Description")),
    *(
        (heading, ASSOCIATED, 0)
        for heading in EVENT_FIELDS
    ),
    ("Event End Date", REVIEW, 2),
    ("Event End Date", ASSESSMENT, 2),
    ("Event End Date", SERVICE, 1),
    ("Event End Date", {**SERVICE, "Date of Death": "01/06/2025"}, 2),
    *((h, row, s) for h in ("Request: Route of Access",) for row, s in ((REQUEST, 2), (REVIEW, 0), (ASSOCIATED, 0))),
    *((h, row, s) for h in ("Assessment Type", "Method of Assessment") for row, s in ((ASSESSMENT, 2), (REQUEST, 0))),
    ("Eligible Needs Identified", ASSESSMENT, 1),
    ("Eligible Needs Identified", REQUEST, 0),
    *((h, row, s) for h in CARER_FIELDS for row, s in ((CARER, 1), (ASSOCIATED, 1), (REQUEST, 0))),
    *((h, row, s) for h in ("Service Type", "Service Component") for row, s in ((SERVICE, 2), (REVIEW, 0))),
    ("Service Type", ASSOCIATED, 0),
    *(
        (heading, row, status)
        for heading in ("Delivery Mechanism", "Provider CQC Location Name", "Provider CQC Location ID")
        for row, status in ((SERVICE, 1), (REVIEW, 0))
    ),
    *((h, row, s) for h in ("Review Reason", "Method of Review") for row, s in ((REVIEW, 2), (SERVICE, 0))),
    ("Review Outcomes Achieved", {**REVIEW, "Review Reason": "Planned"}, 2),
    ("Review Outcomes Achieved", {**REVIEW, "Review Reason": "Unplanned: Other reason"}, 1),
    ("Review Outcomes Achieved", REQUEST, 0),
    *(
        (heading, row, status)
        for heading in COSTS
        for row, status in (
            (NURSING, 2),
            (RESPITE, 2),
            (CARER_SERVICE, 2),
            ({**SERVICE, "Service Component": "Short term nursing care"}, 2),
            ({**SERVICE, "Service Component": "Short term residential care"}, 2),
            ({**NURSING, "Delivery Mechanism": "Direct payment"}, 2),
            ({**NURSING, "Delivery Mechanism": "CASSR commissioned support"}, 1),
            (LOW_LEVEL, 1),
            ({**NURSING, "Event Type": "Review"}, 0),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("heading", "row", "status"), STATUSES)
def test_a_field_is_mandatory_applicable_or_not_as_its_condition_says(
    heading: str, row: dict[str, str], status: int
) -> None:
    check = 1 if heading in row else {2: -1, 1: 0, 0: 0, -1: 0}[status]
    assert result(row, heading) == (status, check)


def test_every_field_has_a_case_above() -> None:
    assert {heading for heading, _, _ in STATUSES} == set(SPECIFICATION.headings)


VALUES = [
    ("LA Code", "990", 1),
    ("LA Code", "99", -3),
    ("LA Code", "991", -5),
    ("Reporting Period Start Date", "01/04/2025", 1),
    ("Reporting Period Start Date", "01/05/2025", -5),
    ("Reporting Period End Date", "31/03/2026", 1),
    ("Reporting Period End Date", "2026-03-31", -3),
    ("NHS Number", "9990000018", 1),
    ("NHS Number", "9990000019", -3),
    ("NHS Number", "999 000 0018", -3),
    ("NHS Number", "1111111111", -4),
    ("LA Person Unique Identifier", "p" * 50, 1),
    ("LA Person Unique Identifier", "p" * 51, -3),
    ("First Name", "Ada", 1),
    ("Last Name", "V" * 101, -3),
    ("GP Practice Name", "High Street Surgery", 1),
    ("GP Practice Code", "Y99001", 1),
    ("GP Practice Code", "Y9901", -3),
    ("Gender", "Female", 1),
    ("Gender", "female", -6),
    ("Gender", "F", -2),
    ("Ethnicity", "White: Irish", 1),
    ("Ethnicity", "White - Irish", -7),
    ("Date of Birth", "17/05/1950", 1),
    ("Date of Birth", "1950-05-17", -3),
    ("Date of Birth", "17/5/1950", -3),
    ("Date of Birth", "30/02/1950", -3),
    ("Date of Birth", "17/05/1850", -4),
    ("Date of Death", "01/06/2025", 1),
    ("Date of Death", "01/06/25", -3),
    ("Client Type", "Service user", 1),
    ("Client Type", "Service User", -7),
    ("Client Type", "service user", -6),
    ("Primary Support Reason", "Support with memory and cognition", 1),
    ("Primary Support Reason", "Support with Memory & Cognition", -7),
    ("Postcode", "LN1 1YZ", 1),
    ("Postcode", "ZZ99 3VZ", 1),
    ("Postcode", "ln11yz", -3),
    ("Postcode", "nopostcode", -3),
    ("Accommodation Status", "Refuge", 1),
    ("Accommodation Status", "Refuge ", -6),
    ("Employment Status", "Unknown", 1),
    ("Has Unpaid Carer", "Yes", 1),
    ("Has Unpaid Carer", "Y", -2),
    ("Autism Spectrum Disorder (ASD)", "No", 1),
    ("Visual Impairment", "No visual impairment", 1),
    ("Hearing Impairment", "Hard of hearing", 1),
    ("Dementia", "Yes", 1),
    ("Client Funding Status", "Fully client funded", 1),
    ("Event Type", "Service", 1),
    ("Event Type", "Care", -2),
    ("Event Reference", "a:1", 1),
    ("Event Reference", "a" * 51, -3),
    ("Event Start Date", "01/06/2025", 1),
    ("Event End Date", "soon", -3),
    ("Event Description", "d" * 255, 1),
    ("Event Description", "d" * 256, -3),
    ("Event Outcome", "NFA: Deceased", 1),
    ("Event Outcome", "NFA - Deceased", -7),
    ("Event Outcome", "Progress to End of Life Care", -7),
    ("Service Type", "Long term support: Prison", 1),
    ("Service Component", "Meals", 1),
    ("Delivery Mechanism", "Direct payment", 1),
    ("Provider CQC Location Name", "Oak House", 1),
    ("Provider CQC Location ID", "1-990000001", 1),
    ("Provider CQC Location ID", "990000001", -3),
    ("Unit Cost", "12.50", 1),
    ("Unit Cost", "£12.50", -3),
    ("Unit Cost", "12.505", -3),
    ("Unit Cost", "1e5", -3),
    ("Unit Cost", "1" + "0" * 16, -4),
    ("Cost Frequency (Unit Type)", "4-weekly", 1),
    ("Planned units per week", "2 hrs", -3),
]


@pytest.mark.parametrize(("heading", "value", "check"), VALUES)
def test_a_filled_value_is_judged_letter_by_letter(heading: str, value: str, check: int) -> None:
    assert result({**SERVICE, heading: value}, heading)[1] == check


@pytest.mark.parametrize(
    ("heading", "row", "value", "check"),
    [
        ("Request: Route of Access", REQUEST, "Prison", 1),
        ("Request: Route of Access", REVIEW, "Prison", -5),
        ("Assessment Type", ASSESSMENT, "Long term assessment", 1),
        ("Eligible Needs Identified", ASSESSMENT, "Maybe", -2),
        ("Method of Assessment", ASSESSMENT, "Service user only", 1),
        ("Method of Assessment", ASSESSMENT, "Carer only", -7),
        ("Method of Assessment", ASSESSMENT, "By letter", -2),
        ("Total Hrs Caring per week", CARER, "50 hours or more", 1),
        ("No. of adults being cared for", CARER, "2", 1),
        ("No. of adults being cared for", CARER, "100", -4),
        ("No. of adults being cared for", CARER, "two", -3),
        ("Adult 1 Linked Person_ID", CARER, "p1", 1),
        ("Adult 2 Linked Person_ID", REQUEST, "p1", -5),
        ("Adult 3 Linked Person_ID", CARER, "p" * 51, -3),
        ("Review Reason", REVIEW, "Planned", 1),
        ("Review Outcomes Achieved", REVIEW, "Fully met", 1),
        ("Review Outcomes Achieved", REVIEW, "Fully Met", -7),
        ("Method of Review", REVIEW, "Unpaid carer only", 1),
        ("Event Outcome", ASSOCIATED, "NFA: Other", -5),
    ],
)
def test_a_value_must_also_fit_the_kind_of_row(heading: str, row: dict[str, str], value: str, check: int) -> None:
    assert result({**row, heading: value}, heading)[1] == check


def test_no_condition_can_be_answered_on_a_row_of_unknown_kind() -> None:
    assert result({"Client Type": "Service user", "Event Type": "Servise"}, "Service Type")[0] == -1
    assert result({"Client Type": "Client", "Event Type": "Service"}, "Dementia")[0] == -1


def test_an_issued_number_range_is_insisted_on_in_a_real_council() -> None:
    from dataclasses import replace

    facts = replace(EXAMPLE_FACTS, allow_test_numbers=False)
    file = file_from_rows([{**SERVICE, "NHS Number": "9990000018"}], SPECIFICATION.headings, facts)
    (found,) = [field for field in check_fields(file, SPECIFICATION) if field.entry.heading == "NHS Number"]
    assert found.check[0] == -4


def test_age_is_counted_in_birthdays_on_the_last_day() -> None:
    file = file_from_rows(
        [{"Date of Birth": day} for day in ("31/03/2008", "01/04/2008", "29/02/2008", "")],
        SPECIFICATION.headings,
        EXAMPLE_FACTS,
    )
    assert EXAMPLE_FACTS.period_end == date(2026, 3, 31)
    assert file.age_at_period_end.tolist()[:3] == [18.0, 17.0, 18.0]
    assert file.age_at_period_end.isna().tolist() == [False, False, False, True]


def test_a_specification_that_contradicts_itself_is_refused() -> None:
    from statutory.client_level_data.specification import _check_condition

    for wrong in (
        "servise",
        {"all": ["service", "nothing"]},
        {"field": "Event Typ", "is": "x"},
        {"field": "Event Type"},
    ):
        with pytest.raises(SpecificationError):
            _check_condition(wrong, SPECIFICATION)
