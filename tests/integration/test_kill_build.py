"""Builds that are killed, doubled or overtaken: analysts keep one complete release, and the next run makes it good."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from domain.profile import Profile
from domain.run import RunState
from governance.store import Store
from tests.support.small_warehouse import NIGHT_1, SmallWarehouse, everyday
from warehouse.build import TABLES

BUILD = """
import sys
from datetime import date
from pathlib import Path
from domain.profile import Profile
from domain.run import RunContext
from warehouse import stage
home = Path(sys.argv[2])
period = (date(2025, 4, 1), date(2026, 3, 31))
profile = Profile(home / "council.yml", "Test council", "990", True, home, sys.argv[1], period, (), home / "secret.key")
result = stage.run(RunContext(profile, "a child", "a test"))
print(result.state.value, *(finding.code for finding in result.findings))
"""


@pytest.fixture
def database(unreleased: Profile) -> Profile:
    """Before the first release: these tests publish it themselves."""
    return unreleased


@pytest.fixture
def warehouse(database: Profile, admin_url: str) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(database, admin_url) as small:
        everyday(small)
        small.build()
        small.night(NIGHT_1)
        small.event("contact", "systmone:S1", "contact-2")
        small.event("service", "liquidlogic:L1", "service-1", unit_cost="99.00")
        yield small


@dataclass(frozen=True)
class Stopped:
    """A building process that waits at a barrier."""

    child: subprocess.Popen[str]
    let_go: Callable[[], None]

    def answer(self) -> list[str]:
        """What it says in the end: its state and its findings."""
        return self.child.communicate(timeout=20)[0].split()


@contextmanager
def stopped_before(
    warehouse: SmallWarehouse, admin_url: str, table: str, mode: str = "access exclusive"
) -> Iterator[Stopped]:
    """A building process of its own that has come as far as `table` and can go no further until it is let go."""
    with psycopg.connect(admin_url) as barrier:
        barrier.execute(f"lock table {table} in {mode} mode")
        child = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", BUILD, warehouse.profile.warehouse_url, str(warehouse.profile.home)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        try:
            wait_for(
                lambda: (
                    warehouse.one(
                        "select count(*) > 0 from pg_locks where relation = %s::regclass and not granted", table
                    )
                    or child.poll() is not None
                )
            )
            assert child.poll() is None, child.communicate()
            yield Stopped(child, barrier.rollback)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()


def wait_for(question: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not question():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def shown(warehouse: SmallWarehouse) -> tuple[int, int]:
    with Store(warehouse.profile).connect("analyst") as connection:
        number, contacts = connection.exec_driver_sql(
            "select (select release from release.about), (select count(*) from release.contact)"
        ).one()
    return int(number), int(contacts)


@pytest.mark.parametrize(
    ("table", "mode"),
    [
        ("ledger.link_run", "access exclusive"),  # while it looks at what there is
        ("core.event", "share"),  # before its first line
        ("core.contact", "share"),  # amid its tables
        ("ledger.release", "share"),  # all written, not yet published
    ],
)
def test_f73_a_build_killed_at_any_point_leaves_the_release_before_and_a_rerun_makes_it_good(
    warehouse: SmallWarehouse, admin_url: str, table: str, mode: str
) -> None:
    with stopped_before(warehouse, admin_url, table, mode) as build:
        os.kill(build.child.pid, signal.SIGKILL)
        build.let_go()
    assert shown(warehouse) == (1, 1)
    result = warehouse.build("after the kill")
    assert (result.state, result.facts["release"]) == (RunState.DONE, "2")
    assert shown(warehouse) == (2, 2)
    assert warehouse.one("select count(*) from core.event where event_key = 'contact-2'") == 1
    assert result.facts["digest"] == never_disturbed(warehouse)


def never_disturbed(warehouse: SmallWarehouse) -> str:
    """The digest of the same content built in one go."""
    warehouse.connection.execute(
        f"truncate {', '.join(table.target for table in TABLES)}, core.event, core.current_release, ledger.release"
    )
    return warehouse.build("from nothing").facts["digest"]


def test_f78_of_two_builds_at_once_one_works_and_the_other_leaves_politely(
    warehouse: SmallWarehouse, admin_url: str
) -> None:
    with stopped_before(warehouse, admin_url, "core.contact") as build:
        other = warehouse.build("the other")
        assert (other.state, [finding.code for finding in other.findings]) == (RunState.HELD, ["BUSY"])
        build.let_go()
        assert build.answer() == ["done"]
    assert shown(warehouse) == (2, 2)


def test_f78_a_build_whose_lease_was_taken_over_publishes_nothing(warehouse: SmallWarehouse, admin_url: str) -> None:
    with stopped_before(warehouse, admin_url, "core.contact") as build:
        warehouse.connection.execute("update ledger.lease set token = token + 1 where name = 'build:'")
        build.let_go()
        assert build.answer() == ["held", "LEASE_LOST"]
    assert shown(warehouse) == (1, 1)
    assert warehouse.one("select count(*) from core.service") == 1
