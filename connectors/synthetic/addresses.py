"""Where people of Ardenvale live: invented towns, streets and postcodes of a UK shape, care homes and hostels.

The postcode area AV does not exist. About fifteen addresses share a postcode; a care home has one of its own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from connectors.synthetic.names import words
from connectors.synthetic.world import AddressPeriod

District = Literal["west", "east", "outside"]
_UNIT_LETTERS: Final = "ABDEFGHJLNPQRSTUWXYZ"
#: (town, district, outcodes, share of its district)
TOWNS: Final[tuple[tuple[str, District, tuple[str, ...], float], ...]] = (
    ("Ardenbridge", "west", ("AV1", "AV2", "AV3"), 0.34),
    ("Wexcombe", "west", ("AV4", "AV5"), 0.20),
    ("Thornley Magna", "west", ("AV6",), 0.12),
    ("Hallowell", "west", ("AV7", "AV8"), 0.16),
    ("Stoke Arden", "west", ("AV9",), 0.10),
    ("Little Marling", "west", ("AV10",), 0.08),
    ("Eastmere", "east", ("AV11", "AV12", "AV13"), 0.42),
    ("Brackenford", "east", ("AV14", "AV15"), 0.24),
    ("Port Selwyn", "east", ("AV16", "AV17"), 0.20),
    ("Netherfold", "east", ("AV18",), 0.14),
    ("Casterham", "outside", ("AV19",), 0.6),
    ("Upper Dene", "outside", ("AV20",), 0.4),
)
_LOCALITIES: Final = (
    "",
    "",
    "",
    "",
    "Northgate",
    "Southfield",
    "The Moor",
    "Old Town",
    "Riverside",
    "Park End",
    "Hill Top",
)
_HOME_LAST: Final = ("House", "Court", "Lodge", "Care Home", "Nursing Home", "Residential Home", "Manor")


@dataclass(slots=True)
class PostcodeUnit:
    """One postcode: a stretch of one street."""

    postcode: str
    street: str
    locality: str
    town: str
    district: District
    first_number: int
    serial: int


@dataclass(slots=True)
class CareHome:
    """A home whose residents share one address; `beds` is 20 to 60."""

    name: str
    unit: PostcodeUnit
    beds: int
    nursing: bool
    uprn: str
    residents: int = 0


@dataclass(slots=True)
class Dwelling:
    """An address without dates."""

    building: str
    number: str
    street: str
    locality: str
    town: str
    postcode: str
    uprn: str
    district: District
    kind: Literal["home", "care_home", "supported", "no_fixed_abode"] = "home"

    def period(self, start: date, end: date | None = None) -> AddressPeriod:
        """The address in force from `start` to `end`."""
        return AddressPeriod(
            start,
            end,
            self.building,
            self.number,
            self.street,
            self.locality,
            self.town,
            self.postcode,
            self.uprn,
            self.kind,
        )


@dataclass(slots=True)
class AddressBook:
    """Draws dwellings; grows with the number of households asked of it."""

    rng: random.Random
    households: int
    units: dict[District, list[PostcodeUnit]] = field(default_factory=dict)
    homes: list[CareHome] = field(default_factory=list)
    serial: int = 0  # number of the postcode laid out last
    _used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Lays out the postcodes: one for every eight known households of a district."""
        for district, share in (("west", 0.60), ("east", 0.40), ("outside", 0.08)):
            count = max(12, round(self.households * share / 8))
            self.units[district] = [self.new_unit(district) for _ in range(count)]  # type: ignore[index,arg-type]

    def new_unit(self, district: District) -> PostcodeUnit:
        """A postcode nobody has yet."""
        towns = [town for town in TOWNS if town[1] == district]
        town, _, outcodes, _ = self.rng.choices(towns, weights=[t[3] for t in towns])[0]
        while True:
            letters = self.rng.choice(_UNIT_LETTERS) + self.rng.choice(_UNIT_LETTERS)
            postcode = f"{self.rng.choice(outcodes)} {self.rng.randrange(1, 10)}{letters}"
            if postcode not in self._used:
                break
        self._used.add(postcode)
        self.serial += 1
        street = f"{self.rng.choice(words('street first'))} {self.rng.choice(words('street last'))}"
        locality = self.rng.choice(_LOCALITIES)
        return PostcodeUnit(postcode, street, locality, town, district, self.rng.randrange(1, 120), self.serial)

    def dwelling(self, district: District) -> Dwelling:
        """A private home in the district."""
        unit = self.rng.choice(self.units[district])
        place = self.rng.randrange(15)
        number, building = str(unit.first_number + 2 * place), ""
        if self.rng.random() < 0.10:
            number, building = number, f"Flat {1 + place}"
        elif self.rng.random() < 0.04:
            number, building = "", f"{self.rng.choice(words('home first'))} Cottage"
        uprn = f"99{unit.serial:08d}{place:02d}"
        return Dwelling(building, number, unit.street, unit.locality, unit.town, unit.postcode, uprn, unit.district)

    def add_care_home(self, district: District, beds: int, *, nursing: bool) -> CareHome:
        """A new care home with a postcode of its own."""
        unit = self.new_unit(district)
        taken = {home.name for home in self.homes}
        name = f"{self.rng.choice(words('home first'))} {self.rng.choice(_HOME_LAST)}"
        while name in taken and len(taken) < 150:
            name = f"{self.rng.choice(words('home first'))} {self.rng.choice(_HOME_LAST)}"
        home = CareHome(name, unit, beds, nursing, f"99{unit.serial:08d}99")
        self.homes.append(home)
        return home


def home_dwelling(home: CareHome) -> Dwelling:
    """The address every resident of the home shares."""
    unit = home.unit
    number = str(unit.first_number)
    return Dwelling(
        home.name, number, unit.street, unit.locality, unit.town, unit.postcode, home.uprn, unit.district, "care_home"
    )


def no_fixed_abode() -> Dwelling:
    """The way both worlds write down that somebody lives nowhere: the national pseudo-postcode."""
    return Dwelling("", "", "NO FIXED ABODE", "", "", "ZZ99 3VZ", "", "west", "no_fixed_abode")
