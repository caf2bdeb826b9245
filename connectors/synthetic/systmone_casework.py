"""What a referral of the simulated SystmOne drags along: allocation, plans, assessments, needs, stays in a ward.

Each kind of row belongs to a share of referrals; all follow from the referral itself, so that they change, move with a
merge and go when it does. A plan's frequency without its plan is a defect of the catalogue (D86).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from connectors.synthetic.keys import supplier_event_id
from connectors.synthetic.systmone_extract import Chance, event_row_id
from connectors.synthetic.systmone_lists import STAFF_COUNT, profile_id, staff_id
from connectors.synthetic.systmone_rows import Desk, recorded_at
from connectors.synthetic.systmone_sheets import said, sheet
from connectors.synthetic.systmone_tables import moment
from connectors.synthetic.systmone_units import caseload_id, questionnaire_id, team_id
from connectors.synthetic.world import TrueEvent

Told = tuple[str, int, Mapping[str, str]]  # table, slot, what its own columns say

_PLANS: Final = ("Wound care plan", "Catheter care plan", "Falls plan", "Medication plan")
_WARDS: Final = ("Heron Ward", "Kestrel Ward", "zz Plover Ward")
_DELAYS: Final = (
    ("Awaiting care package", "Social care"),
    ("Awaiting assessment", "Both"),
    ("Patient or family choice", "NHS"),
)
_METHODS: Final = ("Planned", "Transfer from another hospital", "Emergency via GP")
_HOMES: Final = ("Usual place of residence", "Care home", "Acute hospital")


def referral_rows(desk: Desk, event: TrueEvent, patient: str, visible_to: str) -> Iterator[tuple[str, list[str]]]:
    """Table and row of everything that hangs on one referral, as it is known now."""
    extract = desk.extract
    chance, second = extract.chance(f"work {event.event_id}"), extract.chance(f"more {event.event_id}")
    staff = chance.below(6, STAFF_COUNT)
    shared = said(
        *(visible_to, visible_to, patient, recorded_at(desk, event, chance), event.start_at),
        *(profile_id(staff), staff_id(staff)),
    )
    shared["IDReferralIn"] = str(supplier_event_id("systmone", "referral", event.event_id))
    told = [*_allocation(event, chance, visible_to), *_plan(desk, event, chance), *_stay(desk, event, second)]
    told += [*_assessment(event, second), *_sent_on(event, second)]
    for table, slot, own in told:
        own = {"RowIdentifier": str(event_row_id(table, event.event_id, slot)), **own}
        yield table, sheet(table).row(shared, own)


def _allocation(event: TrueEvent, chance: Chance, visible_to: str) -> Iterator[Told]:
    ended = moment(event.end_at)
    begun = moment(event.start_at)
    team = chance.below(1, 12)
    if chance.share(0) < 0.25:
        yield "SRReferralInStatusDetails", 0, {"StatusOfReferralIn": "Accepted"}
        if event.end_at is not None:
            yield "SRReferralInStatusDetails", 1, {"StatusOfReferralIn": "Discharged", "DateEvent": ended}
    if chance.share(2) < 0.12:
        reason = event.facts.get("primary_reason", "")
        yield "SRReferralInReferralReason", 0, {"PrimaryReferralReason": "TRUE", "ReferralReason": reason}
    if chance.share(2) > 0.97:
        yield "SRReferralInIntervention", 0, {"Intervention": "Dressing"}
    if chance.share(3) < 0.2:
        dates = {"DateStart": begun, "DateEnd": ended}
        yield "SRReferralAllocation", 0, {"IDTeam": team_id(visible_to, team), **dates}
        if chance.share(4) < 0.5:
            allocation = str(event_row_id("SRReferralAllocation", event.event_id))
            worker = profile_id(chance.below(5, STAFF_COUNT))
            own = {"IDReferralAllocation": allocation, "IDProfileStaffMember": worker}
            yield "SRReferralAllocationStaff", 0, {**own, **dates}
    if chance.share(7) < 0.1:
        yield "SRCaseloadHistory", 0, {"IDCaseload": caseload_id(visible_to, team), "DateTo": ended}


def _plan(desk: Desk, event: TrueEvent, chance: Chance) -> Iterator[Told]:
    """A plan of care in the newer layout, now and then in the older one."""
    share = chance.share(5)
    name = _PLANS[chance.below(1, len(_PLANS))]
    ended = moment(event.end_at)
    aim = desk.extract.damaged("Zzfreetext aim of care", chance, "SRCarePlanDetail", event.event_id, "Aim")
    common = {"NameOfCarePlanUsed": name, "CarePlanCategory": "Nursing", "Aim": aim}
    if 0.10 <= share < 0.12:
        dates = {"DateStart": moment(event.start_at), "DateEnd": ended}
        yield "SRCarePlan", 0, {**common, **dates, "FrequencyOfCareOccurrence": "Weekly"}
    if share >= 0.10:
        return
    plan = str(event_row_id("SRCarePlanDetail", event.event_id))
    yield "SRCarePlanDetail", 0, {**common, "PlanType": "Care plan", "PatientAgreement": "Agreed"}
    of_plan = plan
    if chance.share(4) < desk.extract.rate("D86b"):
        of_plan = str(event_row_id("SRCarePlanDetail", event.event_id, 3))
        frequency = str(event_row_id("SRCarePlanFrequency", event.event_id))
        desk.extract.log.add("D86", "SRCarePlanFrequency", frequency, "IDCarePlanDetail", event.recorded_night)
    often = {"FrequencyOfCareOccurrence": str(1 + chance.below(2, 3)), "FrequencyTypeOfCareOccurrence": "per week"}
    dates = {"DateStart": moment(event.start_at), "DateEnd": ended, "EstimatedDuration": "30"}
    yield "SRCarePlanFrequency", 0, {"IDCarePlanDetail": of_plan, **often, **dates}
    if share < 0.05:
        added = {"DateAdded": moment(event.start_at), "Instruction": "Zzfreetext instruction"}
        yield "SRCarePlanItem", 0, {"IDCarePlan": plan, **added}
        due = event.start_at + timedelta(days=90)
        done = event.end_at if event.end_at is not None and event.end_at < due else None
        yield "SRCarePlanReview", 0, {"IDCarePlan": plan, "DateDue": moment(due), "DatePerformed": moment(done)}


def _stay(desk: Desk, event: TrueEvent, chance: Chance) -> Iterator[Told]:
    """A stay in the community hospital for a small share of referrals; open as long as the referral is."""
    if chance.share(0) >= 0.025:
        return
    admitted = event.start_at + timedelta(days=1)
    left = _left(desk, event, admitted + timedelta(days=3 + chance.below(1, 25)))
    ward = {"PlaceName": _WARDS[chance.below(2, 3)], "DateStayStart": moment(admitted), "DateEnd": moment(left)}
    stay = str(event_row_id("SRHospitalAdmissionAndDischarge", event.event_id))
    own = {
        "DateAdmissionCreated": moment(admitted),
        "AdmissionConfirmed": "TRUE",
        "DateAdmitted": moment(admitted),
        "DateDischarged": moment(left),
        "AdmissionMethod": _METHODS[chance.below(3, 3)],
        "SourceOfAdmission": _HOMES[chance.below(4, 3)],
        "DestinationAfterDischarge": _HOMES[chance.below(5, 3)] if left else "",
        "AdmissionNotes": "Zzfreetext admission",
    }
    yield "SRHospitalAdmissionAndDischarge", 0, own
    yield "SRWardStay", 0, {"IDHospitalAdmissionAndDischarge": stay, **ward}
    if chance.share(6) < 0.25:
        reason, body = _DELAYS[chance.below(7, 3)]
        ready = admitted + timedelta(days=2)
        dates = {"DateMedicallyReadyForDischarge": moment(ready), "DateDelayStart": moment(ready)}
        dates |= {"DateDelayEnd": moment(left), "DateAdmitted": moment(admitted), "DateDischarged": moment(left)}
        why = {"ReasonForDelay": reason, "Responsibility": body, "MedicallyReadyForDischarge": "TRUE"}
        yield "SRDischargeDelay", 0, {"IDHospitalAdmissionAndDischarge": stay, **why, **dates}
    elif chance.share(6) > 0.8:
        waits = {"WaitingListName": "Community beds", "DateAdded": moment(event.start_at)}
        yield "SRHospitalWaitingList", 0, {**waits, "DateRemoved": moment(admitted)}


def _left(desk: Desk, event: TrueEvent, planned: datetime) -> datetime | None:
    if event.end_at is not None:
        return max(min(planned, event.end_at), event.start_at + timedelta(days=1))
    return planned if planned.date() < desk.extract.world.first_night else None


def _assessment(event: TrueEvent, chance: Chance) -> Iterator[Told]:
    share, done = chance.share(1), moment(event.start_at + timedelta(hours=1))
    assessment = str(event_row_id("SRAssessment", event.event_id))
    if share < 0.06:
        own = {"AssessmentType": "Initial", "QuestionnaireName": "Community assessment"}
        yield "SRAssessment", 0, {**own, "DateAssessmentCompleted": done, "AssessmentScore": str(chance.below(2, 40))}
        yield "SRAssessmentOutcome", 0, {"IDAssessment": assessment, "AssessmentOutcome": "Needs identified"}
    if share < 0.02:
        dates = {"DateStart": done, "DateEnd": moment(event.end_at)}
        yield "SRNeeds", 0, {"NeedName": "Mobility", "NeedMet": "TRUE", **dates}
        yield "SRGoal", 0, {"GoalCategory": "Mobility", "GoalType": "Walk to the shop", "GoalOutcome": "Partly met"}
    if share < 0.01:
        service = {"ServiceName": "Reablement", "ServiceType": "Short term", "DateApproved": done}
        yield "SRService", 0, {"IDAssessment": assessment, "ActionName": "Arrange", **service}
        schedule = {"DateStart": done, "DateEnd": moment(event.end_at), "Hours": "7", "Weeks": "6", "Cost": "110.50"}
        yield "SRServiceDeliverySchedule", 0, {"IDService": str(event_row_id("SRService", event.event_id)), **schedule}
        yield "SREquipment", 0, {"EquipmentName": "Commode", "IDAssessment": assessment, "DateStart": done}
    if 0.06 <= share < 0.11:
        yield "SRAnsweredQuestionnaire", 0, {"IDQuestionnaire": questionnaire_id(chance.below(3, 4))}


def _sent_on(event: TrueEvent, chance: Chance) -> Iterator[Told]:
    share, start = chance.share(2), event.start_at
    if share < 0.02:
        yield "SRReferralOut", 0, {"Reason": "-1", "RecipientID": "B82001", "ReReferral": "FALSE"}
        sent = str(event_row_id("SRReferralOut", event.event_id))
        yield "SRReferralOutStatusDetails", 0, {"IDReferralOut": sent}
    if 0.02 <= share < 0.035:
        yield "SRProblem", 0, {"CTV3Code": "M2711", "DateEnd": moment(event.end_at)}
    if 0.04 <= share < 0.05:
        yield "SRRecall", 0, {"DateRecall": moment(start + timedelta(days=180)), "RecallType": "Ulcer check"}
    if 0.05 <= share < 0.07:
        yield "SRLetter", 0, {"DateFinalised": moment(start), "RecipientSurname": "Zzfreetext", "Direction": "Out"}
    if 0.07 <= share < 0.09:
        own = {"DateContact": moment(start), "ContactReason": "Request for support", "DateClosed": moment(event.end_at)}
        yield "SRContacts", 0, {**own, "ClientAwareOfContact": "TRUE"}
