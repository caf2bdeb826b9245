"""Every night: Liquidlogic, from delivery to the shared words (an Airflow DAG)."""

from dags.assets import CHECKED_LIQUIDLOGIC
from dags.ingest import ingest_dag

dag = ingest_dag("liquidlogic", owner="adult social care systems", checked=CHECKED_LIQUIDLOGIC, supplier="Liquidlogic")
