"""The person side of the simulated mart: people, addresses, references, former names, contact details, practices.

Everything an `Appearance` says is written as it stands (its defects were made with it); this module adds the mart's own
habits only.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from connectors.synthetic.liquidlogic_codes import code_for
from connectors.synthetic.liquidlogic_rows import (
    SYSTEM,
    Mart,
    Row,
    midnight,
    moment,
    nights_of_change,
    text_or_none,
)
from connectors.synthetic.world import AddressPeriod, Appearance, TruePerson

_CHAINED: Final = 0.5  # of records merged after another one of the same person
_MOST_ADDRESSES: Final = 20
_ADDRESS_TYPES: Final = {"home": "HOME", "no_fixed_abode": "HOME", "care_home": "PLACEMENT", "supported": "PLACEMENT"}
_REFERENCES: Final = {"systmone": "SYSTMONE", "carefirst": "CAREFIRST", "controcc": "CONTROCC"}
_OLD_SYSTEM: Final = "micare"
_LEGACY_PREFIXES: Final = ("MC", "SSD/", "")


def add_people(mart: Mart, late: set[str]) -> None:
    """Write every Liquidlogic record of the world; those in `late` reach the mart one night after their facts (3.5)."""
    truth = {person.person_id: person for person in mart.world.people}
    for appearance in mart.world.appearances:
        if appearance.system != SYSTEM:
            continue
        first = appearance.recorded_night + (1 if appearance.key in late else 0)
        end = mart.last_night + 1 if appearance.removed_night is None else appearance.removed_night
        if first >= end:
            continue
        _add_person(mart, appearance, truth[appearance.person_id], first, end)
        _add_addresses(mart, appearance, first, end)
        _add_references(mart, appearance, first, end)
        _add_former_names(mart, appearance, first, end)
        _add_contact_details(mart, appearance, first, end)
        _add_practices(mart, appearance, first, end)


def _add_person(mart: Mart, appearance: Appearance, person: TruePerson, first: int, end: int) -> None:
    changes = [*appearance.versions, appearance.marked_duplicate_night]
    for start, stop in nights_of_change(first, end, changes):
        fields = appearance.as_of(start)
        assert fields is not None
        mart.tables["DIM_PERSON"].add(_person_row(mart, appearance, person, fields, start), start, stop)


def _person_row(mart: Mart, appearance: Appearance, person: TruePerson, fields: dict[str, str], night: int) -> Row:
    key = appearance.key
    created = _created(mart, appearance)
    number = text_or_none(fields, "nhs_number")
    verified = fields.get("nhs_number_verified") == "Y"
    marked = appearance.marked_duplicate_night is not None and night >= appearance.marked_duplicate_night
    return {
        "DIM_PERSON_ID": int(key),
        "LEGACY_ID": _legacy_id(mart, appearance),
        "TITLE_CODE": text_or_none(fields, "title"),
        "FORENAME": text_or_none(fields, "forename"),
        "MIDDLE_NAMES": text_or_none(fields, "middle_names"),
        "SURNAME": text_or_none(fields, "surname"),
        "PREFERRED_NAME": text_or_none(fields, "known_as"),
        "BIRTH_DTTM": moment(fields.get("birth_date", "")) or mart.no_date(f"birth:{key}"),
        "DOB_ESTIMATED": fields.get("birth_date_estimated") or "N",
        "DEATH_DTTM": moment(fields.get("death_date", "")) or mart.no_date(f"death:{key}"),
        "GENDER_MAIN_CODE": fields.get("sex") or None,
        "ETHNICITY_MAIN_CODE": code_for("ethnicity", fields.get("ethnicity_code", ""))
        or mart.blank(f"ethnicity:{key}"),
        "NATNL_CODE": mart.blank(f"nationality:{key}"),
        "NHS_NUMBER": number,
        "NHS_NUMBER_STATUS_CODE": "07" if number is None else "01" if verified else "02",
        "NHS_NUMBER_TRACED_DTTM": created if number and verified else None,
        "FIRST_LANGUAGE_MAIN_CODE": mart.blank(f"language:{key}"),
        "RELIGION_MAIN_CODE": mart.blank(f"religion:{key}"),
        "IS_CLIENT": mart.flag(appearance.role == "client", f"client:{key}"),
        "IS_CARER": mart.flag(appearance.role == "carer" or "carer" in person.tags, f"carer:{key}"),
        "RESTRICTED_FLAG": mart.flag(appearance.is_restricted, f"restricted:{key}"),
        "NHS_SHARING_OBJECTION_FLAG": "N",
        "TEST_PERSON_FLAG": "Y" if appearance.is_flagged_test else "N",
        "DUPLICATED_DTTM": mart.touched_at(appearance.marked_duplicate_night or 0, f"marked:{key}") if marked else None,
        "DUPLICATE_OF_DIM_PERSON_ID": _merged_into(mart, appearance, night) if marked else -1,
        "CREATED_DTTM": created,
        "MODIF_DTTM": mart.touched_at(night, key, created),
    }


def _merged_into(mart: Mart, appearance: Appearance, night: int) -> int:
    """The record it lost to: the survivor, or an earlier loser of the same survivor (merges of several steps, 6.2)."""
    if appearance.duplicate_of is None:
        return -1
    earlier = mart.losers_before(appearance, night)
    return int(earlier[-1] if earlier and mart.draw("chain", appearance.key) < _CHAINED else appearance.duplicate_of)


def _created(mart: Mart, appearance: Appearance) -> datetime:
    held_since = min((a.valid_from for a in appearance.addresses), default=mart.world.first_night)
    earliest = max(held_since, mart.world.first_night - timedelta(days=3650))
    return mart.touched_at(appearance.recorded_night, f"created:{appearance.key}", midnight(earliest))


def _legacy_id(mart: Mart, appearance: Appearance) -> str | None:
    """The old system's id as the load typed it; where nothing was loaded, what an earlier system left, or nothing."""
    key = appearance.key
    if _OLD_SYSTEM in appearance.references or mart.go_live_night >= 0:
        return appearance.references.get(_OLD_SYSTEM) or mart.blank(f"legacy:{key}")
    if mart.draw("legacy", key) < 0.4:
        return mart.blank(f"legacy:{key}")
    return f"{mart.pick('legacy prefix', key, _LEGACY_PREFIXES)}{int(mart.draw('legacy number', key) * 900_000):08d}"


