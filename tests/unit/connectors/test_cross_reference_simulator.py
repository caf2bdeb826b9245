"""The synthetic migration's list: what each version holds, and that every cell a spreadsheet rewrote is on record."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from connectors.synthetic import cross_reference
from connectors.synthetic.generate import build_world
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import World

Lines = list[dict[str, str]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    world = build_world(SyntheticSettings.of("manchester_like", nights=30, scale=0.1))
    supply = tmp_path_factory.mktemp("supply")
    cross_reference.write(world, supply)
    return world, supply


def versions(supply: Path) -> dict[int, Lines]:
    """The lines of every version by its night."""
    found = {}
    for path in sorted((supply / "cross_reference").rglob("*.csv")):
        night = int(path.parent.name.removeprefix("night_"))
        found[night] = list(csv.DictReader(path.read_text("cp1252").splitlines()))
    return found


def test_each_load_adds_its_rows_and_a_version_holds_the_whole_list(told: tuple[World, Path]) -> None:
    _, supply = told
    loads = {night: {line["LOAD_NO"] for line in lines} for night, lines in versions(supply).items()}
    assert loads == {3: {"1"}, 8: {"1", "2"}, 11: {"1", "2", "3"}, 25: {"1", "2", "3"}}


def test_only_the_list_knows_all_old_records_of_somebody_merged_and_the_id_of_a_trial_load(
    told: tuple[World, Path],
) -> None:
    world, supply = told
    lines = {(line["OLD_ID"], line["NEW_ID"], int(line["LOAD_NO"])) for line in versions(supply)[25]}
    merged = [m for m in world.migration if m.pattern == "several_to_one"]
    assert sum((m.old_key, m.new_key, 3) in lines for m in merged) > 0.8 * len(merged) > 10
    survivors = [m for m in world.migration if m.pattern == "re_keyed" and m.load_no == 1]
    assert survivors
    assert all((m.old_key, m.new_key, 1) in lines for m in survivors)
    assert not [m for m in survivors if (m.old_key, m.new_key, 3) in lines]


def test_a_wrong_link_stands_in_the_list_as_the_load_wrote_it(told: tuple[World, Path]) -> None:
    world, supply = told
    named = {line["NEW_ID"]: line["OLD_ID"] for line in versions(supply)[8] if line["LOAD_NO"] == "2"}
    wrong = [m for m in world.migration if m.pattern == "wrong_link"]
    assert wrong
    assert all(named[m.new_key] != m.old_key for m in wrong)


def test_d92_every_damaged_cell_is_on_record_and_nothing_else_was_touched(told: tuple[World, Path]) -> None:
    world, supply = told
    logged = {(d.key, d.field) for d in world.defects if d.defect_id == "D92" and d.system == "cross_reference"}
    assert {field for _, field in logged} >= {"OLD_ID", "DECIDED_ON", "MATCH_RULE"}
    nights = versions(supply)
    whole = {(line["OLD_ID"], line["NEW_ID"]) for line in nights[8] if line["LOAD_NO"] == "2"}
    odd = [line for line in nights[11] if line["LOAD_NO"] == "3" and _is_odd(line)]
    assert len(odd) == len({key for key, _ in logged})
    plain = {(line["OLD_ID"], line["NEW_ID"]) for line in nights[11] if line["LOAD_NO"] == "3" and not _is_odd(line)}
    reissued = {m.old_key for m in world.migration if m.pattern == "re_keyed"}
    assert {pair for pair in plain if pair[0] not in reissued} <= whole
    mended = [line for line in nights[25] if line["LOAD_NO"] == "3" and _is_odd(line)]
    assert 0 < len(mended) < len(odd)


def test_the_same_council_gives_the_same_list(told: tuple[World, Path], tmp_path: Path) -> None:
    _, supply = told
    cross_reference.write(build_world(SyntheticSettings.of("manchester_like", nights=30, scale=0.1)), tmp_path)
    for path in (supply / "cross_reference").rglob("*.csv"):
        assert path.read_bytes() == (tmp_path / path.relative_to(supply)).read_bytes()


def test_most_nights_nothing_is_released_and_a_council_that_keeps_its_systems_has_no_list(
    told: tuple[World, Path], tmp_path: Path
) -> None:
    _, supply = told
    for night in range(4):
        cross_reference.release(supply, night, tmp_path)
    assert [p.name for p in (tmp_path / "cross_reference").iterdir()] == ["XREF_MICARE_LAS_20250903.csv"]
    cross_reference.write(build_world(SyntheticSettings(scale=0.01, nights=1)), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def _is_odd(line: dict[str, str]) -> bool:
    return (
        len(line["OLD_ID"]) != 9
        or not line["NEW_ID"].isdecimal()
        or "/" not in line["DECIDED_ON"]
        or line["MATCH_RULE"] not in ("1-1", "1-2", "2-1")
    )
