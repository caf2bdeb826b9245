"""What belongs in the file, and why each other candidate does not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from statutory.client_level_data.records import EVENT_TABLES, Period
from tests.support.care_tables import NUMBERS, PERIOD, built, reason, row, selection

CHILD = row("person", person_id="cal", nhs_number=NUMBERS[2], birth_date=date(2008, 4, 1))
GROWN_UP_THAT_DAY = row("person", person_id="cal", nhs_number=NUMBERS[2], birth_date=date(2008, 3, 31))
BEA = row("person", person_id="bea", nhs_number=NUMBERS[1], forename="Bea", birth_date=date(1961, 2, 3), sex="1")


@pytest.mark.parametrize("kind", ["request", "assessment", "review"])
@pytest.mark.parametrize(
    ("columns", "fate"),
    [
        ({}, "selected"),
        ({"end_date": date(2025, 4, 1)}, "selected"),
        ({"end_date": date(2026, 3, 31)}, "selected"),
        ({"start_date": date(2023, 1, 1)}, "selected"),
        ({"end_date": date(2025, 3, 31)}, "ended_before_the_period"),
        ({"end_date": date(2026, 4, 1)}, "ended_after_the_period"),
        ({"end_date": None}, "completed_without_an_end_date"),
        ({"status": "open", "end_date": None}, "still_open"),
        ({"status": "cancelled"}, "cancelled"),
        ({"person_id": "nobody"}, "person_not_known"),
    ],
)
def test_an_event_is_sent_when_it_was_completed_in_the_period(kind: str, columns: dict[str, Any], fate: str) -> None:
    assert reason(row(kind, **columns)) == fate


@pytest.mark.parametrize(
    ("columns", "fate"),
    [
        ({"start_date": date(2019, 1, 1)}, "selected"),
        ({"start_date": date(2026, 3, 31)}, "selected"),
        ({"start_date": date(2019, 1, 1), "end_date": date(2025, 4, 1), "status": "completed"}, "selected"),
        ({"end_date": date(2027, 1, 1)}, "selected"),
        ({"start_date": date(2026, 4, 1)}, "starts_after_the_period"),
        ({"start_date": date(2019, 1, 1), "end_date": date(2025, 3, 31)}, "ended_before_the_period"),
        ({"status": "cancelled"}, "cancelled"),
    ],
)
def test_a_service_is_sent_when_active_on_any_day_of_the_period(columns: dict[str, Any], fate: str) -> None:
    assert reason(row("service", **columns)) == fate


def test_children_are_left_out_by_their_age_on_the_last_day() -> None:
    assert reason(CHILD, row("request", person_id="cal")) == "under_18_at_period_end"
    assert reason(GROWN_UP_THAT_DAY, row("request", person_id="cal")) == "selected"


def test_who_died_in_the_period_is_judged_by_the_age_at_death() -> None:
    died_at_17 = row("person", person_id="cal", birth_date=date(2008, 3, 1), death_date=date(2026, 2, 28))
    died_at_18 = row("person", person_id="cal", birth_date=date(2008, 3, 1), death_date=date(2026, 3, 1))
    assert reason(died_at_17, row("request", person_id="cal")) == "under_18_at_period_end"
    assert reason(died_at_18, row("request", person_id="cal")) == "selected"


@pytest.mark.parametrize("text", ["DoLS form 3", "Safeguarding enquiry (s42)", "mental capacity assessment, finances"])
def test_assessments_of_other_acts_are_left_out(text: str) -> None:
    assert reason(row("assessment", description=text)) == "assessment_of_another_act"
    assert reason(row("request", description=text)) == "selected"


def test_a_carer_without_events_gets_one_blank_row_linked_to_the_adult() -> None:
    file = built(BEA, row("request"), row("caring"), row("caring", "2", source="carefirst")).file.frame
    carer = file[file["Client Type"] == "Unpaid carer known by association"].to_dict("records")
    assert len(carer) == 1
    assert carer[0]["LA Person Unique Identifier"] == "bea"
    assert carer[0]["Adult 1 Linked Person_ID"] == "ada"
    assert carer[0]["No. of adults being cared for"] == "1"
    blank = ("Event Type", "Event Reference", "Event Start Date", "Event End Date", "Event Outcome", "Service Type")
    assert all(carer[0][heading] == "" for heading in blank)


@pytest.mark.parametrize(
    ("rows", "fate"),
    [
        ([row("request"), row("caring")], "selected"),
        ([row("caring")], "cared_for_adult_not_in_the_file"),
        ([row("request", client_type="Unpaid carer"), row("caring")], "cared_for_adult_not_in_the_file"),
        ([row("request"), row("caring", valid_to=date(2025, 3, 31))], "no_longer_caring_in_the_period"),
        ([row("request"), row("caring", valid_from=date(2026, 4, 1))], "no_longer_caring_in_the_period"),
        (
            [row("request"), row("caring"), row("request", "2", person_id="bea", client_type="Unpaid carer")],
            "has_events_of_their_own",
        ),
    ],
)
def test_a_carer_is_known_by_association_only_in_these_cases(rows: list[Any], fate: str) -> None:
    lines = selection(BEA, *rows).lines
    assert lines.loc[lines["reference"] == "carer:bea", "reason"].tolist() == [fate]


def test_nobody_is_their_own_carer() -> None:
    lines = selection(row("request"), row("caring", person_id="ada")).lines
    assert lines["event_type"].tolist() == ["Request"]


def test_every_candidate_is_accounted_for_and_the_file_holds_the_selected_ones() -> None:
    rows = [
        row(kind, f"{kind}-{number}", status=status, end_date=end)
        for kind in EVENT_TABLES.values()
        for number, (status, end) in enumerate(
            [("open", None), ("completed", date(2025, 6, 9)), ("cancelled", None), ("completed", date(2020, 1, 1))]
        )
    ]
    chosen = selection(*rows)
    assert len(chosen.lines) == len(rows)
    references = chosen.lines.loc[chosen.lines["reason"] == "selected", "reference"].tolist()
    assert sorted(references) == sorted(built(*rows).file.frame["Event Reference"])


@pytest.mark.parametrize(
    ("start", "end", "is_whole"),
    [
        (date(2025, 4, 1), date(2026, 3, 31), True),
        (date(2025, 7, 1), date(2026, 6, 30), True),
        (date(2025, 5, 1), date(2026, 3, 31), False),
        (date(2025, 4, 1), date(2026, 3, 30), False),
    ],
)
def test_a_period_is_twelve_whole_months_or_it_is_not(start: date, end: date, is_whole: bool) -> None:
    assert Period(start, end).is_twelve_months is is_whole
    assert PERIOD.is_twelve_months
