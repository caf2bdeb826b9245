"""Birth, death, sex and ethnicity as systems really hold them (D40 to D48)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.people import TRADITION_BORN_ABROAD
from connectors.synthetic.record_defects import Spoiler, has_no_number, set_field, value_of
from connectors.synthetic.world import Appearance

#: Which part of a birth date differs, as counted in 624 pairs (D40): off by one, digits swapped, other.
_PARTS: Final = (
    ("day one", 74), ("day swap", 8), ("day other", 192), ("month one", 64), ("month swap", 7), ("month other", 101),
    ("year one", 55), ("year swap", 2), ("year other", 79), ("several", 42),
)  # fmt: skip
_CODES: Final = "ABCDEFGHJKLMNPRS"


def spoil_births(spoiler: Spoiler) -> None:
    """Puts the defects of birth, death, sex and ethnicity in."""
    used = _birth_dates(spoiler)
    _default_dates(spoiler, used)
    _deaths(spoiler)
    _sex(spoiler)
    _ethnicity(spoiler)


def _set_birth(spoiler: Spoiler, record: Appearance, day: date, defect_id: str) -> None:
    set_field(record, "birth_date", day.isoformat())
    spoiler.note(defect_id, record, "birth_date")


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _swapped(number: int) -> int:
    return int(f"{number:02d}"[::-1])


def another_birth_date(spoiler: Spoiler, birth: date) -> date:
    """A birth date that differs the way real pairs differ: mostly in one part, often by one."""
    rng = spoiler.rng
    for _ in range(50):
        part, _, how = rng.choices([p for p, _ in _PARTS], weights=[w for _, w in _PARTS])[0].partition(" ")
        step = rng.choice((-1, 1)) if how == "one" else rng.randrange(-9, 10)
        year, month, day = birth.year, birth.month, birth.day
        if part == "day":
            day = _swapped(day) if how == "swap" else day + step
        elif part == "month":
            month = _swapped(month) if how == "swap" else month + step
        elif part == "year":
            year = year - year % 100 + _swapped(year % 100) if how == "swap" else year + step
        else:
            year, month, day = year + rng.randrange(-3, 4), rng.randrange(1, 13), rng.randrange(1, 29)
        made = _valid(year, month, day)
        if made is not None and made != birth and made < spoiler.council.first_day:
            return made
    return birth + timedelta(days=1)


def _swappable(birth: date) -> bool:
    return birth.day <= 12 and birth.day != birth.month


def _birth_dates(spoiler: Spoiler) -> set[str]:
    used = {record.key for record in spoiler.records if record.is_mixed}
    for record in spoiler.pick("D40", [r for r in spoiler.records if r.key not in used]):
        _set_birth(spoiler, record, another_birth_date(spoiler, spoiler.person(record).birth_date), "D40")
        used.add(record.key)
    able = [r for r in spoiler.records if r.key not in used and _swappable(spoiler.person(r).birth_date)]
    for record in spoiler.pick("D43", able):
        birth = spoiler.person(record).birth_date
        _set_birth(spoiler, record, date(birth.year, birth.day, birth.month), "D43")
        used.add(record.key)
    return used


def _default_dates(spoiler: Spoiler, used: set[str]) -> None:
    free = [r for r in spoiler.records if r.key not in used]
    adults = [r for r in free if spoiler.council.age(spoiler.person(r)) >= 18]
    for record in spoiler.pick("D41a", adults):
        _set_birth(spoiler, record, date(1901 if spoiler.rng.random() < 0.25 else 1900, 1, 1), "D41")
        used.add(record.key)
    for defect_id, abroad in (("D41b", False), ("D41c", True)):
        group = [r for r in spoiler.records if (spoiler.person(r).tradition in TRADITION_BORN_ABROAD) is abroad]
        able = [r for r in group if r.key not in used and spoiler.council.age(spoiler.person(r)) >= 3]
        for record in spoiler.pick(defect_id, able, len(group)):
            guessed = spoiler.person(record).birth_date.year + spoiler.rng.choice((0, 0, 0, -1, 1))
            _set_birth(spoiler, record, date(guessed, 1, 1), "D41")
            used.add(record.key)
    for record in spoiler.pick("D42", [r for r in spoiler.records if r.key not in used]):
        birth = spoiler.person(record).birth_date
        made = birth.replace(day=15 if spoiler.rng.random() < 0.7 else 1)
        _set_birth(spoiler, record, made, "D42")
        if spoiler.rng.random() < 0.5:
            set_field(record, "birth_date_estimated", "Y")


def _deaths(spoiler: Spoiler) -> None:
    recent = spoiler.council.last_day - timedelta(days=90)
    dead = [r for r in spoiler.records if spoiler.person(r).death_date is not None]
    for defect_id, late in (("D44a", True), ("D44b", False)):
        group = [r for r in dead if ((spoiler.person(r).death_date or recent) >= recent) is late]
        for record in choose(
            spoiler.rng, group, how_many(spoiler.rng, spoiler.share(defect_id), len(group)), has_no_number
        ):
            set_field(record, "death_date", "")
            spoiler.note("D44", record, "death_date")
    told = [r for r in dead if any(fields["death_date"] for fields in r.versions.values())]
    for record in choose(spoiler.rng, told, how_many(spoiler.rng, spoiler.share("D45a"), len(told))):
        death = spoiler.person(record).death_date
        if death is None:
            continue
        near = min(spoiler.council.last_day, death + timedelta(days=spoiler.rng.choice((-3, -2, -1, 1, 1, 2, 3, 4))))
        for fields in record.versions.values():
            if fields["death_date"]:
                fields["death_date"] = near.isoformat()
        spoiler.note("D45", record, "death_date")
    alive = [r for r in spoiler.records if spoiler.person(r).death_date is None]
    for record in spoiler.pick("D45b", alive, len(alive)):
        ahead = spoiler.council.last_day + timedelta(days=spoiler.rng.randrange(200, 3650))
        set_field(record, "death_date", ahead.isoformat())
        spoiler.note("D45", record, "death_date")


def _sex(spoiler: Spoiler) -> None:
    for record in spoiler.pick("D46", spoiler.records):
        set_field(record, "sex", "M" if value_of(record, "sex") == "F" else "F")
        spoiler.note("D46", record, "sex")
    slight = [
        r for r in spoiler.records
        if r.role in ("carer", "related") or spoiler.council.kind_of_client.get(r.person_id) == "request_only"
    ]  # fmt: skip
    keys = {r.key for r in slight}
    known = [r for r in spoiler.records if r.key not in keys]
    for defect_id, group in (("D47", known), ("D47c", slight)):
        for record in spoiler.pick(defect_id, group, len(group)):
            set_field(record, "sex", spoiler.rng.choice(("U", "U", "")))
            spoiler.note("D47", record, "sex")


def _ethnicity(spoiler: Spoiler) -> None:
    missing = spoiler.pick("D48", spoiler.records)
    gone = {record.key for record in missing}
    for record in missing:
        set_field(record, "ethnicity_code", "Z" if spoiler.rng.random() < 0.4 else "")
        spoiler.note("D48", record, "ethnicity_code")
    for record in spoiler.pick("D48c", [r for r in spoiler.records if r.key not in gone]):
        true = spoiler.person(record).ethnicity_code
        other = [code for code in ("ABCC" if true == "A" or spoiler.rng.random() < 0.3 else _CODES) if code != true]
        set_field(record, "ethnicity_code", spoiler.rng.choice(other))
        spoiler.note("D48", record, "ethnicity_code")
