"""A source's login comes from an Airflow connection at run time and is found nowhere afterwards (CTL-29, CTL-30)."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("airflow")

# Made anew: Airflow keeps the text of a DAG's file, which is this one, so they must not be written here.
PASSWORD, KEY = f"Kennwort-{uuid.uuid4()}", f"Schluessel-{uuid.uuid4()}"
CONNECTION = (
    '{"conn_type": "sftp", "host": "there", "login": "collector", "password": "%s", "extra": {"private_key": "%s"}}'
)


def _tables_with(home: Path, secrets: tuple[str, ...]) -> list[str]:
    """The tables of Airflow's own database that hold one of these, however they store it."""
    import sqlite3

    with sqlite3.connect(home / "airflow.db") as database:
        names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return [
            name
            for name in names
            if any(secret in str(row) for row in database.execute(f'select * from "{name}"') for secret in secrets)
        ]


def _known_to_airflow(dag: object) -> None:
    """As if the DAG lay in the folder of DAGs: written down under a bundle of its own."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    DagBundlesManager().sync_bundles_to_db()
    with create_session() as session:
        update_dag_parsing_results_in_db(
            "dags-folder", None, [LazyDeserializedDAG.from_dag(dag)], {}, None, set(), session=session
        )


def test_a_login_reaches_the_stage_and_no_log_cross_task_value_template_or_exception(
    airflow_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from airflow.sdk import DAG

    from dags.house import START, stage_task
    from tests.support import asking_stage

    profile = tmp_path / "council.yml"
    profile.write_text(
        """name: Test council
la_code: "990"
synthetic: true
warehouse_url: postgresql:///nowhere
reporting_period: {start: 2025-04-01, end: 2026-03-31}
sources:
  carefirst: {connector: carefirst, inbox: inbox, connection: trust_sftp}
"""
    )
    monkeypatch.setenv("ONESTORY_PROFILE", str(profile))
    monkeypatch.setenv("AIRFLOW_CONN_TRUST_SFTP", CONNECTION % (PASSWORD, KEY))
    caplog.set_level("DEBUG")
    with DAG("asking", schedule=None, start_date=START) as dag:
        stage_task("ask", "tests.support.asking_stage", source="carefirst") >> stage_task(
            "fail", "tests.support.failing_stage", source="carefirst"
        )
    dag.fileloc = __file__
    _known_to_airflow(dag)
    run = dag.test()

    assert asking_stage.GIVEN == [{"login": "collector", "password": PASSWORD, "private_key": KEY}]
    states = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    assert states["ask"] == "success" and states["fail"] in ("failed", "up_for_retry")
    said = caplog.text + "".join(capfd.readouterr())
    assert "working on RunContext" in said and "cannot go on with RunContext" in said, (
        "the test looks at the right place"
    )
    for table in _tables_with(airflow_home, (PASSWORD, KEY)):
        pytest.fail(f"a secret is in {table}")
    stored = {path: path.read_bytes() for path in airflow_home.rglob("*") if path.is_file()}
    assert any(b"RunContext" in content for content in stored.values()), "the careless value was stored"
    for secret in (PASSWORD, KEY):
        assert secret not in said
        assert [path for path, content in stored.items() if secret.encode() in content] == []


def test_outside_airflow_the_same_variable_is_read_and_a_bad_one_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from connectors.credentials import credentials_of
    from domain.profile import ProfileError, SourceSettings

    source = SourceSettings("care-first", "carefirst", {"connection": "trust_sftp"})
    assert credentials_of(source, {}) == {}
    monkeypatch.setenv("ONESTORY_SECRET_CARE_FIRST", PASSWORD)
    assert credentials_of(source, {}) == {"password": PASSWORD}
    monkeypatch.setenv("AIRFLOW_CONN_TRUST_SFTP", CONNECTION % (PASSWORD, KEY))
    assert credentials_of(source, {}) == {"login": "collector", "password": PASSWORD, "private_key": KEY}
    monkeypatch.setenv("AIRFLOW_CONN_TRUST_SFTP", "sftp://collector:p%40ss@there:22/?private_key=k")
    assert credentials_of(source, {}) == {"login": "collector", "password": "p@ss", "private_key": "k"}
    assert credentials_of(source, {"password": "given", "host": "x"}) == {"password": "given"}, "the scheduler's wins"
    monkeypatch.setenv("AIRFLOW_CONN_TRUST_SFTP", "{" + PASSWORD)
    with pytest.raises(ProfileError) as problem:
        credentials_of(source, {})
    assert "AIRFLOW_CONN_TRUST_SFTP" in str(problem.value) and PASSWORD not in str(problem.value)
