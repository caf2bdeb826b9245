"""A tiny run of the linkage benchmark, end to end: peers and ours in turn on one small world, results kept."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from onestory.cli import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("bench")
    told = CliRunner().invoke(
        app,
        ["bench", "linkage", "--home", str(home), "--patients", "12000", "--clients", "1200", "--repeat", "1",
         "--figures", "speed,tight,night", "--keep", str(home / "kept")],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    return home


def test_every_contender_ran_and_the_page_says_how_and_with_what(folder: Path) -> None:
    kept = json.loads((folder / "kept" / "linkage.json").read_text(encoding="utf-8"))
    assert set(kept) == {"speed", "tight", "night"}
    for part in kept.values():
        assert part["command"].startswith("onestory bench linkage --patients 12000")
        assert part["versions"]["splink"].startswith("5.")
        for runs in part["runs"].values():
            assert runs and not runs[0]["missing"] and runs[0]["cpu_seconds"] > 0 and runs[0]["peak_mib"] > 50
    assert kept["speed"]["values"][0]["measured"] > 0
    assert "same rules and model: CPU / plain Splink" in (folder / "kept" / "linkage.md").read_text(encoding="utf-8")


def test_our_engine_and_the_hand_written_sql_give_the_links_and_weights_of_splink(folder: Path) -> None:
    """Every pair that the identifier stage left has the weight that plain Splink gave it."""
    world = next((folder / "linkage").glob("world_*"))
    for name in ("ours", "sql"):
        rows = duckdb.sql(f"""
            select count(*), max(abs(s.weight - o.weight)), count(*) filter (s.weight is null)
              from '{world / "links_splink.parquet"}' s
              right join (from '{world}/links_{name}.parquet' where rule = 'scored') o using (left_id, right_id)
            """).fetchall()[0]
        assert rows[0] > 50
        assert rows[1] < 1e-9
        assert rows[2] == 0


def test_a_night_finds_the_pairs_and_weights_of_changed_records_that_splink_finds_against_everything(
    folder: Path,
) -> None:
    """But for care records that an equal number settled: those are compared no further."""
    world = next((folder / "linkage").glob("world_*"))
    rows = duckdb.sql(f"""
        with ours as (from '{world / "links_ours_night.parquet"}'
                       where left_id in (select record_id from '{world / "night_left.parquet"}')
                          or right_id in (select record_id from '{world / "night_right.parquet"}')),
             settled as (select left_id from (from ours union all from '{world / "links_ours.parquet"}')
                          where rule = 'identifier')
        select count(*), count(*) filter (s.weight is null),
               count(*) filter (o.weight is null and left_id not in (from settled)),
               max(abs(s.weight - o.weight)) filter (o.rule = 'scored')
          from '{world / "links_splink_night.parquet"}' s full join ours o using (left_id, right_id)""").fetchall()[0]
    assert rows[0] > 10
    assert rows[1:3] == (0, 0)
    assert rows[3] < 1e-9


def test_a_figure_there_is_none_of_is_refused_with_the_names_of_those_there_are(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["bench", "linkage", "--home", str(tmp_path), "--figures", "beauty"])
    assert told.exit_code == 2
    assert "no figure beauty" in told.output
