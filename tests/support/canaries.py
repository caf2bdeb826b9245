"""Looks for words that must not be anywhere: in every column of every table, in every file but the originals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
from psycopg import sql

TABLES = """select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p', 'm') and n.nspname !~ '^(pg_|information_schema$)' order by 1, 2"""


def in_database(admin_url: str, words: Iterable[str]) -> list[str]:
    """Schema, table and word of every hit."""
    hits = []
    with psycopg.connect(admin_url) as connection:
        for schema, table in connection.execute(TABLES).fetchall():
            for word in words:
                found = connection.execute(
                    sql.SQL("select count(*) from {}.{} t where t::text ilike %s").format(
                        sql.Identifier(schema), sql.Identifier(table)
                    ),
                    (f"%{word}%",),
                ).fetchone()
                if found and found[0]:
                    hits.append(f"{schema}.{table}: {word}")
    return hits


def in_files(folder: Path, words: Iterable[str], *, originals: bool = False) -> list[str]:
    """File and word of every hit below `folder`; the kept originals only when asked."""
    wanted = [word.casefold() for word in words]
    return [f"{path.name}: {word}" for path, text in _texts(folder, originals) for word in wanted if word in text]


def _texts(folder: Path, originals: bool) -> Iterator[tuple[Path, str]]:
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if ("raw" in path.relative_to(folder).parts) is not originals:
            continue
        if path.suffix == ".parquet":
            yield path, pq.read_table(path).to_pandas().to_csv().casefold()
        else:
            yield path, path.read_bytes().decode("latin-1").casefold()
