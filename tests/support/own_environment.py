"""Python environments of their own for programs whose pins are not ours, made once from a lock file of hashes."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(name: str) -> Path:
    """The Python of `var/servers/<name>`, installed from `tools/<name>.lock`; the same one in every later test run."""
    folder = ROOT / "var" / "servers" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as turn:  # tests run side by side; one of them installs
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install(name, folder)
    return folder / "bin" / "python"


def _install(name: str, folder: Path) -> None:
    python, lock = folder / "bin" / "python", ["--require-hashes", "-r", ROOT / "tools" / f"{name}.lock"]
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        install = [uv, "pip", "install", "-q", "--python", python, *lock]
    else:
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *lock]
    subprocess.run(install, check=True, env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"})
    (folder / "installed").touch()
