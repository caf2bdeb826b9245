"""What two systems wrote down about the people of the linkage world: names, dates, places and numbers, with defects.

Each record knows which defects it got (`Defect`); only the truth file says so. Rates are assumptions in the range of
the hand-book's figures for social care (18) and for health; care records are the worse ones.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

import numpy as np
from numpy.typing import NDArray

from connectors.synthetic import name_variants
from connectors.synthetic.linkage_world_names import Texts, name_tables
from connectors.synthetic.linkage_world_people import Flags, Numbers, People
from connectors.synthetic.linkage_world_places import PSEUDO_POSTCODE, postcode
from connectors.synthetic.names import BRITISH_LIKE, nicknames


class Defect(IntFlag):
    """What is wrong with a record, as bits of the truth file's column `defects`."""

    NAME_SLIP = 1
    NICKNAME = 2
    INITIAL = 4
    MIDDLE_NAME_USED = 8
    NAMES_EXCHANGED = 16
    NAME_BEFORE_MARRIAGE = 32
    SURNAME_JOINED_OTHERWISE = 64
    TRANSLITERATED = 128
    OTHER_FORENAME = 256
    BIRTH_MISSING = 512
    BIRTH_PLACEHOLDER = 1024
    BIRTH_SLIP = 2048
    BIRTH_SWAPPED = 4096
    BIRTH_ESTIMATED = 8192
    POSTCODE_STALE = 16384
    POSTCODE_MISSING = 32768
    POSTCODE_SLIP = 65536
    POSTCODE_PSEUDO = 131072
    SEX_MISSING = 262144
    SEX_WRONG = 524288
    NUMBER_MISSING = 1048576
    NUMBER_OF_ANOTHER = 2097152
    NUMBER_MISTYPED = 4194304
    DUPLICATE = 8388608


#: (in care records, in health records): share of the records that can have the defect at all.
RATES: Final[dict[Defect, tuple[float, float]]] = {
    Defect.NAME_SLIP: (0.025, 0.008), Defect.NICKNAME: (0.08, 0.01), Defect.INITIAL: (0.004, 0.0005),
    Defect.MIDDLE_NAME_USED: (0.010, 0.004), Defect.NAMES_EXCHANGED: (0.005, 0.001),
    Defect.NAME_BEFORE_MARRIAGE: (0.05, 0.02), Defect.SURNAME_JOINED_OTHERWISE: (0.20, 0.05),
    Defect.TRANSLITERATED: (0.06, 0.02), Defect.OTHER_FORENAME: (0.002, 0.0005),
    Defect.BIRTH_MISSING: (0.015, 0.0002), Defect.BIRTH_PLACEHOLDER: (0.004, 0.0005), Defect.BIRTH_SLIP: (0.010, 0.003),
    Defect.BIRTH_SWAPPED: (0.006, 0.001), Defect.BIRTH_ESTIMATED: (0.006, 0.001), Defect.POSTCODE_STALE: (0.22, 0.09),
    Defect.POSTCODE_MISSING: (0.03, 0.005), Defect.POSTCODE_SLIP: (0.010, 0.002),
    Defect.POSTCODE_PSEUDO: (0.005, 0.001), Defect.SEX_MISSING: (0.015, 0.001), Defect.SEX_WRONG: (0.002, 0.001),
}  # fmt: skip
_NONE: Final = Defect(0)
_PLACEHOLDERS: Final = np.array(["1900-01-01", "1900-01-01", "1900-01-01", "1901-01-01"], dtype=object)
_TRANSLITERATED: Final = frozenset({"romanian", *BRITISH_LIKE})
_DIGITS: Final = "0123456789"


@dataclass(frozen=True, slots=True)
class NumberRates:
    """How NHS numbers stand in one system: shares of all its records."""

    missing: float
    of_another: float
    mistyped: float


@dataclass(slots=True)
class Records:
    """One system's records of a chunk, an array a column; `person` is the index within the chunk."""

    person: Numbers
    columns: dict[str, Texts]
    defects: NDArray[np.int32]


@dataclass(slots=True)
class _Writing:
    rng: np.random.Generator
    slips: random.Random
    side: int  # 0 care, 1 health
    defects: NDArray[np.int32]

    def hit(self, defect: Defect, eligible: Flags, clear_of: Defect = _NONE) -> Numbers:
        """The places of the records that get the defect, marked; none that has one of `clear_of`."""
        able = eligible & ((self.defects & int(clear_of)) == 0)
        chosen = np.flatnonzero(able & (self.rng.random(len(able)) < RATES[defect][self.side]))
        self.defects[chosen] |= int(defect)
        return chosen


