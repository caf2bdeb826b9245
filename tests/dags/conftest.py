"""Airflow gets a home of its own, with a migrated database kept between runs, before anything imports it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def airflow_home() -> Iterator[Path]:
    """A migrated Airflow home; its settings are in the environment."""
    with tempfile.TemporaryDirectory(prefix="onestory-airflow-") as folder:
        home = Path(folder)
        os.environ.update(
            AIRFLOW_HOME=str(home),
            AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
            AIRFLOW__CORE__LOAD_EXAMPLES="False",
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
            AIRFLOW__API_AUTH__JWT_SECRET="x" * 64,
            AIRFLOW__OPENLINEAGE__DISABLED="True",
            AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
        )
        _migrated(home)
        yield home


def _migrated(home: Path) -> None:
    kept = Path(tempfile.gettempdir()) / f"onestory-airflow-{version('apache-airflow')}-{os.geteuid()}.db"
    if not kept.exists():
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        shutil.copy(home / "airflow.db", kept.with_suffix(f".{os.getpid()}"))
        kept.with_suffix(f".{os.getpid()}").replace(kept)
    shutil.copy(kept, home / "airflow.db")
