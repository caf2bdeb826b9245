"""Seeded worlds of people as other countries and registers write them, each as files with the truth apart.

A world is one file or two of dictionaries; `truth` says who is who by the place of the record. Given names, surnames
and places are common ones with a long tail, damage is of many kinds; nothing is shared with the engine's own lists.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

Row = dict[str, str]


def _words(text: str) -> list[str]:
    return text.split()


_US = _words(
    "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph "
    "Jessica Thomas Karen Charles Sarah Daniel Lisa Matthew Nancy Anthony Betty Mark Sandra Donald Ashley Steven "
    "Kimberly Andrew Emily Paul Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Melissa Tyrone Latoya"
)
_DUTCH = _words(
    "Johannes Maria Jan Anna Cornelis Johanna Hendrik Elisabeth Willem Cornelia Pieter Catharina Gerrit "
    "Wilhelmina Jürgen Käthe Günther Bärbel Søren Åse Jørgen Ingrid Bjørn Kirsten François Zoë Daniël Noëlle"
)
_ENGLISH = _words(
    "William Mary John Elizabeth Thomas Sarah George Ann James Jane Henry Eliza Charles Ellen Joseph Hannah "
    "Samuel Emma Alfred Alice Frederick Martha Walter Harriet Arthur Florence Ernest Ada Albert Emily"
)
_ENDINGS = {
    "us": ("son", "man", "er", "well", "ton", "field", "s", "ley"),
    "dutch": ("stra", "huizen", "mann", "sen", "kamp", "ström", "berg", "müller"),
    "english": ("ton", "ley", "worth", "ham", "by", "shaw", "croft", "wood"),
}
_PARTICLES = ("van der", "van den", "de", "van", "ter", "von", "", "", "", "", "")
_STEMS = _words(
    "Al Bar Car Dun El Far Gar Hol In Jar Kel Lam Mor Nor Ot Par Quin Rad Sal Tor Ul Ver Wal Yar Zan Bol Cor Del "
    "Fen Gri"
)
_TOWNS = _words(
    "Ashford Brookhaven Clayton Dunmore Easton Fairview Glendale Hillcrest Irvine Jasper Kingsley Lakewood Milton "
    "Newbury Oakdale Preston"
)
_STREETS = ("Oak", "Mill", "Church", "Park", "High", "Station", "Bridge", "Cedar", "Hill", "Lake", "Main", "School")


@dataclass(frozen=True)
class World:
    """Files of an analyst, and for each record of each file who it is."""

    files: tuple[list[Row], ...]
    truth: tuple[list[int], ...]


@dataclass
class Person:
    number: int
    given: str
    middle: str
    family: str
    born: date
    sex: str
    town: str
    street: str
    house: int
    zip_code: str
    phone: str
    birth_place: str


def _row(headings: str, values: list[str]) -> Row:
    return dict(zip(headings.split(), values, strict=True))


def _people(dice: random.Random, count: int, kind: str) -> list[Person]:
    given = {"us": _US, "dutch": _DUTCH, "english": _ENGLISH}[kind]
    ends = _ENDINGS[kind]
    weights = [1 / (n + 3) for n in range(len(given))]
    families = [f"{a}{b}{c}" for a in _STEMS for b in ("", "o", "e", "in") for c in ends]
    dice.shuffle(families)
    family_weights = [1 / (n + 8) for n in range(len(families))]
    made: list[Person] = []
    while len(made) < count:
        family = dice.choices(families, family_weights)[0]
        if kind == "dutch" and (particle := dice.choice(_PARTICLES)):
            family = f"{particle} {family}"
        town, street = dice.choice(_TOWNS), f"{dice.choice(_STREETS)} {dice.choice(('St', 'Rd', 'Ave', 'Lane'))}"
        house, code = dice.randrange(1, 900), f"{27000 + _TOWNS.index(town) * 37 + dice.randrange(6):05d}"
        eldest = date(1925, 1, 1) + timedelta(days=dice.randrange(25_000))
        for member in range(dice.choice((1, 1, 1, 2, 2, 3))):  # a household shares name and home
            born = eldest + timedelta(days=member * 9_000 + dice.randrange(2_000)) if member else eldest
            if member == 2 and dice.random() < 0.1:
                born = made[-1].born  # twins
            name = made[-1].given if member == 1 and dice.random() < 0.05 else dice.choices(given, weights)[0]
            made.append(
                Person(
                    len(made),
                    name,
                    dice.choice(given),
                    family,
                    born,
                    "MF"[given.index(name) % 2],
                    town,
                    street,
                    house,
                    code,
                    f"{dice.randrange(200, 999)}555{dice.randrange(10_000):04d}",
                    dice.choice(_TOWNS),
                )
            )
    return made[:count]


def _typo(dice: random.Random, text: str) -> str:
    if len(text) < 3:
        return text
    at = dice.randrange(1, len(text) - 1)
    return dice.choice(
        (
            text[:at] + text[at + 1 :],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            text[:at] + dice.choice("aeioustr") + text[at + 1 :],
            text[:at] + text[at] + text[at:],
        )
    )


def _damaged(dice: random.Random, one: Person, rate: float) -> Person:
    """The same person as somebody else wrote it down."""

    def hit() -> bool:
        return dice.random() < rate

    born = one.born
    if hit():
        born = dice.choice(
            (
                born + timedelta(days=dice.choice((-1, 1, 10))),
                date(born.year, born.month, 1),
                born.replace(year=born.year + 1, day=min(born.day, 28)),
            )
        )
    moved = dice.random() < 2 * rate
    town, street, house, code = one.town, one.street, one.house, one.zip_code
    if moved:
        town, street, house = dice.choice(_TOWNS), f"{dice.choice(_STREETS)} Rd", dice.randrange(1, 900)
        code = f"{27000 + _TOWNS.index(town) * 37 + dice.randrange(6):05d}"
    family = _typo(dice, one.family) if hit() else one.family
    if one.sex == "F" and dice.random() < rate / 2:
        family = f"{dice.choice(_STEMS)}inson"
    return Person(
        one.number,
        _typo(dice, one.given) if hit() else one.given,
        one.middle[:1] if hit() else one.middle,
        family,
        born,
        one.sex,
        town,
        street,
        house,
        code,
        one.phone if not hit() else "",
        one.birth_place,
    )


def _two_files(
    seed: int,
    kind: str,
    left: int,
    right: int,
    overlap: float,
    rate: float,
    writers: Sequence[Callable[[Person], Row]],
) -> World:
    """`overlap`: the share of the left file that is in the right one too."""
    dice = random.Random(seed)
    both = int(left * overlap)
    people = _people(dice, left + right - both, kind)
    dice.shuffle(people)
    others = people[left - both :]
    dice.shuffle(others)
    said = (people[:left], [_damaged(dice, one, rate) for one in others])
    rows = tuple(
        [{"id": f"{side}{n}", **write(one)} for n, one in enumerate(whom)]
        for side, whom, write in zip("ab", said, writers, strict=True)
    )
    return World(rows, tuple([one.number for one in whom] for whom in said))


def voters(left: int = 1500, right: int = 1500, overlap: float = 0.6, seed: int = 1) -> World:
    """A voters' register: names in capitals, the year of birth alone, street address, zip code."""

    def write(one: Person) -> Row:
        return _row(
            "last_name first_name midl_name sex birth_year res_street_address res_city_desc zip_code full_phone_num",
            [
                one.family.upper(),
                one.given.upper(),
                one.middle.upper(),
                one.sex,
                str(one.born.year),
                f"{one.house} {one.street}".upper(),
                one.town.upper(),
                one.zip_code,
                one.phone,
            ],
        )

    return _two_files(seed, "us", left, right, overlap, 0.05, (write, write))


