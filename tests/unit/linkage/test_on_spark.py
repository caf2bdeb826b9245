"""The same model on Spark: conditions in its SQL, and on a real Spark the weight that one machine gives every pair."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from linkage.executor import compile_settings, run_executor
from linkage.model import load_model
from linkage.on_spark import NotForSpark, in_spark_sql, settings_for_spark
from tests.support.own_environment import ROOT, environment

DATA = ROOT / "tests" / "support" / "data"


def level(label: str, condition: str, m: float, u: float, **more: Any) -> dict[str, Any]:
    return {"label_for_charts": label, "sql_condition": condition, "m_probability": m, "u_probability": u, **more}


def missing(condition: str) -> dict[str, Any]:
    return {"label_for_charts": "missing", "sql_condition": condition, "is_null_level": True}


BY_FREQUENCY = {
    "tf_adjustment_column": "surname", "tf_minimum_u_value": 1e-4, "disable_tf_exact_match_detection": True
}  # fmt: skip
MODEL = {
    "link_type": "link_only",
    "unique_id_column_name": "rec_id",
    "probability_two_random_records_match": 0.0002,
    "retain_matching_columns": False,
    "blocking_rules_to_generate_predictions": [
        "l.date_of_birth = r.date_of_birth",
        "l.surname = r.surname and left(l.given_name, 1) = left(r.given_name, 1)",
    ],
    "comparisons": [
        {
            "output_column_name": "name",
            "comparison_levels": [
                missing("given_name_l is null or surname_r is null or len(words_l) = 0"),
                level("surname equal", "surname_l = surname_r", 0.7, 0.001, **BY_FREQUENCY),
                level("alike", "jaro_winkler_similarity(surname_l, surname_r) >= 0.88"
                      " and levenshtein(given_name_l, given_name_r) <= 2", 0.2, 0.004),
                level("a word shared", "list_has_any(words_l, words_r)", 0.05, 0.01),
                level("different", "ELSE", 0.05, 0.985),
            ],
        },
        {
            "output_column_name": "birth_date",
            "comparison_levels": [
                missing("date_of_birth_l is null or date_of_birth_r is null"),
                level("equal", "date_of_birth_l = date_of_birth_r", 0.9, 0.0001),
                level("near", "length(date_of_birth_l) = length(date_of_birth_r) and"
                      " hamming(date_of_birth_l, date_of_birth_r) <= 1"
                      " or damerau_levenshtein(date_of_birth_l, date_of_birth_r) <= 1", 0.08, 0.001),
                level("different", "ELSE", 0.02, 0.99),
            ],
        },
    ],
}  # fmt: skip


def test_lengths_of_lists_and_texts_and_our_distances_are_told_apart() -> None:
    assert (
        in_spark_sql("len(words_l) = 0 and length(surname_l) > 1", ["words"])
        == "SIZE(words_l) = 0 AND LENGTH(surname_l) > 1"
    )
    assert in_spark_sql("list_has_any(words_l, words_r)") == "ARRAYS_OVERLAP(words_l, words_r)"
    assert in_spark_sql("jaro_winkler_similarity(a_l, a_r) >= 0.9") == "ONESTORY_JARO_WINKLER(a_l, a_r) >= 0.9"
    assert in_spark_sql("len(list_intersect(a_l, a_r)) > 1") == "SIZE(ARRAY_INTERSECT(a_l, a_r)) > 1"
    assert in_spark_sql("else") == "ELSE"


def test_a_distance_that_spark_has_not_is_refused_by_name() -> None:
    with pytest.raises(NotForSpark, match="array_cosine_similarity"):
        in_spark_sql("array_cosine_similarity(a_l, a_r) > 0.5")


def test_every_condition_of_the_model_in_use_can_be_said_on_spark() -> None:
    settings = dict(load_model().settings)
    said = settings_for_spark(settings, ["given_names", "surnames", "nicknames", "name_tokens", "postcodes"])
    conditions = [v["sql_condition"] for c in said["comparisons"] for v in c["comparison_levels"]]
    assert len(conditions) == sum(len(c["comparison_levels"]) for c in settings["comparisons"])
    assert not any("&&" in text or "LIST_" in text or "JAROWINKLER" in text for text in conditions)


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs a Java runtime")
@pytest.mark.timeout(600)
def test_spark_gives_every_pair_the_weight_it_has_on_one_machine(tmp_path: Path) -> None:
    con = duckdb.connect()
    for side in "ab":
        con.execute(f"""create table {side} as
            with stripped as (select nullif(trim(columns(*)), '') from read_csv('{DATA}/febrl_dataset4{side}.csv',
                                     all_varchar = true, normalize_names = true))
            select *, list_filter([given_name, surname], lambda x: x is not null) as words from stripped""")
        con.execute(f"copy {side} to '{tmp_path}/{side}.parquet'")
    run_executor(con, compile_settings(MODEL), "a", "b")
    (tmp_path / "model.json").write_text(json.dumps(MODEL), encoding="utf-8")
    arguments = [tmp_path / "model.json", tmp_path / "a.parquet", tmp_path / "b.parquet", "--out", tmp_path / "scored"]
    ended = subprocess.run(
        [environment("spark"), "-m", "linkage.on_spark", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    pairs, here, there, furthest = con.execute(f"""
        select count(*), count(d.left_id), count(s.left_id), max(abs(d.match_weight - s.match_weight))
          from scored_pair d full join '{tmp_path}/scored/*.parquet' s using (left_id, right_id)""").fetchall()[0]
    assert (here, there) == (pairs, pairs) and pairs > 10_000
    assert furthest < 1e-9
