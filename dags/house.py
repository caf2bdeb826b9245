"""What every DAG must say of itself, and how a stage's result becomes a task's.

Owner, tier, what to do on failure and whether a rerun is safe are part of the DAG, so that the person who is called at
night reads them where they look. A run's counts and verdict travel with the asset event; values of people never do.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from domain.run import RunContext, RunResult

START = pendulum.datetime(2024, 1, 1, tz="Europe/London")  # nothing is made up for: there is no catch-up


class NotReady(AirflowException):
    """The data are not there yet or wait for a person; trying again may help."""


@dataclass(frozen=True)
class HouseRules:
    """The four things a DAG states. `tier` 1: a missed run misses a statutory date; 2: figures grow old; 3: neither."""

    owner: str
    tier: int
    on_failure: str
    rerun: str
    purpose: str

    def page(self) -> str:
        return (
            f"{self.purpose}\n\n**Owner:** {self.owner}\n\n**Tier:** {self.tier}\n\n"
            f"**On failure:** {self.on_failure}\n\n**Rerun:** {self.rerun}\n"
        )


def house_dag(dag_id: str, rules: HouseRules, schedule: Any) -> DAG:
    """A DAG with the house's settings: one run at a time, no catch-up, its four statements as its page."""
    return DAG(
        dag_id,
        schedule=schedule,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        doc_md=rules.page(),
        tags=[f"tier-{rules.tier}", f"owner:{rules.owner}", "rerun-safe"],
        default_args={"owner": rules.owner, "retries": 2, "retry_delay": timedelta(minutes=15)},
    )


def stage_task(
    task_id: str,
    door: str,
    *,
    source: str | None = None,
    outlet: Asset | None = None,
) -> Any:
    """A task that runs one stage's front door: `package.module` or `package.module:function`, imported when it runs.

    The task's return value and its asset event hold state, counts and names; a stage that is not done fails the task:
    `held` is tried again, `refused` is not.
    """

    @task(task_id=task_id, outlets=[outlet] if outlet else [])
    def carry_out(dag_run: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        from importlib import import_module

        module, _, function = door.partition(":")
        result: RunResult = getattr(import_module(module), function or "run")(_context(dag_run, source))
        facts = {"state": result.state.value, "counts": dict(result.counts), **result.facts}
        if not result.is_done:
            _fail(result)
        if outlet:
            outlet_events[outlet].extra = facts
        return facts

    return carry_out()


def _context(dag_run: Any, source: str | None) -> RunContext:
    from domain.profile import load_profile
    from domain.run import RunContext

    profile = load_profile(Path(os.environ["ONESTORY_PROFILE"]))
    secrets = _login(profile.source(source).options.get("connection", "")) if source else {}
    return RunContext(profile, run_id=_run_id(dag_run), actor="airflow", source=source, secrets=secrets)


def _run_id(dag_run: Any) -> str:
    """The run's id with the day it stands for in front, where the id itself does not begin with it."""
    day = dag_run.logical_date
    return str(dag_run.run_id) if day is None else f"{day:%Y-%m-%d} {dag_run.run_id}"


def _login(connection: str) -> dict[str, str]:
    """The login of an Airflow connection, read inside the task: it is in no XCom, template or log (CTL-29, CTL-30)."""
    if not connection:
        return {}
    from airflow.sdk.bases.hook import BaseHook

    from connectors.credentials import from_connection

    known = BaseHook.get_connection(connection)
    return from_connection(known.login, known.password, known.extra_dejson)


def _fail(result: RunResult) -> None:
    reasons = "; ".join(f"{f.code}: {f.message} ({f.remedy})" for f in result.findings)
    message = f"{result.stage} {result.scope} ended {result.state.value}. {reasons}"
    raise NotReady(message) if result.state.value in ("held", "stopped") else AirflowFailException(message)