def patients(left: int = 1200, right: int = 2000, overlap: float = 0.5, seed: int = 2) -> World:
    """Two hospitals: American dates against ISO ones, zip codes of five digits against nine, full names as one."""

    def first(one: Person) -> Row:
        return _row(
            "PatientFirst PatientLast DOB Sex ZIP HomePhone",
            [
                one.given,
                one.family,
                one.born.strftime("%m/%d/%Y"),
                one.sex,
                f"{one.zip_code}-{one.house:04d}",
                f"({one.phone[:3]}) {one.phone[3:]}",
            ],
        )

    def second(one: Person) -> Row:
        return _row(
            "patient_name birth_date gender zip phone",
            [
                f"{one.family}, {one.given} {one.middle[:1]}",
                one.born.isoformat(),
                {"M": "male", "F": "female"}[one.sex],
                one.zip_code,
                one.phone,
            ],
        )

    return _two_files(seed, "us", left, right, overlap, 0.05, (first, second))


def dutch(left: int = 1000, right: int = 1000, overlap: float = 0.7, seed: int = 3) -> World:
    """Particles and diacritics: kept in one file; left out, put behind or written in plain letters in the other."""
    plain = str.maketrans({"ü": "ue", "ä": "ae", "ö": "oe", "ø": "oe", "å": "aa", "Å": "Aa", "ë": "e", "ç": "c"})

    def first(one: Person) -> Row:
        return _row(
            "voornaam achternaam geboortedatum geslacht woonplaats",
            [one.given, one.family, one.born.strftime("%d-%m-%Y"), {"M": "man", "F": "vrouw"}[one.sex], one.town],
        )

    def second(one: Person) -> Row:
        words = one.family.translate(plain).split()
        return _row(
            "Vorname Nachname Geburtsdatum Geschlecht Ort",
            [
                one.given.translate(plain),
                f"{words[-1]} {' '.join(words[:-1])}".strip(),
                one.born.strftime("%d.%m.%Y"),
                {"M": "m", "F": "w"}[one.sex],
                one.town,
            ],
        )

    return _two_files(seed, "dutch", left, right, overlap, 0.04, (first, second))


