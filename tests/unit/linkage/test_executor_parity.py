"""The executor gives Splink's weight to every pair: on all public sets, and on models and records nobody thought of."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkage.executor import compile_settings, run_executor
from tests.support.random_models import random_model, random_records
from tests.support.splink_peer import executor_scores, furthest_apart, splink_scores

DATA = Path(__file__).parents[2] / "support" / "data"
NEARLY_NOTHING = 1e-9


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """One DuckDB with the public sets, every value stripped, nothing for missing."""
    calculation = duckdb.connect(config={"threads": 1, "memory_limit": "1GB"})
    for name in (
        "febrl_dataset1",
        "febrl_dataset2",
        "febrl_dataset3",
        "febrl_dataset4a",
        "febrl_dataset4b",
        "fake_1000",
    ):
        calculation.execute(f"""create table {name} as
            select nullif(trim(columns(*)), '') from read_csv('{DATA / name}.csv', all_varchar = true,
                   normalize_names = true)""")
    calculation.execute(f"create table historical as from '{DATA / 'historical_3000.parquet'}'")
    return calculation


def _settings(link_type: str, unique_id: str, comparisons: list[Any], rules: list[str]) -> dict[str, Any]:
    """A model of Splink's own library with weights that nobody trained."""
    from splink import SettingsCreator

    made: dict[str, Any] = SettingsCreator(
        link_type=link_type, unique_id_column_name=unique_id, comparisons=comparisons,
        probability_two_random_records_match=0.0003, blocking_rules_to_generate_predictions=rules,
        retain_matching_columns=False,
    ).create_settings_dict("duckdb")  # fmt: skip
    chance = random.Random(7)
    for comparison in made["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                level["m_probability"], level["u_probability"] = chance.uniform(0.01, 0.9), chance.uniform(0.0001, 0.5)
    return made


def _febrl(link_type: str) -> dict[str, Any]:
    import splink.comparison_library as cl

    comparisons = [
        cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
        cl.NameComparison("surname").configure(term_frequency_adjustments=True),
        cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
        cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
        cl.LevenshteinAtThresholds("address_1", [1, 3]),
        cl.ExactMatch("suburb").configure(term_frequency_adjustments=True),
        cl.JaroAtThresholds("street_number", [0.9]),
    ]
    rules = [
        "l.soc_sec_id = r.soc_sec_id",
        "l.given_name = r.given_name and l.surname = r.surname",
        "l.date_of_birth = r.date_of_birth",
        "l.given_name = r.surname and l.surname = r.given_name",
        "l.postcode = r.postcode and substr(l.surname, 1, 2) = substr(r.surname, 1, 2)",
        "l.suburb = r.suburb and levenshtein(l.surname, r.surname) <= 2",
    ]
    return _settings(link_type, "rec_id", comparisons, rules)


def _fake() -> dict[str, Any]:
    import splink.comparison_library as cl

    comparisons = [
        cl.ForenameSurnameComparison("first_name", "surname"),
        cl.DateOfBirthComparison("dob", input_is_string=True),
        cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        cl.EmailComparison("email"),
    ]
    rules = ["l.first_name = r.first_name and l.surname = r.surname", "l.surname = r.surname", "l.dob = r.dob",
             "l.city = r.city or l.email = r.email"]  # fmt: skip
    return _settings("dedupe_only", "unique_id", comparisons, rules)


def _historical() -> dict[str, Any]:
    import splink.comparison_library as cl

    comparisons = [
        cl.NameComparison("first_name"),
        cl.NameComparison("surname").configure(term_frequency_adjustments=True),
        cl.DateOfBirthComparison("dob", input_is_string=True),
        cl.PostcodeComparison("postcode_fake"),
        cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
        cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
    ]
    rules = ["l.first_name = r.first_name and l.surname = r.surname", "l.surname = r.surname and l.dob = r.dob",
             "l.postcode_fake = r.postcode_fake", "l.dob = r.dob",
             "substr(l.first_name, 1, 3) = substr(r.first_name, 1, 3) and l.birth_place = r.birth_place"]  # fmt: skip
    return _settings("dedupe_only", "unique_id", comparisons, rules)


@pytest.mark.parametrize(
    ("left", "right", "which", "at_least"),
    [
        ("febrl_dataset1", None, _febrl, 500),
        ("febrl_dataset2", None, _febrl, 1_500),
        ("febrl_dataset3", None, _febrl, 5_000),
        ("febrl_dataset4a", "febrl_dataset4b", _febrl, 5_000),
        ("fake_1000", None, _fake, 2_000),
        ("historical", None, _historical, 5_000),
    ],
)
def test_every_candidate_of_a_public_set_has_splinks_weight(
    con: duckdb.DuckDBPyConnection, left: str, right: str | None, which: Any, at_least: int
) -> None:
    model = which("link_only" if right else "dedupe_only") if which is _febrl else which()
    expected = splink_scores(con, model, left, right)
    counts = run_executor(con, compile_settings(model), left, right)
    assert len(expected) == counts.kept >= at_least
    assert furthest_apart(executor_scores(con), expected) < NEARLY_NOTHING


@pytest.mark.property
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9), link_type=st.sampled_from(("dedupe_only", "link_only", "link_and_dedupe")))
def test_every_candidate_of_a_random_model_has_splinks_weight(
    con: duckdb.DuckDBPyConnection, seed: int, link_type: str
) -> None:
    model, left, right = _random_case(con, seed, link_type)
    expected = splink_scores(con, model, left, right)
    run_executor(con, compile_settings(model), left, right, levels=bool(seed % 2), chunks=1 + seed % 3)
    assert furthest_apart(executor_scores(con), expected) < NEARLY_NOTHING


def _random_case(
    con: duckdb.DuckDBPyConnection, seed: int, link_type: str
) -> tuple[Mapping[str, Any], str, str | None]:
    chance = random.Random(seed)
    model = random_model(chance, link_type)
    tables = ["random_left"] if link_type == "dedupe_only" else ["random_left", "random_right"]
    for table in tables:
        random_records(con, table, chance)
    return model, tables[0], tables[1] if len(tables) > 1 else None
