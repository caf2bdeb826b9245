"""Rows of the simulated SystmOne's event tables, with the supplier's habits and the defects that sit in one row.

Of the sources hand-book, 11.5: codes missing or retired (D84), unknown staff (D86), broken text (D88), visits in the
hour that the clock change takes or gives (D90).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from connectors.synthetic.keys import supplier_event_id
from connectors.synthetic.systmone_extract import Chance, Extract
from connectors.synthetic.systmone_lists import (
    APPOINTMENT_STATUS,
    DISCHARGE_REASON,
    FOLLOW_UP,
    REFERRAL_REASON,
    REFERRAL_SOURCE,
    REFERRAL_URGENCY,
    STAFF_COUNT,
    VISIT_STATUS,
    PickLists,
    profile_id,
    staff_id,
    staff_name,
)
from connectors.synthetic.systmone_people import Record
from connectors.synthetic.systmone_tables import COLUMNS, boolean, moment
from connectors.synthetic.world import EventKind, TrueEvent

TABLES: Final[dict[EventKind, str]] = {
    "referral": "SRReferralIn",
    "visit": "SRVisit",
    "appointment": "SRAppointment",
}
#: How people write "nobody" into an identifier column (D85).
_NOBODY: Final = ("-1",) * 37 + ("", "0", "'-1'")
_DATE_ONLY_VISITS: Final = 0.04
#: Columns of a referral that hold a list id: column, list, fact of the true event.
_REFERRAL_LISTS: Final = (
    ("PrimaryReason", REFERRAL_REASON, "primary_reason"),
    ("Source", REFERRAL_SOURCE, "referral_source"),
    ("Urgency", REFERRAL_URGENCY, "urgency"),
    ("DischargeReason", DISCHARGE_REASON, "discharge_reason"),
)
_REFERRAL_PLACE: Final = {name: place for place, name in enumerate(COLUMNS["SRReferralIn"])}


@dataclass(slots=True)
class Desk:
    """What a table's rows are made from."""

    extract: Extract
    lists: PickLists
    records: dict[str, Record]
    clock_changes: frozenset[date]
    shared: set[tuple[str, int]] = field(default_factory=set)  # rows that a second unit sees too

    def patient(self, key: str, night: int) -> str | None:
        """The `IDPatient` that a record's events carry on a night; the survivor's after a merge, None once removed."""
        record = self.records.get(key)
        while record is not None:
            removed = record.appearance.removed_night
            if removed is None or night < removed:
                return str(record.row_id)
            record = self.records.get(record.appearance.duplicate_of or "")
        return None

    def unit(self, event: TrueEvent) -> str:
        """The organisation whose view an event's rows belong to."""
        record = self.records.get(event.appearance_key)
        return record.visible_to if record is not None else self.extract.world.organisation_code

    def staff(self, chance: Chance, table: str, row_id: int) -> str:
        """Who did it; now and then somebody the staff list does not have (D86)."""
        number = chance.below(1, STAFF_COUNT)
        if chance.share(2) < self.extract.rate("D86c"):
            self.extract.log.add("D86", table, str(row_id), "staff")
            number += STAFF_COUNT
        return staff_id(number)

    def nobody(self, written: str, table: str, row_id: int, column: str) -> str:
        """How nobody is written; other ways than `-1` are a defect of the catalogue (D85)."""
        if written != "-1":
            self.extract.log.add("D85", table, str(row_id), column)
        return written

    def item(self, group: int, label: str, event: TrueEvent, column: str) -> str:
        """A pick-list id; at the catalogue's rates one that is missing, the list's own, or retired (D84)."""
        table, row_id = TABLES[event.kind], supplier_event_id("systmone", event.kind, event.event_id)
        chance = self.extract.chance(f"{table} {row_id} {column}") if label else None
        if chance is not None and chance.share(0) < self.extract.rate("D84a"):
            self.extract.log.add("D84", table, str(row_id), column)
            return self.lists.missing(group) if chance.share(1) < 0.5 else str(group)
        if chance is not None and group >= REFERRAL_SOURCE and chance.share(2) < self.extract.rate("D84b"):
            self.extract.log.add("D84", table, str(row_id), column)
            return self.lists.retired(group, label)
        return self.lists.item(group, label)


def recorded_at(desk: Desk, event: TrueEvent, chance: Chance) -> datetime:
    """When it was typed: soon after it happened, and before the night that first tells of it (D80)."""
    late = chance.share(0)
    days = 0 if late < 0.7 else 1 + chance.below(3, 3) if late < 0.9 else 4 + chance.below(3, 11)
    typed = event.start_at + timedelta(days=days, minutes=5 + chance.below(4, 50))
    eve = desk.extract.world.night_date(event.recorded_night) - timedelta(days=1)
    return min(typed, datetime.combine(eve, time(17, chance.below(5, 60))))


def _typed_name(desk: Desk, chance: Chance, row_id: int) -> str:
    """The doer as typed text, in the tenth of referrals whose doer is no user of the system."""
    if chance.below(4, 10):
        return ""
    name = staff_name(chance.below(1, 200))
    return desk.extract.damaged(name, chance, "SRReferralIn", row_id, "TextualEventDoneBy")


