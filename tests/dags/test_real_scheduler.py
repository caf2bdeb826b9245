"""One night from extract to return, carried by a real Airflow scheduler and by asset events alone."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onestory import site
from onestory.home import Home
from onestory.nights import deliver
from tests.support.councils import small_council

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("scheduler")]

INGEST = ("ingest_systmone", "ingest_liquidlogic", "ingest_carefirst")
BY_ASSETS = ("link_people", "build_warehouse", "prepare_client_level_data")


class Api:
    """Airflow's own REST interface, signed in as the site's administrator."""

    def __init__(self, port: int, passwords: Path) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.token = ""
        self._wait_for("/api/v2/version")
        password = json.loads(passwords.read_text(encoding="utf-8"))["admin"]
        self.token = self.call("/auth/token", {"username": "admin", "password": password})["access_token"]

    def call(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self.address + path,
            data=json.dumps(body).encode() if body is not None else None,
            method=method,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            result: dict[str, Any] = json.load(answer)
        return result

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        return list(self.call(f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"])

    def _wait_for(self, path: str) -> None:
        for _ in range(120):
            try:
                self.call(path)
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(1)
        pytest.fail("the site did not come up")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with small_council(tmp_path / "council", scale=0.05, nights=0) as home:
        deliver(home, 0)
        yield home


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_real_scheduler_carries_a_night_from_extract_to_return(home: Home) -> None:
    port = free_port()
    passwords = site.up(home, port)
    try:
        api = Api(port, passwords)
        for _ in range(60):
            if {dag["dag_id"] for dag in api.call("/api/v2/dags")["dags"]} >= {*INGEST, *BY_ASSETS}:
                break
            time.sleep(1)
        for dag_id in (*BY_ASSETS, *INGEST):
            api.call(f"/api/v2/dags/{dag_id}", {"is_paused": False}, method="PATCH")
        until = time.monotonic() + 240
        while time.monotonic() < until:
            states = {dag_id: [run["state"] for run in api.runs(dag_id)] for dag_id in (*INGEST, *BY_ASSETS)}
            assert not any("failed" in found for found in states.values()), states
            if states["prepare_client_level_data"] == ["success"]:
                break
            time.sleep(2)
        assert all(states[dag_id] == ["success"] for dag_id in (*INGEST, *BY_ASSETS)), states
        for dag_id in BY_ASSETS:
            assert [run["run_type"] for run in api.runs(dag_id)] == ["asset_triggered"], dag_id
        files = list(home.profile().returns.rglob("990_CLD_2025-04-01_2026-03-31.csv"))
        assert len(files) == 1
    finally:
        assert site.down(home)
