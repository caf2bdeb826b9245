"""Small deliveries as landing leaves them: a Parquet file and its ledger rows for each table, made from inline rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.landing import TableWriter
from connectors.spec import TableSpec, table_specs
from domain.profile import Profile
from domain.run import RunContext
from governance.store import Store

Rows = Sequence[Mapping[str, str | None]]


def night(number: int) -> datetime:
    """The moment up to which the supplier's extract of night `number` knows."""
    return datetime(2026, 3, 26 + number, 2, 0, tzinfo=UTC)


def spec_of(dataset: str) -> TableSpec:
    return next(s for s in table_specs(dataset.split("__")[0]).values() if s.dataset == dataset)


def land(
    profile: Profile, number: int, tables: Mapping[str, Rows], *, mode: str = "delta", name: str = "", marker: str = ""
) -> int:
    """Land one delivery of night `number`; returns its id. `marker` tells deliveries of one night apart."""
    source = next(iter(tables)).split("__")[0]
    label = name or f"{source}-night-{number}{marker}"
    with Store(profile).connect("loader") as connection:
        delivery = connection.exec_driver_sql(
            """insert into ledger.delivery (source, name, content_hash, mode, as_known_at, state)
               values (%s, %s, %s, %s, %s, 'landed') returning delivery_id""",
            (source, label, label, mode, night(number)),
        ).scalar_one()
        for dataset, rows in tables.items():
            parquet = profile.landing / label / f"{dataset}.parquet"
            write(parquet, dataset, rows)
            file_id = connection.exec_driver_sql(
                """insert into ledger.file (delivery_id, name, size_bytes, sha256, records, raw_path)
                   values (%s, %s, 1, %s, %s, '') returning file_id""",
                (delivery, f"{dataset}.csv", f"{label}{dataset}", len(rows)),
            ).scalar_one()
            connection.exec_driver_sql(
                """insert into ledger.landed_table (delivery_id, file_id, dataset, mode, parquet_path, records)
                   values (%s, %s, %s, %s, %s, %s)""",
                (delivery, file_id, dataset, mode, str(parquet), len(rows)),
            )
        return int(delivery)


def write(parquet: Any, dataset: str, rows: Rows) -> None:
    """One landed table as a Parquet file; fields a row does not give are null."""
    spec = spec_of(dataset)
    unknown = {name for row in rows for name in row} - set(spec.fields)
    assert not unknown, f"{dataset} has no fields {unknown}"
    with TableWriter(parquet, spec) as writer:
        if rows:
            writer.write({f: [row.get(f) for row in rows] for f in spec.fields}, len(rows))


def check_context(profile: Profile, source: str, **settings: str) -> RunContext:
    return RunContext(profile, "test-run", "test", source, settings)
