"""What hangs on a visit or an appointment of the simulated SystmOne: its container, links, activity and outcomes.

A contact event is either the same contact told a second way (its container is linked to the visit) or a contact that is
neither visit nor appointment, such as a call.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from connectors.synthetic.keys import supplier_event_id
from connectors.synthetic.systmone_extract import event_row_id
from connectors.synthetic.systmone_lists import STAFF_COUNT, profile_id, staff_id
from connectors.synthetic.systmone_rows import Desk, recorded_at, referral_of
from connectors.synthetic.systmone_sheets import said, sheet
from connectors.synthetic.systmone_tables import moment
from connectors.synthetic.systmone_units import option_id, team_id
from connectors.synthetic.world import TrueEvent

_WITH_MORE: Final = 0.1
_SPREAD: Final = 2_654_435_761  # Knuth's multiplier: neighbours fall far apart
_SPREAD_OVER: Final = 1 << 32


def contact_rows(desk: Desk, event: TrueEvent, patient: str, visible_to: str) -> Iterator[tuple[str, list[str]]]:
    """Table and row of everything that hangs on one visit or appointment, as it is known now."""
    share = (event.event_id * _SPREAD + desk.extract.world.seed) % _SPREAD_OVER / _SPREAD_OVER
    if share >= _WITH_MORE:  # asked first: most contacts have nothing beside themselves
        return
    chance = desk.extract.chance(f"contact {event.event_id}")
    staff = chance.below(1, STAFF_COUNT)
    shared = said(
        *(visible_to, visible_to, patient, recorded_at(desk, event, chance), event.start_at),
        *(profile_id(staff), staff_id(staff)),
    )
    own_id = str(supplier_event_id("systmone", event.kind, event.event_id))
    of = "IDVisit" if event.kind == "visit" else "IDAppointment"
    shared["IDReferralIn"] = referral_of(event)
    if share < 0.03:
        shared["IDEvent"] = str(event_row_id("SREvent", event.event_id))
        method = option_id("Contact method", chance.below(2, 4))
        told = [
            ("SREvent", {"ContactMethod": method, "ClinicalEvent": "TRUE", "IDTeam": team_id(visible_to, staff % 12)}),
            ("SREventLink", {of: own_id}),
            ("SRActivityEvent", {"EventDetails": "Direct care", "EventDetailsDuration": "20"}),
        ]
        if share < 0.02:
            told.append(("SRReferralContactEvent", {"Length": "20", "Category": "Clinical"}))
    elif share < 0.045:
        rung = event.start_at - timedelta(days=1, minutes=20)
        told = [("SRReferralContactEvent", {"Length": "10", "ContactMethod": "Telephone", "DateEvent": moment(rung)})]
    elif share < 0.07:
        told = [("SRCarePlanPerformance", {of: own_id, "NameOfCarePlanUsed": "Wound care plan"})]
    else:
        told = [("SRAppointmentVisitOutcomes", {of: own_id, "OutcomeOfAttendance": "Another appointment given"})]
    for table, own in told:
        own = {"RowIdentifier": str(event_row_id(table, event.event_id)), **own}
        if table == "SRAppointmentVisitOutcomes":
            own["DateRecorded"] = shared["DateEventRecorded"]
        yield table, sheet(table).row(shared, own)
