"""Looks for the canaries of a synthetic council where no child and no restricted person may be (governance CHI-4, 6).

Every table of every database, every log, report, return and landed file is searched as text. What suppliers sent is
kept as it came (the inbox, the kept originals) and is not searched; neither is the simulator's own side of the house.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onestory.home import Home

if TYPE_CHECKING:
    from sqlalchemy import Connection

CHILD: Final = ("kanarienkind", "zzchild")
RESTRICTED: Final = ("kanariensperre",)
_SUPPLIERS: Final = frozenset({"supply", "truth", "inbox", "raw", "sealed"})
#: Zones that may hold a restricted person's details (governance 5.1); a child's may be in none.
_IDENTITY_ZONES: Final = ("landing", "identity", "staging")
_BLOCK: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class Leak:
    """A canary where it should not be: where, and of which kind; never the value around it."""

    place: str
    kind: str  # child or restricted


def find_leaks(home: Home) -> list[Leak]:
    """Every place that holds a canary it should not hold; an empty list is what is promised."""
    return [*_in_databases(home), *_in_files(home)]


def _in_databases(home: Home) -> Iterator[Leak]:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    for name in ("warehouse", "airflow"):
        address = home.server.url(name, "admin").replace("postgresql://", "postgresql+psycopg://", 1)
        with create_engine(address, poolclass=NullPool).connect() as connection:
            for schema, table in _tables(connection):
                for kind in _found_in_table(connection, schema, table):
                    if kind == "child" or schema not in _IDENTITY_ZONES:
                        yield Leak(f"{name}: {schema}.{table}", kind)


def _tables(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.exec_driver_sql(
        """select n.nspname, c.relname from pg_catalog.pg_class c
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'm', 'p') and n.nspname !~ '^(pg_|information_schema$)' order by 1, 2"""
    )
    return [(str(schema), str(table)) for schema, table in rows]


def _found_in_table(connection: Connection, schema: str, table: str) -> Iterator[str]:
    quoted = f'"{schema}"."{table}"'
    for kind, words in (("child", CHILD), ("restricted", RESTRICTED)):
        found = connection.exec_driver_sql(
            f"select exists (select from {quoted} line where line::text ilike any(%(words)s))",
            {"words": [f"%{word}%" for word in words]},
        )
        if found.scalar_one():
            yield kind


def _in_files(home: Home) -> Iterator[Leak]:
    log = home.server.folder / "log"
    for path in [*sorted(p for p in home.folder.rglob("*") if p.is_file()), *([log] if log.is_file() else [])]:
        within = path.relative_to(home.folder).parts if path.is_relative_to(home.folder) else ()
        if _SUPPLIERS.intersection(within):
            continue
        text = _strings_of(path) if path.suffix == ".parquet" else _blocks_of(path)
        # A statutory file names the people it is about, whoever they are; landed files are of the landing zone, and
        # what linkage keeps for the next night is of the identity zone.
        may_name = bool(within) and within[0] in ("landing", "returns", "kept")
        kinds = set()
        for block in text:
            kinds |= {"child"} if any(word in block for word in CHILD) else set()
            kinds |= {"restricted"} if any(word in block for word in RESTRICTED) and not may_name else set()
        yield from (Leak("/".join(within) or path.name, kind) for kind in sorted(kinds))


def _blocks_of(path: Path) -> Iterator[str]:
    """The file as small letters, block by block; blocks overlap, so that a word at their border is seen."""
    last = ""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            text = block.decode("latin-1").lower()
            yield last + text
            last = text[-32:]


def _strings_of(path: Path) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            for column in batch.columns:
                if pa.types.is_string(column.type):
                    yield "\n".join(value for value in column.to_pylist() if value).lower()
