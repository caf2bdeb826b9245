"""Every model version that is kept can be used: it loads, has its card, and Splink gives its weights to every pair."""

from __future__ import annotations

from importlib.resources import files

import pytest

from linkage.engine import find_edges, open_calculation
from linkage.model import current_version, load_model
from linkage.scoring import score_with_splink
from tests.support.linkage_world import council, records_after

FOLDER = files("linkage") / "models"
VERSIONS = sorted(f.name.removesuffix(".md") for f in FOLDER.iterdir() if f.name.endswith(".md"))


def test_the_version_in_use_is_one_of_those_with_a_card() -> None:
    assert current_version() in VERSIONS
    assert {f.name.removesuffix(".sidecar.json") for f in FOLDER.iterdir() if f.name.endswith(".sidecar.json")} == set(
        VERSIONS
    )


@pytest.mark.parametrize("version", [v for v in VERSIONS if v != current_version()])
def test_a_version_not_in_use_weighs_every_pair_as_splink_does(version: str) -> None:
    calculation, model = open_calculation(), load_model(version)
    find_edges(calculation, records_after(council(99, 0.05), 5).sources, model, synthetic=True, before=None)
    score_with_splink(calculation, model)
    pairs, compared, furthest = calculation.execute("""
        select (select count(*) from pair), count(*), max(abs(s.weight_unguarded - k.match_weight))
          from scored s join splink_scored k using (left_id, right_id)""").fetchall()[0]
    assert pairs == compared > 1000
    assert furthest < 1e-9
