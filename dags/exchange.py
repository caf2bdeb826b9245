"""What asks a national service on a timetable; one DAG file per service says which steps and whose it is."""

from __future__ import annotations

from airflow.sdk import DAG

from dags.assets import exchanges_here
from dags.house import HouseRules, house_dag, stage_task


def exchange_dag(dag_id: str, service: str, rules: HouseRules, timetable: str, steps: dict[str, str]) -> DAG:
    """The steps one after the other (task -> front door); without a timetable where the council has no such service."""
    with house_dag(dag_id, rules, schedule=timetable if service in exchanges_here() else None) as dag:
        before = None
        for task_id, door in steps.items():
            step = stage_task(task_id, door)
            if before is not None:
                before >> step
            before = step
    return dag
