"""A whole small council from extracts to return, judged against its known truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connectors.synthetic import truth
from onestory.home import Home
from onestory.summary import summarise
from tests.support.councils import run_delivered_night, small_council

pytestmark = pytest.mark.xdist_group("council")

NIGHTS = 2
CATEGORIES = ("inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined", "excluded_by_policy")


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, dict[str, Any]]]:
    with small_council(tmp_path_factory.mktemp("council"), scale=0.08, nights=NIGHTS) as home:
        for night in range(NIGHTS + 1):
            run_delivered_night(home, night, with_return=night == NIGHTS)
        yield home, summarise(home, seconds=0)


def test_every_row_of_every_file_is_accounted_for(council: tuple[Home, dict[str, Any]]) -> None:
    home, facts = council
    assert {line["source"] for line in facts["ledger"]} == {"systmone", "liquidlogic", "carefirst"}
    for line in facts["ledger"]:
        assert line["read"] == sum(line[category] for category in CATEGORIES), line
    with psycopg.connect(home.server.url("warehouse", "admin")) as connection:
        records = connection.execute(
            """select sum(f.records) from ledger.file f
                where exists (select from ledger.row_account a where a.file_id = f.file_id)"""
        ).fetchone()
    assert records is not None
    assert sum(line["read"] for line in facts["ledger"]) == records[0]


def test_links_are_right_and_few_are_missed(council: tuple[Home, dict[str, Any]]) -> None:
    quality = council[1]["quality"]
    assert quality["precision"] >= 0.999
    assert quality["recall"] >= 0.97
    assert quality["care_to_patient"]["true_pairs"] > 200
    assert quality["number_missing"]["true_pairs"] > 20


def test_the_return_says_what_the_truth_says_and_every_difference_has_its_cause(
    council: tuple[Home, dict[str, Any]],
) -> None:
    prepared = council[1]["return"]
    assert prepared["status"] == "submission"
    for event, line in prepared["against_truth"].items():
        assert line["expected"] > 10, event
        assert line["unexplained"] == 0, (event, line["differences"])
        assert line["agreed"] >= 0.98 * line["expected"], (event, line)
    assert all(line["unexplained"] == 0 for line in prepared["errors_by_check"].values()), prepared["errors_by_check"]


def test_the_same_nights_again_change_nothing(council: tuple[Home, dict[str, Any]]) -> None:
    home, before = council
    for night in range(NIGHTS + 1):
        run_delivered_night(home, night, with_return=night == NIGHTS)
    after = summarise(home, seconds=0)
    for fact in ("ledger", "people", "links_by_rule", "quality", "release", "release_digest"):
        assert after[fact] == before[fact], fact
    assert Path(after["return"]["path"]).read_bytes() == Path(before["return"]["path"]).read_bytes()


def test_no_number_of_a_person_leaves_its_zone(council: tuple[Home, dict[str, Any]]) -> None:
    """Every NHS number, postcode and telephone of the truth is looked for where none of them belongs."""
    home, facts = council
    people = truth.load_people(home.truth).to_pylist()
    values = {person["nhs_number"] for person in people}
    assert len(values) > 1000
    texts = {
        "summary": json.dumps(facts, default=str),
        "linkage report": Path(facts["linkage_report"]).read_text("utf-8"),
    }
    with psycopg.connect(home.server.url("warehouse", "admin")) as connection:
        tables = connection.execute(
            """select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname in ('ledger', 'core', 'release') and c.relkind in ('r', 'v')"""
        ).fetchall()
        assert len(tables) > 20
        for schema, table in tables:
            rows = connection.execute(f"select t::text from {schema}.{table} t").fetchall()
            texts[f"{schema}.{table}"] = "\n".join(row[0] for row in rows)
    found = {place for place, text in texts.items() for value in values if value in text}
    assert found == set()


def test_the_linkage_report_can_be_read_without_scripts_or_outside_help(council: tuple[Home, dict[str, Any]]) -> None:
    page = Path(council[1]["linkage_report"]).read_text(encoding="utf-8")
    for section in (
        "0 Front page",
        "2 Source data",
        "3 Method",
        "4 Results by step",
        "5 Quality estimates",
        "9 Why pairs linked",
    ):
        assert f">{section}</h2>" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<table>") == page.count("<caption>") > 10
