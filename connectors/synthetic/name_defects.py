"""Names as systems really hold them (D20 to D33): stale, shortened, exchanged, misspelt, mis-cased, annotated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connectors.synthetic import name_variants
from connectors.synthetic.canaries import is_canary
from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.names import BRITISH_LIKE, nicknames
from connectors.synthetic.record_defects import Spoiler, has_no_number, set_field, value_of
from connectors.synthetic.world import Appearance

_NOT_TRANSLITERATED: Final = BRITISH_LIKE | {"romanian"}
_OLD: Final = 75
_CAPITALS: Final = ("carefirst", "micare")


def spoil_names(spoiler: Spoiler) -> None:
    """Puts the name defects in, the ones that change who it seems to be first, the ones of looks last."""
    _three_surnames(spoiler)
    _stale_surnames(spoiler)
    used = _other_forenames(spoiler)
    used |= _nicknames(spoiler, used)
    _middle_names(spoiler, used)
    for record in spoiler.pick("D23", [r for r in spoiler.records if value_of(r, "surname")]):
        forename, surname = value_of(record, "forename"), value_of(record, "surname")
        set_field(record, "forename", surname)
        set_field(record, "surname", forename)
        spoiler.note("D23", record, "forename")
    _traditions(spoiler)
    _slips(spoiler)
    _accents(spoiler)
    _babies(spoiler)
    _notes_in_names(spoiler)
    for record in spoiler.pick("D33", spoiler.records):
        set_field(record, "previous_surname", value_of(record, "surname"))
        spoiler.note("D33", record, "previous_surname")
    _looks(spoiler)


def _three_surnames(spoiler: Spoiler) -> None:
    """The woman with three surnames: each system holds another of them."""
    place = {"carefirst": 0, "micare": 0, "liquidlogic": 1}.get(spoiler.system, 2)
    for record in spoiler.records:
        person = spoiler.person(record)
        if "three_surnames" in person.tags:
            set_field(record, "surname", person.names[place].surname)
            set_field(record, "previous_surname", "")


def _stale_surnames(spoiler: Spoiler) -> None:
    for defect_id, sex in (("D21f", "F"), ("D21m", "M")):
        group = [
            r
            for r in spoiler.records
            if spoiler.person(r).sex == sex and "three_surnames" not in spoiler.person(r).tags
        ]
        married = [r for r in group if len(spoiler.person(r).names) > 1]
        eligible = married if len(married) > 0.3 * len(group) else group
        for record in spoiler.pick(defect_id, eligible, len(group)):
            person = spoiler.person(record)
            tradition = person.tradition
            earlier = [name.surname for name in person.names[:-1]]
            surname = earlier[-1] if earlier else spoiler.council.names.surname(spoiler.rng, tradition)
            set_field(record, "surname", surname)
            set_field(record, "previous_surname", "")
            spoiler.note("D21", record, "surname")


def _another_forename(spoiler: Spoiler, record: Appearance) -> str:
    person = spoiler.person(record)
    return spoiler.council.names.forename(spoiler.rng, person.sex, person.birth_date.year, person.tradition)


def _other_forenames(spoiler: Spoiler) -> set[str]:
    """Forename not alike at all (D20), or both names different (D22)."""
    used: set[str] = set()
    for record in spoiler.pick("D22", spoiler.records):
        set_field(record, "forename", _another_forename(spoiler, record))
        set_field(record, "surname", spoiler.council.names.surname(spoiler.rng, spoiler.person(record).tradition))
        spoiler.note("D22", record, "surname")
        used.add(record.key)
    for record in spoiler.pick("D20", [r for r in spoiler.records if r.key not in used]):
        set_field(record, "forename", _another_forename(spoiler, record))
        spoiler.note("D20", record, "forename")
        used.add(record.key)
    return used


def _nicknames(spoiler: Spoiler, used: set[str]) -> set[str]:
    table = nicknames()
    hit: set[str] = set()
    for old in (False, True):
        group = [r for r in spoiler.records if (spoiler.council.age(spoiler.person(r)) >= _OLD) is old]
        eligible = [r for r in group if r.key not in used and value_of(r, "forename").lower() in table]
        share = min(0.9, spoiler.share("D24") * (2 if old else 1))
        for record in choose(spoiler.rng, eligible, how_many(spoiler.rng, share, len(group)), has_no_number):
            short = table[value_of(record, "forename").lower()]
            known_as = value_of(record, "known_as")
            set_field(record, "forename", known_as if known_as in short else spoiler.rng.choice(short))
            spoiler.note("D24", record, "forename")
            hit.add(record.key)
    return hit


def _middle_names(spoiler: Spoiler, used: set[str]) -> None:
    with_middle = [r for r in spoiler.records if r.key not in used and value_of(r, "middle_names")]
    for record in spoiler.pick("D25", with_middle):
        forename, (first, *rest) = value_of(record, "forename"), value_of(record, "middle_names").split(" ")
        set_field(record, "forename", first)
        set_field(record, "middle_names", " ".join(rest) if spoiler.rng.random() < 0.5 else " ".join([forename, *rest]))
        spoiler.note("D25", record, "forename")
        used.add(record.key)
    for record in spoiler.pick("D25i", [r for r in spoiler.records if r.key not in used]):
        set_field(record, "forename", value_of(record, "forename")[:1])
        set_field(record, "middle_names", value_of(record, "middle_names")[:1])
        spoiler.note("D25", record, "forename")


def _traditions(spoiler: Spoiler) -> None:
    joined = [r for r in spoiler.records if name_variants.is_joined(value_of(r, "surname"))]
    for record in spoiler.pick("D26", joined, len(joined)):
        set_field(record, "surname", name_variants.rejoined(spoiler.rng, value_of(record, "surname")))
        spoiler.note("D26", record, "surname")
    foreign = [r for r in spoiler.records if spoiler.person(r).tradition not in _NOT_TRANSLITERATED]
    for record in spoiler.pick("D27", foreign, len(foreign)):
        person = spoiler.person(record)
        names = (value_of(record, "forename"), value_of(record, "middle_names"), value_of(record, "surname"))
        forename, middle, surname = name_variants.transliterated(spoiler.rng, person.tradition, person.sex, names)
        set_field(record, "forename", forename)
        set_field(record, "middle_names", middle)
        set_field(record, "surname", surname)
        spoiler.note("D27", record, "forename")


def _slips(spoiler: Spoiler) -> None:
    for record in spoiler.pick("D28", spoiler.records):
        field = "forename" if spoiler.rng.random() < 0.5 else "surname"
        if len(value_of(record, field)) > 2:
            set_field(record, field, name_variants.slip(spoiler.rng, value_of(record, field)))
            spoiler.note("D28", record, field)


def _accents(spoiler: Spoiler) -> None:
    for record in spoiler.records:
        for field in ("forename", "surname"):
            value = value_of(record, field)
            if value.isascii():
                continue
            code_page = spoiler.system != "liquidlogic"
            written = name_variants.across_code_page(spoiler.rng, value, code_page=code_page)
            if written != value:
                set_field(record, field, written)
                spoiler.note("D30", record, field)


def _babies(spoiler: Spoiler) -> None:
    """ "Baby", "Twin 1": half of babies under six weeks, lingering on some under-fives (D32)."""
    last = spoiler.council.last_day.toordinal()
    any_yet = False
    small = [r for r in spoiler.records if last - spoiler.person(r).birth_date.toordinal() < 5 * 365]
    for record in small:
        newborn = last - spoiler.person(record).birth_date.toordinal() < 42
        hit = spoiler.rng.random() < (0.5 if newborn else spoiler.share("D32"))
        first = newborn and not any_yet  # one at least, however small the council
        if hit or first:
            any_yet = True
            twin = spoiler.person(record).relations.get("twin")
            set_field(
                record,
                "forename",
                f"Twin {spoiler.rng.choice((1, 2))}" if twin else spoiler.rng.choice(("Baby", "Baby Boy", "Baby Girl")),
            )
            spoiler.note("D32", record, "forename")


def _notes_in_names(spoiler: Spoiler) -> None:
    for record in spoiler.pick("D31", spoiler.records):
        chance = spoiler.rng.random()
        if value_of(record, "death_date"):
            set_field(record, "surname", value_of(record, "surname") + " (deceased)")
        elif chance < 0.4:
            set_field(record, "forename", f"{value_of(record, 'title') or 'Mr'} {value_of(record, 'forename')}")
        elif chance < 0.8:
            set_field(record, "forename", f"{value_of(record, 'forename')} aka {_another_forename(spoiler, record)}")
        else:
            set_field(record, "surname", f"{value_of(record, 'surname')} 01632 {spoiler.rng.randrange(960000, 961000)}")
        spoiler.note("D31", record, "forename")


def _looks(spoiler: Spoiler) -> None:
    """Capitals everywhere in CareFirst and MiCare; elsewhere now and then capitals, trailing or two blanks (D29)."""
    looks: tuple[Callable[[str], str], ...] = (
        str.upper,
        lambda text: text + " ",
        lambda text: text.replace(" ", "  ") + "  ",
    )
    for record in spoiler.pick("D29", spoiler.records, clustered=False):
        _rewrite(record, looks[0] if spoiler.system in _CAPITALS else spoiler.rng.choice(looks))
        spoiler.note("D29", record, "surname")
    if spoiler.system in _CAPITALS:
        for record in spoiler.register.by_system[spoiler.system]:
            if is_canary(spoiler.council, record):
                _rewrite(record, str.upper)


def _rewrite(record: Appearance, look: Callable[[str], str]) -> None:
    for fields in record.versions.values():
        for field in ("forename", "middle_names", "surname", "known_as"):
            if fields[field]:
                fields[field] = look(fields[field])
