"""Every few hours: the national opt-out check (an Airflow DAG)."""

from dags.exchange import exchange_dag
from dags.house import HouseRules

RULES = HouseRules(
    owner="information governance",
    tier=2,
    purpose="Takes the answers of the national opt-out check, then asks about verified numbers whose answer grows old.",
    on_failure="Nothing unanswered is usable beyond direct care, which goes on; so do statutory returns. It retries.",
    rerun="Safe: an answer is acknowledged once it is stored; a number with a young answer is not asked about.",
)

dag = exchange_dag(
    "check_opt_outs",
    "opt_out_list",
    RULES,
    "15 */4 * * *",
    {"exchange": "connectors.opt_out_list.stage:exchange"},
)
