"""A Splink settings file that no trial made links files as it is, or says in one sentence why it cannot."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.splink_peer import splink_scores
from tests.support.unfamiliar_files import (
    HEADINGS,
    OTHER_HEADINGS,
    assert_good,
    assert_nobody_shown,
    assert_refused,
    left,
    right,
    run,
    written,
)


def comparison(column: str, m: float, u: float) -> dict[str, Any]:
    return {"output_column_name": column, "comparison_levels": [
        {"sql_condition": f"{column}_l is null or {column}_r is null", "is_null_level": True},
        {"sql_condition": f"{column}_l = {column}_r", "m_probability": m, "u_probability": u,
         "label_for_charts": "the same"},
        {"sql_condition": f"levenshtein({column}_l, {column}_r) <= 2", "m_probability": (1 - m) * 0.8,
         "u_probability": u * 5, "label_for_charts": "nearly"},
        {"sql_condition": "ELSE", "m_probability": (1 - m) * 0.2, "u_probability": 1 - 6 * u,
         "label_for_charts": "another"},
    ]}  # fmt: skip


MODEL = {
    "link_type": "link_only",
    "unique_id_column_name": "unique_id",
    "probability_two_random_records_match": 0.003,
    "blocking_rules_to_generate_predictions": ["l.surname = r.surname", "l.dob = r.dob", "l.first_name = r.first_name"],
    "comparisons": [
        comparison("first_name", 0.9, 0.03),
        comparison("surname", 0.9, 0.02),
        comparison("dob", 0.9, 1e-4),
    ],
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "splink.json"
    path.write_text(json.dumps(MODEL), encoding="utf-8")
    return path


def test_its_columns_are_found_by_heading_and_by_meaning(tmp_path: Path, model: Path) -> None:
    one = written(tmp_path / "clients.csv", HEADINGS, left())
    other = written(tmp_path / "patients.csv", OTHER_HEADINGS, right("%d.%m.%Y"))
    answer = run(tmp_path, "link", one, other, "--model", model)
    assert_good(answer)
    assert json.loads((answer.out / "model.json").read_text(encoding="utf-8")) == MODEL
    assert "read from a model file that no trial has made" in answer.page
    patterns = answer.summary["facts"]["patterns"]
    assert patterns
    for pattern in patterns:
        assert sum(part["bits"] for part in pattern["parts"]) == pytest.approx(pattern["total"], abs=1e-9)
    assert_nobody_shown(answer.said + answer.page)


def test_it_weighs_the_links_as_splink_does(tmp_path: Path, model: Path) -> None:
    import duckdb
    import pyarrow as pa

    one = written(tmp_path / "clients.csv", HEADINGS, left())
    other = written(tmp_path / "patients.csv", HEADINGS, right())
    answer = run(tmp_path, "link", one, other, "--model", model)
    with duckdb.connect() as con:
        for name, rows in (("one_side", left()), ("other_side", right())):
            columns = {"unique_id": 0, "first_name": 1, "surname": 2, "dob": 3}
            table = pa.table({c: [r[n].lower() if 0 < n < 3 else r[n] for r in rows] for c, n in columns.items()})
            con.register("given", table)
            con.execute(f"create table {name} as from given")
        theirs = splink_scores(con, MODEL, "one_side", "other_side")
    with (answer.out / "links.csv").open(encoding="utf-8", newline="") as lines:
        ours = {(row["left_id"], row["right_id"]): float(row["weight"]) for row in csv.DictReader(lines)}
    assert len(ours) > 90
    assert {pair: theirs[pair] for pair in ours} == pytest.approx(ours, abs=1e-9)


def test_a_column_that_is_not_there_is_named(tmp_path: Path, model: Path) -> None:
    rows = [[row[0], f"{row[1]} {row[2]}", row[3]] for row in left()]
    file = written(tmp_path / "clients.csv", ["id", "name", "dob"], rows)
    assert_refused(run(tmp_path, "link", file, file, "--model", model), "first_name, surname", "has no such column")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"comparisons": [{"comparison_levels": [{"sql_condition": "surname ="}]}]}, "The model cannot be used"),
        ({"comparisons": 7}, "The model cannot be used"),
        ({"comparisons": [comparison("surname", 0.9, 0.02)], "blocking_rules_to_generate_predictions":
          ["date_diff('day', l.dob, r.dob) = 0"]}, "birth dates as yyyy-mm-dd"),
    ],
)  # fmt: skip
def test_a_model_that_cannot_be_asked_says_so_without_a_value(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(MODEL | change), encoding="utf-8")
    file = written(tmp_path / "clients.csv", HEADINGS, left())
    assert_refused(run(tmp_path, "link", file, file, "--model", path), sentence)


def test_a_trials_own_model_weighs_the_same_pairs_the_same_on_other_files(tmp_path: Path) -> None:
    one = written(tmp_path / "clients.csv", HEADINGS, left())
    other = written(tmp_path / "patients.csv", HEADINGS, right())
    first = run(tmp_path, "link", one, other)
    kept = tmp_path / "kept.json"
    kept.write_bytes((first.out / "model.json").read_bytes())
    learnt = first.summary["facts"]["model"]["comparisons"]
    fewer = written(tmp_path / "fewer.csv", HEADINGS, right()[:150])
    again = run(tmp_path, "link", one, fewer, "--model", kept)
    assert_good(again)
    levels = [
        {level["level"]: level["bits"] for level in c["levels"]} for c in again.summary["facts"]["model"]["comparisons"]
    ]
    for before, after in zip(learnt, levels, strict=True):
        for level in before["levels"]:
            assert after[level["level"]] == pytest.approx(level["bits"], abs=1e-9)
