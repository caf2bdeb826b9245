"""Names that look like England today: by decade of birth, sex and naming tradition, with a long tail of surnames.

The commonest surname is held by about 1.2 % of people and half of all people have one rarer than 1 in 5,000 (assumption
of the open name lists). Older people get the names of their own decade, never today's baby names.
"""

from __future__ import annotations

import csv
import random
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Final

from connectors.synthetic.world import Sex

DATA: Final = Path(__file__).parent / "data"

#: Traditions whose names follow British habits (middle names, surname of the husband).
BRITISH_LIKE: Final = frozenset({"british", "irish", "caribbean", "italian", "portuguese"})
#: Share of British people with one of the surnames whose share is known; the rest is the long tail.
_HEAD_SHARE: Final = 0.415
_FEMALE_FAITH_SURNAMES: Final = ("Begum", "Begum", "Bibi", "Akhtar", "Kauser", "Bi", "Parveen", "Khatoon")
_BENGALI_FEMALE_SURNAMES: Final = ("Begum", "Begum", "Khatun", "Akter", "Khanom", "Bibi")


@dataclass(frozen=True, slots=True)
class WeightedList:
    """Names with running weights, drawn in one bisection."""

    names: tuple[str, ...]
    running: tuple[float, ...]

    @staticmethod
    def of(pairs: list[tuple[str, float]]) -> WeightedList:
        """The list of `pairs` (name, weight) in the order given."""
        return WeightedList(tuple(n for n, _ in pairs), tuple(accumulate(w for _, w in pairs)))

    def draw(self, rng: random.Random) -> str:
        """One name, by weight."""
        return self.names[min(bisect_right(self.running, rng.random() * self.running[-1]), len(self.names) - 1)]


def _read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@lru_cache(maxsize=16)
def words(name: str) -> tuple[str, ...]:
    """One of the word lists of this project: parts of surnames, streets and care homes."""
    return tuple(row["word"] for row in _read("word_lists.csv") if row["list"] == name)


def _british_forenames() -> dict[tuple[int, str], WeightedList]:
    grouped: dict[tuple[int, str], list[tuple[str, float]]] = {}
    for row in _read("forenames_british.csv"):
        grouped.setdefault((int(row["decade"]), row["sex"]), []).append((row["name"], float(row["weight"])))
    lists: dict[tuple[int, str], WeightedList] = {}
    for (decade, sex), pairs in grouped.items():
        near = {n for (d, s), named in grouped.items() if s == sex and abs(d - decade) in (10, 20) for n, _ in named}
        share = 0.08 * sum(weight for _, weight in pairs) / len(near)
        lists[(decade, sex)] = WeightedList.of(pairs + [(name, share) for name in sorted(near)])
    return lists


def _british_surnames(irish: list[str]) -> WeightedList:
    head: list[tuple[str, float]] = []
    tail: list[str] = []
    for row in _read("surnames_british.csv"):
        if row["weight"]:
            head.append((row["name"], float(row["weight"])))
        else:
            tail.append(row["name"])
    known = {name for name, _ in head} | set(tail)
    made = [
        stem + ending for stem in words("surname stem") for ending in words("surname ending") if stem[-1] != ending[0]
    ]
    tail.extend(name for name in made if name not in known)
    total = sum(weight for _, weight in head)
    pairs = [(name, _HEAD_SHARE * weight / total) for name, weight in head]
    pairs.extend((name, (1 - _HEAD_SHARE - 0.06) / len(tail)) for name in tail)
    pairs.extend((name, 0.06 / len(irish)) for name in irish)
    return WeightedList.of(pairs)


def _zipf(names: list[str], flatness: float) -> WeightedList:
    return WeightedList.of([(name, 1.0 / (rank + flatness)) for rank, name in enumerate(names)])


