"""Every night: ContrOCC, from delivery to the shared words (an Airflow DAG)."""

from dags.ingest import ingest_dag

dag = ingest_dag("controcc", owner="adult social care finance", supplier="ContrOCC")
