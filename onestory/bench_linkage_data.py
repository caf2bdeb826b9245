"""What the linkage benchmark reads: a linkage world, cleaned once for every contender, and its truth for the scorer.

Cleaning is not timed: whoever is compared starts from the same two Parquet files with the same columns.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import duckdb

    from onestory.bench_linkage_child import Clock

_CHECK = " + ".join(f"cast(substr(number, {place}, 1) as int) * {11 - place}" for place in range(1, 10))
_CLEAN = f"""
with plain as (
  select record_id, regexp_replace(nhs_number, '[^0-9]', '', 'g') as number,
         nullif(regexp_replace(lower(strip_accents(forename)), '[^a-z]', '', 'g'), '') as forename,
         nullif(regexp_replace(lower(strip_accents(surname)), '[^a-z]', '', 'g'), '') as surname,
         nullif(regexp_replace(lower(strip_accents(middle_names)), '[^a-z]+', ' ', 'g'), '') as middle_names,
         nullif(regexp_replace(lower(strip_accents(previous_surname)), '[^a-z]', '', 'g'), '') as previous_surname,
         case when birth_date not in ('1900-01-01', '1901-01-01') then birth_date end as birth_date, sex,
         regexp_replace(upper(postcode), '[^A-Z0-9]', '', 'g') as place
    from read_parquet($source)
)
select record_id,
       case when regexp_full_match(number, '[0-9]{{10}}')
             and (11 - ({_CHECK}) % 11) % 11 = cast(right(number, 1) as int) then number end as nhs_number,
       forename, surname, forename || ' ' || surname as full_name, middle_names, previous_surname, birth_date, sex,
       case when length(place) between 5 and 7 and place not like 'ZZ99%'
            then left(place, length(place) - 3) || ' ' || right(place, 3) end as postcode,
       coalesce(n.groups, []) as nicknames
  from plain left join nickname n on n.word = forename"""


@dataclass(frozen=True, slots=True)
class Files:
    """One prepared world: the two cleaned files that contenders read, and the truth that only the scorer reads."""

    folder: Path

    @property
    def made(self) -> dict[str, Any]:
        """How large the world is, and what making it took."""
        told: dict[str, Any] = json.loads((self.folder / "prepared.json").read_text(encoding="utf-8"))
        return told

    @property
    def patients(self) -> int:
        return int(self.made["patients"])

    @property
    def left(self) -> Path:
        """Care records."""
        return self.folder / "left.parquet"

    @property
    def right(self) -> Path:
        """Health records."""
        return self.folder / "right.parquet"

    @property
    def night_left(self) -> Path:
        """Care records that are new or changed after a night."""
        return self.folder / "night_left.parquet"

    @property
    def night_right(self) -> Path:
        """Health records that are new or changed after a night."""
        return self.folder / "night_right.parquet"

    @property
    def kept(self) -> Path:
        """What a full run of ours left for the nights after it."""
        return self.folder / "kept"

    @property
    def truth(self) -> Path:
        return self.folder / "truth" / "truth.parquet"

    def links(self, contender: str) -> Path:
        """Where a contender leaves its links."""
        return self.folder / f"links_{contender}.parquet"

    def frequency(self, column: str) -> Path:
        """The kept frequencies of a column, in Splink's form."""
        return self.folder / f"frequency_{column}.parquet"

    def model(self, name: str) -> Path:
        """A model file that a training left here."""
        return self.folder / f"model_{name}.json"


def prepare(home: Path, patients: int, clients: int, seed: int = 20260331) -> Files:
    """The world of this size below `home`, made and cleaned where it is not there yet, in a process of its own.

    What making it took is kept beside it in `prepared.json`.
    """
    from onestory.bench_linkage_child import run

    found = Files(home / f"world_{clients}_{patients}_{seed}")
    done = found.folder / "prepared.json"
    if not done.exists():
        asked = {"patients": patients, "clients": clients, "seed": seed}
        made = run("world", found.folder, asked)
        took = {"cpu_seconds": made.cpu_seconds, "seconds": made.seconds, "peak_mib": made.peak_mib}
        done.write_text(json.dumps(asked | took | {"parts": dict(made.parts)}), encoding="utf-8")
    return found


