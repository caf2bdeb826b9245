"""When every source has checked data: decide who is who (an Airflow DAG)."""

from dags.assets import LINKED_IDENTITIES, every_source_checked
from dags.house import HouseRules, house_dag, stage_task

RULES = HouseRules(
    owner="data linkage",
    tier=2,
    purpose="Links the records of all sources into people, respecting every decision people have made.",
    on_failure="The last good identities stay in force. Read the message; run the stage again once its cause is gone.",
    rerun="Safe: with nothing new it changes nothing, and person ids stay what they are.",
)

with house_dag("link_people", RULES, every_source_checked()) as dag:
    stage_task("link", "linkage.stage", outlet=LINKED_IDENTITIES)
