"""Patients of the simulated SystmOne: demographics, registrations, addresses, telephone numbers.

The defects of names, numbers, dates and address lines are already in each `Appearance`; here they get the supplier's
habits: birth dates with a time, registrations that a practice shares, a merge as a tombstone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from connectors.synthetic.keys import systmone_key_parts
from connectors.synthetic.systmone_extract import Chance, Extract, child_row_id
from connectors.synthetic.systmone_lists import (
    ADDRESS_TYPE,
    CONTACT_TYPE,
    SPEAKS_ENGLISH,
    STAFF_COUNT,
    PickLists,
    profile_id,
    staff_id,
    staff_name,
)
from connectors.synthetic.systmone_tables import boolean, day, day_of_text, moment, tombstone
from connectors.synthetic.world import AddressPeriod, Appearance

_BIRTH_PLACES: Final = ("", "", "", "Ardenbridge", "Eastmere", "Leeds", "Sheffield", "Kingston, Jamaica", "Lahore")
_PHARMACIES: Final = ("", "", "Well Street Pharmacy", "Ardenbridge Chemist", "Port Selwyn Pharmacy")


@dataclass(frozen=True, slots=True)
class Record:
    """One patient record with what every one of its rows needs."""

    appearance: Appearance
    row_id: int
    visible_to: str
    chance: Chance
    opened: datetime

    def recorded(self, extract: Extract, night: int) -> datetime:
        """When what is first told on `night` was typed: the day before, or when the record was opened."""
        if night == 0:
            return self.opened
        minutes = 8 * 60 + self.chance.below(5, 9 * 60)
        return datetime.combine(extract.world.night_date(night) - timedelta(days=1), time()) + timedelta(
            minutes=minutes
        )

    @property
    def entered_by(self) -> int:
        """The number of the staff member who opened the record."""
        return self.chance.below(4, STAFF_COUNT)


def records_of(extract: Extract) -> list[Record]:
    """All SystmOne records of the world."""
    records = []
    for appearance in extract.world.appearances:
        if appearance.system != "systmone":
            continue
        visible_to, row_id = systmone_key_parts(appearance.key)
        chance = extract.chance(appearance.key)
        opened = datetime.combine(extract.world.first_night, time(9)) - timedelta(
            days=30 + chance.below(6, 3_000), minutes=chance.below(5, 480)
        )
        records.append(Record(appearance, row_id, visible_to, chance, opened))
    return records


def write_people(extract: Extract, lists: PickLists, records: list[Record]) -> None:
    """Send the rows of all patient tables, table by table."""
    for record in records:
        _patient(extract, lists, record)
    extract.close_table("SRPatient")
    for record in records:
        _registrations(extract, record)
    extract.close_table("SRPatientRegistration")
    for record in records:
        _addresses(extract, lists, record)
    extract.close_table("SRPatientAddressHistory")
    for record in records:
        _telephones(extract, lists, record)
    extract.close_table("SRPatientContactDetails")


def held_from(extract: Extract, record: Record) -> Iterator[tuple[int, dict[str, str]]]:
    """The nights on which what the record says changes, and what it says from then on."""
    appearance = record.appearance
    for night in sorted({appearance.recorded_night, *appearance.versions}):
        held = appearance.as_of(night)
        if held is not None and night <= extract.world.nights:
            yield night, held


def _patient(extract: Extract, lists: PickLists, record: Record) -> None:
    appearance, chance = record.appearance, record.chance
    reference = next((key for system, key in sorted(appearance.references.items()) if system != "systmone"), "")
    speaks = ("Yes", "Yes", "Yes", "No", "Unknown", "")[chance.below(3, 6)]
    place = extract.damaged(_BIRTH_PLACES[chance.below(0, 9)], chance, "SRPatient", record.row_id, "BirthPlace")
    for night, held in held_from(extract, record):
        born = held.get("birth_date", "")
        row = (
            str(record.row_id),
            record.visible_to,
            *(held.get(name, "") for name in ("title", "forename", "middle_names", "surname", "previous_surname")),
            held.get("nhs_number", ""),
            day_of_text(born, _time_of_birth(extract, born, chance)),
            day_of_text(held.get("death_date", "")),
            place,
            held.get("sex", "") or "U",
            lists.item(SPEAKS_ENGLISH, speaks),
            held.get("email", ""),
            boolean(appearance.is_flagged_test),
            reference,
            _spine_matched(held),
            "0",
        )
        extract.add(night, "SRPatient", row)
    removed = appearance.removed_night
    if removed is not None and appearance.recorded_night < removed <= extract.world.nights:
        extract.add(removed, "SRPatient", tombstone("SRPatient", record.row_id, record.visible_to))


def _time_of_birth(extract: Extract, born: str, chance: Chance) -> str:
    """Newborns carry the time of birth (sources 2.7); everybody else midnight."""
    if born < extract.world.first_night.replace(year=extract.world.first_night.year - 1).isoformat():
        return "00:00"
    return f"{chance.below(1, 24):02d}:{chance.below(2, 60):02d}"


def _spine_matched(held: dict[str, str]) -> str:
    if not held.get("nhs_number"):
        return ""
    return boolean(held.get("nhs_number_verified") == "Y")


def _registrations(extract: Extract, record: Record) -> None:
    """The unit's own registration, and one spell for each practice in turn (a row the practice entered and shares)."""
    pharmacy = _PHARMACIES[record.chance.below(2, len(_PHARMACIES))]
    started = [(n, h.get("gp_practice_code", "")) for n, h in held_from(extract, record)]
    spells = [(n, code) for place, (n, code) in enumerate(started) if place == 0 or code != started[place - 1][1]]
    first = record.appearance.recorded_night
    rows = [(0, first, None, record.visible_to, "Patient"), *(
        (slot, night, spells[slot][0] if slot < len(spells) else None, code, "GMS")
        for slot, (night, code) in enumerate(spells, start=1)
        if code
    )]  # fmt: skip
    for slot, begins, ends, organisation, status in rows:
        row_id = child_row_id("SRPatientRegistration", record.row_id, slot)
        since = record.recorded(extract, begins)
        for night in (begins, ends):
            if night is not None:
                left = "" if night == begins or ends is None else moment(record.recorded(extract, ends))
                row = (
                    *(
                        str(row_id),
                        record.visible_to,
                        moment(since),
                        profile_id(record.entered_by),
                        moment(since),
                        left,
                    ),
                    *(
                        status,
                        extract.damaged(pharmacy, record.chance, "SRPatientRegistration", row_id, "PreferredPharmacy"),
                    ),
                    *(str(record.row_id), organisation, organisation, "0"),
                )
                extract.add(night, "SRPatientRegistration", row)