def make_world(clock: Clock, folder: Path, patients: int, clients: int, seed: int) -> None:
    """Write the world town by town, clean both files, and keep what a night changes and how common names are."""
    from connectors.synthetic.linkage_world import CARE, HEALTH, LinkageWorldSettings, write_linkage_world

    found = Files(folder)
    write_linkage_world(folder, LinkageWorldSettings(patients=patients, clients=clients, seed=seed))
    clock.step("write")
    with connect(folder) as connection:
        _nicknames(connection)
        for source, target in ((CARE, found.left), (HEALTH, found.right)):
            connection.execute(f"copy ({_CLEAN}) to '{target}' (format parquet)", {"source": str(folder / source)})
        clock.step("clean")
        _night(connection, found)
        _frequencies(connection, found)
        clock.step("night and frequencies")


def _night(connection: duckdb.DuckDBPyConnection, files: Files) -> None:
    """One record in a hundred of each file, every one changed: half moved, half with the surname spelt another way."""
    moved = "hash(record_id || 'moved') % 2 = 0"
    for source, target in ((files.left, files.night_left), (files.right, files.night_right)):
        connection.execute(f"""copy (
            select * replace (
                     case when {moved} then coalesce(split_part(postcode, ' ', 1), 'AV1')
                          || case when postcode like '% 1AA' then ' 1AB' else ' 1AA' end else postcode end as postcode,
                     case when {moved} then surname else coalesce(surname, '') || 'e' end as surname,
                     case when {moved} then full_name else forename || ' ' || coalesce(surname, '') || 'e' end
                          as full_name)
              from read_parquet('{source}') where hash(record_id, 'night') % 100 = 0) to '{target}' (format parquet)""")


FREQUENCIES: Final = ("forename", "surname", "full_name", "postcode")


def _frequencies(connection: duckdb.DuckDBPyConnection, files: Files) -> None:
    """How common names are in both files, kept as a model version keeps them: a night reads them, never counts."""
    for column in FREQUENCIES:
        connection.execute(f"""copy (
            select {column}, count(*) / sum(count(*)) over () as tf_{column}
              from (select {column} from read_parquet('{files.left}')
                    union all select {column} from read_parquet('{files.right}'))
             where {column} is not null group by {column}) to '{files.frequency(column)}' (format parquet)""")


def connect(folder: Path, threads: int = 2, memory: str = "4GB") -> duckdb.DuckDBPyConnection:
    """A DuckDB with the limits every contender gets."""
    import duckdb

    spill = folder / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "threads": threads, "memory_limit": memory, "temp_directory": str(spill), "preserve_insertion_order": False,
    }  # fmt: skip
    return duckdb.connect(config=config)


def _nicknames(connection: duckdb.DuckDBPyConnection) -> None:
    """The engine's own list, of which the world's nicknames are not made: word -> groups it belongs to."""
    lines = (files("linkage") / "data" / "nicknames_en.csv").read_text(encoding="utf-8").splitlines()
    rows = [(word, group) for group, line in enumerate(csv.reader(lines)) for word in line if word]
    connection.execute("create table nickname_line (word varchar, line int)")
    connection.executemany("insert into nickname_line values (?, ?)", rows)
    connection.execute(
        "create table nickname as select word, list_sort(list_distinct(list(line))) as groups from nickname_line "
        "group by word"
    )


def count_candidates(files: Files) -> int:
    """How many different pairs the nine rules make of the two files; counted once a world, apart from any clock."""
    from onestory.bench_linkage_models import RULES

    told = files.folder / "candidates.json"
    if not told.exists():
        with connect(files.folder) as connection:
            for name, path in (("care", files.left), ("health", files.right)):
                connection.execute(f"""create table {name} as select *, row_number() over () as number
                                         from read_parquet('{path}')""")
            pairs = " union ".join(f"select l.number, r.number from care l join health r on {rule}" for rule in RULES)
            counted = int(connection.execute(f"select count(*) from ({pairs})").fetchall()[0][0])
        told.write_text(json.dumps(counted), encoding="utf-8")
    return int(json.loads(told.read_text(encoding="utf-8")))
