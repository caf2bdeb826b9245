"""Every DAG imports fast and without a database, says whose it is and what to do, and holds no logic."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAG_IDS = {
    "ingest_systmone",
    "ingest_liquidlogic",
    "ingest_carefirst",
    "ingest_controcc",
    "ingest_micare",
    "ingest_cross_reference",
    "trace_numbers",
    "check_opt_outs",
    "link_people",
    "build_warehouse",
    "prepare_client_level_data",
}
DAG_FILES = sorted(path for path in (ROOT / "dags").glob("*.py") if path.stem in DAG_IDS)

pytestmark = pytest.mark.xdist_group("airflow")


@pytest.fixture(scope="module")
def bag(airflow_home: Path):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags"))


def test_every_dag_imports_and_no_other_file_is_taken_for_one(bag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == DAG_IDS


def test_every_dag_serialises(bag) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in bag.dags.values():
        assert DagSerialization.to_dict(dag)["dag"]["dag_id"] == dag.dag_id


@pytest.mark.parametrize("statement", ["Owner:", "Tier:", "On failure:", "Rerun:"])
def test_every_dag_states(bag, statement: str) -> None:
    for dag in bag.dags.values():
        found = re.search(rf"\*\*{statement}\*\* (\S.*)", dag.doc_md)
        assert found, f"{dag.dag_id} does not state {statement}"


def test_every_dag_is_tagged_with_tier_owner_and_rerun_safety(bag) -> None:
    for dag in bag.dags.values():
        tags = " ".join(sorted(dag.tags))
        assert re.search(r"owner:\w+.* rerun-safe tier-[123]", tags), (dag.dag_id, tags)
        assert dag.owner not in ("", "airflow")


def test_stages_are_joined_by_assets_not_by_clocks(bag) -> None:
    timed = {dag_id for dag_id, dag in bag.dags.items() if "Cron" in type(dag.timetable).__name__}
    asks_national_services = {"trace_numbers", "check_opt_outs"}
    assert timed == {dag_id for dag_id in DAG_IDS if dag_id.startswith("ingest_")} | asks_national_services
    outlets = {asset.uri for dag in bag.dags.values() for t in dag.tasks for asset in t.outlets}
    waited_for = {
        uri
        for dag_id in DAG_IDS - timed
        for uri in re.findall(r"onestory://[a-z_/]+", repr(bag.dags[dag_id].timetable.asset_condition))
    }
    assert waited_for
    assert waited_for <= outlets


def test_every_dag_file_imports_in_under_two_seconds_without_touching_a_database() -> None:
    """Each file alone in a fresh process, Airflow itself already imported, with every connection refused."""
    script = """
import sys, time, airflow.sdk, socket
def refuse(*_):
    raise AssertionError("a DAG file opened a connection")
socket.socket.connect = refuse
sys.addaudithook(lambda event, args: refuse() if event in ("sqlite3.connect", "socket.connect") else None)
before = set(sys.modules); start = time.perf_counter()
import importlib; importlib.import_module(sys.argv[1])
heavy = {"pandas", "great_expectations", "splink", "recordlinkage", "pyarrow", "duckdb"} & (set(sys.modules) - before)
print(time.perf_counter() - start, ",".join(sorted(heavy)))
"""
    environment = {**os.environ, "AIRFLOW_HOME": os.environ.get("AIRFLOW_HOME", "/nonexistent")}
    for dag_id in sorted(DAG_IDS):
        answer = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script, f"dags.{dag_id}"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr[-2000:]
        seconds, _, heavy = answer.stdout.strip().splitlines()[-1].partition(" ")
        assert float(seconds) < 2, f"{dag_id} took {seconds} s"
        assert heavy == "", f"{dag_id} imports {heavy} at the top"


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_dag_files_hold_no_logic(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    logic = [
        type(node).__name__
        for node in ast.walk(tree)
        if isinstance(node, ast.For | ast.While | ast.If | ast.Try | ast.FunctionDef | ast.ListComp | ast.Lambda)
    ]
    assert logic == []
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40
