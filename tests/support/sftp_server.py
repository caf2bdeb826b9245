"""A real OpenSSH server for one test module: its own port, host key, account key and folder; as the current user.

Nothing of the system is touched: no service, no system configuration. The programs come from `tools/servers.sh`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_OWN = ROOT / "var" / "servers"
_PLACES = (Path("/usr/sbin/sshd"), Path("/usr/local/sbin/sshd"), _OWN / "usr" / "sbin" / "sshd")


def find_sshd() -> Path:
    """The server's program. Fails the test run plainly when there is none."""
    for place in _PLACES:
        if os.access(place, os.X_OK):
            return place
    raise RuntimeError(
        "no sshd here: run `make servers` (or `sh tools/servers.sh`) once; these tests need a real server"
    )


@dataclass
class SftpServer:
    """One server. `folder` is what it serves, below its path on this machine."""

    home: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.log, self.folder = self.home / "sshd.log", self.home / "outgoing"
        self.folder.mkdir(exist_ok=True)
        for name in ("host_key", "client_key"):
            self.make_key(name)
        shutil.copyfile(self.home / "client_key.pub", self.home / "authorized_keys")

    @property
    def user(self) -> str:
        return pwd.getpwuid(os.getuid()).pw_name

    @property
    def remote(self) -> str:
        return f"sftp://{self.user}@127.0.0.1:{self.port}{self.folder}"

    @property
    def host_key(self) -> str:
        """The public host key as a profile pins it."""
        return " ".join((self.home / "host_key.pub").read_text().split()[:2])

    @property
    def secrets(self) -> dict[str, str]:
        return {"private_key": (self.home / "client_key").read_text()}

    def make_key(self, name: str) -> None:
        """A new key pair under that name."""
        (self.home / name).unlink(missing_ok=True)
        (self.home / f"{name}.pub").unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.home / name)], check=True
        )

    def start(self) -> SftpServer:
        """Start on a free port (or the same one again) and wait until it answers."""
        self.port = self.port or _free_port()
        config = self.home / "sshd_config"
        config.write_text(self._config())
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # the server insists on it when started by root
        libraries = ":".join(str(p) for p in (_OWN / "usr" / "lib").glob("*-linux-gnu"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(find_sshd()), "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **({"LD_LIBRARY_PATH": libraries} if libraries else {})},
                start_new_session=True,
            )
        self._wait()
        return self

    def stop(self) -> None:
        """End the server and every connection to it."""
        if self.process is not None:
            import psutil

            family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
            for member in family:
                member.kill()
            self.process.wait(timeout=10)
            self.process = None

    def _config(self) -> str:
        return f"""Port {self.port}
ListenAddress 127.0.0.1
HostKey {self.home / "host_key"}
PidFile none
AuthorizedKeysFile {self.home / "authorized_keys"}
PasswordAuthentication yes
KbdInteractiveAuthentication no
StrictModes no
PermitRootLogin yes
MaxStartups 100
Subsystem sftp internal-sftp
"""

    def _wait(self) -> None:
        for _ in range(100):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as answer:
                    if answer.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"the server did not answer: {self.log.read_text()[-500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
