"""The message exchange's own sandbox server, run by the tests in an environment of its own (its pins are not ours)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED_KEY, PASSWORD = "TestKey", "password"
OURS, SERVICE = "X26ABC1", "X26ABC2"
_ENVIRONMENT = ROOT / "var" / "servers" / "mesh"


@contextmanager
def mesh_server() -> Iterator[str]:
    """The address of a running sandbox with empty mailboxes X26ABC1 to X26ABC3; stopped when the block ends."""
    python = _environment()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = {"AUTH_MODE": "full", "SHARED_KEY": SHARED_KEY, "STORE_MODE": "memory", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [python, "-m", "uvicorn", "mesh_sandbox.api:app", "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/messageexchange/_ping")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _environment() -> Path:
    """The sandbox's Python; made once from its own lock file, every package checked against its hash."""
    python = _ENVIRONMENT / "bin" / "python"
    marker = _ENVIRONMENT / "installed"
    if not marker.exists():
        _ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", _ENVIRONMENT], check=True)
        lock = ["--require-hashes", "-r", ROOT / "tools" / "mesh-sandbox.lock"]
        uv = Path(sys.executable).with_name("uv")
        if uv.exists():
            install = [uv, "pip", "install", "-q", "--python", python, *lock]
        else:
            install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *lock]
        subprocess.run(install, check=True, env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"})
        marker.touch()
    return python


def _wait_for(address: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError("the message exchange's sandbox did not come up")