def census(left: int = 1500, right: int = 1500, overlap: float = 0.7, seed: int = 4) -> World:
    """Two counts of one parish: an age that is often a year out, no birth date."""
    dice = random.Random(seed)

    def write(one: Person) -> Row:
        age = 1985 - one.born.year if one.born.year <= 1985 else 0
        return _row(
            "forename surname age sex where_born parish",
            [
                one.given,
                one.family,
                str(max(0, age + dice.choice((0, 0, 0, 1, -1)))),
                one.sex,
                one.birth_place,
                one.town,
            ],
        )

    return _two_files(seed, "english", left, right, overlap, 0.06, (write, write))


def nameless(left: int = 1200, right: int = 1200, overlap: float = 0.6, seed: int = 5) -> World:
    """No names at all: birth date, sex, zip code, town and place of birth."""

    def write(one: Person) -> Row:
        return _row(
            "dob sex zip town birth_place", [one.born.isoformat(), one.sex, one.zip_code, one.town, one.birth_place]
        )

    return _two_files(seed, "us", left, right, overlap, 0.03, (write, write))


def many_copies(persons: int = 120, copies: int = 20, seed: int = 6) -> World:
    """One register with about twenty damaged copies of everybody."""
    dice = random.Random(seed)
    rows, truth = [], []
    for one in _people(dice, persons, "us"):
        for _ in range(dice.randrange(copies - 5, copies + 6)):
            said = _damaged(dice, one, 0.1)
            rows.append(
                {
                    "given_name": said.given,
                    "surname": said.family,
                    "date_of_birth": said.born.strftime("%Y%m%d"),
                    "street_number": str(said.house),
                    "address_1": said.street,
                    "suburb": said.town,
                    "postcode": said.zip_code,
                }
            )
            truth.append(one.number)
    order = list(range(len(rows)))
    dice.shuffle(order)
    return World(([{"rec": f"r{n}", **rows[at]} for n, at in enumerate(order)],), ([truth[at] for at in order],))
