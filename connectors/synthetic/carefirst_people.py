"""Persons of the simulated CareFirst and what hangs on them: addresses, references, relationships, classifications.

The defects of names, numbers and dates are already in each `Appearance`; here they get the supplier's habits: capitals,
DUPLICATE typed into names, five free-typed address lines, soft-deleted classifications.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from connectors.synthetic.carefirst_casework import add_unborn
from connectors.synthetic.carefirst_codes import code, described_codes, retired_code
from connectors.synthetic.carefirst_dump import FOREVER, Draws, Dump, day, day_of_text, moment, padded, spans
from connectors.synthetic.world import AddressPeriod, Appearance, TruePerson, World

#: Classification type -> (code set, attribute of the true person). The order numbers them within a person for ever.
CLASSIFICATIONS: Final = (
    ("PSR", "PSR", "primary_support_reason"),
    ("ACCOM", "ACCOM", "accommodation_status"),
    ("EMPLOY", "EMPLOY", "employment_status"),
    ("CARER", "CARER", "has_unpaid_carer"),
    ("ASD", "ASD", "autism"),
    ("VISUAL", "VISUAL", "visual_impairment"),
    ("HEARING", "HEARING", "hearing_impairment"),
    ("DEMENTIA", "DEMENTIA", "dementia"),
    ("FUNDING", "FUNDING", "client_funding_status"),
    ("CAREHOURS", "CAREHOURS", "hours_caring"),
)

_RELATIONS: Final = {
    "spouse": "SPOU",
    "parent": "PARE",
    "child": "CHIL",
    "twin": "SIBL",
    "sibling": "SIBL",
    "related_to": "RELA",
    "relative": "RELA",
    "cares_for": "CARE",
    "cared_for_by": "CFBY",
}
_REFERENCES: Final = {"systmone": "SYSTMONE", "liquidlogic": "LIQUIDLOGIC"}


@dataclass(frozen=True, slots=True)
class People:
    """The CareFirst records of a world, by key and by true person (the first unmarked record stands for the person)."""

    by_key: Mapping[str, Appearance]
    first_of_person: Mapping[int, Appearance]
    true_people: Mapping[int, TruePerson]


def people_of(world: World) -> People:
    """Look-ups over the world's CareFirst appearances."""
    records = [a for a in world.appearances if a.system == "carefirst"]
    first: dict[int, Appearance] = {}
    for record in records:
        if record.duplicate_of is None and not record.is_test:
            first.setdefault(record.person_id, record)
    return People({a.key: a for a in records}, first, {p.person_id: p for p in world.people})


def until(record: Appearance) -> int:
    """The night from which the record is gone."""
    return FOREVER if record.removed_night is None else record.removed_night


def write_people(world: World, people: People, dump: Dump, draws: Draws) -> None:
    """Add the rows of all person tables to the dump."""
    for record in people.by_key.values():
        _person(world, record, dump, draws)
        _addresses(world, record, dump, draws)
        _references(world, record, dump)
        person = people.true_people.get(record.person_id)
        if person is not None and not record.is_test and record.role in ("client", "carer"):
            _classifications(world, record, person, dump, draws)
    for record in people.first_of_person.values():
        _relationships(world, people, record, dump, draws)
        if (truth := people.true_people.get(record.person_id)) is not None and record.role == "client":
            add_unborn(world, record, truth, dump, draws)


def _person(world: World, record: Appearance, dump: Dump, draws: Draws) -> None:
    created = opened_at(world, record, draws)
    for first, last in spans(record.recorded_night, until(record), [*record.versions, record.marked_duplicate_night]):
        held = record.as_of(first) or {}
        forenames = " ".join(part for part in (held.get("forename", ""), held.get("middle_names", "")) if part)
        surname = held.get("surname", "")
        if record.marked_duplicate_night is not None and first >= record.marked_duplicate_night:
            forenames, surname = _marked(forenames, surname, draws.below(5, "mark", record.key))
        updated = created if first == record.recorded_night else _during_day_before(world, first, draws, record.key)
        born = held.get("birth_date", "")
        values = (
            record.key,
            held.get("title", ""),
            forenames,
            surname,
            held.get("known_as", ""),
            held.get("sex", ""),
            day_of_text(born),
            held.get("birth_date_estimated", ""),
            day_of_text(held.get("death_date", "")),
            padded(code("ETHNIC", held.get("ethnicity_code", "")), "ETHNIC"),
            held.get("nhs_number", ""),
            _insurance_number(record, draws),
            "Y" if record.role == "client" else "N",
            "C" if _is_child(born, world.first_night) else "A",
            "Y" if record.is_restricted else "N",
            moment(created),
            moment(updated),
        )
        dump.add("PERSON", first, last, [value.upper() for value in values])


