"""Every night: SystmOne, from delivery to the shared words (an Airflow DAG)."""

from dags.ingest import ingest_dag

dag = ingest_dag("systmone", owner="community trust informatics", supplier="SystmOne")
