"""What the simulated mart knows of people apart from their events: relations, characteristics and disabilities.

It also writes the look-up values, of which one is reworded on a later night while its code stays the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from connectors.synthetic.liquidlogic_codes import CHARACTERISTICS, CODES, RETIRED, code_for
from connectors.synthetic.liquidlogic_rows import SYSTEM, Mart, midnight
from connectors.synthetic.world import Appearance, TruePerson

_RELATIONS: Final = {"spouse": "SPO", "parent": "PAR", "child": "CHI", "twin": "SIB", "cares_for": "CARER"}
_DISABILITIES: Final = {
    "Learning disability support": "LD",
    "Mental health support": "MH",
    "Support with memory and cognition": "DEM",
    "Sensory support: Support for visual impairment": "VI",
    "Sensory support: Support for hearing impairment": "HI",
    "Physical support: Personal care support": "PD",
}
_NATIONAL_SETS: Final = ("ethnicity",)
#: The night on which a label is edited in the look-ups while its code stays (D84: labels change twice a year).
LABEL_EDIT_NIGHT: Final = 4


def add_person_facts(mart: Mart) -> None:
    """Write relations, characteristics and disabilities of every first record of a person (duplicates hold none)."""
    records = {
        a.person_id: a for a in reversed(mart.world.appearances) if a.system == SYSTEM and a.duplicate_of is None
    }
    truth = {person.person_id: person for person in mart.world.people}
    relation = 100 * mart.world.first_list_item
    for person_id, record in sorted(records.items()):
        person = truth[person_id]
        relation = _add_relations(mart, records, truth, person, relation)
        if record.role in ("client", "carer"):
            _add_characteristics(mart, record, person)
            _add_disability(mart, record, person)


def _add_relations(
    mart: Mart, records: dict[int, Appearance], truth: dict[int, TruePerson], person: TruePerson, number: int
) -> int:
    record = records[person.person_id]
    for kind, code in _RELATIONS.items():
        for other_id in person.relations.get(kind, []):
            other = records.get(other_id)
            if other is None:
                continue
            number += 1
            first, end = max(record.recorded_night, other.recorded_night), min(_end(mart, record), _end(mart, other))
            if first >= end:
                continue
            since = _since(mart, f"relation:{number}", person)
            mart.tables["FACT_PERSON_RELATION"].add(
                {
                    "FACT_PERSON_RELATION_ID": number,
                    "DIM_PERSON_ID": int(record.key),
                    "DIM_RELATED_PERSON_ID": int(other.key),
                    "DIM_RELATED_PERSON_DOB": midnight(truth[other_id].birth_date),
                    "DIM_LOOKUP_RELTN_TYPE_CODE": code,
                    "START_DTTM": since,
                    "END_DTTM": mart.no_date(f"relation:{number}"),
                    "MODIF_DTTM": mart.touched_at(first, f"relation:{number}", since),
                },
                first,
                end,
            )
    return number


def _add_characteristics(mart: Mart, record: Appearance, person: TruePerson) -> None:
    for place, (kind, kind_code) in enumerate(CHARACTERISTICS.items()):
        value = str(getattr(person, kind))
        number = int(record.key) * 16 + place
        never_asked = value == "Unknown" and mart.draw("never asked", number) < 0.5
        if not value or never_asked or record.recorded_night >= _end(mart, record):
            continue
        since = _since(mart, f"characteristic:{number}", person)
        mart.tables["FACT_PERSON_CHARACTERISTIC"].add(
            {
                "FACT_PERSON_CHARACTERISTIC_ID": number,
                "DIM_PERSON_ID": int(record.key),
                "CHARACTERISTIC_TYPE_CODE": kind_code,
                "CHARACTERISTIC_CODE": code_for(kind, value),
                "CHARACTERISTIC_DESC": value,
                "START_DTTM": since,
                "END_DTTM": mart.no_date(f"characteristic:{number}"),
                "CREATED_DTTM": mart.touched_at(record.recorded_night, number, since),
                "MODIF_DTTM": mart.touched_at(record.recorded_night, number, since),
            },
            record.recorded_night,
            _end(mart, record),
        )


def _add_disability(mart: Mart, record: Appearance, person: TruePerson) -> None:
    code = _DISABILITIES.get(person.primary_support_reason)
    if code is None or record.recorded_night >= _end(mart, record):
        return
    number = int(record.key)
    since = _since(mart, f"disability:{number}", person)
    mart.tables["FACT_DISABILITY"].add(
        {
            "FACT_DISABILITY_ID": number,
            "DIM_PERSON_ID": int(record.key),
            "DIM_LOOKUP_DISAB_CODE": code,
            "START_DTTM": since,
            "END_DTTM": mart.no_date(f"disability:{number}"),
            "MODIF_DTTM": mart.touched_at(record.recorded_night, number, since),
        },
        record.recorded_night,
        _end(mart, record),
    )


def _since(mart: Mart, key: str, person: TruePerson) -> datetime:
    """When it was first written down: one to four years before the first load, but never before birth."""
    day = mart.world.first_night - timedelta(days=400 + int(mart.draw("since", key) * 1_000))
    since = midnight(max(day, person.birth_date))
    assert since is not None
    return since


def _end(mart: Mart, record: Appearance) -> int:
    return mart.last_night + 1 if record.removed_night is None else record.removed_night


def add_lookups(mart: Mart) -> None:
    """Write the look-up values; one label is reworded on a later night while its code stays the same."""
    number = 0
    for code_set, codes in CODES.items():
        for clean, code in codes.items():
            number += 1
            row = {
                "DIM_LOOKUP_ID": number,
                "LOOKUP_TYPE": code_set.upper(),
                "MAIN_CODE": code,
                "DESCRIPTION": clean,
                "NAT_ID": clean if code_set in _NATIONAL_SETS else None,
                "ACTIVE_FLAG": "Y",
            }
            edited = LABEL_EDIT_NIGHT if (code_set, code) == ("route_of_access", "COMM") else mart.last_night + 1
            mart.tables["DIM_LOOKUP"].add(row, 0, min(edited, mart.last_night + 1))
            if edited <= mart.last_night:
                mart.log("D84", "DIM_LOOKUP", f"lookup:{number}", "DESCRIPTION", edited)
                mart.tables["DIM_LOOKUP"].add(
                    {**row, "DESCRIPTION": "Community and other routes"}, edited, mart.last_night + 1
                )
    for (code_set, code), retired in RETIRED.items():
        number += 1
        mart.tables["DIM_LOOKUP"].add(
            {
                "DIM_LOOKUP_ID": number,
                "LOOKUP_TYPE": code_set.upper(),
                "MAIN_CODE": retired,
                "DESCRIPTION": f"Old code, see {code}",
                "ACTIVE_FLAG": "N",
            },
            0,
            mart.last_night + 1,
        )
