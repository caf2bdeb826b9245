"""Clients of the simulated MiCare and what hangs on them: addresses, register entries, dated facts, carers, notes.

The defects of names, numbers and dates are already in each `Appearance`; here they get MiCare's habits: capitals, files
merged by pointers, everything without a field of its own in an episode or in the heading of a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from connectors.synthetic.micare_codes import code, retired_code
from connectors.synthetic.micare_file import FOREVER, NO_DATE, Draws, Dump, day, day_of_text, spans, spoiled_code
from connectors.synthetic.micare_merges import merge_pointers
from connectors.synthetic.world import AddressPeriod, Appearance, TrueEvent, TruePerson, World

#: Type of episode and code set, with the attribute of the true person. The order numbers them within a person for ever.
FACTS: Final = (
    ("PSR", "primary_support_reason"),
    ("ACCOM", "accommodation_status"),
    ("EMPLOY", "employment_status"),
    ("CARER", "has_unpaid_carer"),
    ("ASD", "autism"),
    ("VISUAL", "visual_impairment"),
    ("HEARING", "hearing_impairment"),
    ("DEMENTIA", "dementia"),
    ("FUNDING", "client_funding_status"),
    ("CAREHRS", "hours_caring"),
)
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_GROUPS: Final = (
    ("Learning", "LD"), ("Mental", "MH"), ("Support with memory", "OP"), ("Sensory", "SI"), ("Physical", "PD"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class People:
    """The MiCare records of a world, by key and by true person, with what hangs on each."""

    by_key: Mapping[str, Appearance]
    first_of_person: Mapping[int, Appearance]
    true_people: Mapping[int, TruePerson]
    events_of: Mapping[str, list[TrueEvent]]
    pointers: Mapping[str, tuple[int, str]]


def people_of(world: World, draws: Draws) -> People:
    """Look-ups over the world's MiCare appearances, merged files among them."""
    pointers = merge_pointers(world, draws)
    records = [a for a in world.appearances if a.system == "micare"]
    first: dict[int, Appearance] = {}
    for record in records:
        if record.duplicate_of is None and not record.is_test:
            first.setdefault(record.person_id, record)
    events: dict[str, list[TrueEvent]] = {}
    for event in world.events:
        if event.system == "micare":
            if not event.appearance_key:
                event.appearance_key = first[event.person_id].key
            events.setdefault(event.appearance_key, []).append(event)
    return People({a.key: a for a in records}, first, {p.person_id: p for p in world.people}, events, pointers)


def until(record: Appearance) -> int:
    """The night from which the record is gone."""
    return FOREVER if record.removed_night is None else record.removed_night


def number_of(record: Appearance) -> int:
    """The record's person number without its check letter."""
    return int(record.key[:-1])


def write_people(world: World, people: People, dump: Dump, draws: Draws) -> None:
    """Add the rows of all person tables to the dump."""
    for record in people.by_key.values():
        _client(world, people, record, dump, draws)
        _addresses(world, record, dump, draws)
        _register(record, dump, opened_on(world, record, draws))
        person = people.true_people.get(record.person_id)
        if person is not None and not record.is_test and record.role in ("client", "carer"):
            _facts(world, record, person, dump, draws)
    for record in people.first_of_person.values():
        _cared_for(world, people, record, dump, draws)


def opened_on(world: World, record: Appearance, draws: Draws) -> date:
    """When the file was opened: within twelve years before the first load, or the day before its first night."""
    if record.recorded_night > 0:
        return world.night_date(record.recorded_night) - timedelta(days=1)
    opened = world.first_night - timedelta(days=30 + draws.below(4_300, "opened", record.key))
    born = record.versions[record.recorded_night].get("birth_date", "")
    return max(opened, min(world.first_night, date.fromisoformat(born))) if _ISO_DATE.fullmatch(born) else opened


def _client(world: World, people: People, record: Appearance, dump: Dump, draws: Draws) -> None:
    events = people.events_of.get(record.key, [])
    merged, other = people.pointers.get(record.key, (FOREVER, ""))
    changes = [merged, *record.versions, *_address_nights(world, record)]
    changes += [n for e in events for n in (e.recorded_night, e.changed_night, e.deleted_night) if n is not None]
    opened = opened_on(world, record, draws)
    for first, last in spans(record.recorded_night, until(record), changes):
        held = record.as_of(first) or {}
        died = day_of_text(held.get("death_date", ""))
        seen = [state for event in events if (state := event.as_of(first)) is not None]
        is_open = any(event.status == "open" for event in seen)
        ended = max((event.end_at.date() for event in seen if event.end_at is not None), default=opened)
        is_merged = first >= merged
        status = "X" if is_merged else "D" if died != NO_DATE else "O" if is_open else "C"
        estimated = {"Y": "E", "N": "V"}.get(held.get("birth_date_estimated", ""), "")
        values = (
            record.key, held.get("surname", ""), held.get("forename", ""), held.get("middle_names", ""),
            held.get("known_as", ""), day_of_text(held.get("birth_date", "")),
            estimated if held.get("birth_date") else "U", held.get("sex", ""),
            code("ETHNIC", held.get("ethnicity_code", "")), held.get("nhs_number", ""),
            held.get("gp_practice_code", ""), _current_address(world, record, first), held.get("telephone", ""),
            _group(people, record, world.first_night), status, day(opened),
            NO_DATE if status == "O" else day(max(opened, ended)), died,
            other if is_merged else draws.blank("CLIENT", "XREF_CLIENT_NO", record.key, ("0", "-1", "N/A")),
        )  # fmt: skip
        dump.add("CLIENT", first, last, [value.upper() for value in values])


