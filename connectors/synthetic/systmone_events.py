"""Referrals, visits and appointments of the simulated SystmOne: told, changed, deleted, re-pointed after a merge.

The events and the nights on which they change come from the truth, which logs those defects (D80 to D82). Added here:
orphans (D86), tombstones of rows nobody ever saw, free-text visits that have no patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Final

from connectors.synthetic.keys import supplier_event_id, systmone_row_id
from connectors.synthetic.systmone_calendar import SECOND_UNIT
from connectors.synthetic.systmone_casework import referral_rows
from connectors.synthetic.systmone_contacts import contact_rows
from connectors.synthetic.systmone_extract import Chance, Extract
from connectors.synthetic.systmone_lists import PickLists
from connectors.synthetic.systmone_people import Record
from connectors.synthetic.systmone_rows import (
    TABLES,
    Desk,
    appointment_row,
    clock_changes,
    referral_row,
    visit_row,
)
from connectors.synthetic.systmone_tables import COLUMNS, tombstone
from connectors.synthetic.world import EventKind, TrueEvent

_NEVER_SEEN: Final = 900_000_000  # event numbers that the truth does not use
_STRANGER: Final = 9_000_000  # record numbers that the truth does not use
_FREE_TEXT_VISITS: Final = 0.0003

_SHARED: Final = 0.2  # of the rows of a patient whom both units know
_PATIENT_PLACES: Final = {table: COLUMNS[table].index("IDPatient") for table in TABLES.values()}

Sent = dict[tuple[str, int], int]  # table and row -> the night it was last told
Row = Callable[[Desk, TrueEvent, str, int], Sequence[str]]


def write_events(extract: Extract, lists: PickLists, records: Sequence[Record]) -> None:
    """Send the rows of the three event tables."""
    desk = Desk(extract, lists, {r.appearance.key: r for r in records}, clock_changes(extract))
    rows: dict[EventKind, Row] = {"referral": referral_row, "visit": visit_row, "appointment": appointment_row}
    for kind, table in TABLES.items():
        told = 0
        for event in extract.world.events:
            if event.kind == kind and event.system == "systmone":
                told += 1
                _send(desk, event, rows[kind])
        if kind != "referral":
            _orphans(desk, kind, rows[kind], told)
        if kind == "visit":
            _free_text_visits(desk, told)
        extract.close_table(table)


def _send(desk: Desk, event: TrueEvent, row: Row) -> None:
    extract, table = desk.extract, TABLES[event.kind]
    sent: Sent = {}
    drags = referral_rows if event.kind == "referral" else contact_rows
    row_id = supplier_event_id("systmone", event.kind, event.event_id)
    first = _first_night(desk, event, table, row_id)
    last = extract.world.nights
    nights = {first, event.changed_night, *_merges(desk, event.appearance_key)}
    for night in sorted(n for n in nights if n is not None and first <= n <= last):
        as_known = event.as_of(max(night, event.recorded_night))
        patient = desk.patient(event.appearance_key, night)
        if as_known is not None and patient is not None:
            own = row(desk, as_known, patient, row_id)
            sent[table, row_id] = night
            extract.add(night, table, own)
            _share(desk, event, table, own, night, sent)
            for other, values in drags(desk, as_known, patient, own[1]):
                sent[other, int(values[0])] = night
                extract.add(night, other, values)
    deleted = event.deleted_night
    if deleted is not None and first < deleted <= last:
        for other, key in sent:
            extract.add(deleted, other, tombstone(other, key, desk.unit(event)))
            if (SECOND_UNIT, key) in desk.shared:
                extract.add(deleted, other, tombstone(other, key, SECOND_UNIT))


def _share(desk: Desk, event: TrueEvent, table: str, own: Sequence[str], night: int, sent: Sent) -> None:
    """Some rows of a patient whom both units know are seen by both: same row, other view (sources 2.4)."""
    joins = desk.extract.calendar.joins
    other = desk.records.get(f"{SECOND_UNIT}:{own[_PATIENT_PLACES[table]]}")
    if joins is None or other is None or own[1] == SECOND_UNIT:
        return
    if desk.extract.chance(f"shared {own[0]}").share(0) < _SHARED:
        desk.shared.add((SECOND_UNIT, int(own[0])))
        desk.extract.add(max(night, joins), table, [own[0], SECOND_UNIT, *own[2:]])


def _first_night(desk: Desk, event: TrueEvent, table: str, row_id: int) -> int:
    """Usually the night of the truth; a quarter of a new patient's events arrive a night before the patient (D86)."""
    record = desk.records.get(event.appearance_key)
    arrives = record.appearance.recorded_night if record else 0
    early = event.recorded_night
    if 0 < arrives == early and desk.extract.chance(f"early {row_id}").share(0) < 0.25 * desk.extract.world.quality:
        early -= 1
    if early < arrives:
        desk.extract.log.add("D86", table, str(row_id), "IDPatient", early)
    return early


def _merges(desk: Desk, key: str) -> Iterator[int]:
    record = desk.records.get(key)
    while record is not None and record.appearance.removed_night is not None:
        yield record.appearance.removed_night
        record = desk.records.get(record.appearance.duplicate_of or "")


def _orphans(desk: Desk, kind: EventKind, row: Row, told: int) -> None:
    """Events of patients who never arrive, and tombstones of rows nobody ever saw (both legal, sources 2.5; D86)."""
    extract, table = desk.extract, TABLES[kind]
    for number in range(round(told * extract.rate("D86a"))):
        chance = extract.chance(f"orphan {kind} {number}")
        night = 0 if chance.share(0) < 0.9 else chance.below(1, extract.world.nights + 1)
        event = _invented(extract, kind, number, night, chance)
        row_id = supplier_event_id("systmone", kind, event.event_id)
        extract.log.add("D86", table, str(row_id), "IDPatient", night)
        extract.add(night, table, row(desk, event, str(systmone_row_id(_STRANGER + number)), row_id))
    for night in range(1, extract.world.nights + 1):
        row_id = supplier_event_id("systmone", kind, _NEVER_SEEN + 500_000 + night)
        extract.add(night, table, tombstone(table, row_id, extract.world.organisation_code))


def _free_text_visits(desk: Desk, told: int) -> None:
    """Visits typed as free text: no patient (sources 2.7)."""
    extract = desk.extract
    for number in range(max(6, round(told * _FREE_TEXT_VISITS))):
        chance = extract.chance(f"free text {number}")
        night = 0 if chance.share(0) < 0.8 else chance.below(1, extract.world.nights + 1)
        event = _invented(extract, "visit", 600_000 + number, night, chance)
        row_id = supplier_event_id("systmone", "visit", event.event_id)
        extract.add(night, "SRVisit", visit_row(desk, event, "-1", row_id))


def _invented(extract: Extract, kind: EventKind, number: int, night: int, chance: Chance) -> TrueEvent:
    on = extract.world.night_date(night) - timedelta(days=2 + (chance.below(2, 600) if night == 0 else 0))
    start = datetime.combine(on, time(8 + chance.below(3, 9), 5 * chance.below(4, 12)))
    facts = {"status": "Finished", "duration_minutes": "30"}
    return TrueEvent(_NEVER_SEEN + number, 0, kind, "systmone", "Service user", start, None, "completed", night, facts)
