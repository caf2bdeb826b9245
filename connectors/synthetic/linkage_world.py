"""A seeded world for judging linkage: a health file, a care file, and a truth file that only scorers read.

Made chunk by chunk, a town at a time, so that ten million patients and a million clients fit in the memory of one
chunk. The same settings always give the same files; chunks do not depend on one another.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from connectors.synthetic.linkage_world_people import Flags, Numbers, People, make_people, postcodes_for
from connectors.synthetic.linkage_world_records import Defect, NumberRates, Records, write_records

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS: Final = (
    "record_id", "nhs_number", "forename", "middle_names", "surname", "previous_surname", "birth_date", "sex",
    "postcode",
)  # fmt: skip
HEALTH: Final = "health.parquet"
CARE: Final = "care.parquet"
TRUTH: Final = "truth.parquet"
_ROWS_AT_ONCE: Final = 100_000
#: How likely somebody is a client of social care, by age, against an adult of working age (assumption).
_CLIENT_BY_AGE: Final = ((0, 0.0), (18, 1.0), (65, 3.0), (75, 8.0), (85, 20.0))
_IN_CARE_HOME: Final = 4.0


@dataclass(frozen=True, slots=True)
class LinkageWorldSettings:
    """How large a world and how bad its numbers.

    `patients` and `clients` are rows of the files, second records of one person included; of the clients a share
    `overlap` is in the health file. Number shares are of all records of a file.
    """

    patients: int = 1_000_000
    clients: int = 100_000
    seed: int = 20260331
    overlap: float = 0.85
    care_number_missing: float = 0.20
    health_number_missing: float = 0.01
    number_of_another: float = 0.004
    number_mistyped: float = 0.004
    care_duplicates: float = 0.02
    health_duplicates: float = 0.003

    def __post_init__(self) -> None:
        """Raises ValueError for a world that cannot be made."""
        if not 0 < self.clients <= self.patients:
            raise ValueError("a linkage world has at least one client, and not more clients than patients")


def write_linkage_world(
    home: Path, settings: LinkageWorldSettings, tell: Callable[[str], None] = lambda _: None
) -> Path:
    """Write `health.parquet`, `care.parquet`, `truth/truth.parquet` and `world.json` below `home`; returns `home`."""
    import pyarrow.parquet as pq

    (home / "truth").mkdir(parents=True, exist_ok=True)
    chunks = max(1, round(settings.patients / _ROWS_AT_ONCE))
    postcodes = postcodes_for(settings.patients // chunks + 1)
    text, truth = _schemas()
    first, health_rows, care_rows = 0, 0, 0
    with (
        pq.ParquetWriter(home / HEALTH, text, compression="zstd") as health_file,
        pq.ParquetWriter(home / CARE, text, compression="zstd") as care_file,
        pq.ParquetWriter(home / "truth" / TRUTH, truth, compression="zstd") as truth_file,
    ):
        for chunk in range(chunks):
            tell(f"town {chunk + 1} of {chunks}")
            rows, clients = (_share(n, chunk, chunks) for n in (settings.patients, settings.clients))
            people, care, health = _chunk(settings, chunk, rows, clients, first, postcodes, postcodes * chunks)
            first += len(people.number)
            for file, records, letter, start in ((health_file, health, "H", health_rows),
                                                 (care_file, care, "C", care_rows)):  # fmt: skip
                ids = _ids(letter, start, len(records.person))
                file.write_table(_table(records, ids, text))
                truth_file.write_table(_truth(people, records, ids, "health" if letter == "H" else "care", truth))
            health_rows, care_rows = health_rows + len(health.person), care_rows + len(care.person)
    (home / "world.json").write_text(json.dumps(asdict(settings), indent=1) + "\n", encoding="utf-8")
    return home


def _share(total: int, chunk: int, chunks: int) -> int:
    return total * (chunk + 1) // chunks - total * chunk // chunks


def _chunk(
    settings: LinkageWorldSettings, chunk: int, rows: int, clients: int, first: int, postcodes: int, of: int
) -> tuple[People, Records, Records]:
    """The people of one chunk, and their records in care and in health, each in random order."""
    seeds = [int(s) for s in np.random.SeedSequence([settings.seed, chunk]).generate_state(4)]
    rng = np.random.default_rng(seeds[0])
    care_again, health_again = (
        int(rng.binomial(n, share))
        for n, share in ((clients, settings.care_duplicates), (rows, settings.health_duplicates))
    )
    known, patients = clients - care_again, rows - health_again
    outside = round(known * (1 - settings.overlap))
    people = make_people(
        rng, patients + outside, first=first, seed=settings.seed, first_postcode=chunk * postcodes,
        postcodes=postcodes, of=of,
    )  # fmt: skip
    in_care = _clients(rng, people, known)
    left_out = rng.choice(in_care, outside, replace=False)
    in_health = np.setdiff1d(np.arange(len(people.number)), left_out)
    care_rates = NumberRates(settings.care_number_missing, settings.number_of_another, settings.number_mistyped)
    health_rates = NumberRates(
        settings.health_number_missing, settings.number_of_another / 10, settings.number_mistyped / 10
    )
    care = write_records(people, *_with_second(rng, in_care, care_again), care_rates, seeds[1], is_health=False)
    health = write_records(people, *_with_second(rng, in_health, health_again), health_rates, seeds[2], is_health=True)
    return people, care, health


def _clients(rng: np.random.Generator, people: People, number: int) -> Numbers:
    age = people.age()
    weight = np.select([age >= a for a, _ in _CLIENT_BY_AGE[::-1]], [w for _, w in _CLIENT_BY_AGE[::-1]], 0.0)
    weight = np.where(people.in_care_home, weight * _IN_CARE_HOME, weight) * (1.3 - 0.1 * people.deprivation())
    chosen: Numbers = rng.choice(len(age), number, replace=False, p=weight / weight.sum())
    return chosen


def _with_second(rng: np.random.Generator, who: Numbers, again: int) -> tuple[Numbers, Flags]:
    """`who` and second records of some of them, in random order, and which ones are the second records."""
    order = rng.permutation(len(who) + again)
    chosen = np.concatenate([who, rng.choice(who, again, replace=False)])
    return chosen[order], order >= len(who)


def _schemas() -> tuple[pa.Schema, pa.Schema]:
    import pyarrow as pa

    text = pa.schema([(name, pa.string()) for name in COLUMNS])
    truth = pa.schema(
        [("record_id", pa.string()), ("side", pa.string()), ("person_id", pa.string()), ("sex", pa.string()),
         ("age_band", pa.string()), ("ethnic_group", pa.string()), ("deprivation_fifth", pa.int8()),
         ("in_care_home", pa.bool_()), ("is_twin", pa.bool_()), ("has_namesake", pa.bool_()),
         ("has_number", pa.bool_()), ("defects", pa.int32())]
    )  # fmt: skip
    return text, truth


def _ids(letter: str, start: int, number: int) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array(np.arange(start + 1, start + number + 1)).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(letter), texts, "")


def _table(records: Records, ids: pa.Array, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = [pa.array(records.columns[name], pa.string()) for name in COLUMNS[1:]]
    blank = pa.scalar(None, pa.string())
    return pa.table([ids, *(pc.if_else(pc.equal(column, ""), blank, column) for column in filled)], schema=schema)


def _truth(people: People, records: Records, ids: pa.Array, side: str, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    who = records.person
    bands = np.array(["under 18", "18 to 39", "40 to 64", "65 to 74", "75 to 84", "85 and over"], dtype=object)
    persons = pc.binary_join_element_wise(pa.scalar("P"), pa.array(people.number[who]).cast(pa.string()), "")
    arrays = [
        ids, pa.array([side] * len(who)), persons, pa.array(people.sex[who], pa.string()),
        pa.array(bands[np.searchsorted([18, 40, 65, 75, 85], people.age()[who], side="right")], pa.string()),
        pa.array(people.group()[who], pa.string()), pa.array(people.deprivation()[who].astype(np.int8)),
        pa.array(people.in_care_home[who]), pa.array(people.is_twin[who]), pa.array(people.has_namesake[who]),
        pa.array((records.defects & int(Defect.NUMBER_MISSING)) == 0), pa.array(records.defects),
    ]  # fmt: skip
    return pa.table(arrays, schema=schema)
