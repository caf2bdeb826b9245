"""The fifty columns: where each comes from, which default stands in, and that the bytes never move."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.codes import codes
from statutory.client_level_data.build import build
from statutory.client_level_data.outcomes import lowest_ranked
from statutory.client_level_data.return_file import FileFacts
from statutory.client_level_data.select import select
from statutory.client_level_data.specification import load_specification
from statutory.pack import write_readable_csv, write_statutory_csv
from tests.support.care_tables import FACTS, NUMBERS, built, only_row, records, row
from tests.support.care_tables import PERIOD as FACTS_PERIOD

BEA = row("person", person_id="bea", nhs_number=NUMBERS[1], birth_date=date(1961, 2, 3))


def test_the_columns_are_the_fifty_of_the_return_in_their_order() -> None:
    ordered = sorted((int(p), h) for h, found in _fields().items() for p in found)
    assert built(row("request")).file.frame.columns.tolist() == [heading for _, heading in ordered]
    assert len(ordered) == 50


def _fields() -> dict[str, dict[str, str]]:
    from domain.codes import code_list

    return code_list("cld_fields")


def test_a_request_is_written_with_its_person_and_nothing_that_does_not_apply() -> None:
    line = only_row(row("request", "request:7", description="First conversation"))
    expected = {
        "LA Code": "990",
        "Reporting Period Start Date": "01/04/2025",
        "Reporting Period End Date": "31/03/2026",
        "NHS Number": "9990000018",
        "LA Person Unique Identifier": "ada",
        "First Name": "Ada",
        "Last Name": "Vale",
        "GP Practice Code": "Y99001",
        "Gender": "Female",
        "Ethnicity": "White: English, Welsh, Scottish, Northern Irish or British",
        "Date of Birth": "17/05/1950",
        "Client Type": "Service user",
        "Primary Support Reason": "Mental health support",
        "Postcode": "LN1 1YZ",
        "Accommodation Status": "Unknown",
        "Has Unpaid Carer": "Unknown",
        "Event Type": "Request",
        "Event Reference": "liquidlogic:request:7",
        "Event Start Date": "01/06/2025",
        "Event End Date": "09/06/2025",
        "Event Description": "First conversation",
        "Event Outcome": "NFA: Other",
        "Request: Route of Access": "Prison",
    }
    assert {heading: value for heading, value in line.items() if value} == expected


def test_a_service_carries_its_cost_as_plain_decimals() -> None:
    line = only_row(row("service", unit_cost=1234.5, planned_units=5.25, cqc_location_id="1-990000001"))
    assert (line["Unit Cost"], line["Cost Frequency (Unit Type)"]) == ("1234.50", "Hourly")
    assert (line["Planned units per week"], line["Provider CQC Location ID"]) == ("5.25", "1-990000001")
    assert line["Client Funding Status"] == "Unknown"
    assert line["Event End Date"] == ""


def test_of_several_outcomes_the_lowest_rank_is_sent() -> None:
    ranks = codes("cld_groups", "outcome rank R2")
    by_rank = sorted(ranks, key=lambda name: int(ranks[name]))
    for better, worse in itertools.pairwise(by_rank):
        care = records(row("request", outcomes=[worse, better]))
        assert lowest_ranked(care.request["outcomes"]).tolist() == [better]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([row("service")], "Continuation of support or services"),
        ([row("service", end_date=date(2026, 5, 1))], "Continuation of support or services"),
        ([row("service", status="completed", end_date=date(2025, 8, 1))], ""),
        ([row("service", outcomes=["Admitted to hospital"])], "Admitted to hospital"),
        ([row("service", outcomes_raw="ZZ9")], "Continuation of support or services"),
        ([row("service", status="completed", end_date=date(2025, 8, 1), outcomes_raw="ZZ9")], ""),
        ([row("request", outcomes=[])], ""),
        ([row("review", outcomes=[])], "Continuation of support or services"),
        ([row("review", outcomes=[], outcomes_raw="ZZ9")], ""),
    ],
)
def test_an_outcome_that_was_not_recorded_takes_its_default(rows: list[Any], outcome: str) -> None:
    assert only_row(*rows)["Event Outcome"] == outcome


@pytest.mark.parametrize(
    ("started", "outcome"),
    [
        (date(2025, 6, 9), "Progress to support planning or services"),
        (date(2025, 7, 7), "Progress to support planning or services"),
        (date(2025, 7, 8), "Continuation of support or services"),
        (date(2025, 6, 8), "Continuation of support or services"),
    ],
)
def test_a_review_followed_by_a_change_of_service_progresses(started: date, outcome: str) -> None:
    file = built(row("review", outcomes=[]), row("service", start_date=started)).file.frame
    assert file.loc[file["Event Type"] == "Review", "Event Outcome"].tolist() == [outcome]


def test_a_cancelled_service_is_no_change() -> None:
    cancelled = row("service", start_date=date(2025, 6, 10), status="cancelled")
    assert only_row(row("review", outcomes=[]), cancelled)["Event Outcome"] == "Continuation of support or services"


def test_carers_take_the_defaults_of_the_handbook() -> None:
    request = only_row(row("request", client_type="Unpaid carer", route_of_access=None))
    assert request["Request: Route of Access"] == "Community / Other route"
    assert only_row(row("review", client_type="Unpaid carer", review_reason=None))["Review Reason"] == "Planned"
    unmapped = only_row(row("request", client_type="Unpaid carer", route_of_access=None, route_of_access_raw="ZZ9"))
    assert unmapped["Request: Route of Access"] == ""
    assert only_row(row("request", route_of_access=None))["Request: Route of Access"] == ""


@pytest.mark.parametrize(("sex", "gender"), [("1", "Male"), ("2", "Female"), ("9", "Other"), (None, "Unknown")])
def test_gender_is_worded_as_the_return_words_it(sex: str | None, gender: str) -> None:
    line = only_row(row("request", person_id="cal"), row("person", person_id="cal", sex=sex))
    assert line["Gender"] == gender


@pytest.mark.parametrize(
    "code", [*codes("nhs_data_dictionary", "Ethnic category to CLD R2 ethnicity (assumption)"), None]
)
def test_every_national_ethnic_category_has_its_wording(code: str | None) -> None:
    wording = codes("nhs_data_dictionary", "Ethnic category to CLD R2 ethnicity (assumption)")
    line = only_row(row("request", person_id="cal"), row("person", person_id="cal", ethnicity_code=code))
    assert line["Ethnicity"] == (wording[code] if code else "No data: Undeclared or not known")
    assert line["Ethnicity"] in codes("cld_r2", "Ethnicity")


def test_a_characteristic_is_the_latest_known_of_the_period() -> None:
    def accommodation(*facts: dict[str, Any]) -> str:
        rows = [row("characteristic", str(n), kind="accommodation_status", **fact) for n, fact in enumerate(facts)]
        return only_row(row("request"), *rows)["Accommodation Status"]

    tenant = {"value": "Tenant: Private landlord", "valid_from": date(2020, 1, 1)}
    refuge = {"value": "Refuge", "valid_from": date(2025, 9, 1)}
    assert accommodation(tenant) == "Tenant: Private landlord"
    assert accommodation(tenant, refuge) == "Refuge"
    assert accommodation(tenant, {**refuge, "valid_from": date(2026, 4, 1)}) == "Tenant: Private landlord"
    assert accommodation(tenant, {**refuge, "value": "Unknown"}) == "Tenant: Private landlord"
    assert accommodation({**tenant, "valid_to": date(2025, 3, 31)}) == "Unknown"
    assert accommodation({**tenant, "value": None}) == "Unknown"


def test_the_support_reason_of_the_person_stands_in_when_the_event_has_none() -> None:
    facts = [
        row("characteristic", "1", kind="primary_support_reason", value="Learning disability support",
            valid_from=date(2020, 1, 1), valid_to=date(2025, 5, 31)),
        row("characteristic", "2", kind="primary_support_reason", value="Support with memory and cognition",
            valid_from=date(2025, 6, 1)),
    ]  # fmt: skip
    without = {"primary_support_reason": None}
    early = only_row(row("review", end_date=date(2025, 5, 31), **without), *facts)
    late = only_row(row("review", **without), *facts)
    assert early["Primary Support Reason"] == "Learning disability support"
    assert late["Primary Support Reason"] == "Support with memory and cognition"
    assert only_row(row("review", **without))["Primary Support Reason"] == "Unknown"
    assert only_row(row("request", **without))["Primary Support Reason"] == ""
    unmapped = only_row(row("review", **without, primary_support_reason_raw="ZZ9"))
    assert unmapped["Primary Support Reason"] == ""


def test_employment_is_asked_only_of_working_age_adults_with_a_learning_disability() -> None:
    def employment(born: date, reason: str) -> str:
        person = row("person", person_id="cal", birth_date=born)
        return only_row(row("review", person_id="cal", primary_support_reason=reason), person)["Employment Status"]

    assert employment(date(1961, 4, 1), "Learning disability support") == "Unknown"
    assert employment(date(1961, 3, 31), "Learning disability support") == ""
    assert employment(date(1990, 1, 1), "Mental health support") == ""


def test_a_carers_row_names_at_most_three_adults_who_are_in_the_file() -> None:
    adults = [row("person", person_id=f"a{n}") for n in range(5)]
    events = [row("request", f"r{n}", person_id=f"a{n}") for n in range(4)]
    caring = [row("caring", f"c{n}", cared_for_person_id=f"a{n}", valid_from=date(2020, 1, 5 - n)) for n in range(5)]
    own = row("request", "own", person_id="bea", client_type="Unpaid carer")
    hours = row("characteristic", kind="hours_caring", person_id="bea", value="50 hours or more")
    file = built(BEA, *adults, *events, *caring, own, hours).file.frame
    (carer,) = file[file["LA Person Unique Identifier"] == "bea"].to_dict("records")
    assert [carer[f"Adult {place} Linked Person_ID"] for place in (1, 2, 3)] == ["a3", "a2", "a1"]
    assert carer["No. of adults being cared for"] == "5"
    assert carer["Total Hrs Caring per week"] == "50 hours or more"


def test_a_known_carer_answers_whether_there_is_one() -> None:
    file = built(BEA, row("request"), row("caring")).file.frame
    assert file.loc[file["Event Type"] == "Request", "Has Unpaid Carer"].tolist() == ["Yes"]
    said_no = row("characteristic", kind="has_unpaid_carer", value="No")
    file = built(BEA, row("request"), row("caring"), said_no).file.frame
    assert file.loc[file["Event Type"] == "Request", "Has Unpaid Carer"].tolist() == ["No"]


def test_free_text_fits_on_one_line_of_a_flat_file() -> None:
    line = only_row(row("request", description=" rang\r\nback,\tno\u00a0reply\x0b" + "x" * 300))
    assert line["Event Description"].startswith("rang back, no reply xxx")
    assert len(line["Event Description"]) == 255
    assert only_row(row("request", description="null"))["Event Description"] == ""


def test_a_value_without_a_counterpart_is_counted_and_left_blank() -> None:
    result = built(
        row("request", route_of_access=None, route_of_access_raw="ZZ9"),
        row("service", unit_cost=None, unit_cost_raw="£12"),
    )
    assert result.unmapped == {"Request: Route of Access": 1, "Unit Cost": 1}
    assert "£12" not in result.file.frame.to_string()


def test_dates_can_be_written_in_iso_form_and_columns_left_blank() -> None:
    from dataclasses import replace

    specification = replace(load_specification(), date_format="%Y-%m-%d", leave_blank=frozenset({"First Name"}))
    care = records(row("request"))
    facts = FileFacts("990", FACTS.period_start, FACTS.period_end, FACTS.extract_date, "%Y-%m-%d", True)
    file = build(select(care, FACTS_PERIOD, specification), care, FACTS_PERIOD, specification, facts).file.frame
    assert file["Event End Date"].tolist() == ["2025-06-09"]
    assert file["First Name"].tolist() == [""]


def test_the_same_records_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [BEA, row("request", "2"), row("request", "1"), row("service", "9"), row("caring"), row("review", "3")]
    written = []
    for number, order in enumerate((rows, rows[::-1])):
        frame = built(*order).file.frame
        path = tmp_path / f"{number}.csv"
        write_statutory_csv(path, list(frame.columns), [frame[h].tolist() for h in frame.columns])
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert written[0].startswith(b"LA Code,Reporting Period Start Date,")
    assert b"\r\n" in written[0]
    assert b"NaN" not in written[0] and b"None" not in written[0] and b"NaT" not in written[0]


def test_ctl24_only_files_for_people_are_made_safe_for_spreadsheets(tmp_path: Path) -> None:
    write_readable_csv(tmp_path / "people.csv", ["a", "b"], [["=1+1", -5], ["@x", 3]])
    assert (tmp_path / "people.csv").read_bytes() == b"a,b\r\n'=1+1,-5\r\n'@x,3\r\n"
    write_statutory_csv(tmp_path / "machine.csv", ["a"], [["=1+1"]])
    assert (tmp_path / "machine.csv").read_bytes() == b"a\r\n=1+1\r\n"
