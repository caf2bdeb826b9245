"""Every night: the migration's cross-reference file, from delivery to the shared words (an Airflow DAG)."""

from dags.ingest import ingest_dag

dag = ingest_dag("cross_reference", owner="migration project", supplier="the migration's cross-reference file")