def _marked(forenames: str, surname: str, style: int) -> tuple[str, str]:
    """The name after a clerk has marked the record as a duplicate (sources 5.3)."""
    if any(word in f"{forenames} {surname}".upper() for word in ("DUPLICATE", "DO NOT USE")):
        return forenames, surname
    if style == 0:
        return "DUPLICATE", surname
    return forenames, f"{surname} DUPLICATE" if style < 3 else f"DO NOT USE {surname}"


def _insurance_number(record: Appearance, draws: Draws) -> str:
    """A number with the prefix QQ, which is never issued; two in five records have none."""
    if draws.number("ni", record.key) < 0.4:
        return ""
    return f"QQ{draws.below(1_000_000, 'ni number', record.key):06d}{'ABCD'[draws.below(4, 'ni letter', record.key)]}"


def _is_child(born: str, on: date) -> bool:
    return born[:4].isdecimal() and born > on.replace(year=on.year - 18, day=min(on.day, 28)).isoformat()


def opened_at(world: World, record: Appearance, draws: Draws) -> datetime:
    """When the file was opened: within ten years before the first load, or the day before its first night."""
    if record.recorded_night > 0:
        return _during_day_before(world, record.recorded_night, draws, record.key)
    opened = world.first_night - timedelta(days=30 + draws.below(3_600, "opened", record.key))
    return datetime.combine(opened, time(8 + draws.below(9, "hour", record.key), draws.below(60, "minute", record.key)))


def _during_day_before(world: World, night: int, draws: Draws, key: str) -> datetime:
    at = time(8 + draws.below(9, f"hour {night}", key), draws.below(60, f"minute {night}", key))
    return datetime.combine(world.night_date(night) - timedelta(days=1), at)


def _addresses(world: World, record: Appearance, dump: Dump, draws: Draws) -> None:
    previous: dict[str, tuple[int, tuple[str, ...]]] = {}
    nights = range(record.recorded_night, min(until(record), world.nights + 1))
    for night in nights:
        held = dict(_address_rows(world, record, night, draws))
        for key, (first, values) in list(previous.items()):
            if held.get(key) != values:
                dump.add("ADDRESS", first, night, values)
                del previous[key]
        for key, values in held.items():
            previous.setdefault(key, (night, values))
    for first, values in previous.values():
        dump.add("ADDRESS", first, until(record), values)


def _address_rows(world: World, record: Appearance, night: int, draws: Draws) -> Iterator[tuple[str, tuple[str, ...]]]:
    for index, period in record.addresses_as_of(world.night_date(night)):
        key = str(int(record.key) * 100 + index)
        lines, postcode = _five_lines(period, key, draws)
        ended = period.valid_to
        if ended is not None and draws.hits("D70a", f"address {key}"):
            draws.note("D70", "ADDRESS", key, "END_DATE", night)
            ended = period.valid_from - timedelta(days=1 + draws.below(20, "back", key))
        uprn = period.uprn or draws.blank("ADDRESS", "UPRN", key, ("0", "-1", "N/A"))
        kind = {"home": "HOME", "care_home": "PLAC", "supported": "PLAC"}.get(period.kind, "TEMP")
        yield key, (key, record.key, padded(kind, "CLASS"), *lines, postcode, uprn, day(period.valid_from), day(ended))


def _five_lines(period: AddressPeriod, key: str, draws: Draws) -> tuple[list[str], str]:
    """Address over five lines as typed; in a fifth of them the postcode stands in line 5 and nowhere else."""
    street = " ".join(part for part in (period.number, period.street) if part)
    lines = [part for part in (period.building, street, period.locality, period.town) if part][:4]
    if lines:
        lines[0] = draws.damaged(lines[0], "ADDRESS", "ADDRESS_LINE1", key)
    lines += [""] * (5 - len(lines))
    if draws.number("line five", key) < 0.2:
        lines[4] = period.postcode
        return lines, ""
    return lines, period.postcode


