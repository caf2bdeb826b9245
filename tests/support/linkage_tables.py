"""Small source tables for linkage tests: a record is written with the few fields that matter, the rest is filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa

PERSON_SCHEMA = pa.schema(
    [
        ("source_record_id", pa.int64()),
        ("source", pa.string()),
        ("source_person_key", pa.string()),
        ("forename", pa.string()),
        ("middle_names", pa.string()),
        ("surname", pa.string()),
        ("previous_surname", pa.string()),
        ("known_as", pa.string()),
        ("nhs_number_supplied", pa.string()),
        ("nhs_number_verified", pa.bool_()),
        ("birth_date", pa.date32()),
        ("birth_date_estimated", pa.bool_()),
        ("death_date", pa.date32()),
        ("sex", pa.string()),
        ("ethnicity_code", pa.string()),
        ("postcode", pa.string()),
        ("telephone", pa.string()),
        ("email", pa.string()),
        ("gp_practice_code", pa.string()),
        ("is_restricted", pa.bool_()),
        ("duplicate_of_key", pa.string()),
        ("is_marked_duplicate", pa.bool_()),
        ("known_from", pa.timestamp("us", tz="UTC")),
    ]
)
ADDRESS_SCHEMA = pa.schema(
    [
        ("source_record_id", pa.int64()),
        ("address_key", pa.string()),
        ("postcode", pa.string()),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
    ]
)
REFERENCE_SCHEMA = pa.schema(
    [
        ("source_record_id", pa.int64()),
        ("reference_key", pa.string()),
        ("reference_type", pa.string()),
        ("reference_value", pa.string()),
    ]
)


def person(record_id: int, source: str, **fields: Any) -> dict[str, Any]:
    """One row of `identity.source_person`; `birth_date` may be given as ISO text."""
    row: dict[str, Any] = dict.fromkeys(PERSON_SCHEMA.names)
    row |= {
        "source_record_id": record_id,
        "source": source,
        "source_person_key": f"k{record_id}",
        "is_restricted": False,
        "is_marked_duplicate": False,
        **fields,
    }
    if isinstance(row["birth_date"], str):
        row["birth_date"] = date.fromisoformat(row["birth_date"])
    return row


def person_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=PERSON_SCHEMA)


def address_table(rows: Iterable[tuple[int, str]] = ()) -> pa.Table:
    """Addresses as (record, postcode)."""
    return pa.Table.from_pylist(
        [{"source_record_id": r, "address_key": f"{r}-{n}", "postcode": p} for n, (r, p) in enumerate(rows)],
        schema=ADDRESS_SCHEMA,
    )


def reference_table(rows: Iterable[tuple[int, str, str]] = ()) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"source_record_id": r, "reference_key": f"{r}-{n}", "reference_type": t, "reference_value": v}
            for n, (r, t, v) in enumerate(rows)
        ],
        schema=REFERENCE_SCHEMA,
    )
