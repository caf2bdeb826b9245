"""When a release is published: prepare Client Level Data for the council's reporting period (an Airflow DAG)."""

from dags.assets import CLIENT_LEVEL_DATA, WAREHOUSE_RELEASE
from dags.house import HouseRules, house_dag, stage_task

RULES = HouseRules(
    owner="performance",
    tier=1,
    purpose="Builds and validates the Client Level Data file, Release 2, for the rolling 12 months of the profile.",
    on_failure="A partial extract is not a submission: the message says which period or source is missing. Validation "
    "errors are listed in the report beside the file.",
    rerun="Safe: the same release gives the same file, byte for byte.",
)

with house_dag("prepare_client_level_data", RULES, [WAREHOUSE_RELEASE]) as dag:
    stage_task("prepare", "statutory.stage", outlet=CLIENT_LEVEL_DATA)
