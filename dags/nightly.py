"""Carries the DAGs through Airflow in this process, one night after the other, for the demo and the benchmark.

Every task is run and recorded by Airflow; only the scheduler's waiting is left out. The real scheduler does the same by
asset events (`make up`, and one test).
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from domain.profile import Profile

TOGETHER = ("link_people", "build_warehouse")
RETURN = "prepare_client_level_data"


class DagFailed(RuntimeError):
    """A DAG run did not succeed; names the DAG and the tasks that failed."""


def before_ingest(profile: Profile) -> tuple[str, ...]:
    """What runs before the extracts come: tracing, where the council traces."""
    return tuple("trace_numbers" for exchange in profile.exchanges if exchange.name == "nhs_number_trace")


def ingest_of(profile: Profile) -> tuple[str, ...]:
    """The ingest DAGs of a council, in the order of its profile."""
    return tuple(f"ingest_{source.name}" for source in profile.sources)


def carry(dag_id: str, logical_date: datetime) -> None:
    """Run one DAG for one logical date through Airflow. Raises `DagFailed` when any task fails."""
    dag: Any = import_module(f"dags.{dag_id}").dag
    for task in dag.tasks:
        task.retries = 0  # nobody waits a quarter of an hour at a terminal: the message comes at once
    run = dag.test(logical_date=logical_date)
    tasks = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    failed = sorted(task.task_id for task in dag.tasks if tasks.get(task.task_id) not in ("success", "skipped"))
    if failed:  # a day before the DAG's first has no tasks at all, and Airflow calls that a success
        raise DagFailed(f"{dag_id} for {logical_date:%Y-%m-%d}: {', '.join(failed)} did not succeed")


def tasks_recorded() -> list[tuple[str, str, str]]:
    """Every task Airflow's own database holds: (DAG, task, state)."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        return sorted((ti.dag_id, ti.task_id, str(ti.state)) for ti in session.query(TaskInstance))