class NameBook:
    """Every name list, ready to draw from."""

    def __init__(self) -> None:
        """Reads the lists of `data/`; OSError when the package is incomplete."""
        grouped: dict[tuple[str, str], list[str]] = {}
        for row in _read("names_by_tradition.csv"):
            grouped.setdefault((row["tradition"], row["part"]), []).append(row["name"])
        self._british = _british_forenames()
        self._decades = sorted({decade for decade, _ in self._british})
        self._lists = {key: _zipf(names, 12.0) for key, names in grouped.items()}
        self._lists[("irish", "surname")] = _zipf(grouped[("irish", "surname")], 400.0)
        self._lists[("british", "surname")] = _british_surnames(grouped[("irish", "surname")])

    @property
    def decades(self) -> tuple[int, ...]:
        """The decades there are British forenames of."""
        return tuple(self._decades)

    def forenames(self, sex: str, tradition: str, decade: int = 0) -> WeightedList:
        """The list of a tradition's forenames; of British ones, that of the decade. KeyError without one."""
        if tradition == "british":
            return self._british[(decade, sex)]
        return self._lists[(tradition, "forename_f" if sex == "F" else "forename_m")]

    def surnames(self, tradition: str) -> WeightedList:
        """The list of a tradition's family names. KeyError without one."""
        return self._lists[(tradition, "surname")]

    def forename(self, rng: random.Random, sex: Sex, birth_year: int, tradition: str) -> str:
        """A forename for somebody of that sex, year of birth and tradition."""
        british = tradition in ("british", "caribbean") or (tradition == "irish" and rng.random() < 0.75)
        if british:
            place = bisect_left(self._decades, birth_year - 5)
            decade = self._decades[min(place, len(self._decades) - 1)]
            return self._british[(decade, sex)].draw(rng)
        return self._lists[(tradition, "forename_f" if sex == "F" else "forename_m")].draw(rng)

    def surname(self, rng: random.Random, tradition: str, *, hyphen_share: float = 0.015) -> str:
        """A family name of the tradition, in the form a man bears it."""
        key = "british" if tradition == "caribbean" else tradition
        name = self._lists[(key, "surname")].draw(rng)
        if key in ("british", "portuguese") and rng.random() < (hyphen_share if key == "british" else 0.4):
            other = self._lists[(key, "surname")].draw(rng)
            joint = "-" if key == "british" else " "
            return name if other == name else f"{name}{joint}{other}"
        return name

    def surname_for(self, rng: random.Random, sex: Sex, family: str, tradition: str) -> str:
        """The family name as this person bears it: feminine endings, Kaur and Singh, Begum."""
        if tradition == "polish" and sex == "F" and family.endswith(("ski", "cki", "dzki")):
            return family[:-1] + "a"
        if tradition == "sikh" and rng.random() < 0.35:
            return "Kaur" if sex == "F" else "Singh"
        if sex == "F" and tradition == "south_asian_muslim" and rng.random() < 0.45:
            return rng.choice(_FEMALE_FAITH_SURNAMES)
        if sex == "F" and tradition == "bangladeshi" and rng.random() < 0.75:
            return rng.choice(_BENGALI_FEMALE_SURNAMES)
        return family

    def middle_names(self, rng: random.Random, sex: Sex, birth_year: int, tradition: str, forename: str) -> str:
        """Middle names as the tradition has them; often one, sometimes two, sometimes none."""
        if tradition == "sikh":
            return "Kaur" if sex == "F" else "Singh"
        if tradition in BRITISH_LIKE:
            share = rng.random()
            count = 0 if share < 0.18 else 1 if share < 0.88 else 2
        else:
            count = 1 if rng.random() < 0.25 else 0
        drawn = [self.forename(rng, sex, birth_year, tradition) for _ in range(count)]
        return " ".join(name for name in dict.fromkeys(drawn) if name != forename)


@lru_cache(maxsize=1)
def name_book() -> NameBook:
    """The one name book of the process (the lists never change)."""
    return NameBook()


@lru_cache(maxsize=1)
def nicknames() -> dict[str, tuple[str, ...]]:
    """Given name in lower case -> its short forms (the half of the list that makes defects)."""
    table: dict[str, tuple[str, ...]] = {}
    for line in (DATA / "nicknames.csv").read_text(encoding="utf-8").splitlines():
        name, *short = line.split(",")
        table[name] = tuple(form.capitalize() for form in short if len(form) > 2)
    return {name: short for name, short in table.items() if short}
