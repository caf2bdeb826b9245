"""The report counts everything and shows nothing of a person; a partial file is never called a submission."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from domain.profile import Profile, SourceSettings
from statutory.base import ReturnStatus
from statutory.client_level_data.collection import file_stem, judge
from statutory.client_level_data.completeness import SourceState, incomplete_period, incomplete_sources, live_sources
from statutory.client_level_data.records import Period
from statutory.client_level_data.report import MASKED, grouped_lines, readable_page
from statutory.client_level_data.return_file import ReturnFile, file_from_rows
from statutory.client_level_data.rules.base import EXAMPLE_FACTS
from statutory.client_level_data.specification import load_specification
from statutory.client_level_data.validate import Validation, validate
from tests.support.care_tables import NUMBERS, PERIOD, built, row

SPECIFICATION = load_specification()
BEA = row("person", person_id="bea", nhs_number=NUMBERS[1], forename="Beatrix", surname="Quillfeather",
          birth_date=date(1961, 2, 3), postcode="ZE1 0AA")  # fmt: skip


def year_of_events(without_months: tuple[int, ...] = ()) -> ReturnFile:
    """Ten events of each type in every month of the period but those left out."""
    rows = [
        {
            "Client Type": "Service user",
            "Event Type": kind,
            "Event Reference": f"a:{kind}{month}-{day}",
            "Event Start Date": "01/04/2025",
            "Event End Date": f"{day:02}/{month:02}/{2025 if month > 3 else 2026}",
        }
        for month in range(1, 13)
        for kind in ("Request", "Assessment", "Review", "Service")
        for day in range(10, 20)
        if month not in without_months
    ]
    return file_from_rows(rows, SPECIFICATION.headings, EXAMPLE_FACTS)


def test_the_grouped_report_counts_every_row_once_for_each_field() -> None:
    file = built(BEA, row("request"), row("service"), row("review"), row("caring")).file
    counts: dict[str, int] = {}
    for module, field, _, _, _, _, rows in grouped_lines(validate(file, SPECIFICATION)):
        if module != "Row and file checks":
            counts[str(field)] = counts.get(str(field), 0) + int(rows)
    assert counts == dict.fromkeys(SPECIFICATION.headings, len(file))


def test_no_value_of_a_person_reaches_the_report_the_page_or_the_failures() -> None:
    odd = "Quillfeather lives at 4 High Street"
    file = built(BEA, row("request", person_id="bea", description=odd, route_of_access=odd), row("request", "2")).file
    validation = validate(file, SPECIFICATION)
    everything = "\n".join(str(line) for line in grouped_lines(validation))
    everything += readable_page("page", validation, {}, {}) + validation.failures.to_csv()
    for secret in ("Quillfeather", "Beatrix", NUMBERS[1], "03/02/1961", "ZE1 0AA", "High Street", "bea"):
        assert secret not in everything
    assert MASKED in everything
    lines = {(line[1], line[3], line[5]) for line in grouped_lines(validation)}
    assert ("Request: Route of Access", -2, MASKED) in lines
    assert ("Request: Route of Access", 1, "Prison") in lines


def test_failures_name_the_event_and_the_field_for_those_who_mend_it() -> None:
    file = built(row("request", "request:7", route_of_access=None, route_of_access_raw="ZZ9")).file
    failures = validate(file, SPECIFICATION).failures
    assert failures[failures["level"] == "error"].to_dict("records") == [
        {"check": "Request: Route of Access", "code": "-1", "level": "error", "reference": "liquidlogic:request:7"}
    ]


def checked(file: ReturnFile) -> Validation:
    return validate(file, SPECIFICATION)


def test_a_whole_year_of_events_is_a_submission() -> None:
    file = year_of_events()
    for heading, value in (
        ("LA Code", "990"),
        ("Reporting Period Start Date", "01/04/2025"),
        ("Reporting Period End Date", "31/03/2026"),
    ):
        file.frame[heading] = value
    validation = checked(file)
    assert incomplete_period(PERIOD, validation) == ()
    assert judge(validation, SPECIFICATION, ()) == (ReturnStatus.SUBMISSION, ())


@pytest.mark.parametrize("month", [4, 9, 3])
def test_a_file_with_a_month_missing_is_partial(month: int) -> None:
    validation = checked(year_of_events((month,)))
    (finding,) = incomplete_period(PERIOD, validation)
    assert finding.code == "PERIOD_NOT_COVERED"
    assert f"{2025 if month > 3 else 2026}-{month:02}" in finding.message
    assert judge(validation, SPECIFICATION, (finding,))[0] is ReturnStatus.PARTIAL


def test_a_file_for_less_than_twelve_months_is_partial() -> None:
    (finding,) = incomplete_period(Period(date(2025, 7, 1), date(2026, 3, 31)), checked(year_of_events()))
    assert finding.code == "PERIOD_NOT_TWELVE_MONTHS"
    assert finding.remedy


@pytest.mark.parametrize(
    ("known", "waiting", "codes"),
    [
        (datetime(2026, 3, 31, 1, tzinfo=UTC), False, []),
        (datetime(2026, 3, 30, 23, 30, tzinfo=UTC), False, []),  # half past midnight on the 31st in London
        (datetime(2026, 3, 30, 2, tzinfo=UTC), False, ["SOURCE_MISSING"]),
        (datetime(2026, 3, 30, 2, tzinfo=UTC), True, ["SOURCE_HELD"]),
        (None, False, ["SOURCE_MISSING"]),
        (None, True, ["SOURCE_HELD"]),
    ],
)
def test_a_source_must_be_known_to_the_last_day_of_the_period(
    known: datetime | None, waiting: bool, codes: list[str]
) -> None:
    states = {"carefirst": SourceState("carefirst", known, waiting)}
    findings = incomplete_sources(["carefirst"], states, PERIOD)
    assert [finding.code for finding in findings] == codes
    assert all(finding.remedy for finding in findings)


def test_a_source_nobody_has_heard_of_counts_as_missing() -> None:
    assert [f.code for f in incomplete_sources(["systmone"], {}, PERIOD)] == ["SOURCE_MISSING"]


def test_a_system_that_became_an_archive_and_a_list_without_events_are_not_waited_for(tmp_path: Path) -> None:
    def source(name: str, **options: str) -> SourceSettings:
        return SourceSettings(name, name, options)

    day_after = (PERIOD.end + timedelta(days=1)).isoformat()
    sources = (
        source("liquidlogic"),
        source("micare", archive_from=PERIOD.end.isoformat()),
        source("carefirst", archive_from=day_after),
        source("cross_reference", events="none"),
    )
    profile = Profile(
        tmp_path,
        "Test",
        "990",
        True,
        tmp_path,
        "postgresql:///x",
        (PERIOD.start, PERIOD.end),
        sources,
        tmp_path / "key",
    )
    assert live_sources(profile, PERIOD) == ["liquidlogic", "carefirst"]


def test_a_file_of_another_council_or_with_children_is_never_sent() -> None:
    file = year_of_events()
    status, findings = judge(checked(file), SPECIFICATION, ())
    assert status is ReturnStatus.FAILED_VALIDATION  # the three identifying columns are blank here
    assert "LA Code" in findings[0].message


def test_the_name_of_a_file_says_what_it_may_be_used_for() -> None:
    assert file_stem("990", PERIOD, ReturnStatus.SUBMISSION) == "990_CLD_2025-04-01_2026-03-31"
    assert file_stem("990", PERIOD, ReturnStatus.PARTIAL) == "990_CLD_2025-04-01_2026-03-31_PARTIAL"
    assert file_stem("990", PERIOD, ReturnStatus.FAILED_VALIDATION).endswith("_FAILED_VALIDATION")
