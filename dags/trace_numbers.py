"""Every night before the extracts: NHS numbers are traced (an Airflow DAG)."""

from dags.exchange import exchange_dag
from dags.house import HouseRules

RULES = HouseRules(
    owner="data linkage",
    tier=3,
    purpose="Takes what the national tracing service has answered, then asks about numbers missing or not verified.",
    on_failure="The numbers stay as the sources say. A refused response is named; its people are asked about again.",
    rerun="Safe: nobody is asked about twice with the same details, and an answer is taken once.",
)

dag = exchange_dag(
    "trace_numbers",
    "nhs_number_trace",
    RULES,
    "0 5 * * *",
    {"take": "connectors.nhs_number_trace.stage:take", "ask": "connectors.nhs_number_trace.stage:ask"},
)
