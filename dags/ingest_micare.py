"""Every night: MiCare, from delivery to the shared words (an Airflow DAG)."""

from dags.ingest import ingest_dag

dag = ingest_dag("micare", owner="adult social care systems", supplier="MiCare")
