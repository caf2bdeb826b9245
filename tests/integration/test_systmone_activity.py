"""Stays, plans, questionnaires, involvement and safeguarding in our own words, against rows written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.synthetic.systmone_sheets import sheet
from connectors.synthetic.systmone_tables import line
from domain.profile import Profile
from tests.support.systmone_world import Desk, record, rows, settle, world

SHARED = {"IDOrganisationVisibleTo": "NLF11", "IDOrganisation": "NLF11", "IDOrganisationDoneAt": "NLF11"}
SHARED |= {"IDPatient": "35161000001", "DateEventRecorded": "03 Mar 2026 10:00:00", "DateEvent": "02 Mar 2026 00:00:00"}
TOLD: dict[str, list[dict[str, str]]] = {
    "SRHospitalAdmissionAndDischarge": [
        {"RowIdentifier": "1", "DateAdmitted": "01 Feb 2026 12:00:00", "DateDischarged": "20 Feb 2026 09:00:00",
         "AdmissionMethod": "zz Planned", "IDReferralIn": "0"},
        {"RowIdentifier": "2", "DateAdmitted": "01 Mar 2026 12:00:00", "IDReferralIn": "52310000001"},
        {"RowIdentifier": "3", "DateAdmitted": "02 Mar 2026 12:00:00", "DateDeleted": "03 Mar 2026 12:00:00"},
        {"RowIdentifier": "4", "DateCancelled": "03 Mar 2026 12:00:00"},
        {"RowIdentifier": "5"},
    ],
    "SRWardStay": [
        {"RowIdentifier": "1", "IDHospitalAdmissionAndDischarge": "1", "PlaceName": "Heron Ward",
         "DateStayStart": "01 Feb 2026 12:00:00"},
        {"RowIdentifier": "2", "IDHospitalAdmissionAndDischarge": "1", "PlaceName": "zz - Plover Ward",
         "DateStayStart": "09 Feb 2026 12:00:00"},
    ],
    "SRDischargeDelay": [
        {"RowIdentifier": "1", "IDHospitalAdmissionAndDischarge": "1", "ReasonForDelay": "Awaiting care package",
         "Responsibility": "Social care", "DateMedicallyReadyForDischarge": "10 Feb 2026 00:00:00",
         "DateDelayStart": "11 Feb 2026 00:00:00", "DateDelayEnd": "20 Feb 2026 00:00:00"},
    ],
    "SRCarePlanDetail": [{"RowIdentifier": n, "NameOfCarePlanUsed": "Falls plan", "Aim": "secret"} for n in "12"],
    "SRCarePlanFrequency": [
        {"RowIdentifier": "1", "IDCarePlanDetail": "1", "DateStart": "02 Mar 2026 00:00:00",
         "DateEnd": "09 Mar 2026 00:00:00", "FrequencyOfCareOccurrence": "2",
         "FrequencyTypeOfCareOccurrence": "per week"},
        {"RowIdentifier": "2", "IDCarePlanDetail": "1", "DateStart": "10 Mar 2026 00:00:00",
         "DateEnd": "20 Mar 2026 00:00:00"},
    ],
    "SRCarePlanReview": [
        {"RowIdentifier": "1", "IDCarePlan": "1", "DateDue": "08 Mar 2026 00:00:00",
         "DatePerformed": "09 Mar 2026 00:00:00"},
        {"RowIdentifier": "2", "IDCarePlan": "1", "DateDue": "08 Jun 2026 00:00:00"},
    ],
    "SRCarePlan": [{"RowIdentifier": "1", "DateStart": "01 Jan 2020 00:00:00", "DateEnd": "01 Feb 2020 00:00:00"}],
    "SRAnsweredQuestionnaire": [{"RowIdentifier": "1", "IDQuestionnaire": "90500002"}],
    "SRReferralAllocation": [
        {"RowIdentifier": "1", "IDTeam": "88100003", "DateStart": "02 Mar 2026 00:00:00"},
        {"RowIdentifier": "2", "IDTeam": "88100003", "DateDeleted": "03 Mar 2026 00:00:00"},
    ],
    "SRReferralAllocationStaff": [
        {"RowIdentifier": "1", "IDReferralAllocation": "1", "IDProfileStaffMember": "44120011",
         "DateStart": "02 Mar 2026 00:00:00", "DateEnd": "05 Mar 2026 00:00:00"},
    ],
    "SRSafeguardingCases": [
        {"RowIdentifier": "1", "DateOpened": "04 Mar 2026 00:00:00", "DateClosed": "20 Mar 2026 00:00:00",
         "CaseStatus": "Closed", "Outcome": "Risk reduced"},
        {"RowIdentifier": "2", "DateOpened": "04 Mar 2026 00:00:00", "CaseStatus": "Opened in error"},
    ],
    "SRPersonAtRisk": [{"RowIdentifier": "1", "DateAdded": "05 Mar 2026 00:00:00"}],
    "SREventLink": [{"RowIdentifier": "1", "IDEvent": "70", "IDVisit": "741200000001"}],
    "SRReferralContactEvent": [
        {"RowIdentifier": "1", "IDEvent": "70", "Length": "20"},
        {"RowIdentifier": "2", "IDEvent": "71", "Length": "10", "DateEvent": "04 Mar 2026 11:20:00"},
    ],
}  # fmt: skip


@pytest.fixture
def trust(database: Profile, tmp_path: Path) -> Profile:
    desk = Desk(tmp_path)
    desk.write(world([record(1)], nights=0))
    desk.release(0)
    members = desk.members()
    for table, told in TOLD.items():
        written = "".join(line(sheet(table).row(SHARED, own)) for own in told)
        members[table] += written.encode("cp1252")
    desk.repack(members)
    settle(database)
    return database


def day(value: object) -> str:
    return "" if value is None else f"{value:%d %b}"


def test_what_a_unit_does_beside_visits_comes_out_in_our_own_words(trust: Profile) -> None:
    stays = rows(trust, "select * from payload.hospital_stay order by event_key")
    assert [(s["event_key"], s["status"], day(s["admission_date"]), day(s["discharge_date"])) for s in stays] == [
        ("hospital_stay:1", "completed", "01 Feb", "20 Feb"),
        ("hospital_stay:2", "open", "01 Mar", ""),
        ("hospital_stay:4", "cancelled", "", ""),
        ("hospital_stay:5", "planned", "", ""),
    ]
    first = stays[0]
    assert (first["admission_method"], first["ward"], first["referral_event_key"]) == ("Planned", "Plover Ward", None)
    assert (first["delay_reason"], first["delay_responsibility"]) == ("Awaiting care package", "Social care")
    assert [day(first[f]) for f in ("ready_for_discharge_date", "delay_start_date", "delay_end_date")] == [
        "10 Feb", "11 Feb", "20 Feb",
    ]  # fmt: skip
    assert stays[1]["referral_event_key"] == "referral:52310000001"

    plans = rows(trust, "select * from payload.care_plan order by event_key")
    assert [(p["event_key"], p["status"], day(p["start_date"]), day(p["end_date"])) for p in plans] == [
        ("care_plan:1", "completed", "02 Mar", "20 Mar"),
        ("care_plan:2", "open", "02 Mar", ""),
        ("care_plan_old:1", "completed", "01 Jan", "01 Feb"),
    ]
    assert (plans[0]["plan_name"], plans[0]["frequency"]) == ("Falls plan", "2 per week")
    assert (day(plans[0]["last_review_date"]), day(plans[0]["review_due_date"])) == ("09 Mar", "08 Jun")
    assert rows(trust, "select aim from landing.systmone__care_plan_detail where aim is not null") == []

    (answered,) = rows(trust, "select * from payload.questionnaire_answered")
    assert (answered["organisation_code"], answered["is_date_only"]) == ("NLF11", True)
    assert (answered["questionnaire_name"], answered["questionnaire_version"]) == ("Falls risk", "1")

    involved = rows(trust, "select * from payload.involvement order by event_key")
    assert [(i["event_key"], i["team_code"], i["worker_key"], i["role"], day(i["end_date"])) for i in involved] == [
        ("allocation:1", "88100003", None, "other", ""),
        ("allocation_staff:1", "88100003", "44120011", "allocated worker", "05 Mar"),
    ]

    cases = rows(trust, "select * from payload.safeguarding order by event_key")
    assert [(c["event_key"], c["case_status"], c["risk_outcome"], day(c["concern_date"])) for c in cases] == [
        ("at_risk:1", "open", None, "05 Mar"),
        ("safeguarding:1", "completed", "reduced", "02 Mar"),
        ("safeguarding:2", "cancelled", None, "02 Mar"),
    ]

    contacts = rows(
        trust, "select event_key, duration_minutes from payload.contact where contact_type = 'contact_event'"
    )
    assert contacts == [{"event_key": "contact_event:2", "duration_minutes": 10}], "the other one is a visit already"
