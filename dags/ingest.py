"""The three steps every source goes through; one DAG file per source says which source and whose it is."""

from __future__ import annotations

from airflow.sdk import DAG

from dags.assets import CHECKED, sources_here
from dags.house import HouseRules, house_dag, stage_task

NIGHTLY = "30 5 * * *"  # after the suppliers' own overnight work, before the office opens


def ingest_dag(source: str, owner: str, supplier: str) -> DAG:
    """Land, check and conform one source; its asset is updated only when all three are done.

    A council that does not have the source gets the DAG without a schedule, so that nothing waits for it.
    """
    rules = HouseRules(
        owner=owner,
        tier=2,
        purpose=f"Takes what {supplier} has delivered, proves it complete, checks it, puts it into the shared words.",
        on_failure="Read the last message of the failed task: it names file, fault and remedy. A held delivery "
        "is taken by itself once what it waits for has come; a refused one must be sent again.",
        rerun="Safe at any time: what was taken before is recognised by its content and changes nothing.",
    )
    with house_dag(f"ingest_{source}", rules, schedule=NIGHTLY if source in sources_here() else None) as dag:
        (
            stage_task("land", "connectors.stage", source=source)
            >> stage_task("check", "expectations.stage", source=source)
            >> stage_task("conform", "connectors.conform", source=source, outlet=CHECKED[source])
        )
    return dag
