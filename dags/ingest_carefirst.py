"""Every night: CareFirst, from delivery to the shared words (an Airflow DAG)."""

from dags.ingest import ingest_dag

dag = ingest_dag("carefirst", owner="adult social care systems", supplier="CareFirst")
