"""The kept pages of the linkage benchmark say what was measured, and the sizing table's arithmetic is right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from onestory.bench_linkage_child import Run
from onestory.bench_linkage_page import FOLDER, Figure, Value, keep, page, write_pages
from onestory.bench_linkage_sizing import extrapolated, power, reached_at, sizing_page, sizing_rows
from onestory.bench_linkage_tried import NOTHING


def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads((FOLDER / "linkage.json").read_text(encoding="utf-8"))
    return kept


def test_the_kept_pages_are_those_that_the_kept_measurements_make() -> None:
    assert (FOLDER / "linkage.md").read_text(encoding="utf-8") == page(_kept())
    assert (FOLDER / "sizing.md").read_text(encoding="utf-8") == sizing_page(_kept())


def test_every_kept_figure_names_its_command_versions_machine_and_load() -> None:
    for name, part in _kept().items():
        assert part["command"].startswith("onestory bench linkage ") and part["command"].endswith(f"--figures {name}")
        assert {"splink", "duckdb", "recordlinkage"} <= set(part["versions"])
        assert part["machine"] and set(part["load_average"]) == {"before", "after"}
        assert part["runs"], name


def test_every_verdict_kept_follows_from_the_number_and_every_miss_tells_what_was_tried() -> None:
    for part in _kept().values():
        for value in part["values"]:
            told = Value(value["name"], value["measured"], value["aim"], value["at_most"])
            assert told.is_met == value["is_met"], value["name"]
    assert NOTHING not in page(_kept())


def test_what_was_tried_is_told_of_the_missed_value_alone_and_goes_when_the_aim_is_reached(tmp_path: Path) -> None:
    run = Run(2.0, 3.0, 100, {}, {})
    for measured, told in ((0.2, True), (0.15, False)):
        values = [Value("CPU / plain Splink", measured, 0.18, True), Value("peak memory", 0.3, 0.4, True),
                  Value("links", 7.0, None, True)]  # fmt: skip
        keep(Figure("speed", "Speed", values, {"ours": [run]}, {}), "a command", (1.0, 2.0), tmp_path)
        text = (tmp_path / "linkage.md").read_text(encoding="utf-8")
        assert ("Missed: CPU / plain Splink. What was tried: records meet" in text) is told
        assert "Missed: peak memory" not in text and "Missed: links" not in text
        assert "| links | 7 |  |  |" in text


def test_a_number_just_short_of_one_is_not_told_as_one(tmp_path: Path) -> None:
    keep(Figure("sets", "Sets", [Value("F1", 0.99996, 0.9999, False)], {}, {}), "a command", (1.0, 2.0), tmp_path)
    assert "| F1 | 0.99996 | ≥ 0.9999 | met |" in (tmp_path / "linkage.md").read_text(encoding="utf-8")


def test_the_power_is_the_steeper_of_the_whole_curve_and_its_last_step() -> None:
    assert power([(1, 2.0), (10, 20.0), (100, 200.0)]) == pytest.approx(1.0)
    assert power([(1, 1.0), (10, 10.0), (100, 1000.0)]) == pytest.approx(2.0)  # the whole curve alone gives 1.5
    assert power([(1, 1.0), (10, 100.0), (100, 1000.0)]) == pytest.approx(1.5)  # the last step alone gives 1
    assert power([(100, 5.0)]) is None
    assert power([(10, 0.0), (100, 0.0)]) is None


def test_larger_sizes_grow_on_from_the_largest_measured_one_and_a_limit_is_found_back() -> None:
    points = [(1_000_000, 2.0), (10_000_000, 20.0)]
    assert extrapolated(points, 60_000_000) == pytest.approx(120.0)
    assert reached_at(points, 120.0) == pytest.approx(60_000_000)
    assert extrapolated(points[:1], 60_000_000) is None
    assert reached_at([(1, 5.0), (10, 5.0)], 100.0) is None


def _measured(patients: int) -> dict[str, Any]:
    return {"patients": patients, "clients": patients // 10, "CPU s": patients / 1e6, "wall s": 1.0, "peak MiB": 400,
            "spill MiB": 0, "files MiB": patients // 10_000, "candidates": patients * 2}  # fmt: skip


def _growth(*nights: tuple[str, int, float]) -> dict[str, Any]:
    where = {"measured_at": "a day", "machine": "a machine", "load_average": {"before": 1.0, "after": 2.0},
             "versions": {"duckdb": "2.0.0"}, "command": "onestory bench linkage --figures growth"}  # fmt: skip
    kept: dict[str, Any] = {"growth": {"details": {"sizes": [_measured(n) for n in (1_000_000, 10_000_000)]}, **where}}
    for name, patients, seconds in nights:
        night = {"missing": "", "cpu_seconds": seconds, "facts": {}}
        store = {"missing": "", "cpu_seconds": 9.0, "facts": {"mib": patients // 10_000}}
        kept[name] = {"details": {"patients": patients}, "runs": {"ours_night": [night], "ours_keep": [store]}}
    return kept


def test_rows_say_whether_they_were_measured_and_only_larger_places_are_extrapolated() -> None:
    rows = {row["patients"]: row for row in sizing_rows(_growth())}
    assert {n: row["basis"] for n, row in rows.items()} == {
        1_000_000: "measured", 10_000_000: "measured", 20_000_000: "extrapolated", 30_000_000: "extrapolated",
        60_000_000: "extrapolated",
    }  # fmt: skip
    assert rows[10_000_000]["CPU s"] == 10.0
    assert rows[60_000_000]["CPU s"] == pytest.approx(60.0)
    assert rows[60_000_000]["peak MiB"] == pytest.approx(400)
    assert rows[60_000_000]["spill MiB"] is None  # nothing was spilled at two sizes, so nothing is known of growth
    assert all(row["night CPU s"] is None for row in rows.values())


def test_a_night_grows_at_least_in_proportion_and_a_measured_row_holds_nothing_extrapolated() -> None:
    kept = _growth(("night", 1_000_000, 0.2), ("night_large", 3_000_000, 0.4))
    rows = {row["patients"]: row for row in sizing_rows(kept)}
    assert rows[1_000_000]["night CPU s"] == 0.2
    assert rows[10_000_000]["night CPU s"] is None and rows[10_000_000]["kept MiB"] is None
    assert rows[60_000_000]["night CPU s"] == pytest.approx(8.0)  # by the two sizes alone it would be 2.6
    assert rows[60_000_000]["kept MiB"] == pytest.approx(6000)


def test_the_sizing_page_is_made_by_a_command_from_the_json_and_names_the_machine(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not there"):
        write_pages(tmp_path)
    text = sizing_page(_growth())
    assert (
        "`onestory bench sizing`" in text
        and "a machine" in text
        and "`onestory bench linkage --figures growth`" in text
    )
    rows = re.findall(r"^\| ([\d,]+) \|.*\*(\w+)\*", text, re.MULTILINE)
    assert rows[-1] == ("60,000,000", "extrapolated")
    assert "8 hours of one processor: not by 60 million patients, where it is 60 CPU s (extrapolated)" in text
    assert "one machine is enough for 60 million patients" in text
    slow = _growth()
    for row in slow["growth"]["details"]["sizes"]:
        row["CPU s"] *= 1000
    assert "8 hours of one processor: at about 29 million patients (extrapolated)" in sizing_page(slow)
    assert "one machine is not enough for 60 million patients" in sizing_page(slow)