def referral_row(desk: Desk, event: TrueEvent, patient: str, row_id: int) -> Sequence[str]:
    """One row of SRReferralIn."""
    extract, facts = desk.extract, event.facts
    chance = extract.chance(f"SRReferralIn {row_id}")
    organisation = desk.unit(event)
    service = facts.get("service", "")
    if service and chance.share(6) < extract.rate("D84c"):
        extract.log.add("D84", "SRReferralIn", str(row_id), "ServiceOffered")
        service = service.upper()
    by = _typed_name(desk, chance, row_id)
    nobody = _NOBODY[chance.below(5, len(_NOBODY))]
    values = {
        "RowIdentifier": str(row_id),
        "IDOrganisationVisibleTo": organisation,
        "DateEventRecorded": moment(recorded_at(desk, event, chance)),
        "DateEvent": moment(event.start_at),
        "IDProfileEnteredBy": profile_id(chance.below(1, STAFF_COUNT)),
        "IDDoneBy": nobody if by else desk.staff(chance, "SRReferralIn", row_id),
        "TextualEventDoneBy": by,
        "IDOrganisationDoneAt": organisation,
        "DateReferral": moment(datetime.combine(event.start_at.date(), time())),
        "ServiceOffered": service,
        "ReReferral": boolean(chance.share(3) < 0.1),
        "IDCodePrimaryDiagnosis": nobody,
        "DateDischarge": moment(event.end_at),
        "IDReferrer": nobody,
        "PatientAware": "TRUE",
        "IDReferredTo": nobody,
        **dict.fromkeys(("DayCareReferral", "MaternityReferral"), "FALSE"),
        "IDCaseload": desk.nobody(nobody, "SRReferralIn", row_id, "IDCaseload"),
        "IDEvent": nobody,
        "IDPatient": patient,
        "IDOrganisation": organisation,
        "RemovedData": "0",
        **{name: desk.item(group, facts.get(fact, ""), event, name) for name, group, fact in _REFERRAL_LISTS},
    }
    row = [""] * len(_REFERRAL_PLACE)
    for name, value in values.items():
        row[_REFERRAL_PLACE[name]] = value
    return row


def _start(desk: Desk, event: TrueEvent, chance: Chance, row_id: int, column: str) -> datetime:
    """When it began; one in many on a day of the clock change falls into the hour that is missing or comes twice."""
    # Each change stands for the half year around it: 183 days.
    if event.start_at.date() in desk.clock_changes and chance.share(6) < desk.extract.rate("D90") * 183:
        desk.extract.log.add("D90", TABLES[event.kind], str(row_id), column)
        return datetime.combine(event.start_at.date(), time(1, 30))
    return event.start_at


def visit_row(desk: Desk, event: TrueEvent, patient: str, row_id: int) -> Sequence[str]:
    """One row of SRVisit."""
    chance = desk.extract.chance(f"SRVisit {row_id}")
    organisation = desk.unit(event)
    start = _start(desk, event, chance, row_id, "DateBooked")
    booked = moment(start)
    if chance.share(5) < _DATE_ONLY_VISITS and start == event.start_at:
        booked = booked[:12] + "00:00:00"
    entered = profile_id(chance.below(1, STAFF_COUNT))
    recorded = recorded_at(desk, event, chance)
    return (
        *(str(row_id), organisation, moment(recorded), entered, booked),
        *(moment(min(recorded, start) - timedelta(days=1)),),
        *(desk.item(VISIT_STATUS, event.facts.get("status", ""), event, "CurrentStatus"), entered, entered),
        *(desk.lists.item(FOLLOW_UP, ("No", "Required", "Booked", "Unknown")[chance.below(3, 4)]),),
        *(referral_of(event), patient, organisation, event.facts.get("duration_minutes", ""), organisation, "0"),
    )


def appointment_row(desk: Desk, event: TrueEvent, patient: str, row_id: int) -> Sequence[str]:
    """One row of SRAppointment."""
    extract, table = desk.extract, "SRAppointment"
    chance = extract.chance(f"{table} {row_id}")
    organisation = desk.unit(event)
    start = _start(desk, event, chance, row_id, "DateStart")
    minutes = event.facts.get("duration_minutes", "")
    ends = start + timedelta(minutes=int(minutes)) if minutes.isdecimal() else None
    status = event.facts.get("status", "")
    attended = status in ("Finished", "Arrived", "In progress")
    clinic = f"Clinic {1 + chance.below(1, 40)} {('am', 'pm')[start.hour >= 12]}"
    clinic = extract.damaged(clinic, chance, table, row_id, "RotaName")
    clinician = desk.staff(chance, table, row_id)
    booked = recorded_at(desk, event, chance) - timedelta(days=7)
    nobody = _NOBODY[chance.below(5, len(_NOBODY))]
    return (
        *(str(row_id), organisation, moment(start), moment(ends)),
        *(desk.item(APPOINTMENT_STATUS, status, event, "AppointmentStatus"), moment(booked)),
        *((moment(start - timedelta(minutes=4)), moment(start)) if attended else ("", "")),
        *(boolean(chance.share(3) < 0.5), boolean(chance.share(4) < 0.1), clinician, profile_id(chance.below(1, 220))),
        *(clinic, "", "Health centre, room 2", f"R{chance.below(1, 40):02d}", clinician, nobody, "FALSE", ""),
        moment(start - timedelta(hours=20)) if status.startswith("Cancelled") else "",
        desk.nobody(nobody, table, row_id, "IDRota"),
        *(referral_of(event), patient, organisation, organisation, "0"),
    )


def referral_of(event: TrueEvent) -> str:
    number = event.facts.get("referral_event_id", "")
    return str(supplier_event_id("systmone", "referral", int(number))) if number else "-1"


def clock_changes(extract: Extract) -> frozenset[date]:
    """The last Sundays of March and October of the years that the extract covers."""
    days = set()
    for year in range(extract.world.first_night.year - 3, extract.world.first_night.year + 1):
        for month in (3, 10):
            last = date(year, month, 31)
            days.add(last - timedelta(days=(last.weekday() + 1) % 7))
    return frozenset(days)
