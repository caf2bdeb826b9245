"""NHS numbers as systems really hold them: missing, unverified, somebody else's, outdated, mistyped (D01 to D10).

A number that passes the check and is wrong is somebody else's, never a typing slip (sources hand-book, 7.1).
"""

from __future__ import annotations

from typing import Final

from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.nhs_numbers import is_valid
from connectors.synthetic.record_defects import (
    HARD_TO_TRACE,
    Spoiler,
    change_from,
    has_no_number,
    set_field,
    value_of,
)
from connectors.synthetic.world import SYSTEMS, Appearance

_FILLERS: Final = ("0000000000", "1111111111", "9999999999")
#: Wrong numbers that a care system nevertheless calls verified (assumption; the national trace checks demographics).
_WRONG_BUT_VERIFIED: Final = 0.05


def spoil_numbers(spoiler: Spoiler) -> None:
    """Takes numbers away, then spoils some of those left; each record gets at most one wrong number."""
    _take_away(spoiler)
    present = [record for record in spoiler.records if not has_no_number(record)]
    for record in spoiler.pick("D04", present, len(present), clustered=False):
        set_field(record, "nhs_number_verified", "N")
        spoiler.note("D04", record, "nhs_number_verified")
    untouched = _wrong_people(spoiler, present)
    untouched = _superseded(spoiler, untouched)
    for defect_id, make in (("D10", _foreign), ("D06", _mistyped), ("D07", _filler)):
        hit = spoiler.pick(defect_id, untouched, clustered=False)
        for record in hit:
            make(spoiler, record)
            set_field(record, "nhs_number_verified", "N")
            spoiler.note(defect_id, record, "nhs_number")
        untouched = _without(untouched, hit)
    for record in spoiler.pick("D09", present, len(present), clustered=False):
        set_field(record, "nhs_number", _formatted(spoiler, value_of(record, "nhs_number")))
        spoiler.note("D09", record, "nhs_number")


def _without(records: list[Appearance], hit: list[Appearance]) -> list[Appearance]:
    gone = {record.key for record in hit}
    return [record for record in records if record.key not in gone]


def _take_away(spoiler: Spoiler) -> None:
    if spoiler.system == "systmone":
        _remove(spoiler, "D03", spoiler.records)
        return
    slight: list[Appearance] = []
    known: list[Appearance] = []
    for record in spoiler.records:
        contact_only = spoiler.council.kind_of_client.get(record.person_id) == "request_only"
        (slight if record.role != "client" or contact_only else known).append(record)
    _remove(spoiler, "D01", known)
    _remove(spoiler, "D02", slight)


def _remove(spoiler: Spoiler, defect_id: str, group: list[Appearance]) -> None:
    present = [record for record in group if not has_no_number(record)]
    already = len(group) - len(present)
    count = max(0, how_many(spoiler.rng, spoiler.share(defect_id), len(group)) - already)
    hit = choose(spoiler.rng, present, count, lambda r: bool(spoiler.person(r).tags & HARD_TO_TRACE))
    for record in hit:
        set_field(record, "nhs_number", "")
        set_field(record, "nhs_number_verified", "N")
    for record in group:
        if has_no_number(record):
            spoiler.note(defect_id, record, "nhs_number")


def _wrong_people(spoiler: Spoiler, present: list[Appearance]) -> list[Appearance]:
    hit = spoiler.pick("D05", present, clustered=False)
    people = spoiler.council.people
    for record in hit:
        person = spoiler.person(record)
        relatives = [p for p in spoiler.council.households[person.household_id] if p is not person]
        neighbour = people[person.person_id % len(people)]
        other = spoiler.rng.choice(relatives) if relatives and spoiler.rng.random() < 0.7 else neighbour
        set_field(record, "nhs_number", other.nhs_number)
        verified = spoiler.system != "systmone" and spoiler.rng.random() < _WRONG_BUT_VERIFIED
        set_field(record, "nhs_number_verified", "Y" if verified else "N")
        spoiler.note("D05", record, "nhs_number")
    return _without(present, hit)


def _superseded(spoiler: Spoiler, records: list[Appearance]) -> list[Appearance]:
    eligible = [record for record in records if spoiler.person(record).superseded_nhs_numbers]
    hit = spoiler.pick("D08", eligible, clustered=False)
    for record in hit:
        set_field(record, "nhs_number", spoiler.person(record).superseded_nhs_numbers[0])
        if spoiler.rng.random() < 0.5:
            set_field(record, "nhs_number_verified", "N")
        spoiler.note("D08", record, "nhs_number")
    return _without(records, hit)


def _foreign(spoiler: Spoiler, record: Appearance) -> None:
    set_field(record, "nhs_number", spoiler.council.numbers.issue_foreign())


def _mistyped(spoiler: Spoiler, record: Appearance) -> None:
    number = value_of(record, "nhs_number")
    place = spoiler.rng.randrange(3, 9)
    digit = (int(number[place]) + spoiler.rng.randrange(1, 10)) % 10
    wrong = f"{number[:place]}{digit}{number[place + 1 :]}"
    set_field(record, "nhs_number", number if is_valid(wrong) else wrong)


def _filler(spoiler: Spoiler, record: Appearance) -> None:
    set_field(record, "nhs_number", spoiler.rng.choice(_FILLERS))


def _formatted(spoiler: Spoiler, number: str) -> str:
    chance = spoiler.rng.random()
    if chance < 0.60:
        return f"{number[:3]} {number[3:6]} {number[6:]}"
    if chance < 0.75:
        return f"{number[:3]}-{number[3:6]}-{number[6:]}"
    if chance < 0.85:
        return f"{number}.0"
    if chance < 0.95:
        return f"{number}  "
    return f"{int(number) / 1e9:.6f}E+09"


def change_on_nights(spoiler: Spoiler) -> None:
    """On later nights a few numbers are traced: missing ones come in, unverified ones are verified."""
    nights = spoiler.council.settings.nights
    if not nights:
        return
    early = [record for record in spoiler.records if record.recorded_night == 0 and record.duplicate_of is None]
    missing = [record for record in early if has_no_number(record)]
    unverified = [
        record for record in early
        if value_of(record, "nhs_number") == spoiler.person(record).nhs_number and value_of(record,
        "nhs_number_verified") == "N"
    ]  # fmt: skip
    begin = SYSTEMS.index(spoiler.system)  # small councils have few: no two systems begin on the same night
    for shift, group in ((begin, missing), (begin + 2, unverified)):
        for place, record in enumerate(choose(spoiler.rng, group, spoiler.council.by_number(4))):
            number = spoiler.person(record).nhs_number
            change_from(record, 1 + (place + shift) % nights, {"nhs_number": number, "nhs_number_verified": "Y"})
