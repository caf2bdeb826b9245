"""The national index behind the simulated tracing service: everybody of a council as the national record knows them.

It is imperfect on purpose (sources hand-book 8): some people are missing, some addresses and birth dates are stale or
wrong, restricted people have no address, and a number that was invalidated is gone without a pointer.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from connectors.synthetic.world import TruePerson, World

#: Shares of the index that are not as they should be (assumptions).
_MISSING: Final = 0.008
_OLD_ADDRESS: Final = 0.03
_WRONG_BIRTH_DAY: Final = 0.002
_FILE: Final = "national_index.jsonl"


@dataclass(frozen=True, slots=True)
class NationalRecord:
    """One person as the national record holds them; names in capitals, birth date YYYYMMDD."""

    nhs_number: str
    superseded: tuple[str, ...]
    family: str
    earlier_families: tuple[str, ...]
    given: str
    earlier_givens: tuple[str, ...]
    other_given: str
    gender: str  # 1 male, 2 female
    birth: str
    death: str
    postcodes: tuple[str, ...]  # the current one last; none for restricted people
    practice: str
    is_restricted: bool


def build(world: World) -> list[NationalRecord]:
    """The index of a council's people on the last night; the same world gives the same index."""
    rng = random.Random(f"{world.seed}:national index")
    return [record for person in world.people if (record := _record(person, rng)) is not None]


def write(world: World, supply: Path) -> None:
    """Save the index where the simulated service finds it: `supply/nhs_number_trace/`."""
    folder = supply / "nhs_number_trace"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _FILE).open("w", encoding="utf-8") as out:
        for record in build(world):
            out.write(json.dumps(asdict(record)) + "\n")


def load(supply: Path) -> list[NationalRecord]:
    """The saved index. Raises FileNotFoundError when the council was made without one."""
    with (supply / "nhs_number_trace" / _FILE).open(encoding="utf-8") as lines:
        return [_from(json.loads(line)) for line in lines]


def _from(raw: dict[str, object]) -> NationalRecord:
    return NationalRecord(**{k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()})  # type: ignore[arg-type]


def _record(person: TruePerson, rng: random.Random) -> NationalRecord | None:
    draws = [rng.random() for _ in range(3)]
    if draws[0] < _MISSING or not person.names:
        return None
    restricted = bool({"restricted", "canary_restricted"} & person.tags)
    postcodes = list(dict.fromkeys(address.postcode for address in person.addresses if address.postcode))
    if draws[1] < _OLD_ADDRESS and len(postcodes) > 1:
        postcodes = postcodes[:-1]
    birth = f"{person.birth_date:%Y%m%d}"
    if draws[2] < _WRONG_BIRTH_DAY:
        birth = f"{person.birth_date:%Y%m}{person.birth_date.day % 28 + 1:02d}"
    names = person.names
    return NationalRecord(
        nhs_number=person.nhs_number,
        superseded=tuple(person.superseded_nhs_numbers),
        family=names[-1].surname.upper(),
        earlier_families=tuple(dict.fromkeys(n.surname.upper() for n in names[:-1])),
        given=names[-1].forename.upper(),
        earlier_givens=tuple(dict.fromkeys(n.forename.upper() for n in names[:-1])),
        other_given=names[-1].middle_names.upper(),
        gender="1" if person.sex == "M" else "2",
        birth=birth,
        death=f"{person.death_date:%Y%m%d}" if person.death_date else "",
        postcodes=() if restricted else tuple(postcodes),
        practice="" if restricted else person.gp_practice_code,
        is_restricted=restricted,
    )
