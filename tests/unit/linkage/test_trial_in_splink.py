"""The model a trial leaves behind loads in Splink, which weighs the same pairs the same but for frequencies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linkage.trial.export import model_of
from linkage.trial.learning import bits
from linkage.trial.roles import Role, Roles
from linkage.trial.run import TrialSettings
from linkage.trial.work import Work
from tests.support.splink_peer import splink_scores

if TYPE_CHECKING:
    import pyarrow as pa

ROLES = Roles((("key", Role.ID), ("first", Role.FORENAME), ("last", Role.SURNAME), ("born", Role.BIRTH_DATE),
               ("home", Role.POSTCODE), ("town", Role.PLACE)))  # fmt: skip
FIRST = ("Agnes", "Bernard", "Clara", "Desmond", "Edith", "Francis", "Gwen", "Harold", "Iris", "Jerome")
LAST = ("Abbott", "Bolton", "Carver", "Dunmore", "Eastwood", "Fairley", "Goddard", "Hollis", "Ingram", "Jessop")


def table(count: int, *, damaged: bool) -> pa.Table:
    import pyarrow as pa

    rows = [
        (f"{n}", FIRST[n % 10][: -1 if damaged and n % 3 == 0 else None], LAST[(n * 3 + n // 10) % 10],
         f"19{30 + n % 60}-{1 + n % 12:02d}-{1 + (n * 7 + (damaged and n % 5 == 0)) % 28:02d}",
         None if damaged and n % 7 == 0 else f"PL{1 + n % 9} {1 + n % 8}{'ABDEFGHJLN'[n % 10]}Q",
         ("Stoke", "Ford", "Efford")[n % 3])
        for n in range(count)
    ]  # fmt: skip
    return pa.table({name: pa.array([r[n] for r in rows], pa.string()) for n, (name, _) in enumerate(ROLES.columns)})


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Work:
    work = Work([(table(80, damaged=False), ROLES), (table(80, damaged=True), ROLES)], TrialSettings(), None)
    work.spill = str(Path(tmp_path_factory.mktemp("spill")))
    work._prepare()
    work._choose_pairs()
    work._learn()
    return work


def without_frequencies(model: dict[str, Any]) -> dict[str, Any]:
    comparisons = [
        {**c, "comparison_levels": [
            {k: v for k, v in level.items() if not k.startswith(("tf_", "disable_tf"))}
            for level in c["comparison_levels"]]}
        for c in model["comparisons"]
    ]  # fmt: skip
    return {**{k: v for k, v in model.items() if k != "sidecar"}, "comparisons": comparisons}


def test_splink_weighs_the_same_pairs_the_same_but_for_frequencies_and_relatives(learnt: Work) -> None:
    model = model_of(learnt.comparisons, learnt.groups, learnt.weights, learnt.uses, two_files=True)
    for side, name in enumerate(("left_side", "right_side")):
        learnt.con.execute(f"create view {name} as select * exclude (side) from standard where side = {side}")
    theirs = splink_scores(learnt.con, without_frequencies(model), "left_side", "right_side")
    weights = bits(learnt.cells, learnt.weights)[learnt.levels.pattern]
    ours = {
        (str(a), str(b)): w
        for a, b, w in zip(learnt.left.tolist(), learnt.right.tolist(), weights.tolist(), strict=True)
    }
    both = ours.keys() & theirs.keys()
    assert len(both) > 80
    assert {pair: theirs[pair] for pair in both} == pytest.approx({pair: ours[pair] for pair in both}, abs=1e-9)


def test_the_file_lists_its_rules_and_says_what_splink_cannot(learnt: Work) -> None:
    model = model_of(learnt.comparisons, learnt.groups, learnt.weights, learnt.uses, two_files=True)
    silent = [s for s in model["sidecar"]["not_in_splink"] if "cannot be said" in s]
    used = sum(use.is_used for use in learnt.uses)
    assert len(model["blocking_rules_to_generate_predictions"]) + len(silent) == used
    assert any("Frequencies here count people" in s for s in model["sidecar"]["not_in_splink"])
    assert any("Possible relatives lose 8 bits" in s for s in model["sidecar"]["not_in_splink"])
