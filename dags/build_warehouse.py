"""When identities have changed: build the shared-care warehouse and publish a release (an Airflow DAG)."""

from dags.assets import LINKED_IDENTITIES, WAREHOUSE_RELEASE
from dags.house import HouseRules, house_dag, stage_task

RULES = HouseRules(
    owner="warehouse",
    tier=2,
    purpose="Builds people and events on both clocks and publishes them as one numbered release.",
    on_failure="Analysts keep the last release. The message names the gate that did not pass and what to do.",
    rerun="Safe: a release is written in one transaction; with nothing new there is no new release.",
)

with house_dag("build_warehouse", RULES, [LINKED_IDENTITIES]) as dag:
    stage_task("build", "warehouse.stage", outlet=WAREHOUSE_RELEASE)
