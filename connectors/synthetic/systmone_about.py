"""What the simulated SystmOne holds about a patient beside name and address: relatives, alerts, risks, wishes.

A relative is named in the patient's own row, at times with the relative's NHS number where a staff code belongs; none
of it may be taken for the patient's (sources hand-book 2.7). Three more tables have no public specification at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from connectors.synthetic.systmone_extract import Chance, Extract, child_row_id
from connectors.synthetic.systmone_lists import SPEAKS_ENGLISH, PickLists, profile_id, staff_id
from connectors.synthetic.systmone_people import Record, held_from
from connectors.synthetic.systmone_sheets import said, sheet
from connectors.synthetic.systmone_tables import day, day_of_text, moment, tombstone
from connectors.synthetic.world import TruePerson

#: Relation in the truth -> how the relative is described, and whether the relative cares for the patient.
_RELATIONS: Final = {
    "spouse": ("Spouse", False),
    "parent": ("Parent", False),
    "child": ("Child", False),
    "cared_for_by": ("Carer", True),
}
_CASES: Final = (("Closed", "Risk reduced"), ("Closed", "Risk removed"), ("Closed", "Risk remained"), ("Open", ""))
_OPT_OUT: Final = 0.05
_ADULT: Final = 18 * 365.25

Told = tuple[str, int, int, Mapping[str, str]]  # table, night, slot, what its own columns say


@dataclass(frozen=True, slots=True)
class _Subject:
    record: Record
    chance: Chance
    first: int
    held: Mapping[str, str]
    is_adult: bool


def write_about(extract: Extract, lists: PickLists, records: Sequence[Record]) -> None:
    """Send these rows for every patient whose share it is."""
    people = {person.person_id: person for person in extract.world.people}
    rows_of = {(r.visible_to, r.appearance.person_id): r.row_id for r in records}
    for record in records:
        told = next(held_from(extract, record), None)
        if told is None:
            continue
        first, held = told
        subject = _Subject(record, extract.chance(f"about {record.row_id}"), first, held, _is_adult(extract, held))
        for table, night, slot, own in _all(extract, lists, subject, people, rows_of):
            _send(extract, subject, table, night, slot, own)


def _send(extract: Extract, subject: _Subject, table: str, night: int, slot: int, own: Mapping[str, str]) -> None:
    record = subject.record
    if night > extract.world.nights or (record.appearance.removed_night or night + 1) <= night:
        return
    at = record.recorded(extract, night)
    who = (profile_id(record.entered_by), staff_id(record.entered_by))
    shared = said(record.visible_to, record.visible_to, str(record.row_id), at, at, *who)
    key = {"RowIdentifier": str(child_row_id(table, record.row_id, slot))}
    extract.add(night, table, sheet(table).row(shared, {**key, **own}))


def _all(
    extract: Extract,
    lists: PickLists,
    subject: _Subject,
    people: Mapping[int, TruePerson],
    rows_of: Mapping[tuple[str, int], int],
) -> Iterator[Told]:
    yield from _relatives(extract, subject, people, rows_of)
    yield from _standing(extract, lists, subject)
    yield from _wishes(extract, subject)
    yield from _risks(extract, subject)
    yield from _unspecified(subject)


def _relatives(
    extract: Extract,
    subject: _Subject,
    people: Mapping[int, TruePerson],
    rows_of: Mapping[tuple[str, int], int],
) -> Iterator[Told]:
    person = people.get(subject.record.appearance.person_id)
    if person is None or subject.chance.share(0) >= 0.3 or subject.record.appearance.is_mixed:
        return
    named = [(kind, other) for kind in _RELATIONS for other in person.relations.get(kind, ())]
    for slot, (kind, other) in enumerate(named[:3]):
        relative = people.get(other)
        if relative is None:
            continue
        today = extract.world.night_date(subject.first)
        name, home = relative.name_on(today), relative.address_on(today)
        described, cares = _RELATIONS[kind]
        row = rows_of.get((subject.record.visible_to, other))
        has_number = subject.chance.share(1) < 0.1
        own = {
            "RelationshipType": described,
            "CaresForPatient": str(cares).upper(),
            "NextOfKin": "TRUE" if slot == 0 else "FALSE",
            "IDPatientRelationshipWith": str(row) if row is not None else "-1",
            "CodeRelationshipWithUser": relative.nhs_number if has_number else "",
            "RelationshipWithName": f"{name.forename} {name.surname}",
            "RelationshipWithDateOfBirth": day(relative.birth_date) if slot == 0 else "",
            "RelationshipWithHouseNumber": home.number,
            "RelationshipWithRoad": home.street,
            "RelationshipWithPostCode": home.postcode,
            "RelationshipWithTelephone": relative.telephone,
        }
        yield "SRPatientRelationship", subject.first, slot, own


def _standing(extract: Extract, lists: PickLists, subject: _Subject) -> Iterator[Told]:
    share, held, first = subject.chance.share(2), subject.held, subject.first
    opened = moment(subject.record.recorded(extract, first))
    practice = held.get("gp_practice_code", "")
    if practice and share < 0.15:
        yield "SRGPPracticeHistory", first, 0, {"IDPractice": practice, "DateFrom": opened}
    if 0.15 <= share < 0.17:
        own = {name: held.get(field, "") for name, field in _INFORMATION}
        own |= {
            "DateBirth": day_of_text(held.get("birth_date", "")),
            "TestPatient": "FALSE",
            "DateRegistration": opened,
        }
        yield "SRPatientInformation", first, 0, {**own, "SpeaksEnglish": lists.item(SPEAKS_ENGLISH, "Yes")}
    if 0.20 <= share < 0.22:
        yield "SRSpecialNotes", first, 0, {"DateStart": opened, "Note": "Zzfreetext dog in the garden"}
    if 0.22 <= share < 0.23:
        own = {"Name": f"Household of {held.get('surname', '')}", "GroupType": "Household", "Members": "2"}
        yield "SRPatientGroups", first, 0, own
    if 0.23 <= share < 0.235:
        yield "SRPatientLocation", first, 0, {"DateRecorded": opened, "DateStart": opened, "IDLocation": "4107"}


_INFORMATION: Final = (
    ("Title", "title"),
    ("FirstName", "forename"),
    ("Surname", "surname"),
    ("NHSNumber", "nhs_number"),
    ("Gender", "sex"),
)


def _wishes(extract: Extract, subject: _Subject) -> Iterator[Told]:
    """The national data opt-out: a row means it is set; a few set it during the run, one in fifty takes it back."""
    share, nights = subject.chance.share(3), extract.world.nights
    if share >= _OPT_OUT + 0.002:
        return
    night = subject.first
    if share >= _OPT_OUT:
        if night >= nights:
            return
        night += 1 + subject.chance.below(4, nights - night)
    yield "SRNDOptOutPreference", night, 0, {}
    if share < 0.001 and night < nights:
        back = night + 1 + subject.chance.below(4, nights - night)
        if (subject.record.appearance.removed_night or nights + 1) > back:
            row_id = child_row_id("SRNDOptOutPreference", subject.record.row_id, 0)
            gone = tombstone("SRNDOptOutPreference", row_id, subject.record.visible_to)
            extract.add(back, "SRNDOptOutPreference", gone)


def _risks(extract: Extract, subject: _Subject) -> Iterator[Told]:
    share, first = subject.chance.share(5), subject.first
    added = subject.record.recorded(extract, first)
    if not subject.is_adult:
        if share < 0.02:
            yield "SRChildAtRisk", first, 0, {"DateAdded": moment(added), "ChildProtectionPlan": "Neglect"}
        return
    if share < 0.004:
        ended = added + timedelta(days=60)
        is_over = ended.date() < extract.world.first_night
        own = {"DateAdded": moment(added), "DateRemoved": moment(ended) if is_over else "", "ProtectionPlan": "Plan"}
        yield "SRPersonAtRisk", first, 0, {**own, "RemovalReason": "Plan ended" if is_over else ""}
    if 0.004 <= share < 0.010:
        status, outcome = _CASES[subject.chance.below(6, len(_CASES))]
        closed = added + timedelta(days=40)
        if closed.date() >= extract.world.first_night:
            status, outcome = "Open", ""
        own = {"DateOpened": moment(added), "DateClosed": moment(closed) if outcome else "", "CaseStatus": status}
        yield "SRSafeguardingCases", first, 0, {**own, "Outcome": outcome}


def _unspecified(subject: _Subject) -> Iterator[Told]:
    """Rows of tables whose columns are not public: they come, and nobody has specified them."""
    share = subject.chance.share(7)
    if share < 0.01:
        yield "SRTask", subject.first, 0, {"TaskType": "Zzunspecified", "TaskStatus": "Open"}
    elif share < 0.02:
        yield "SRSmsConsent", subject.first, 0, {"ConsentGiven": "TRUE"}
    elif share < 0.025:
        yield "SRPatientContactProperty", subject.first, 0, {"PropertyName": "Zzunspecified"}


def _is_adult(extract: Extract, held: Mapping[str, str]) -> bool:
    try:
        born = date.fromisoformat(held.get("birth_date", ""))
    except ValueError:
        return True
    return (datetime.combine(extract.world.first_night, time()) - datetime.combine(born, time())).days > _ADULT
