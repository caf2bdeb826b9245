"""Airflow over one home: its settings, its database, and its own site to click through (`up`, `down`)."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from governance.secrets import key_for
from onestory.home import Home

ROOT = Path(__file__).resolve().parent.parent
_GRACE = 20  # seconds for the site's processes to end by themselves


def environment(home: Home, port: int = 8080) -> dict[str, str]:
    """The settings Airflow needs; to be in place before anything imports it, for the import itself writes files."""
    profile = home.profile()
    return {
        "ONESTORY_PROFILE": str(profile.path),
        "AIRFLOW_HOME": str(home.airflow),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(key_for(profile, "airflow fernet")).decode(),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": home.server.url("airflow", "admin")
        .replace("postgresql://", "postgresql+psycopg://", 1)
        .replace("%", "%%"),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API_AUTH__JWT_SECRET": (key_for(profile, "airflow tokens") * 2).hex(),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "AIRFLOW__OPENLINEAGE__DISABLED": "True",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.airflow / "logs"),
        "GX_ANALYTICS_ENABLED": "false",
        "TQDM_DISABLE": "1",
        "PYTHONWARNINGS": "ignore",
        # Airflow looks its own processes up by name.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def prepare(home: Home) -> None:
    """Put the settings in place and bring Airflow's database to its version (about five seconds the first time)."""
    os.environ.update(environment(home))
    marker = home.airflow / "migrated"
    if not marker.exists():
        home.airflow.mkdir(parents=True, exist_ok=True)
        with (home.airflow / "migrate.log").open("w", encoding="utf-8") as log:
            subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, stdout=log, stderr=log)
        marker.touch()


def up(home: Home, port: int = 8080) -> Path:
    """Start Airflow's own site over the home; returns the file with the generated sign-in.

    Raises `RuntimeError` when it is up already.
    """
    if _site_process(home) is not None:
        raise RuntimeError("the site is up already; `onestory down` stops it")
    prepare(home)
    with (home.airflow / "site.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"],
            env={**os.environ, **environment(home, port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (home.airflow / "site.pid").write_text(str(process.pid), encoding="utf-8")
    return home.airflow / "simple_auth_manager_passwords.json.generated"


def down(home: Home) -> bool:
    """Stop the site and every process it started; False when it was not up."""
    group = _site_process(home)
    if group is None:
        return False
    os.killpg(group, signal.SIGTERM)
    until = time.monotonic() + _GRACE
    while time.monotonic() < until and _is_alive(group):
        time.sleep(0.2)
    if _is_alive(group):
        os.killpg(group, signal.SIGKILL)
    (home.airflow / "site.pid").unlink(missing_ok=True)
    return True


def _site_process(home: Home) -> int | None:
    try:
        group = int((home.airflow / "site.pid").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return group if _is_alive(group) else None


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
