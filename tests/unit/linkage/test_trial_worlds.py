"""Files as other countries and registers write them: good links without a word about who is who.

The lines below are what a first run has to reach; nothing of the engine was set by the truth of these worlds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from linkage.trial.alignment import numbered, paired, with_birth_date
from linkage.trial.roles import guess_roles
from linkage.trial.run import Outcome, dedupe, link
from linkage.trial.whole_file import agree
from tests.support import trial_worlds as worlds

if TYPE_CHECKING:
    import pyarrow as pa


def table_of(rows: list[worlds.Row]) -> pa.Table:
    import pyarrow as pa

    return pa.table({c: pa.array([row[c] or None for row in rows], pa.string()) for c in rows[0]})


def tried(world: worlds.World) -> Outcome:
    """The trial as the command runs it: roles guessed, columns paired."""
    tables = [table_of(rows) for rows in world.files]
    guesses = [guess_roles(table) for table in tables]
    if len(guesses) == 2:
        guesses = list(agree(*guesses))
    ready = [with_birth_date(*numbered(t, g.roles)) for t, g in zip(tables, guesses, strict=True)]
    if len(ready) == 1:
        return dedupe(*ready[0])
    (left, left_roles), (right, right_roles) = ready
    return link(left, right, *paired(left_roles, right_roles))


def judged(world: worlds.World, outcome: Outcome) -> tuple[float, float]:
    """Precision and recall over pairs of records; the first column of a file is its id."""
    who = [{next(iter(row.values())): person for row, person in zip(rows, truth, strict=True)}
           for rows, truth in zip(world.files, world.truth, strict=True)]  # fmt: skip
    pairs = zip(outcome.links["left_id"].to_pylist(), outcome.links["right_id"].to_pylist(), strict=True)
    good = sum(who[0][a] == who[-1][b] for a, b in pairs)
    counts = [Counter(truth) for truth in world.truth]
    if len(counts) == 2:
        real = sum(times * counts[1][person] for person, times in counts[0].items())
    else:
        real = sum(times * (times - 1) // 2 for times in counts[0].values())
    return good / max(outcome.links.num_rows, 1), good / max(real, 1)


@pytest.mark.parametrize(
    ("world", "precision", "recall"),
    [
        pytest.param(lambda: worlds.voters(500, 500), 0.95, 0.97, id="households without birth dates, with telephones"),
        pytest.param(lambda: worlds.patients(400, 600), 0.98, 0.97, id="American dates, zip codes and full names"),
        pytest.param(lambda: worlds.dutch(400, 400), 0.98, 0.94, id="particles and diacritics"),
        pytest.param(lambda: worlds.census(500, 500), 0.95, 0.93, id="an age instead of a birth date"),
        pytest.param(lambda: worlds.nameless(500, 500), 0.97, 0.95, id="no names, only dates and places"),
        pytest.param(lambda: worlds.patients(800, 800, 0.05, 7), 0.92, 0.92, id="an overlap of a twentieth"),
        pytest.param(lambda: worlds.many_copies(30, 12), 0.9, 0.95, id="a dozen damaged copies of everybody"),
    ],
)
def test_an_unknown_kind_of_file_links_well(world: Callable[[], worlds.World], precision: float, recall: float) -> None:
    made = world()
    outcome = tried(made)
    found = judged(made, outcome)
    assert found[0] >= precision and found[1] >= recall, found
    assert_parts_add_up(outcome)


def test_files_that_share_nobody_stay_apart() -> None:
    outcome = tried(worlds.patients(400, 400, 0.0, 8))
    assert outcome.links.num_rows <= 1
    assert any("nobody in common" in warning or "Too little" in warning for warning in outcome.facts["warnings"])


def assert_parts_add_up(outcome: Outcome) -> None:
    """The parts of every pattern are its total, which lies among the weights that were stored."""
    weights = outcome.links["weight"].to_pylist()
    for pattern in outcome.facts["patterns"]:
        assert sum(part["bits"] for part in pattern["parts"]) == pytest.approx(pattern["total"], abs=1e-9)
        if pattern["linked"]:
            assert min(weights) - 1e-9 <= pattern["total"] <= max(weights) + 1e-9