def _group(people: People, record: Appearance, on: date) -> str:
    """The client group: who is no client says so; children first, then by reason of support."""
    if record.is_flagged_test:
        return "TEST"
    if record.role != "client":
        return "CARER" if record.role == "carer" else "OTHER"
    person = people.true_people[record.person_id]
    years = on.year - person.birth_date.year - ((on.month, on.day) < (person.birth_date.month, person.birth_date.day))
    if years < 18:
        return "CHILD"
    return next((g for start, g in _GROUPS if person.primary_support_reason.startswith(start)), "SO")


def _address_nights(world: World, record: Appearance) -> Iterator[int]:
    """The nights on which what MiCare knows of the record's addresses may change."""
    for period in record.addresses:
        yield (period.valid_from - world.first_night).days + 1
        if period.valid_to is not None:
            yield (period.valid_to - world.first_night).days + 2


def _current_address(world: World, record: Appearance, night: int) -> str:
    held = record.addresses_as_of(world.night_date(min(night, world.nights)))
    still = [index for index, period in held if period.valid_to is None]
    return str(number_of(record) * 100 + (still or [index for index, _ in held])[-1]) if held else ""


def _addresses(world: World, record: Appearance, dump: Dump, draws: Draws) -> None:
    for first, last in spans(record.recorded_night, until(record), _address_nights(world, record)):
        for index, period in record.addresses_as_of(world.night_date(min(first, world.nights))):
            _address(record, index, period, (first, last), dump, draws)


def _address(
    record: Appearance, index: int, period: AddressPeriod, nights: tuple[int, int], dump: Dump, draws: Draws
) -> None:
    key = str(number_of(record) * 100 + index)
    street = " ".join(part for part in (period.number, period.street) if part)
    lines = [part for part in (period.building, street, period.locality, period.town) if part]
    lines = [*lines[:2], ", ".join(lines[2:]), "", ""][:3]
    lines[0] = draws.damaged(lines[0], "ADDRESS", "LINE1", key)
    ended = period.valid_to
    if ended is not None and draws.hits("D70a", f"address {key}"):
        draws.note("D70", "ADDRESS", key, "DATE_TO", nights[0])
        ended = period.valid_from - timedelta(days=1 + draws.below(20, "back", key))
    uprn = period.uprn or draws.blank("ADDRESS", "UPRN", key, ("0", "-1", "N/A"))
    kind = {"home": "H", "care_home": "P", "supported": "P"}.get(period.kind, "T")
    row = (key, record.key, kind, *lines, period.postcode, uprn, day(period.valid_from), day(ended))
    dump.add("ADDRESS", *nights, [value.upper() for value in row])


def episode(number: int, client: str, kind: str, value: str, **more: str) -> tuple[str, ...]:
    """One row of EPISODE; columns not given are empty, dates not given 00000000."""
    dates = {name: more.get(name, NO_DATE) for name in ("OPENED", "DECIDED", "STARTED", "CLOSED", "KEYED")}
    names = (
        "ROUTE",
        "PSR",
        "OUTCOME1",
        "OUTCOME2",
        "OUTCOME3",
        "CLIENT_TYPE",
        "MSP",
        "STATUS",
        "DESCR",
        "TEAM",
        "WORKER",
    )
    rest = [more.get(name, "") for name in names]
    spell = (dates["OPENED"], dates["DECIDED"], dates["STARTED"], dates["CLOSED"])
    return (str(number), client, kind, value, *spell, *rest, dates["KEYED"])


def _register(record: Appearance, dump: Dump, opened: date) -> None:
    """Register entries: the record is restricted; its NHS number was traced."""
    base = number_of(record) * 100
    if record.is_restricted:
        row = episode(base + 1, record.key, "REG", "RESTR", STARTED=day(opened), STATUS="O")
        dump.add("EPISODE", record.recorded_night, until(record), row)
    for first, last in spans(record.recorded_night, until(record), record.versions):
        held = record.as_of(first) or {}
        if held.get("nhs_number") and held.get("nhs_number_verified") == "Y":
            row = episode(base + 2, record.key, "REG", "NHSOK", STARTED=day(opened), STATUS="O")
            dump.add("EPISODE", first, last, row)


def _facts(world: World, record: Appearance, person: TruePerson, dump: Dump, draws: Draws) -> None:
    opened, nights = opened_on(world, record, draws), (record.recorded_night, until(record))
    for index, (kind, attribute) in enumerate(FACTS):
        meaning, number = str(getattr(person, attribute)), number_of(record) * 100 + 10 + index
        if not meaning or (meaning == "Unknown" and draws.number("unknown left out", str(number)) < 0.5):
            continue
        key = f"characteristic:{number}"
        value = spoiled_code(draws, "EPISODE", "EP_CODE", key, code(kind, meaning), retired_code(kind, meaning))
        row = episode(number, record.key, kind, value, STARTED=day(opened), STATUS="O", KEYED=day(opened))
        dump.add("EPISODE", *nights, row)


def _cared_for(world: World, people: People, record: Appearance, dump: Dump, draws: Draws) -> None:
    person = people.true_people.get(record.person_id)
    for other_id in person.relations.get("cares_for", []) if person else ():
        other = people.first_of_person.get(other_id)
        if other is None:
            continue
        first, last = max(record.recorded_night, other.recorded_night), min(until(record), until(other))
        start = world.first_night - timedelta(days=400 + draws.below(3_000, "caring", record.key + other.key))
        dump.add("CARER", first, last, (record.key, other.key, "REL", "Y", day(start), NO_DATE))
