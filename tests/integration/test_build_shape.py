"""The shape of releases: nothing in them tells who somebody is, and the digest covers all they show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from domain.profile import Profile
from warehouse.build import TABLES, select_of
from warehouse.digest import covered_columns

IDENTIFYING = {
    *(
        "forename",
        "surname",
        "middle_names",
        "known_as",
        "previous_surname",
        "title",
        "nhs_number",
        "nhs_number_supplied",
    ),
    *("birth_date", "postcode", "address_text", "line_text", "uprn", "telephone", "email", "source_person_key"),
    *("nhs_number_supplied", "event_key", "event_reference", "description"),
}
# Said by every row about itself: when it was learnt and from which line, or worked out from columns beside it.
NOT_CONTENT = {"known_from", "landed_version_id", "valid_from", "valid_to"}


@pytest.fixture
def connection(database: Profile, admin_url: str) -> Iterator[Connection]:
    engine = create_engine(admin_url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def columns(connection: Connection, schema: str, table: str) -> set[str]:
    return {
        row[0]
        for row in connection.exec_driver_sql(
            "select column_name::text from information_schema.columns where table_schema = %s and table_name = %s",
            (schema, table),
        )
    }


def test_no_view_of_a_release_has_a_column_that_tells_who_somebody_is(connection: Connection) -> None:
    for table in (*(table.name for table in TABLES), "about"):
        shown = columns(connection, "release", table)
        assert shown, table
        assert not shown & IDENTIFYING, table
        assert not {name for name in shown if name.endswith("_raw")}, f"{table}: what was typed as a code may be a name"


def test_no_core_table_holds_an_identifier(connection: Connection) -> None:
    for table in TABLES:
        assert not columns(connection, "core", table.name) & (IDENTIFYING - {"description"}), table.name


def test_the_digest_covers_every_column_a_release_shows(connection: Connection) -> None:
    for table in TABLES:
        missing = (
            columns(connection, "release", table.name) - NOT_CONTENT - set(covered_columns(connection, table.name))
        )
        assert not missing, table.name


def test_each_page_of_the_core_fills_its_table_completely(connection: Connection) -> None:
    ours = {"version_id", "row_digest", "known_from", "known_to"}
    for table in TABLES:
        selected = set(connection.exec_driver_sql(f"select * from ({select_of(table.name)}) s limit 0").keys())
        generated = {
            row[0]
            for row in connection.exec_driver_sql(
                "select column_name::text from information_schema.columns where table_schema = 'core' "
                "and table_name = %s "
                "and is_generated = 'ALWAYS'",
                (table.name,),
            )
        }
        assert selected == columns(connection, "core", table.name) - ours - generated, table.name
