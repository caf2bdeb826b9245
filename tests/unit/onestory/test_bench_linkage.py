"""The linkage benchmark's scorer, page and arithmetic, against cases worked out by hand."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from onestory import bench_linkage_child
from onestory.bench_linkage_child import Clock, Run, measure
from onestory.bench_linkage_data import prepare
from onestory.bench_linkage_models import fill_unseen, guarded
from onestory.bench_linkage_page import Figure, Value, keep
from onestory.bench_linkage_rounds import Bench, with_model
from onestory.bench_linkage_score import at_line, score
from onestory.bench_linkage_sizing import slope


def _truth(path: Path, people: dict[str, str], band: dict[str, str] | None = None) -> Path:
    rows = [
        {"record_id": record, "side": "care" if record.startswith("C") else "health", "person_id": person, "sex": "F",
         "age_band": (band or {}).get(record, "40 to 64"), "ethnic_group": "white british", "deprivation_fifth": 1,
         "in_care_home": False, "has_number": True}
        for record, person in people.items()
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def _links(path: Path, links: list[tuple[str, str, float]]) -> Path:
    rows = [{"left_id": a, "right_id": b, "weight": w, "rule": "scored"} for a, b, w in links]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_recall_is_told_at_the_lowest_threshold_that_keeps_the_precision(tmp_path: Path) -> None:
    """Nine right links above one wrong one above the last right one: 9 of 11 at full precision, 10 of 11 at 0.9."""
    people = {f"C{n}": f"P{n}" for n in range(11)} | {f"H{n}": f"P{n}" for n in range(11)}
    links = [(f"C{n}", f"H{n}", 20.0) for n in range(9)] + [("C9", "H10", 10.0), ("C9", "H9", 5.0)]
    truth = _truth(tmp_path / "truth.parquet", people)
    found = score(_links(tmp_path / "links.parquet", links), truth)
    assert found.recall_at_precision == pytest.approx(9 / 11)
    assert found.threshold == 20.0
    assert found.ceiling == pytest.approx(10 / 11)
    assert found.best_f1 == pytest.approx(2 * 10 / (11 + 11))
    assert score(tmp_path / "links.parquet", truth, precision=0.9).recall_at_precision == pytest.approx(10 / 11)


def test_at_a_line_of_its_own_every_link_from_it_on_counts_and_every_true_pair_is_asked_for(tmp_path: Path) -> None:
    """Four true pairs; above 8 bits two right links and a wrong one, below it one more right one."""
    people = {f"C{n}": f"P{n}" for n in range(4)} | {f"H{n}": f"P{n}" for n in range(4)}
    links = [("C0", "H0", 20.0), ("C1", "H1", 10.0), ("C2", "H3", 9.0), ("C3", "H3", 4.0)]
    truth = _truth(tmp_path / "truth.parquet", people)
    found = at_line(_links(tmp_path / "links.parquet", links), truth, 8.0)
    assert found["precision"] == pytest.approx(2 / 3, abs=1e-5)
    assert found["recall"] == 0.5
    assert found["F1"] == pytest.approx(2 * 2 / (3 + 4), abs=1e-5)
    assert found["care records found"] == 0.5
    assert at_line(tmp_path / "links.parquet", truth, None)["recall"] == 0.75


def test_links_of_one_weight_stand_or_fall_together(tmp_path: Path) -> None:
    people = {"C1": "P1", "H1": "P1", "C2": "P2", "H2": "P2"}
    links = [("C1", "H1", 10.0), ("C2", "H1", 10.0)]
    found = score(_links(tmp_path / "links.parquet", links), _truth(tmp_path / "truth.parquet", people))
    assert found.recall_at_precision == 0.0
    assert found.threshold == float("inf")


def test_one_link_a_care_record_is_judged_by_its_best_and_a_second_record_of_the_patient_is_no_error(
    tmp_path: Path,
) -> None:
    people = {"C1": "P1", "H1": "P1", "H1b": "P1", "C2": "P2", "H2": "P2", "H3": "P3"}
    links = [("C1", "H1", 20.0), ("C2", "H2", 15.0), ("C2", "H3", 12.0)]
    found = score(_links(tmp_path / "links.parquet", links), _truth(tmp_path / "truth.parquet", people))
    assert found.best_link_recall_at_precision == 1.0
    assert found.recall_at_precision == pytest.approx(2 / 3)  # the patient's second record is a pair of its own


def test_recall_by_group_counts_records_never_linked_as_missed(tmp_path: Path) -> None:
    people = {"C1": "P1", "H1": "P1", "C2": "P2", "H2": "P2", "C3": "P3", "H3": "P3", "C4": "nobody's"}
    band = {"C1": "18 to 39", "C2": "18 to 39", "C3": "85 and over", "C4": "85 and over"}
    links = [("C1", "H1", 20.0), ("C3", "H3", 18.0)]
    found = score(_links(tmp_path / "links.parquet", links), _truth(tmp_path / "truth.parquet", people, band))
    assert found.groups["age"] == {"18 to 39": 0.5, "85 and over": 1.0}


def test_the_exponent_of_growth_is_one_where_cost_is_in_proportion_and_two_where_it_is_a_square() -> None:
    sizes = (100_000, 300_000, 1_000_000)
    assert slope([(n, n / 7) for n in sizes]) == pytest.approx(1.0)
    assert slope([(n, n * n / 1e9) for n in sizes]) == pytest.approx(2.0)


def test_guards_change_the_question_and_not_the_answer() -> None:
    settings: dict[str, Any] = {"comparisons": [{"comparison_levels": [
        {"sql_condition": "a_l is null or a_r is null", "is_null_level": True},
        {"sql_condition": "damerau_levenshtein(a_l, a_r) <= 1"},
        {"sql_condition": "jaro_winkler_similarity(a_l, a_r) >= 0.9"},
        {"sql_condition": "ELSE"}]}]}  # fmt: skip
    levels = guarded(settings)["comparisons"][0]["comparison_levels"]
    assert levels[0]["sql_condition"] == "a_l is null or a_r is null or jaro_winkler_similarity(a_l, a_r) < -1"
    assert levels[1]["sql_condition"] == "(levenshtein(a_l, a_r) <= 2 and damerau_levenshtein(a_l, a_r) <= 1)"
    assert settings["comparisons"][0]["comparison_levels"][1]["sql_condition"].startswith("damerau")


def test_a_level_that_training_never_saw_weighs_nothing() -> None:
    seen = {"m_probability": 0.9, "u_probability": 0.1}
    model: dict[str, Any] = {
        "comparisons": [{"comparison_levels": [{"is_null_level": True}, seen, {"u_probability": 0.2}, {}]}]
    }
    assert fill_unseen(model) == 2
    levels = model["comparisons"][0]["comparison_levels"]
    assert [level.get("m_probability") for level in levels] == [None, 0.9, 0.2, 1e-6]
    assert all(level["m_probability"] == level["u_probability"] for level in levels[2:])


def test_a_figure_made_again_takes_the_place_of_the_old_one_and_a_missing_engine_is_told(tmp_path: Path) -> None:
    missing = Run(0.0, 0.0, 0, {}, {}, "not there yet: an engine")
    done = Run(2.0, 3.0, 100, {}, {"links": 5})
    old = Figure("speed", "Speed", [Value("ratio", None, 0.18, True)], {"splink": [done], "ours": [missing]}, {})
    keep(old, "an earlier command", (1.0, 2.0), tmp_path)
    assert "not there yet: an engine" in (tmp_path / "linkage.md").read_text(encoding="utf-8")
    assert "| ratio | not measured | ≤ 0.18 |" in (tmp_path / "linkage.md").read_text(encoding="utf-8")
    keep(
        Figure("speed", "Speed", [Value("ratio", 0.2, 0.18, True)], {"ours": [done]}, {}), "again", (1.0, 2.0), tmp_path
    )
    kept = json.loads((tmp_path / "linkage.json").read_text(encoding="utf-8"))
    assert kept["speed"]["command"] == "again"
    assert kept["speed"]["values"][0]["is_met"] is False
    page = (tmp_path / "linkage.md").read_text(encoding="utf-8")
    assert "missed" in page and "an earlier command" not in page


def test_other_sizes_get_the_same_model_with_the_chance_of_two_random_records_scaled_to_them(tmp_path: Path) -> None:
    for patients in (1000, 5000):
        folder = tmp_path / f"world_{patients // 10}_{patients}_20260331"
        folder.mkdir()
        (folder / "prepared.json").write_text(json.dumps({"patients": patients}), encoding="utf-8")
    base, other = (prepare(tmp_path, patients, patients // 10) for patients in (1000, 5000))
    trained = {"probability_two_random_records_match": 1e-4, "comparisons": ["as they were learnt"]}
    base.model("tutorial").write_text(json.dumps(trained), encoding="utf-8")
    bench = Bench(tmp_path, 1000, 100, 1, tmp_path, (), Console())
    made = json.loads(with_model(bench, other).model("tutorial").read_text(encoding="utf-8"))
    assert made["probability_two_random_records_match"] == pytest.approx(2e-5)
    assert made["comparisons"] == trained["comparisons"]
    assert json.loads(with_model(bench, base).model("tutorial").read_text(encoding="utf-8")) == trained


def spilling(clock: Clock, folder: Path) -> None:
    """A contender that leaves three MiB where it spills for a moment."""
    path = folder / "spill" / "block.tmp"
    path.write_bytes(bytes(3 * 2**20))
    time.sleep(0.35)
    path.unlink()
    clock.tell(links=1)


def test_what_a_contender_spilled_is_told_though_it_is_gone_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bench_linkage_child.CONTENDERS, "spilling", f"{__name__}:spilling")
    found = measure("spilling", tmp_path, {})
    assert found.spill_mib == 3
    assert found.facts == {"links": 1}
    assert found.peak_mib > 0
