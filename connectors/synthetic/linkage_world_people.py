"""The people of one chunk of the linkage world: households with names, birth dates, addresses, twins and namesakes.

Everything is drawn in whole arrays from the generator that is handed in; a chunk is a town of its own, so that any
number of chunks can be made one after the other in the memory of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from connectors.synthetic.linkage_world_names import OWN_NAME, TAKES_NAME, TRADITIONS, Texts, name_tables
from connectors.synthetic.linkage_world_places import deprivation_fifth, nhs_number

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

#: The day the world is looked at.
TODAY: Final = np.datetime64("2026-03-31")
_PER_POSTCODE: Final = 36
_BEDS: Final = 38
# Assumptions: sizes of households; who lives in a care home by age; how often children are twins or namesakes.
_SIZES: Final = (0.30, 0.34, 0.16, 0.14, 0.06)
_IN_CARE_HOME: Final = ((65, 0.004), (75, 0.022), (85, 0.14))
_TWINS: Final = 0.02  # of second and later children: a birth in sixty-five, as in England
_TWINS_APART: Final = 0.006  # of households: grown twins who live apart
_NAMESAKES: Final = 0.02  # of children of the same sex as the head of the household
_AGES: Final = ((16, 24, 0.05), (25, 39, 0.24), (40, 54, 0.25), (55, 69, 0.24), (70, 79, 0.13), (80, 99, 0.09))


@dataclass(slots=True)
class People:
    """One chunk's people, an array a property. `postcode` and `earlier_postcode` are numbers, -1 for none."""

    number: Numbers  # over the whole world
    household: Numbers  # within the chunk
    tradition: Texts
    sex: Texts
    born: NDArray[np.datetime64]
    forename: Texts
    middle_names: Texts
    surname: Texts
    previous_surname: Texts
    postcode: Numbers
    earlier_postcode: Numbers
    in_care_home: Flags
    is_twin: Flags
    has_namesake: Flags
    nhs_number: Numbers

    def age(self) -> Numbers:
        """Whole years, to within a day."""
        years: Numbers = ((TODAY - self.born).astype(np.int64) / 365.25).astype(np.int64)
        return years

    def deprivation(self) -> Numbers:
        """The fifth of the neighbourhood, 1 most deprived."""
        return deprivation_fifth(self.postcode)

    def group(self) -> Texts:
        """The ethnic group each is reported in."""
        return np.array([TRADITIONS[name][1] for name in self.tradition], dtype=object)


@dataclass(frozen=True, slots=True)
class _Household:
    """Where each person stands: number of the household, place in it, and the household's properties per person."""

    number: Numbers
    head: Numbers  # index of the head, for each person
    place: Numbers
    is_partner: Flags
    is_child: Flags


def make_people(
    rng: np.random.Generator, number: int, *, first: int, seed: int, first_postcode: int, postcodes: int, of: int
) -> People:
    """`number` people, the first of whom is person `first` of the world.

    Args:
        rng: the chunk's generator.
        number: how many.
        first: their first number in the world.
        seed: of the world, for the NHS numbers.
        first_postcode: of the chunk's own postcodes.
        postcodes: how many postcodes the chunk has.
        of: how many postcodes the world has, to have moved from.
    """
    homes = _households(rng, number)
    tradition, sex, born = _origin(rng, homes)
    is_twin = _twins(rng, homes, tradition, sex, born)
    tables = name_tables()
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    forename = tables.forename(rng, tradition, sex, year)
    has_namesake = _namesakes(rng, homes, sex, forename)
    _unlike_twins(rng, is_twin, tradition, sex, year, born, forename)
    surname, previous = _surnames(rng, homes, tradition, sex, 2026 - year, is_twin)
    age = 2026 - year
    communal = max(2, number // 3000)
    in_care_home = rng.random(number) < np.select([age >= a for a, _ in _IN_CARE_HOME[::-1]],
                                                  [s for _, s in _IN_CARE_HOME[::-1]], 0.0)  # fmt: skip
    place = first_postcode + rng.integers(0, max(1, postcodes - communal), int(homes.number.max()) + 1)
    own = place[homes.number]
    home = first_postcode + postcodes - communal + rng.integers(0, communal, number)
    earlier = np.where(rng.random(number) < 0.6, first_postcode + rng.integers(0, max(1, postcodes - communal), number),
                       rng.integers(0, of, number))  # fmt: skip
    earlier = np.where(in_care_home, own, np.where(rng.random(number) < 0.35, earlier, -1))
    numbers = first + np.arange(number)
    return People(
        number=numbers, household=homes.number, tradition=tradition, sex=sex, born=born, forename=forename,
        middle_names=tables.middle_names(rng, tradition, sex, year), surname=surname, previous_surname=previous,
        postcode=np.where(in_care_home, home, own), earlier_postcode=earlier, in_care_home=in_care_home,
        is_twin=is_twin, has_namesake=has_namesake, nhs_number=nhs_number(numbers, seed),
    )  # fmt: skip


def postcodes_for(people: int) -> int:
    """How many postcodes so many people live in, care homes included."""
    return max(60, people // _PER_POSTCODE + people // 3000)


def _households(rng: np.random.Generator, number: int) -> _Household:
    sizes = rng.choice(np.arange(1, len(_SIZES) + 1), number, p=_SIZES)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), number)) + 1]
    home = np.repeat(np.arange(len(sizes)), sizes)[:number]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    place = np.arange(number) - starts[home]
    chance = rng.random(len(sizes))[home]
    second = place == 1
    large = sizes[home] > 2
    is_partner = second & (chance < np.where(large, 0.8, 0.72))
    # A house shared by two who are neither: the rest of the pairs.
    is_child = (place > 1) | (second & ~is_partner & (large | (chance < 0.92)))
    return _Household(home, starts[home], place, is_partner, is_child)


