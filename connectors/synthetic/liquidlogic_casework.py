"""Casework in the simulated mart: involvements, safeguarding with its types of risk, deprivation of liberty.

And what stands behind the other facts: forms and their answers, care plans, case notes, workflow steps, legal statuses.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Final

from connectors.synthetic.liquidlogic_codes import STATUSES
from connectors.synthetic.liquidlogic_rows import SYSTEM, Mart, Row, midnight, moment
from connectors.synthetic.liquidlogic_slips import Work
from connectors.synthetic.liquidlogic_staff import Staff

RowOf = Callable[[Mart, Work], Row]

_ROLES: Final = {"allocated worker": "ALLOC", "duty": "DUTY", "reviewing": "REVW", "other": "OTH"}
_ENQUIRIES: Final = {"section 42": "S42", "other": "OTHENQ"}
_RISK_OUTCOMES: Final = {"remains": "REMAINS", "reduced": "REDUCED", "removed": "REMOVED"}
_ASKED: Final = {
    "asked, outcomes told": "ASKEDOUT", "asked, no outcomes told": "ASKEDNO", "not asked": "NOTASKED",
    "not known": "UNK",
}  # fmt: skip
_DECISIONS: Final = {"granted": "GRANT", "not granted": "NOTGRANT"}
_PLACES: Final = {"care home": "CARE", "hospital": "HOSP"}
_RISKS: Final = ("PHYS", "NEGL", "FIN", "PSYCH", "ORG")
_QUESTIONS: Final = (
    ("What outcomes does the person want?", "To stay in own home with support from family."),
    ("Date of last review", "31/02/2025"),
    ("Any other comments", "Daughter rang about the key safe; \"usual\" arrangements."),
)  # fmt: skip
_ANSWER_IDS: Final = 4
_NOTE_IDS: Final = 50_000_000
_SECTIONED: Final = 0.08  # of people with mental health support


def casework_rows(staff: Staff) -> dict[str, tuple[str, RowOf]]:
    """For each kind of casework its table and what makes a row of it."""
    return {
        "involvement": ("FACT_INVOLVEMENTS", lambda mart, work: _involvement(mart, work, staff)),
        "safeguarding": ("FACT_SAFEGUARDING", _safeguarding),
        "dols": ("FACT_DOLS", _dols),
    }


def add_what_stands_behind(mart: Mart) -> None:
    """Write the rows that hang on rows already there, for the same nights as these."""
    _forms(mart)
    _care_plans(mart)
    _notes(mart)
    _risks(mart)
    _legal_statuses(mart)


def _typed(mart: Mart, work: Work, codes: dict[str, str], value: str) -> str | None:
    """The code for a word, now and then in another case (sources hand-book 3.6); the word itself without a code."""
    if not value:
        return mart.blank(f"{value}:{work.key}")
    code = codes.get(value, value)
    return code.lower() if mart.draw(f"case:{value}", work.key) < 0.03 else code


def _involvement(mart: Mart, work: Work, staff: Staff) -> Row:
    facts = work.event.facts
    team = facts.get("team", "")
    department = staff.department(team)
    return {
        "FACT_INVOLVEMENTS_ID": work.number,
        "DIM_WORKER_ID": staff.worker(facts.get("worker", ""), work.key),
        "DIM_DEPARTMENT_ID": department,
        "DIM_DEPARTMENT_NAME": staff.department_name(team, work.night),  # never corrected: stale after a rename
        "DIM_GROUP_NAME": "Adults",
        "DIM_LOOKUP_INVOLVEMENT_TYPE_CODE": _typed(mart, work, _ROLES, facts.get("role", "")),
        "IS_ALLOCATED_CW_FLAG": mart.flag(facts.get("role") == "allocated worker", f"allocated:{work.key}"),
        "DIM_LOOKUP_CWREASON_CODE": mart.blank(f"reason:{work.key}"),
        "FACT_WORKER_HISTORY_DEPARTMENT_ID": department,
        "FACT_WORKER_HISTORY_DEPARTMENT_DESC": staff.department_name(team, 0),
        "START_DTTM": work.event.start_at,
        "END_DTTM": work.ended,
    }


def _safeguarding(mart: Mart, work: Work) -> Row:
    facts = work.event.facts
    return {
        "FACT_SAFEGUARDING_ID": work.number,
        "CONCERN_DTTM": moment(facts.get("concern_date", "")) or work.event.start_at,
        "ENQUIRY_START_DTTM": moment(facts.get("enquiry_start_date", "")),
        "ENQUIRY_TYPE_CODE": _typed(mart, work, _ENQUIRIES, facts.get("enquiry_type", "")),
        "CONCLUDED_DTTM": work.ended,
        "RISK_OUTCOME_CODE": _typed(mart, work, _RISK_OUTCOMES, facts.get("risk_outcome", "")),
        "MSP_ASKED_CODE": _typed(mart, work, _ASKED, facts.get("msp_asked", "")),
        "RISK_LOCATION_CODE": mart.pick("location", work.key, ("HOME", "CAREH", "HOSPI", "OTHER")),
        "RISK_SOURCE_CODE": mart.pick("source", work.key, ("KNOWN", "STAFF", "UNKNOWN")),
        "MENTAL_CAPACITY_CODE": mart.pick("capacity", work.key, ("Y", "N", "NOTREC")),
        "DIM_LOOKUP_STEP_SUBSTATUS_CODE": STATUSES[work.event.status],
    }


def _dols(mart: Mart, work: Work) -> Row:
    facts = work.event.facts
    decision = facts.get("decision", "")
    decided = moment(facts.get("decided_date", "")) or (work.event.end_at if decision else None)
    in_force = decision == "granted"
    return {
        "FACT_DOLS_ID": work.number,
        "APPLICATION_RECEIVED_DTTM": moment(facts.get("received_date", "")) or work.event.start_at,
        "SIGNED_OFF_DTTM": decided or mart.no_date(f"signed:{work.key}"),
        "DECISION_CODE": _typed(mart, work, _DECISIONS, decision),
        "START_DTTM": (moment(facts.get("authorised_from", "")) or decided) if in_force else None,
        "END_DTTM": moment(facts.get("authorised_to", "")) if in_force else mart.no_date(f"end:{work.key}"),
        "PLACE_TYPE_CODE": _typed(mart, work, _PLACES, facts.get("place", "")),
    }


def _forms(mart: Mart) -> None:
    """A form behind every assessment, with answers in free text, and the step of the workflow it belongs to."""
    assessments = mart.tables["FACT_ADULT_ASSESSMENT"]
    for row, first, end in zip(list(assessments.rows), assessments.first, assessments.end, strict=True):
        form, changed = row["FACT_FORM_ID"], row["MODIF_DTTM"]
        shared = {"DIM_PERSON_ID": row["DIM_PERSON_ID"], "MODIF_DTTM": changed}
        mart.tables["FACT_FORMS"].add(
            {**shared, "FACT_FORM_ID": form, "DIM_LOOKUP_FORM_TYPE_ID_CODE": "ASSMT",
             "CREATED_DTTM": row["CREATED_DTTM"]},
            first, end,
        )  # fmt: skip
        mart.tables["FACT_CASE_PATHWAY_STEP"].add(
            {**shared, "FACT_CASE_PATHWAY_STEP_ID": form, "FACT_REFERRAL_ID": row["FACT_REFERRAL_ID"],
             "STEP_TYPE_CODE": "ASSMT", "PREVIOUS_STEP_ID": -1, "START_DTTM": row["START_DTTM"],
             "END_DTTM": row["END_DTTM"], "DIM_LOOKUP_STEP_SUBSTATUS_CODE": row["DIM_LOOKUP_STEP_SUBSTATUS_CODE"]},
            first, end,
        )  # fmt: skip
        for place, (question, answer) in enumerate(_QUESTIONS):
            told = {
                "FACT_FORM_ANSWER_ID": form * _ANSWER_IDS + place, "FACT_FORM_ID": form, "ANSWER_NO": place + 1,
                "ANSWER": answer, "ANSWERED_DTTM": row["START_DTTM"], "MODIF_DTTM": changed,
                "DIM_ASSESSMENT_TEMPLATE_ID_DESC": "Care needs assessment",
                "DIM_ASSESSMENT_TEMPLATE_QUESTION_ID_DESC": question,
            }  # fmt: skip
            mart.tables["FACT_FORM_ANSWERS"].add(told, first, end)


def _care_plans(mart: Mart) -> None:
    """The plan every service and review points to, and one summary for each person; plans outlive deleted services."""
    seen: set[int] = set()
    last = mart.last_night + 1
    for table in ("FACT_SERVICE_PROVISION", "FACT_ADULT_REVIEW"):
        found = mart.tables[table]
        for row, first in zip(list(found.rows), found.first, strict=True):
            plan, person = row["FACT_CARE_PLAN_ID"], row["DIM_PERSON_ID"]
            if plan == -1 or person == -1 or plan in seen:
                continue
            shared = {
                "DIM_PERSON_ID": person, "FACT_CARE_PLAN_SUMMARY_ID": person,
                "FACT_REFERRAL_ID": row["FACT_REFERRAL_ID"], "DIM_LOOKUP_PLAN_STATUS_ID_CODE": "ACT",
                "START_DTTM": row["START_DTTM"], "MODIF_DTTM": row["MODIF_DTTM"],
            }  # fmt: skip
            mart.tables["FACT_CARE_PLANS"].add(
                {**shared, "FACT_CARE_PLAN_ID": plan, "DIM_LOOKUP_PLAN_TYPE_ID_CODE": "CSP", "DIM_PLAN_COORD_ID": -1,
                 "DIM_PLAN_COORD_ID_DESC": mart.blank(f"coordinator:{plan}")}, first, last,
            )  # fmt: skip
            if person not in seen:
                mart.tables["FACT_CARE_PLAN_SUMMARY"].add(shared, first, last)
            seen |= {plan, person}


def _notes(mart: Mart) -> None:
    contacts = mart.tables["FACT_CONTACTS"]
    for row, first, end in zip(list(contacts.rows), contacts.first, contacts.end, strict=True):
        note = {
            "FACT_CASENOTE_ID": row["FACT_CONTACT_ID"] + _NOTE_IDS, "DIM_PERSON_ID": row["DIM_PERSON_ID"],
            "EVENT_DTTM": row["CONTACT_DTTM"], "DIM_LOOKUP_CASNT_TYPE_ID_CODE": "TEL",
            "NOTE_TEXT": "Rang the person; text of a case note that must stay in the mart.",
            "MODIF_DTTM": row["MODIF_DTTM"],
        }  # fmt: skip
        mart.tables["FACT_CASENOTES"].add(note, first, end)


def _risks(mart: Mart) -> None:
    concerns = mart.tables["FACT_SAFEGUARDING"]
    for row, first, end in zip(list(concerns.rows), concerns.first, concerns.end, strict=True):
        number = row["FACT_SAFEGUARDING_ID"]
        for place in range(1 + (mart.draw("risks", number) < 0.3)):
            risk = {
                "FACT_SAFEGUARDING_RISK_ID": number * 2 + place - 2_000_000_000, "FACT_SAFEGUARDING_ID": number,
                "RISK_TYPE_CODE": _RISKS[(number + place) % len(_RISKS)], "MODIF_DTTM": row["MODIF_DTTM"],
            }  # fmt: skip
            mart.tables["FACT_SAFEGUARDING_RISK"].add(risk, first, end)


def _legal_statuses(mart: Mart) -> None:
    unwell = {p.person_id for p in mart.world.people if p.primary_support_reason == "Mental health support"}
    for record in mart.world.appearances:
        if (
            record.system != SYSTEM
            or record.person_id not in unwell
            or mart.draw("sectioned", record.key) >= _SECTIONED
        ):
            continue
        since = datetime.combine(mart.world.first_night, time()).replace(day=1)
        status = {
            "FACT_LEGAL_STATUS_ID": int(record.key), "DIM_PERSON_ID": int(record.key),
            "DIM_LOOKUP_LGL_STATUS_CODE": "S117", "START_DTTM": since, "END_DTTM": mart.no_date(f"legal:{record.key}"),
            "MODIF_DTTM": mart.touched_at(record.recorded_night, f"legal:{record.key}", midnight(since.date())),
        }  # fmt: skip
        end = mart.last_night + 1 if record.removed_night is None else record.removed_night
        if record.recorded_night < end:
            mart.tables["FACT_LEGAL_STATUS"].add(status, record.recorded_night, end)
