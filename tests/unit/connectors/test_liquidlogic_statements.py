"""The mart's statements read the same on SQL Server and on PostgreSQL, and never carry a value."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, postgresql

from connectors.liquidlogic import statements
from connectors.spec import TableSpec, table_specs

SCHEMA = "Adult_Social"
SPECS = table_specs("liquidlogic")
CONTACTS = SPECS["FACT_CONTACTS"]
MOMENT = datetime(2026, 3, 26, 4, 10)


def sql_server(statement: sa.Select[tuple[object, ...]]) -> str:
    return " ".join(str(statement.compile(dialect=mssql.dialect())).split())  # type: ignore[no-untyped-call]


def postgres(statement: sa.Select[tuple[object, ...]]) -> str:
    return " ".join(str(statement.compile(dialect=postgresql.dialect())).split())  # type: ignore[no-untyped-call]


def test_changed_facts_are_asked_for_in_the_words_of_sql_server() -> None:
    statement = statements.changed_rows(SCHEMA, CONTACTS, ["FACT_CONTACT_ID", "MODIF_DTTM"], MOMENT)
    assert sql_server(statement) == (
        "SELECT [Adult_Social].[FACT_CONTACTS].[FACT_CONTACT_ID], [Adult_Social].[FACT_CONTACTS].[MODIF_DTTM] "
        "FROM [Adult_Social].[FACT_CONTACTS] WHERE [Adult_Social].[FACT_CONTACTS].[MODIF_DTTM] > :since "
        "ORDER BY [Adult_Social].[FACT_CONTACTS].[FACT_CONTACT_ID]"
    )


def test_the_same_question_in_the_words_of_postgresql_quotes_the_capitals() -> None:
    statement = statements.changed_rows(SCHEMA, CONTACTS, ["FACT_CONTACT_ID", "MODIF_DTTM"], MOMENT)
    assert postgres(statement) == (
        'SELECT "Adult_Social"."FACT_CONTACTS"."FACT_CONTACT_ID", "Adult_Social"."FACT_CONTACTS"."MODIF_DTTM" '
        'FROM "Adult_Social"."FACT_CONTACTS" '
        'WHERE "Adult_Social"."FACT_CONTACTS"."MODIF_DTTM" > %(since)s::TIMESTAMP WITHOUT TIME ZONE '
        'ORDER BY "Adult_Social"."FACT_CONTACTS"."FACT_CONTACT_ID"'
    )


@pytest.mark.parametrize("table", sorted(SPECS))
def test_every_statement_about_every_table_compiles_for_both_databases(table: str) -> None:
    spec = SPECS[table]
    names = [column.name for column in spec.columns]
    asked = [
        statements.whole_table(SCHEMA, spec, names),
        statements.keys_only(SCHEMA, spec),
        statements.fingerprint(SCHEMA, spec, names),
        statements.refresh_stamp(SCHEMA),
    ]
    if "MODIF_DTTM" in names:
        asked.append(statements.changed_rows(SCHEMA, spec, names, MOMENT))
    for statement in asked:
        assert f"[{SCHEMA}]." in sql_server(statement)
        assert f'"{SCHEMA}".' in postgres(statement)
        assert "2026" not in sql_server(statement) + postgres(statement), "a value must travel as a parameter"


@pytest.mark.parametrize("spec", [s for s in SPECS.values() if s.table.startswith("FACT_")], ids=lambda s: s.table)
def test_every_fact_tells_when_it_changed_and_has_a_whole_number_as_its_key(spec: TableSpec) -> None:
    tags = {column.name: (column.tag, column.required) for column in spec.columns}
    assert tags["MODIF_DTTM"] == ("datetime", True), "without it the watermark cannot be used"
    assert [tags[key] for key in statements.key_columns(spec)] == [("int", True)]


def test_a_fingerprint_does_not_ask_for_columns_that_are_not_there() -> None:
    assert "MODIF_DTTM" not in postgres(statements.fingerprint(SCHEMA, CONTACTS, ["FACT_CONTACT_ID"]))
    assert "FACT_CONTACT_ID" not in postgres(statements.fingerprint(SCHEMA, CONTACTS, ["MODIF_DTTM"]))


def test_case_note_text_has_no_place_in_any_specification() -> None:
    assert not [c.name for spec in SPECS.values() for c in spec.columns if "COMMENTS" in c.name]