def write_records(
    people: People, who: Numbers, is_duplicate: Flags, numbers: NumberRates, seed: int, *, is_health: bool
) -> Records:
    """The records of `who` (indices into `people`) in one system, in the order given."""
    sequence = np.random.default_rng(seed)
    writing = _Writing(sequence, random.Random(seed), int(is_health), np.where(is_duplicate, int(Defect.DUPLICATE), 0)
                       .astype(np.int32))  # fmt: skip
    forename, middle, surname = _names(writing, people, who)
    columns = {
        "nhs_number": _numbers(writing, people, who, numbers),
        "forename": forename,
        "middle_names": middle,
        "surname": surname,
        "previous_surname": _previous(writing, people, who, surname),
        "birth_date": _births(writing, people, who),
        "sex": _sexes(writing, people, who),
        "postcode": _postcodes(writing, people, who),
    }
    return Records(who, columns, writing.defects)


def _names(writing: _Writing, people: People, who: Numbers) -> tuple[Texts, Texts, Texts]:
    forename, middle, surname = people.forename[who], people.middle_names[who], people.surname[who]
    tradition, sex, everybody = people.tradition[who], people.sex[who], np.ones(len(who), dtype=np.bool_)
    maiden = people.previous_surname[who]
    chosen = writing.hit(Defect.NAME_BEFORE_MARRIAGE, maiden != "")
    surname[chosen] = maiden[chosen]
    chosen = writing.hit(Defect.OTHER_FORENAME, everybody)
    year = people.born[who].astype("datetime64[Y]").astype(np.int64) + 1970
    forename[chosen] = name_tables().forename(writing.rng, tradition[chosen], sex[chosen], year[chosen])
    short = nicknames()
    has_short = np.array([name.lower() in short for name in forename], dtype=np.bool_)
    for place in writing.hit(Defect.NICKNAME, has_short, Defect.OTHER_FORENAME):
        forename[place] = writing.slips.choice(short[forename[place].lower()])
    chosen = writing.hit(Defect.MIDDLE_NAME_USED, middle != "", Defect.NICKNAME | Defect.OTHER_FORENAME)
    forename[chosen], middle[chosen] = middle[chosen], forename[chosen]
    joined = np.array([name_variants.is_joined(name) for name in surname], dtype=np.bool_)
    for place in writing.hit(Defect.SURNAME_JOINED_OTHERWISE, joined):
        surname[place] = name_variants.rejoined(writing.slips, surname[place])
    foreign = ~np.isin(tradition, list(_TRANSLITERATED))
    for place in writing.hit(Defect.TRANSLITERATED, foreign):
        forename[place], middle[place], surname[place] = name_variants.transliterated(
            writing.slips, tradition[place], sex[place], (forename[place], middle[place], surname[place])
        )
    chosen = writing.hit(Defect.NAMES_EXCHANGED, (forename != "") & (surname != ""))
    forename[chosen], surname[chosen] = surname[chosen], forename[chosen]
    for place in writing.hit(Defect.NAME_SLIP, everybody):
        field = forename if writing.slips.random() < 0.5 else surname
        if len(field[place]) > 2:
            field[place] = name_variants.slip(writing.slips, field[place])
    for place in writing.hit(Defect.INITIAL, everybody, Defect.NAMES_EXCHANGED):
        forename[place] = forename[place][:1]
    middle[writing.rng.random(len(who)) < (0.5, 0.15)[writing.side]] = ""
    if not writing.side:  # a tenth of a care system's records were typed in capitals, some with a blank at the end
        chance = writing.rng.random(len(who))
        for place in np.flatnonzero(chance < 0.10):
            forename[place], surname[place] = forename[place].upper(), surname[place].upper()
        surname[chance > 0.98] = surname[chance > 0.98] + " "
    return forename, middle, surname


def _previous(writing: _Writing, people: People, who: Numbers, surname: Texts) -> Texts:
    """Former names are known to systems now and then, more to health."""
    previous = people.previous_surname[who]
    previous[(writing.rng.random(len(who)) > (0.15, 0.35)[writing.side]) | (previous == surname)] = ""
    return previous


def _births(writing: _Writing, people: People, who: Numbers) -> Texts:
    born = people.born[who]
    written: Texts = np.datetime_as_string(born, unit="D").astype(object)
    everybody = np.ones(len(who), dtype=np.bool_)
    done = Defect.BIRTH_MISSING | Defect.BIRTH_PLACEHOLDER | Defect.BIRTH_ESTIMATED | Defect.BIRTH_SWAPPED
    written[writing.hit(Defect.BIRTH_MISSING, everybody)] = ""
    chosen = writing.hit(Defect.BIRTH_PLACEHOLDER, everybody, done)
    written[chosen] = writing.rng.choice(_PLACEHOLDERS, len(chosen))
    for place in writing.hit(Defect.BIRTH_ESTIMATED, everybody, done):
        written[place] = f"{int(written[place][:4]) + writing.slips.choice((0, 0, 0, -1, 1))}-01-01"
    swappable = np.array([text[8:] <= "12" and text[8:] != text[5:7] for text in written], dtype=np.bool_)
    for place in writing.hit(Defect.BIRTH_SWAPPED, swappable, done):
        written[place] = f"{written[place][:5]}{written[place][8:]}-{written[place][5:7]}"
    for place in writing.hit(Defect.BIRTH_SLIP, everybody, done):
        written[place] = _another_date(writing.slips, written[place])
    return written


