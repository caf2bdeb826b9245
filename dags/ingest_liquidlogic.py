"""Every night: Liquidlogic, from delivery to the shared words (an Airflow DAG)."""

from dags.ingest import ingest_dag

dag = ingest_dag("liquidlogic", owner="adult social care systems", supplier="Liquidlogic")