def _origin(rng: np.random.Generator, homes: _Household) -> tuple[Texts, Texts, NDArray[np.datetime64]]:
    number = len(homes.number)
    shares = np.array([share for share, _ in TRADITIONS.values()])
    # Neighbours are more alike than the country: every street of forty households leans one way.
    lean = rng.random(int(homes.number.max()) // 40 + 1)[homes.number // 40][homes.head]
    other = rng.choice(np.arange(1, len(shares)), number, p=shares[1:] / shares[1:].sum())[homes.head]
    is_other = rng.random(number)[homes.head] < (1 - shares[0] / shares.sum()) * 3 * lean**2
    mixed = homes.is_partner & (rng.random(number) < 0.08)
    code = np.where(is_other & ~mixed, other, 0)
    tradition: Texts = np.array(list(TRADITIONS), dtype=object)[code]
    band = rng.choice(len(_AGES), number, p=[share for *_, share in _AGES])
    low, high = np.array([a for a, *_ in _AGES])[band], np.array([b for _, b, _ in _AGES])[band]
    head_age = (low + rng.random(number) * (high - low + 1))[homes.head]
    gap = 19 + rng.random(number) ** 1.3 * 21
    # A head too young for children has brothers and sisters in the house instead.
    child_age = np.where(head_age > gap + 0.2, head_age - gap, np.maximum(0.1, head_age - rng.random(number) * 9))
    partner_age = np.maximum(18.0, head_age + rng.normal(-1, 4, number))
    lodger = 18 + rng.random(number) * 50
    age = np.select([homes.place == 0, homes.is_partner, homes.is_child], [head_age, partner_age, child_age], lodger)
    born = TODAY - (np.minimum(age, 105) * 365.25).astype(np.int64).astype("timedelta64[D]")
    head_woman = rng.random(number)[homes.head] < np.where(head_age > 75, 0.62, 0.48)
    alike = rng.random(number) < 0.02
    woman = np.where(homes.is_partner, head_woman == alike, rng.random(number) < 0.5)
    woman = np.where(homes.place == 0, head_woman, woman)
    return tradition, np.where(woman, "F", "M").astype(object), born


def _twins(
    rng: np.random.Generator, homes: _Household, tradition: Texts, sex: Texts, born: NDArray[np.datetime64]
) -> Flags:
    """Gives twins one birth date: neighbours in a household, or heads of two households."""
    number = len(born)
    together = homes.is_child & np.roll(homes.is_child, 1) & (homes.place > 0) & (rng.random(number) < _TWINS)
    together &= ~np.roll(together, 1)
    together[0] = False
    born[together] = born[np.flatnonzero(together) - 1]
    heads = np.flatnonzero(homes.place == 0)
    first = np.flatnonzero(rng.random(max(0, len(heads) - 7)) < _TWINS_APART)
    first = first[np.concatenate([[True], np.diff(first) > 14])] if len(first) else first
    one, other = heads[first], heads[first + 7]
    born[other], tradition[other] = born[one], tradition[one]
    is_twin = together | np.roll(together, -1)
    is_twin[one] = is_twin[other] = True
    return is_twin


def _unlike_twins(
    rng: np.random.Generator, is_twin: Flags, tradition: Texts, sex: Texts, year: Numbers,
    born: NDArray[np.datetime64], forename: Texts,
) -> None:  # fmt: skip
    """No two twins of one name: whoever follows another twin of the same name within a dozen is named anew."""
    twins = np.flatnonzero(is_twin)
    for _ in range(5):
        same = np.flatnonzero((forename[twins[1:]] == forename[twins[:-1]]) & (born[twins[1:]] == born[twins[:-1]]))
        if not len(same):
            return
        again = twins[same + 1]
        forename[again] = name_tables().forename(rng, tradition[again], sex[again], year[again])


def _namesakes(rng: np.random.Generator, homes: _Household, sex: Texts, forename: Texts) -> Flags:
    """Some children bear the forename of the head of the household."""
    chosen = homes.is_child & (sex == sex[homes.head]) & (rng.random(len(sex)) < _NAMESAKES)
    forename[chosen] = forename[homes.head[chosen]]
    has_namesake: Flags = chosen.copy()
    has_namesake[homes.head[chosen]] = True
    return has_namesake


def _surnames(
    rng: np.random.Generator, homes: _Household, tradition: Texts, sex: Texts, age: Numbers, is_twin: Flags
) -> tuple[Texts, Texts]:
    """Surname as borne, and the name before marriage ("" without one)."""
    number, tables = len(sex), name_tables()
    drawn = tables.surname(rng, tradition)
    family = drawn[homes.head]
    shares = homes.is_child | (homes.is_partner & ~np.isin(tradition, list(OWN_NAME)) & (rng.random(number) < 0.8))
    family = np.where(shares | (homes.place == 0), family, drawn)
    apart = np.flatnonzero(is_twin & (homes.place == 0))
    for one, other in pairwise(apart):
        if 0 < homes.number[other] - homes.number[one] <= 7:
            family[homes.head == other] = family[one]
    borne = tables.as_borne(rng, family, tradition, sex)
    married = (sex == "F") & np.isin(tradition, list(TAKES_NAME)) & ~homes.is_child
    married &= rng.random(number) < np.clip((age - 20) / 40, 0, 0.8)
    previous = np.full(number, "", dtype=object)
    previous[married] = tables.surname(rng, tradition[married])
    return borne, previous