def _another_date(slips: random.Random, day: str) -> str:
    """A date that differs in one part, mostly by a digit, sometimes by much (D40 of the sources hand-book)."""
    for _ in range(50):
        year, month, dom = int(day[:4]), int(day[5:7]), int(day[8:])
        part, step = slips.random(), slips.choice((-1, 1, -1, 1, -10, 10, slips.randrange(-9, 10)))
        if part < 0.44:
            dom += step
        elif part < 0.72:
            month += step if abs(step) < 10 else slips.choice((-2, 2))
        elif part < 0.94:
            year += step
        else:
            year, month, dom = year + slips.randrange(-3, 4), slips.randrange(1, 13), slips.randrange(1, 29)
        made = f"{year:04d}-{month:02d}-{dom:02d}"
        if 1 <= month <= 12 and 1 <= dom <= 28 + (month != 2) * 2 and 1905 <= year <= 2025 and made != day:
            return made
    return day


def _sexes(writing: _Writing, people: People, who: Numbers) -> Texts:
    sex = people.sex[who]
    chosen = writing.hit(Defect.SEX_WRONG, np.ones(len(who), dtype=np.bool_))
    sex[chosen] = np.where(sex[chosen] == "F", "M", "F")
    sex[writing.hit(Defect.SEX_MISSING, np.ones(len(who), dtype=np.bool_), Defect.SEX_WRONG)] = ""
    return sex


def _postcodes(writing: _Writing, people: People, who: Numbers) -> Texts:
    number = people.postcode[who]
    earlier = people.earlier_postcode[who]
    chosen = writing.hit(Defect.POSTCODE_STALE, earlier >= 0)
    number[chosen] = earlier[chosen]
    written = postcode(number)
    everybody = np.ones(len(who), dtype=np.bool_)
    for place in writing.hit(Defect.POSTCODE_SLIP, everybody):
        text = written[place]
        end = slice(len(text) - 2, len(text))
        swapped = text[:-2] + text[end][::-1]
        written[place] = swapped if swapped != text else text[:-1] + ("A" if text[-1] != "A" else "B")
    written[writing.hit(Defect.POSTCODE_PSEUDO, everybody, Defect.POSTCODE_SLIP)] = PSEUDO_POSTCODE
    written[writing.hit(Defect.POSTCODE_MISSING, everybody, Defect.POSTCODE_SLIP | Defect.POSTCODE_PSEUDO)] = ""
    return written


def _numbers(writing: _Writing, people: People, who: Numbers, rates: NumberRates) -> Texts:
    true, rng = people.nhs_number[who], writing.rng
    # Whom a system knows badly it mostly has no number of: the young, newcomers, second records of one person.
    weight = np.where(people.age()[who] < 40, 1.4, 1.0) * np.where(people.tradition[who] == "british", 0.9, 1.5)
    weight *= np.where(people.in_care_home[who], 0.6, 1.0)
    weight *= np.where(writing.defects & int(Defect.DUPLICATE), 2.5, 1.0)
    missing = rng.random(len(who)) < rates.missing * weight / weight.mean()
    chance = np.where(missing, 1.0, rng.random(len(who)))
    wrong = chance < rates.of_another / (1 - rates.missing)
    other = np.where(rng.random(len(who)) < 0.5, who + rng.choice((-1, 1), len(who)),
                     rng.integers(0, len(people.number), len(who)))  # fmt: skip
    # People on a later part of an array than the last one wrap round: the neighbour of the last is the first.
    true = np.where(wrong, people.nhs_number[other % len(people.number)], true)
    mistyped = ~wrong & (chance < (rates.of_another + rates.mistyped) / (1 - rates.missing))
    written = true.astype(str).astype(object)
    for place in np.flatnonzero(mistyped):
        written[place] = _mistyped(writing.slips, written[place])
    written[missing] = ""
    for flags, defect in ((missing, Defect.NUMBER_MISSING), (wrong, Defect.NUMBER_OF_ANOTHER),
                          (mistyped, Defect.NUMBER_MISTYPED)):  # fmt: skip
        writing.defects[flags] |= int(defect)
    spaced = np.flatnonzero((rng.random(len(who)) < 0.10) & ~missing)
    for place in spaced:
        text = written[place]
        written[place] = f"{text[:3]} {text[3:6]} {text[6:]}"
    return written


def _mistyped(slips: random.Random, number: str) -> str:
    """One digit wrong or two neighbours exchanged; the check digit finds either."""
    place = slips.randrange(1, 9)
    if slips.random() < 0.4 and number[place] != number[place + 1]:
        return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    return number[:place] + slips.choice(_DIGITS.replace(number[place], "")) + number[place + 1 :]
