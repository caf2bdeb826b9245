"""The event side of the simulated mart: requests, referrals, assessments, reviews and services as `FACT_` rows.

Each true event becomes one row from the night it is recorded, written again from the night it changes and gone from the
night it is deleted: the mart has no tombstones. Services left open for years (D83) are part of the truth. Defect D86 is
made here; slips in single values are made in `liquidlogic_slips`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from connectors.synthetic.keys import event_key, supplier_event_id
from connectors.synthetic.liquidlogic_codes import CODES, OUTCOME_FLAGS, STATUSES, code_for
from connectors.synthetic.liquidlogic_referrals import NO_REFERRAL, Referrals
from connectors.synthetic.liquidlogic_rows import SYSTEM, Mart, Row, moment, nights_of_change
from connectors.synthetic.liquidlogic_slips import (
    Work,
    amount,
    care_plan,
    code_typed,
    end_typed,
    outcome_flags,
    plan_number,
    text_typed,
    units_typed,
    worker,
)
from connectors.synthetic.world import TrueEvent

RowOf = Callable[[Mart, Work], Row]

_TELLABLE: Final = 2  # days: what happened the day before is told in time
_LATENESS: Final = ((0.70, 0), (0.90, 3), (0.97, 14), (0.995, 90), (1.0, 200))  # share up to, days (D80)


def add_events(mart: Mart, referrals: Referrals, casework: Mapping[str, tuple[str, RowOf]]) -> None:
    """Write every Liquidlogic event of the world, as long as the record it hangs on is there."""
    kinds = {**_ROWS, **casework}
    gone = {a.key: a.removed_night for a in mart.world.appearances if a.removed_night is not None}
    for event in mart.world.events:
        if event.system == SYSTEM and event.kind in kinds and event.appearance_key:
            ends = [n for n in (event.deleted_night, gone.get(event.appearance_key)) if n is not None]
            _add_event(mart, referrals, event, min(ends, default=mart.last_night + 1), *kinds[event.kind])


def _add_event(mart: Mart, referrals: Referrals, event: TrueEvent, end: int, table: str, row_of: RowOf) -> None:
    key = event_key(event)
    created = _created(mart, table, event, key)
    _log_truth(mart, table, event, key)
    orphan_until = _orphan_until(mart, table, event, key)
    number = supplier_event_id(SYSTEM, event.kind, event.event_id)
    for start, stop in nights_of_change(event.recorded_night, end, [event.changed_night, orphan_until]):
        state = event.as_of(start)
        assert state is not None
        work = Work(state, key, number, start, created, end_typed(mart, table, state, key))
        row = row_of(mart, work)
        is_orphan = orphan_until is not None and start < orphan_until
        row["DIM_PERSON_ID"] = -1 if is_orphan else int(event.appearance_key)
        row["FACT_REFERRAL_ID"] = referrals.of(event, state.facts.get("primary_support_reason", ""))
        if row.get("FACT_CARE_PLAN_ID") == NO_REFERRAL:
            row["FACT_REFERRAL_ID"] = NO_REFERRAL
        row["EXTERNAL_ID"] = mart.blank(f"external:{key}")
        row["CREATED_DTTM"] = created
        row["MODIF_DTTM"] = max(created, mart.touched_at(start, key, state.end_at or created))
        mart.tables[table].add(row, start, stop)


def _created(mart: Mart, table: str, event: TrueEvent, key: str) -> datetime:
    if event.recorded_night > 0:
        created = mart.touched_at(event.recorded_night, f"created:{key}")
    else:
        drawn = mart.draw("lateness", key)
        most = next(days for share, days in _LATENESS if drawn < share or share >= 1)
        late = timedelta(days=1 + int(mart.draw("days late", key) * (most - 1))) if most else timedelta(minutes=20)
        created = min(event.start_at + late, mart.touched_at(0, key))
    if event.recorded_night > 0 and (created.date() - event.start_at.date()).days >= _TELLABLE:
        mart.log("D80", table, key, "CREATED_DTTM", event.recorded_night)
    return max(created, event.start_at)


def _log_truth(mart: Mart, table: str, event: TrueEvent, key: str) -> None:
    """Log changes and deletions: they are the truth, but an extract had already told the old story."""
    if event.deleted_night is not None and event.deleted_night > event.recorded_night:
        mart.log("D81", table, key, "", event.deleted_night)
    if event.changed_night is not None and event.status == "completed":
        mart.log("D82", table, key, "", event.changed_night)


def _orphan_until(mart: Mart, table: str, event: TrueEvent, key: str) -> int | None:
    """The night from which an event without its person gets it; the night after all nights for half of them (D86)."""
    if not mart.hit("D86a", key):
        return None
    mart.log("D86a", table, key, "DIM_PERSON_ID", event.recorded_night)
    return event.recorded_night + 1 if mart.draw("orphan", key) < 0.5 else mart.last_night + 1


def _request(mart: Mart, work: Work) -> Row:
    facts = work.event.facts
    outcome = facts.get("outcome", "")
    row: Row = {
        "FACT_CONTACT_ID": work.number,
        "CONTACT_DTTM": work.event.start_at,
        "COMPLETED_DTTM": work.ended,
        "DIM_LOOKUP_CLIENT_TYPE_CODE": code_for("client_type", work.event.client_type),
        "DIM_LOOKUP_CONT_SORC_ID": -1,
        "DIM_LOOKUP_CONT_SORC_ID_DESC": mart.blank(f"source:{work.key}"),
        "DIM_LOOKUP_ROUTE_OF_ACCESS_DESC": facts.get("route_of_access") or None,
        "DIM_LOOKUP_CONTACT_REASON_CODE": "GEN",
        "DIM_LOOKUP_CONTACT_REASON_DESC": text_typed(mart, "FACT_CONTACTS", work, "DIM_LOOKUP_CONTACT_REASON_DESC"),
        "DIM_LOOKUP_STEP_SUBSTATUS_CODE": STATUSES[work.event.status],
        "OUTCOME_NEW_REFERRAL_FLAG": "Y" if outcome.startswith("Progress") else "N",
        "OUTCOME_EXISTING_REFERRAL_FLAG": "N",
    }
    row["DIM_LOOKUP_ROUTE_OF_ACCESS_CODE"] = code_typed(
        mart, "FACT_CONTACTS", work, "route_of_access", "DIM_LOOKUP_ROUTE_OF_ACCESS_CODE"
    )
    return row | outcome_flags(mart, work, outcome)


def _assessment(mart: Mart, work: Work) -> Row:
    table, facts = "FACT_ADULT_ASSESSMENT", work.event.facts
    needs = {"Yes": mart.flag(True, f"needs:{work.key}"), "No": mart.flag(False, f"needs:{work.key}"), "Unknown": "U"}
    row: Row = {
        "FACT_ADULT_ASSESSMENT_ID": work.number,
        "FACT_FORM_ID": work.number + 90_000_000,
        "START_DTTM": work.event.start_at,
        "END_DTTM": work.ended,
        "COMPLETED_BY_USER_ID": worker(mart, table, work),
        "COMPLETED_BY_DEPT_ID": 700 + work.number % 9,
        "DIM_LOOKUP_CLIENT_TYPE_CODE": code_for("client_type", work.event.client_type),
        "DIM_LOOKUP_ASSESSMENT_TYPE_CODE": code_for("assessment_type", facts.get("assessment_type", "")),
        "DIM_LOOKUP_ASSESSMENT_TYPE_DESC": facts.get("assessment_type") or None,
        "DIM_ASSESSMENT_TEMPLATE_ID_DESC": text_typed(mart, table, work, "DIM_ASSESSMENT_TEMPLATE_ID_DESC"),
        "ELIGIBLE_NEEDS_FLAG": needs.get(facts.get("eligible_needs", "")),
        "DIM_LOOKUP_METHOD_CODE": code_typed(mart, table, work, "method", "DIM_LOOKUP_METHOD_CODE"),
        "DIM_LOOKUP_METHOD_DESC": facts.get("method") or None,
        "DIM_LOOKUP_STEP_SUBSTATUS_CODE": STATUSES[work.event.status],
    }
    return row | outcome_flags(mart, work, facts.get("outcome", ""))


def _review(mart: Mart, work: Work) -> Row:
    table, facts = "FACT_ADULT_REVIEW", work.event.facts
    reason = facts.get("review_reason", "")
    reason_column = "DIM_LOOKUP_REVIEW_REASON_CODE"
    return {
        "FACT_ADULT_REVIEW_ID": work.number,
        "FACT_CARE_PLAN_ID": plan_number(work),
        "DUE_DTTM": moment(facts.get("due_date", "")),
        "START_DTTM": work.event.start_at,
        "END_DTTM": work.ended,
        "DIM_LOOKUP_CLIENT_TYPE_CODE": code_for("client_type", work.event.client_type),
        "DIM_LOOKUP_PLANNED_CODE": "UNPLAN" if reason.startswith("Unplanned") else "PLAN",
        reason_column: code_typed(mart, table, work, "review_reason", reason_column),
        "DIM_LOOKUP_REVIEW_REASON_DESC": reason or None,
        "DIM_LOOKUP_OUTCOMES_ACHIEVED_CODE": code_for("outcomes_achieved", facts.get("outcomes_achieved", "")),
        "DIM_LOOKUP_METHOD_CODE": code_for("method", facts.get("method", "")),
        "DIM_LOOKUP_METHOD_DESC": facts.get("method") or None,
        "DIM_LOOKUP_OUTCOME_CODE": code_for("outcome", facts.get("outcome", "")),
        "DIM_LOOKUP_OUTCOME_DESC": facts.get("outcome") or None,
        "DIM_LOOKUP_STEP_SUBSTATUS_CODE": STATUSES[work.event.status],
        "DIM_ASSESSMENT_TEMPLATE_ID_DESC": text_typed(mart, table, work, "DIM_ASSESSMENT_TEMPLATE_ID_DESC"),
    }


def _service(mart: Mart, work: Work) -> Row:
    table, facts = "FACT_SERVICE_PROVISION", work.event.facts
    row: Row = {
        "FACT_SERVICE_PROVISION_ID": work.number,
        "FACT_CARE_PLAN_ID": care_plan(mart, table, work),
        "CLIENT_TYPE_CODE": code_for("client_type", work.event.client_type),
        "SERVICE_COMPONENT_CODE": code_typed(mart, table, work, "service_component", "SERVICE_COMPONENT_CODE"),
        "SERVICE_DESC": text_typed(mart, table, work, "SERVICE_DESC"),
        "PROVIDER_ID": mart.provider_ids.get(facts.get("provider_name", ""), -1),
        "PROVIDER_NAME": facts.get("provider_name") or mart.blank(f"provider:{work.key}"),
        "CQC_LOCATION_ID": facts.get("cqc_location_id")
        or mart.blank(f"location:{work.key}", (table, work.key, "CQC_LOCATION_ID"), work.night),
        "PLANNED_UNITS": units_typed(mart, table, work),
        "UNIT_TYPE_CODE": code_for("cost_frequency", facts.get("cost_frequency", "")),
        "UNIT_COST": amount(facts.get("unit_cost", "")),
        "CONTROCC_CPLI_ID": work.number + 5_000_000,
        "START_DTTM": work.event.start_at,
        "END_DTTM": work.ended,
        "END_REASON_CODE": code_for("outcome", facts.get("end_outcome", "")) if work.event.end_at else None,
        "SERVICE_STATUS_CODE": STATUSES[work.event.status],
    }
    for name, column in (("service_type", "SERVICE_TYPE"), ("delivery_mechanism", "DELIVERY_MECHANISM")):
        row[f"{column}_CODE"] = code_for(name, facts.get(name, ""))
        row[f"{column}_DESC"] = facts.get(name) or None
    row["SERVICE_COMPONENT_DESC"] = facts.get("service_component") or None
    return row


_ROWS: Final[dict[str, tuple[str, RowOf]]] = {
    "request": ("FACT_CONTACTS", _request),
    "assessment": ("FACT_ADULT_ASSESSMENT", _assessment),
    "review": ("FACT_ADULT_REVIEW", _review),
    "service": ("FACT_SERVICE_PROVISION", _service),
}

assert set(OUTCOME_FLAGS) == set(CODES["outcome"])
