"""F73: any stage killed at any point and run again leads to the release a run that was never killed leads to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dags.local_run import steps
from domain.profile import Profile
from governance.store import Store
from onestory.home import Home
from onestory.nights import deliver
from tests.support.councils import copy_of, run_delivered_night, small_council
from tests.support.killing import Step, run_steps

pytestmark = pytest.mark.xdist_group("kill")

STEPS: list[Step] = [
    *(("connectors.stage", s) for s in ("systmone", "liquidlogic", "carefirst")),
    *(("expectations.stage", s) for s in ("systmone", "liquidlogic", "carefirst")),
    *(("connectors.conform", s) for s in ("systmone", "liquidlogic", "carefirst")),
    ("linkage.stage", None),
    ("warehouse.stage", None),
    ("statutory.stage", None),
]
POINTS = 2  # how many points of each step


@dataclass
class Reference:
    """A second night without a fault: the warehouse before each step, the acts of each step, what it led to."""

    home: Home
    before: dict[Step, str]
    acts: dict[Step, int]
    outcome: tuple[str, str, int]
    folder: Path


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    folder = tmp_path_factory.mktemp("kill")
    with small_council(folder / "council", scale=0.05, nights=1) as home:
        run_delivered_night(home, 0)
        deliver(home, 1)
        before: dict[Step, str] = {}
        acts: dict[Step, int] = {}
        database = "warehouse"
        for number, step in enumerate(STEPS):
            before[step] = database
            database = f"after_{number}"
            profile = copy_of(home, before[step], database, folder / "reference")
            acts[step] = run_steps(profile, [step]).acts
        yield Reference(home, before, acts, outcome(profile), folder)


def outcome(profile: Profile) -> tuple[str, str, int]:
    """What the runs led to: the release's digest, the return's checksum, and the rows accounted for."""
    with Store(profile).connect("auditor") as connection:
        digest = connection.exec_driver_sql(
            "select digest from ledger.release order by number desc limit 1"
        ).scalar_one()
        checksum = connection.exec_driver_sql(
            "select file_sha256 from ledger.prepared_return order by return_id desc limit 1"
        ).scalar_one()
        read = connection.exec_driver_sql("select sum(read) from ledger.row_account").scalar_one()
    return str(digest), str(checksum), int(read)


def test_the_fault_free_steps_are_the_steps_of_a_night(reference: Reference) -> None:
    assert set(STEPS) == set(steps(reference.home.profile(), with_return=True))
    assert all(count > 3 for count in reference.acts.values()), reference.acts


@pytest.mark.parametrize("point", range(POINTS))
@pytest.mark.parametrize("step", STEPS, ids=lambda step: "-".join(filter(None, step)))
def test_f73_a_step_killed_at_any_point_is_simply_run_again(reference: Reference, step: Step, point: int) -> None:
    acts = reference.acts[step]
    span = range(1 + point * acts // POINTS, 1 + (point + 1) * acts // POINTS)
    kill_at = random.Random(f"{step} {point}").choice(span)
    name = f"killed_{STEPS.index(step)}_{point}"
    profile = copy_of(reference.home, reference.before[step], name, reference.folder / name)
    assert run_steps(profile, [step], kill_at=kill_at).was_killed
    run_steps(profile, STEPS[STEPS.index(step) :])
    assert outcome(profile) == reference.outcome