def _addresses(extract: Extract, lists: PickLists, record: Record) -> None:
    appearance = record.appearance
    until = extract.world.nights + 1 if appearance.removed_night is None else appearance.removed_night
    sent: dict[int, tuple[str, ...]] = {}
    turns = {d for period in appearance.addresses for d in (period.valid_from, period.valid_to) if d is not None}
    for night in range(appearance.recorded_night, min(until, extract.world.nights + 1)):
        here = extract.world.night_date(night)
        if night > appearance.recorded_night and not any(here - timedelta(days=2) <= turn < here for turn in turns):
            continue
        for index, period in appearance.addresses_as_of(here):
            row = _address(extract, lists, record, index, period)
            if sent.get(index) != row:
                sent[index] = row
                extract.add(night, "SRPatientAddressHistory", row)


def _address(extract: Extract, lists: PickLists, record: Record, index: int, period: AddressPeriod) -> tuple[str, ...]:
    table = "SRPatientAddressHistory"
    row_id = child_row_id(table, record.row_id, index)
    chance = extract.chance(f"{table} {row_id}")
    kind = "Temporary" if period.kind == "no_fixed_abode" else "Home"
    since = datetime.combine(period.valid_from, time())
    typed_by = ""
    if chance.share(1) < 0.1:
        typed_by = extract.damaged(staff_name(chance.below(2, 200)), chance, table, row_id, "TextualEventDoneBy")
    recorded = min(since + timedelta(hours=9 + chance.below(3, 200)), _typed_by(extract, since))
    return (
        *(str(row_id), record.visible_to, moment(recorded), moment(since)),
        *(
            profile_id(record.entered_by),
            "-1" if typed_by else staff_id(record.entered_by),
            typed_by,
            record.visible_to,
        ),
        *(period.building, period.number, period.street, period.locality, period.town, "", period.postcode),
        "" if period.valid_to is None else f"{day(period.valid_to)} 00:00:00",
        lists.item(ADDRESS_TYPE, kind),
        *("-1", str(record.row_id), record.visible_to, "", "0"),
    )


def _typed_by(extract: Extract, since: datetime) -> datetime:
    """The last second in which something that begins at `since` can be typed and still be told when it is."""
    earliest = extract.world.first_night
    on = max(since.date() + timedelta(days=1), earliest)
    return datetime.combine(on, time(1, 50))


def _telephones(extract: Extract, lists: PickLists, record: Record) -> None:
    table = "SRPatientContactDetails"
    row_id = child_row_id(table, record.row_id, 0)
    before: tuple[str, ...] = ()
    for night, held in held_from(extract, record):
        number = held.get("telephone", "")
        if not number:
            if before:
                extract.add(night, table, tombstone(table, row_id, record.visible_to))
            before = ()
            continue
        at = moment(record.recorded(extract, night))
        kind = "Mobile" if number.startswith("07") else "Home"
        row = (
            *(str(row_id), record.visible_to, at, at, profile_id(record.entered_by), staff_id(record.entered_by), ""),
            *(record.visible_to, lists.item(CONTACT_TYPE, kind), number, "-1", str(record.row_id)),
            *(record.visible_to, record.visible_to, "0"),
        )
        if before[9:10] != row[9:10]:
            extract.add(night, table, row)
        before = row
