"""Runs, locks and fencing tokens in a real database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from governance.ledger import Lease, lease, recorded, still_holds
from governance.store import Store


def context(profile: Profile) -> RunContext:
    return RunContext(profile, run_id="r1", actor="tester", source="systmone")


def test_a_run_is_written_with_its_state_counts_and_peak_memory(database: Profile) -> None:
    recorded(
        "land", "loader", context(database), lambda s, held: RunResult("land", "systmone", RunState.DONE, {"rows": 3})
    )
    with Store(database).connect("auditor") as connection:
        row = connection.exec_driver_sql(
            "select state, counts, peak_mib, actor, ended_at is not null from ledger.run"
        ).one()
    assert (row[0], row[1], row[3], row[4]) == ("done", {"rows": 3}, "tester", True)
    assert row[2] > 10


def test_an_exception_is_recorded_by_its_type_and_never_by_its_text(database: Profile) -> None:
    def fail(store: Store, held: Lease) -> RunResult:
        raise ValueError("canary 9990000018")

    with pytest.raises(ValueError, match="canary"):
        recorded("land", "loader", context(database), fail)
    with Store(database).connect("auditor") as connection:
        state, messages = connection.exec_driver_sql("select state, messages::text from ledger.run").one()
    assert state == "stopped"
    assert "ValueError" in messages
    assert "canary" not in messages


def test_f78_a_second_run_of_one_flow_leaves_politely(database: Profile) -> None:
    def meanwhile(store: Store, held: Lease) -> RunResult:
        second = recorded("land", "loader", context(database), lambda s, h: RunResult("land", "", RunState.DONE))
        assert (second.state, second.findings[0].code) == (RunState.HELD, "BUSY")
        return RunResult("land", "systmone", RunState.DONE)

    assert recorded("land", "loader", context(database), meanwhile).is_done
    assert recorded("land", "loader", context(database), lambda s, h: RunResult("land", "", RunState.DONE)).is_done


def test_f78_the_lock_of_a_killed_holder_is_free_again_and_its_token_is_stale(database: Profile) -> None:
    script = """
import sys, time
from governance.ledger import lease
from governance.store import Store
from tests.support.profiles import loads
with lease(Store(loads(sys.argv[1])), "publisher", "build:") as held:
    print(held.token, flush=True)
    time.sleep(60)
"""
    from tests.support.profiles import dumps

    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script, dumps(database)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        token = int(holder.stdout.readline())
        store = Store(database)
        with lease(store, "publisher", "build:") as mine:
            assert mine is None
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    for _ in range(50):
        with lease(store, "publisher", "build:") as mine:
            if mine is not None:
                break
        time.sleep(0.1)
    assert mine is not None and mine.token == token + 1
    with store.connect("publisher") as connection:
        assert not still_holds(connection, Lease("build:", token))
        assert still_holds(connection, mine)
