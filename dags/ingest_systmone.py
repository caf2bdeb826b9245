"""Every night: SystmOne, from delivery to the shared words (an Airflow DAG)."""

from dags.assets import CHECKED_SYSTMONE
from dags.ingest import ingest_dag

dag = ingest_dag("systmone", owner="community trust informatics", checked=CHECKED_SYSTMONE, supplier="SystmOne")