def _add_addresses(mart: Mart, appearance: Appearance, first: int, end: int) -> None:
    for index, period in enumerate(appearance.addresses[:_MOST_ADDRESSES]):
        key = int(appearance.key) * _MOST_ADDRESSES + index
        told = max(first, _told_night(mart, period.valid_from))
        ended = None if period.valid_to is None else _told_night(mart, period.valid_to)
        for start, stop in nights_of_change(told, end, [ended]):
            is_ended = ended is not None and start >= ended
            row = _address_row(mart, appearance, period, key, is_ended=is_ended)
            row["MODIF_DTTM"] = mart.touched_at(start, key, midnight(period.valid_from))
            mart.tables["DIM_PERSON_ADDRESS"].add(row, start, stop)


def _told_night(mart: Mart, day: date) -> int:
    """The first night whose extract knows of something that happened on `day`: the day must be over."""
    return max(0, (day - mart.world.first_night).days + 1)


def _address_row(mart: Mart, appearance: Appearance, period: AddressPeriod, key: int, *, is_ended: bool) -> Row:
    end = midnight(period.valid_to) if is_ended else None
    kind = _ADDRESS_TYPES[period.kind]
    return {
        "DIM_PERSON_ADDRESS_ID": key,
        "DIM_PERSON_ID": int(appearance.key),
        "ADDSS_TYPE_CODE": "PREV" if is_ended and kind == "HOME" else kind,
        "START_DTTM": midnight(period.valid_from),
        "END_DTTM": end or mart.no_date(f"address:{key}"),
        "BUILDING": period.building or None,
        "HOUSE_NO": period.number or None,
        "STREET": ", ".join(part for part in (period.street, period.locality) if part) or None,
        "TOWN": period.town or None,
        "POSTCODE": period.postcode or None,
        "UPRN": period.uprn or mart.blank(f"uprn:{key}", ("DIM_PERSON_ADDRESS", f"address:{key}", "UPRN")),
    }


