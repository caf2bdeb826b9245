"""How fast the SystmOne bulk is read, beside DuckDB's lenient reader and pandas on the same content in the same run.

Every contender runs in a process of its own, in turn, several rounds; the best round counts. Ours lands as production
does: split zip kept and streamed, dialect proved, lines accounted for, children left out, Parquet written; then every
column that is not text is given its declared type. The others get the unzipped file, DuckDB even in UTF-8.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from onestory.bench_bulk import TABLES

_MOMENTS: Final = "%d %b %Y %H:%M:%S"
_TYPES: Final = {"k": "bigint", "m": "bigint", "b": "boolean", "01": "boolean", "n": "double"}
_BATCH: Final = 100_000


@dataclass(frozen=True, slots=True)
class Timing:
    """One contender's best round. `parts` are the seconds of its steps, where it has any."""

    seconds: float
    cpu_seconds: float  # of all threads: what it would take on one core
    peak_mib: int
    rows: int
    parts: dict[str, float]


def compare(folder: Path, contenders: tuple[str, ...], rounds: int = 3) -> dict[str, Timing]:
    """Run the contenders in turn on the bulk below `folder`; each one's best round. Raises CalledProcessError."""
    best: dict[str, Timing] = {}
    for _ in range(rounds):
        for name in contenders:
            told = subprocess.run(
                [sys.executable, "-m", "onestory.bench_reading", name, str(folder)],
                check=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            timing = Timing(**json.loads(told.stdout.splitlines()[-1]))
            if name not in best or timing.seconds < best[name].seconds:
                best[name] = timing
    return best


def prepare(folder: Path, patients: int) -> None:
    """A home with the bulk of so many patients delivered, and the unzipped files beside it; kept for the next run."""
    from onestory.bench_bulk import write_bulk
    from onestory.home import open_home

    made = folder / "made.json"
    open_home(folder)
    if not made.exists():
        write_bulk(folder, patients)
        for table in TABLES:
            _in_utf8(folder / f"{table}.csv", folder / f"{table}.utf8.csv")
        made.write_text(json.dumps({"patients": patients}), encoding="utf-8")


def _in_utf8(source: Path, target: Path) -> None:
    with source.open(encoding="cp1252", newline="") as read, target.open("w", encoding="utf-8", newline="") as written:
        shutil.copyfileobj(read, written, 1 << 20)


def land(folder: Path) -> Iterator[tuple[str, int]]:
    """Land the bulk and type it; yields the name of each step when it is done, with the rows so far."""
    from connectors.base import Past
    from connectors.door import open_door
    from connectors.registry import connector_for
    from onestory.home import open_home

    profile = open_home(folder).profile()
    source, area = profile.source("systmone"), folder / "landed"
    shutil.rmtree(area, ignore_errors=True)
    connector = connector_for(profile, source)
    yield "start", 0
    incoming = next(iter(connector.discover(Past())))
    incoming.content_hash()
    with open_door(profile, source):
        landed = incoming.land(area, Past())
    rows = sum(table.records for table in landed.tables)
    yield "land", rows
    for table in landed.tables:
        typed(table.parquet, table.file_name.removesuffix(".csv"))
    yield "type", rows


def read(folder: Path) -> Iterator[tuple[str, int]]:
    """The strict reader alone: from the split zip to Parquet, without the door and without keeping originals."""
    from connectors.spec import table_specs
    from connectors.systmone.split_archive import open_archive, parts_of
    from connectors.systmone.strict_csv import read_table

    rows, specs = 0, table_specs("systmone")
    last = next((folder / "inbox" / "systmone").glob("*/SRExtract.zip"))
    yield "start", 0
    with open_archive(parts_of(last)) as archive:
        for table in TABLES:
            with archive.open(table) as stream:
                rows += read_table(stream, table, specs[table], folder / "read" / f"{table}.parquet").records
    yield "read", rows


def typed(parquet: Path, table: str) -> int:
    """Give every column of a landed table that is not text its declared type; returns the rows typed.

    The batches are made as staging takes them and let go again. A value that is not of its type becomes null, as in the
    conform stage; the text stays in the landed table.
    """
    import duckdb

    from connectors.spec import table_specs

    told = [expression for c in table_specs("systmone")[table].columns if (expression := _typed(c.field, c.tag))]
    rows = 0
    if not told:
        return rows
    with duckdb.connect() as connection:
        relation = connection.sql(f"select {', '.join(told)} from read_parquet('{parquet}')")  # noqa: S608
        for batch in relation.to_arrow_reader(_BATCH):
            rows += batch.num_rows
    return rows


def _typed(field: str, tag: str) -> str:
    """SQL that gives a column its type; empty for text, which has it already."""
    filled = f"nullif(\"{field}\", '')"
    if tag == "t":
        whole = f"{filled} || case length({filled}) when 11 then ' 00:00:00' when 17 then ':00' else '' end"
        return f"try_strptime({whole}, '{_MOMENTS}') as \"{field}\""
    return f'try_cast({filled} as {_TYPES[tag]}) as "{field}"' if tag in _TYPES else ""


def duckdb_reader(folder: Path) -> Iterator[tuple[str, int]]:
    """DuckDB's own reader, lenient, every column text, rows in any order, on the unzipped file in UTF-8, to Parquet."""
    import duckdb

    rows, connection = 0, duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    yield "start", 0
    for table in TABLES:
        out = folder / f"{table}.duckdb.parquet"
        told = f"read_csv('{folder / table}.utf8.csv', all_varchar = true, strict_mode = false)"
        made = connection.execute(f"copy (from {told}) to '{out}' (format parquet)").fetchone()
        rows += int(made[0]) if made else 0
    yield "read", rows


def pandas_reader(folder: Path) -> Iterator[tuple[str, int]]:
    """pandas on the unzipped file, every column text, into memory and nowhere else."""
    import pandas as pd

    rows = 0
    yield "start", 0
    for table in TABLES:
        rows += len(pd.read_csv(folder / f"{table}.csv", dtype=str, encoding="cp1252"))
    yield "read", rows


def pandas_same_job(folder: Path) -> Iterator[tuple[str, int]]:
    """pandas from inside the split zip to Parquet, as ours: the stream is ours, everything else is its own."""
    import pandas as pd

    from connectors.systmone.split_archive import open_archive, parts_of

    rows = 0
    last = next((folder / "inbox" / "systmone").glob("*/SRExtract.zip"))
    yield "start", 0
    with open_archive(parts_of(last)) as archive:
        for table in TABLES:
            with archive.open(table) as stream:
                read = pd.read_csv(io.BufferedReader(_Raw(stream), 1 << 20), dtype=str, encoding="cp1252")
            read.to_parquet(folder / f"{table}.pandas.parquet", compression="zstd")
            rows += len(read)
    yield "read", rows


class _Raw(io.RawIOBase):
    """A stream of an archive as the kind of file that pandas takes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


CONTENDERS: Final[dict[str, Callable[[Path], Iterator[tuple[str, int]]]]] = {
    "ours": land, "ours, reader alone": read, "DuckDB": duckdb_reader, "pandas": pandas_reader,
    "pandas, same job": pandas_same_job,
}  # fmt: skip


def measure(steps: Iterator[tuple[str, int]]) -> dict[str, Any]:
    """Run a contender here and now: seconds after its start, by step and in all, rows, and this process's peak."""
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    assert pyarrow  # loaded before the clock starts, for everybody
    parts: dict[str, float] = {}
    rows, started, cpu = 0, 0.0, 0.0
    for step, count in steps:
        now = time.perf_counter()
        if step != "start":
            parts[step] = now - started
        else:
            cpu = time.process_time()
        rows, started = count, now
    cpu = time.process_time() - cpu
    return {"seconds": sum(parts.values()), "cpu_seconds": cpu, "peak_mib": peak_mib(), "rows": rows, "parts": parts}


def peak_mib() -> int:
    """The most memory this process ever held, in MiB (what its children held does not count)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


if __name__ == "__main__":
    print(json.dumps(measure(CONTENDERS[sys.argv[1]](Path(sys.argv[2])))))
