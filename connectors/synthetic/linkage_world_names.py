"""Name lists of the linkage world as arrays, so that a hundred thousand people are named in one draw.

The lists are those of the synthetic council (`names.py`); the short lists of other traditions get the spellings that
are in use beside each other (Mohammed, Muhammad), because a million people do not share thirty names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from connectors.synthetic.names import name_book

Texts = NDArray[np.object_]

#: tradition -> (share of people in England and Wales, group it is reported in); shares are rounded assumptions.
TRADITIONS: Final[dict[str, tuple[float, str]]] = {
    "british": (0.755, "white british"), "irish": (0.011, "white other"), "polish": (0.018, "white other"),
    "romanian": (0.012, "white other"), "italian": (0.007, "white other"), "portuguese": (0.006, "white other"),
    "ukrainian": (0.003, "white other"), "turkish": (0.004, "mixed or other"), "hindu": (0.025, "indian"),
    "sikh": (0.010, "indian"), "south_asian_muslim": (0.036, "pakistani or bangladeshi"),
    "bangladeshi": (0.013, "pakistani or bangladeshi"), "chinese": (0.010, "chinese"),
    "west_african": (0.027, "black african"), "somali": (0.006, "black african"),
    "caribbean": (0.032, "black caribbean or mixed"), "arab": (0.009, "mixed or other"),
    "iranian": (0.004, "mixed or other"), "kurdish_afghan": (0.006, "mixed or other"),
}  # fmt: skip
#: Traditions in which a wife mostly takes her husband's name.
TAKES_NAME: Final = frozenset({"british", "irish", "caribbean", "polish", "romanian", "ukrainian", "italian", "hindu"})
#: Traditions in which husband and wife bear names of their own families.
OWN_NAME: Final = frozenset({"somali", "arab", "chinese", "iranian", "kurdish_afghan"})
_WITH_MIDDLE_NAMES: Final = frozenset({"british", "irish", "caribbean", "italian", "portuguese"})
_SPELLINGS: Final = (
    ("mm", "m"), ("ou", "u"), ("ee", "i"), ("oo", "u"), ("h", ""), ("i", "e"), ("a", "e"), ("u", "o"), ("y", "i"),
    ("k", "q"), ("sh", "s"), ("j", "y"), ("tt", "t"), ("ss", "s"),
)  # fmt: skip
_SHARE_OF_SPELLINGS: Final = 0.3  # of the people of a tradition with a short list (assumption)
_SHORT_LIST: Final = 400


@dataclass(frozen=True, slots=True)
class Names:
    """A list to draw from: names and their running shares."""

    names: Texts
    running: NDArray[np.float64]

    def draw(self, rng: np.random.Generator, number: int) -> Texts:
        """So many names, by share."""
        places = np.searchsorted(self.running, rng.random(number), side="right")
        drawn: Texts = self.names[np.minimum(places, len(self.names) - 1)]
        return drawn


def _of(names: Sequence[str], running: Sequence[float], *, spellings: bool) -> Names:
    weights = np.diff(np.array(running, dtype=np.float64), prepend=0.0)
    weights /= weights.sum()
    if spellings:
        known = set(names)
        more = [(other, w) for name, w in zip(names, weights, strict=True) for other in _spellings_of(name, known)]
        if more:
            extra = np.array([w for _, w in more])
            weights = np.concatenate([weights * (1 - _SHARE_OF_SPELLINGS), extra / extra.sum() * _SHARE_OF_SPELLINGS])
            names = [*names, *(name for name, _ in more)]
    return Names(np.array(names, dtype=object), np.cumsum(weights))


def _spellings_of(name: str, known: set[str]) -> list[str]:
    found = []
    for old, new in _SPELLINGS:
        other = name[0] + name[1:].replace(old, new, 1)
        if other not in known and len(other) > 2:
            known.add(other)
            found.append(other)
    return found[:5]


@dataclass(frozen=True, slots=True)
class NameTables:
    """Forenames by tradition, sex and, for British names, decade of birth; surnames by tradition."""

    forenames: dict[tuple[str, str, int], Names]
    surnames: dict[str, Names]
    decades: NDArray[np.int64]

    def forename(self, rng: np.random.Generator, tradition: Texts, sex: Texts, birth_year: NDArray[np.int64]) -> Texts:
        """One forename for each, that fits tradition, sex and year of birth."""
        place = np.minimum(np.searchsorted(self.decades, birth_year - 5), len(self.decades) - 1)
        british = (tradition == "british") | (tradition == "caribbean")
        british |= (tradition == "irish") & (rng.random(len(tradition)) < 0.75)
        named = np.empty(len(tradition), dtype=object)
        for of_sex in ("F", "M"):
            mine = sex == of_sex
            for number, decade in enumerate(self.decades):
                self._fill(rng, named, british & mine & (place == number), ("british", of_sex, int(decade)))
            for name in TRADITIONS:
                self._fill(rng, named, ~british & mine & (tradition == name), (name, of_sex, 0))
        return named

    def _fill(self, rng: np.random.Generator, named: Texts, who: NDArray[np.bool_], key: tuple[str, str, int]) -> None:
        number = int(who.sum())
        if number:
            named[who] = self.forenames[key].draw(rng, number)

    def surname(self, rng: np.random.Generator, tradition: Texts) -> Texts:
        """One family name for each, in the form a man bears it; some double-barrelled."""
        named = np.empty(len(tradition), dtype=object)
        for name in TRADITIONS:
            who = tradition == name
            number = int(who.sum())
            if not number:
                continue
            drawn = self.surnames[name].draw(rng, number)
            double = rng.random(number) < {"british": 0.015, "portuguese": 0.4}.get(name, 0.0)
            mark = " " if name == "portuguese" else "-"
            drawn[double] = drawn[double] + mark + self.surnames[name].draw(rng, int(double.sum()))
            named[who] = drawn
        return named

    def as_borne(self, rng: np.random.Generator, family: Texts, tradition: Texts, sex: Texts) -> Texts:
        """The family name as this person bears it: feminine endings, Kaur and Singh, Begum."""
        named, chance = family.copy(), rng.random(len(family))
        woman = sex == "F"
        for place in np.flatnonzero((tradition == "polish") & woman):
            if named[place].endswith(("ski", "cki", "dzki")):
                named[place] = named[place][:-1] + "a"
        sikh = (tradition == "sikh") & (chance < 0.35)
        named[sikh & woman], named[sikh & ~woman] = "Kaur", "Singh"
        for name, share, choices in (
            ("south_asian_muslim", 0.45, ("Begum", "Begum", "Bibi", "Akhtar", "Kauser", "Bi", "Parveen", "Khatoon")),
            ("bangladeshi", 0.75, ("Begum", "Begum", "Khatun", "Akter", "Khanom", "Bibi")),
        ):
            who = (tradition == name) & woman & (chance < share)
            named[who] = rng.choice(np.array(choices, dtype=object), int(who.sum()))
        return named

    def middle_names(
        self, rng: np.random.Generator, tradition: Texts, sex: Texts, birth_year: NDArray[np.int64]
    ) -> Texts:
        """Middle names as the tradition has them, often one, sometimes none ("")."""
        number, chance = len(tradition), rng.random(len(tradition))
        share = np.where(np.isin(tradition, list(_WITH_MIDDLE_NAMES)), 0.82, 0.25)
        named = np.where(chance < share, self.forename(rng, tradition, sex, birth_year), "").astype(object)
        sikh = tradition == "sikh"
        named[sikh] = np.where(sex[sikh] == "F", "Kaur", "Singh")
        assert len(named) == number
        return named


@lru_cache(maxsize=1)
def name_tables() -> NameTables:
    """The one set of tables of the process (the lists never change)."""
    book = name_book()
    forenames: dict[tuple[str, str, int], Names] = {}
    for decade in book.decades:
        for sex in ("F", "M"):
            drawn = book.forenames(sex, "british", decade)
            forenames[("british", sex, decade)] = _of(drawn.names, drawn.running, spellings=False)
    surnames: dict[str, Names] = {}
    for tradition in TRADITIONS:
        british_like = tradition in ("british", "caribbean")
        drawn = book.surnames("british" if british_like else tradition)
        surnames[tradition] = _of(drawn.names, drawn.running, spellings=len(drawn.names) < _SHORT_LIST)
        if not british_like:
            for sex in ("F", "M"):
                drawn = book.forenames(sex, tradition)
                spellings = len(drawn.names) < _SHORT_LIST and tradition != "irish"
                forenames[(tradition, sex, 0)] = _of(drawn.names, drawn.running, spellings=spellings)
    return NameTables(forenames, surnames, np.array(book.decades, dtype=np.int64))
