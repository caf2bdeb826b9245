"""What is asked of a supplier's database compiles alike for SQL Server, Oracle and PostgreSQL and carries no value."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, oracle, postgresql

from connectors import database_statements as statements
from connectors.liquidlogic.connector import ANSWERS
from connectors.spec import TableSpec, table_specs

SCHEMAS = {"liquidlogic": "Adult_Social"}
TABLES = [(supplier, spec) for supplier in SCHEMAS for spec in table_specs(supplier).values()]
CONTACTS = table_specs("liquidlogic")["FACT_CONTACTS"]
MOMENT = datetime(2026, 3, 26, 4, 10)
DIALECTS: dict[str, Any] = {
    "SQL Server": mssql.pyodbc.dialect(paramstyle="qmark"),  # type: ignore[no-untyped-call]
    "Oracle": oracle.oracledb.dialect(),  # type: ignore[no-untyped-call]
    "PostgreSQL": postgresql.psycopg.dialect(),  # type: ignore[no-untyped-call]
}


def written(statement: sa.Select[Any], database: str) -> str:
    return " ".join(str(statement.compile(dialect=DIALECTS[database])).split())


def changed_contacts() -> sa.Select[Any]:
    columns = {"FACT_CONTACT_ID": "int", "MODIF_DTTM": "datetime"}
    return statements.rows_of("Adult_Social", CONTACTS, columns, ["FACT_CONTACT_ID"], ("MODIF_DTTM", MOMENT))


@pytest.mark.parametrize(("database", "asked"), [
    ("SQL Server",
     "SELECT [Adult_Social].[FACT_CONTACTS].[FACT_CONTACT_ID], [Adult_Social].[FACT_CONTACTS].[MODIF_DTTM] "
     "FROM [Adult_Social].[FACT_CONTACTS] WHERE [Adult_Social].[FACT_CONTACTS].[MODIF_DTTM] > ? "
     "ORDER BY [Adult_Social].[FACT_CONTACTS].[FACT_CONTACT_ID]"),
    ("Oracle",
     'SELECT "Adult_Social"."FACT_CONTACTS"."FACT_CONTACT_ID", "Adult_Social"."FACT_CONTACTS"."MODIF_DTTM" '
     'FROM "Adult_Social"."FACT_CONTACTS" WHERE "Adult_Social"."FACT_CONTACTS"."MODIF_DTTM" > :since '
     'ORDER BY "Adult_Social"."FACT_CONTACTS"."FACT_CONTACT_ID"'),
    ("PostgreSQL",
     'SELECT "Adult_Social"."FACT_CONTACTS"."FACT_CONTACT_ID", "Adult_Social"."FACT_CONTACTS"."MODIF_DTTM" '
     'FROM "Adult_Social"."FACT_CONTACTS" '
     'WHERE "Adult_Social"."FACT_CONTACTS"."MODIF_DTTM" > %(since)s::TIMESTAMP WITHOUT TIME ZONE '
     'ORDER BY "Adult_Social"."FACT_CONTACTS"."FACT_CONTACT_ID"'),
])  # fmt: skip
def test_changed_facts_are_asked_for_in_each_databases_own_words(database: str, asked: str) -> None:
    assert written(changed_contacts(), database) == asked


@pytest.mark.parametrize("database", DIALECTS)
@pytest.mark.parametrize(("supplier", "spec"), TABLES, ids=lambda x: getattr(x, "table", x))
def test_every_statement_about_every_table_compiles_for_every_database(
    supplier: str, spec: TableSpec, database: str
) -> None:
    schema, columns = SCHEMAS[supplier], {column.name: column.tag for column in spec.columns}
    keys = statements.key_columns(spec)
    asked = [
        statements.rows_of(schema, spec, columns, keys),
        statements.rows_of(schema, spec, {key: columns[key] for key in keys}, keys),
        statements.fingerprint(schema, spec, list(columns), "MODIF_DTTM"),
        statements.without_parent(schema, spec.table, keys[0], "DIM_PERSON", "DIM_PERSON_ID"),
    ]
    if "MODIF_DTTM" in columns:
        asked.append(statements.rows_of(schema, spec, columns, keys, ("MODIF_DTTM", MOMENT)))
    for statement in asked:
        text = written(statement, database)
        assert spec.table in text
        assert "2026" not in text, "a value must travel as a parameter"


@pytest.mark.parametrize("database", DIALECTS)
def test_no_name_is_longer_than_the_database_allows(database: str) -> None:
    longest = max(len(name) for _, spec in TABLES for name in (spec.table, *(c.name for c in spec.columns)))
    assert longest <= {"SQL Server": 128, "Oracle": 128, "PostgreSQL": 63}[database]


def test_names_with_quotes_brackets_or_blanks_stay_names() -> None:
    columns = {"a]; drop table b --": "int", 'c"d': "int"}
    statement = statements.rows_of("x y", CONTACTS, columns, list(columns))
    assert "[a]]; drop table b --]" in written(statement, "SQL Server")
    assert '"c""d"' in written(statement, "Oracle")


def test_keys_are_added_up_wider_than_64_bits() -> None:
    asked = written(statements.fingerprint("Adult_Social", CONTACTS, ["FACT_CONTACT_ID"]), "SQL Server")
    assert "AS NUMERIC(38, 0)" in asked, "a sum of 64-bit ids overflows 64 bits"


def test_answers_are_asked_for_only_where_their_question_is_allowed() -> None:
    spec, columns = CONTACTS, {"FACT_CONTACT_ID": "int", "ANSWER": "nvarchar(4000)"}
    nobody = statements.Answers(spec.table, ANSWERS.answer, ANSWERS.question)
    some = statements.Answers(spec.table, ANSWERS.answer, ANSWERS.question, frozenset({"Date of review"}))
    text = written(statements.rows_of("s", spec, columns, ["FACT_CONTACT_ID"], None, nobody), "SQL Server")
    assert "[ANSWER]" not in text.replace("AS [ANSWER]", ""), "without an allowed question nothing is asked"
    text = written(statements.rows_of("s", spec, columns, ["FACT_CONTACT_ID"], None, some), "SQL Server")
    assert "CASE WHEN" in text and ANSWERS.question in text and "Date of review" not in text


def test_columns_nobody_specified_are_read_as_text() -> None:
    columns = {"FACT_CONTACT_ID": "int", "NEW_ONE": statements.AS_TEXT}
    text = written(statements.rows_of("s", CONTACTS, columns, ["FACT_CONTACT_ID"]), "SQL Server")
    assert "CAST(s.[FACT_CONTACTS].[NEW_ONE] AS NVARCHAR(4000)) AS [NEW_ONE]" in text


@pytest.mark.parametrize("spec", [s for _, s in TABLES if s.table.startswith("FACT_")], ids=lambda s: s.table)
def test_every_fact_tells_when_it_changed_and_has_a_whole_number_as_its_key(spec: TableSpec) -> None:
    tags = {column.name: (column.tag, column.required) for column in spec.columns}
    assert tags["MODIF_DTTM"] == ("datetime", True), "without it the watermark cannot be used"
    assert [tags[key] for key in statements.key_columns(spec)] == [("int", True)]


def test_a_fingerprint_does_not_ask_for_columns_that_are_not_there() -> None:
    asked = statements.fingerprint("Adult_Social", CONTACTS, ["FACT_CONTACT_ID"], "MODIF_DTTM")
    assert "MODIF_DTTM" not in written(asked, "PostgreSQL")
    asked = statements.fingerprint("Adult_Social", CONTACTS, ["MODIF_DTTM"], "MODIF_DTTM")
    assert "FACT_CONTACT_ID" not in written(asked, "PostgreSQL")


def test_case_note_text_has_no_place_in_any_specification() -> None:
    named = [c.name for _, spec in TABLES for c in spec.columns if "COMMENTS" in c.name or "NOTE_TEXT" in c.name]
    assert named == []


def test_acceptance_06_no_id_is_declared_as_anything_but_a_whole_number_or_text() -> None:
    for _, spec in TABLES:
        for column in spec.columns:
            if column.field.endswith(("_id", "nhs_number", "uprn", "_key")):
                assert column.tag in ("int", "bigint") or column.tag.startswith(("nvarchar", "char")), column.name
