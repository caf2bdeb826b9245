"""The message exchange's own sandbox server, run by the tests in an environment of its own (its pins are not ours)."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.own_environment import environment

SHARED_KEY, PASSWORD = "TestKey", "password"
OURS, SERVICE = "X26ABC1", "X26ABC2"


@contextmanager
def mesh_server() -> Iterator[str]:
    """The address of a running sandbox with empty mailboxes X26ABC1 to X26ABC3; stopped when the block ends."""
    python = environment("mesh-sandbox")
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


def _wait_for(address: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError("the message exchange's sandbox did not come up")