def _references(world: World, record: Appearance, dump: Dump) -> None:
    gone = until(record)
    for system, other in sorted(record.references.items()):
        if system in _REFERENCES:  # it has no kind of reference for other councils' systems
            _reference(dump, record, (record.recorded_night, gone), _REFERENCES[system], other)
    for first, last in spans(record.recorded_night, gone, list(record.versions)):
        held = record.as_of(first) or {}
        digits = "".join(c for c in held.get("nhs_number", "") if c.isdecimal())
        if digits and held.get("nhs_number_verified") == "Y":
            _reference(dump, record, (first, last), "NHS_TRACED", digits)
        if held.get("previous_surname"):
            _reference(dump, record, (first, last), "FORMER_NAME", held["previous_surname"].upper())
        if held.get("gp_practice_code"):
            _reference(dump, record, (first, last), "GP_PRACTICE", held["gp_practice_code"])


def _reference(dump: Dump, record: Appearance, nights: tuple[int, int], kind: str, number: str) -> None:
    dump.add("REFERENCE", *nights, (record.key, padded(kind, "REF_TYPE"), number, "", ""))


def _relationships(world: World, people: People, record: Appearance, dump: Dump, draws: Draws) -> None:
    person = people.true_people.get(record.person_id)
    for relation, others in sorted(person.relations.items()) if person else ():
        for other_id in others:
            other = people.first_of_person.get(other_id)
            if other is None or relation not in _RELATIONS:
                continue
            first = max(record.recorded_night, other.recorded_night)
            last = min(until(record), until(other))
            if first >= last:
                continue
            caring = relation in ("cares_for", "cared_for_by")
            pair = "-".join(sorted((record.key, other.key)))
            start = world.first_night - timedelta(days=400 + draws.below(3_000, "relation", pair))
            kind = padded(_RELATIONS[relation], "REL_TYPE")
            dump.add("RELATIONSHIP", first, last, (record.key, other.key, kind, day(start), "", "Y" if caring else "N"))


def _classifications(world: World, record: Appearance, person: TruePerson, dump: Dump, draws: Draws) -> None:
    opened = opened_at(world, record, draws).date()
    for index, (kind, code_set, attribute) in enumerate(CLASSIFICATIONS):
        meaning = getattr(person, attribute)
        key = int(record.key) * 100 + index * 10
        nights = (record.recorded_night, until(record))
        if meaning and not (meaning == "Unknown" and draws.number("unknown left out", str(key)) < 0.5):
            value = spoiled_code(draws, "CLASSIFICATION", "CLASS_CODE", f"characteristic:{key}", code_set, meaning)
            _classification(dump, nights, (str(key), record.key, kind, value, day(opened), "", "", "CURRENT"))
        if draws.number("soft deleted", str(key)) < 0.01:
            wrong = next(m for s, _, m in described_codes() if s == code_set)
            row = (str(key + 1), record.key, kind, code(code_set, wrong), day(opened), "", "ERROR", "DELETED")
            _classification(dump, nights, row)
        if draws.number("earlier", str(key)) < 0.03:
            _earlier(dump, nights, record, kind, code_set, key, opened, draws)


def _earlier(
    dump: Dump,
    nights: tuple[int, int],
    record: Appearance,
    kind: str,
    code_set: str,
    key: int,
    opened: date,
    draws: Draws,
) -> None:
    """A classification that ended when the file was re-opened; its end now and then lies before its start (D70)."""
    meaning = [m for s, _, m in described_codes() if s == code_set][-1]
    start, end = opened - timedelta(days=700), opened - timedelta(days=1)
    if draws.hits("D70a", f"class {key}"):
        draws.note("D70", "CLASSIFICATION", f"characteristic:{key + 2}", "END_DATE", nights[0])
        end = start - timedelta(days=3)
    row = (str(key + 2), record.key, kind, code(code_set, meaning), day(start), day(end), "REVIEW", "ENDED")
    _classification(dump, nights, row)


def _classification(dump: Dump, nights: tuple[int, int], values: tuple[str, ...]) -> None:
    identity, person, kind, value, start, end, reason, status = values
    dump.add(
        "CLASSIFICATION",
        *nights,
        (identity, person, padded(kind, "OBS"), padded(value, "CLASS"), start, end, padded(reason, "CODE"), status),
    )


def spoiled_code(draws: Draws, table: str, column: str, key: str, code_set: str, meaning: str) -> str:
    """The local code of a meaning, in places as old or careless hands left it (D84)."""
    value = code(code_set, meaning)
    where = f"{column}:{key}"
    if draws.hits("D84a", where):
        draws.note("D84", table, key, column)
        return f"X{draws.below(90, 'unlisted', where) + 10}"
    retired = retired_code(code_set, meaning)
    if retired is not None and draws.hits("D84b", where):
        draws.note("D84", table, key, column)
        return retired
    if draws.hits("D84c", where):
        draws.note("D84", table, key, column)
        return value.lower()
    return value