def _add_references(mart: Mart, appearance: Appearance, first: int, end: int) -> None:
    typed = {system: value for system, value in appearance.references.items() if system in _REFERENCES}
    for index, (system, value) in enumerate(sorted(typed.items())):
        key = int(appearance.key) * 4 + index
        row = {
            "DIM_PERSON_REFERENCE_ID": key,
            "DIM_PERSON_ID": int(appearance.key),
            "REF_TYPE_CODE": _REFERENCES[system],
            "REF_VALUE": value,
            "START_DTTM": _created(mart, appearance),
            "MODIF_DTTM": mart.touched_at(first, key),
        }
        mart.tables["DIM_PERSON_REFERENCE"].add(row, first, end)


def _add_former_names(mart: Mart, appearance: Appearance, first: int, end: int) -> None:
    spells = _spells(appearance, ("previous_surname", "forename"), first, end)
    for index, (start, stop, (surname, forename)) in enumerate(spells):
        if surname:
            key = int(appearance.key) * 8 + index
            row = {
                "DIM_PERSON_ALIAS_ID": key,
                "DIM_PERSON_ID": int(appearance.key),
                "ALIAS_TYPE_CODE": "FORMER",
                "FORENAME": forename or None,
                "SURNAME": surname,
                "MODIF_DTTM": mart.touched_at(start, key),
            }
            mart.tables["DIM_PERSON_ALIAS"].add(row, start, stop)


def _add_contact_details(mart: Mart, appearance: Appearance, first: int, end: int) -> None:
    for index, (name, kind) in enumerate((("telephone", "PHONE"), ("email", "EMAIL"))):
        key = int(appearance.key) * 2 + index
        for start, stop, (value,) in _spells(appearance, (name,), first, end):
            if value:
                row = {
                    "DIM_PERSON_CONTACT_ID": key,
                    "DIM_PERSON_ID": int(appearance.key),
                    "CONTACT_TYPE_CODE": kind,
                    "CONTACT_VALUE": value,
                    "MODIF_DTTM": mart.touched_at(start, key),
                }
                mart.tables["DIM_PERSON_CONTACT"].add(row, start, stop)


def _add_practices(mart: Mart, appearance: Appearance, first: int, end: int) -> None:
    spells = [s for s in _spells(appearance, ("gp_practice_code",), first, end) if s[2][0]]
    for index, (start, stop, (code,)) in enumerate(spells):
        key = int(appearance.key) * 8 + index
        row = {
            "DIM_PERSON_GP_ID": key,
            "DIM_PERSON_ID": int(appearance.key),
            "PRACTICE_ODS_CODE": code,
            "START_DTTM": _created(mart, appearance) if index == 0 else midnight(mart.world.night_date(start)),
            "END_DTTM": mart.no_date(f"practice:{key}"),
            "MODIF_DTTM": mart.touched_at(start, key),
        }
        mart.tables["DIM_PERSON_GP"].add(row, start, stop)
        if stop < end:  # a later registration closes this one, it does not erase it
            closed = {
                **row,
                "END_DTTM": midnight(mart.world.night_date(stop)),
                "MODIF_DTTM": mart.touched_at(stop, key),
            }
            mart.tables["DIM_PERSON_GP"].add(closed, stop, end)


def _spells(
    appearance: Appearance, names: tuple[str, ...], first: int, end: int
) -> list[tuple[int, int, tuple[str, ...]]]:
    """Spans of nights over which the named fields hold the same values."""
    spells: list[tuple[int, int, tuple[str, ...]]] = []
    for start, stop in nights_of_change(first, end, list(appearance.versions)):
        fields = appearance.as_of(start) or {}
        values = tuple(fields.get(name, "") for name in names)
        if spells and spells[-1][2] == values:
            spells[-1] = (spells[-1][0], stop, values)
        else:
            spells.append((start, stop, values))
    return spells
