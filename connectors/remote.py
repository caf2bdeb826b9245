"""Places files are brought from: an SFTP server with a pinned host key, or any address fsspec knows.

A place can be looked at and read from an offset on; nothing is ever written to it. What goes wrong is a `RemoteProblem`
with its code; its text never holds a secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from domain.profile import ProfileError, SourceSettings
from domain.run import RunState

BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a remote file tells."""

    size: int
    changed: str  # when it was last written, as the place tells it


class RemoteProblem(Exception):
    """The place could not be used. `again` says whether another try may help at once."""

    def __init__(self, code: str, message: str, remedy: str, *, state: RunState, again: bool = False) -> None:
        self.code, self.message, self.remedy, self.state, self.again = code, message, remedy, state, again
        super().__init__(f"{code}: {message}")


class Remote(Protocol):
    """An open place. Paths are relative to its folder, with slashes."""

    def look(self) -> dict[str, Look]:
        """Every file in the folder and below."""

    def fetch(self, path: str, into: BinaryIO, offset: int) -> None:
        """Append the file's bytes from `offset` on. Raises `RemoteProblem` when the connection is lost on the way."""


def open_remote(source: SourceSettings, secrets: Mapping[str, str], home: Path) -> AbstractContextManager[Remote]:
    """The place of a source's option `remote`.

    Raises:
        ProfileError: when the address or the pinned host key is missing or cannot be understood.
        RemoteProblem: when it cannot be reached, is not the place that was pinned, or does not let us in.
    """
    address = source.options["remote"]
    return _sftp(source, secrets, home) if address.startswith("sftp://") else _fsspec(source, secrets)


@contextmanager
def _fsspec(source: SourceSettings, secrets: Mapping[str, str]) -> Iterator[Remote]:
    from fsspec.core import url_to_fs

    address = source.options["remote"]
    try:
        options: dict[str, Any] = json.loads(source.options.get("remote_options", "{}"))
    except ValueError:
        raise ProfileError(f"sources.{source.name}.remote_options is a JSON object of settings") from None
    names = {"login": "key", "password": "secret"} if address.startswith("s3") else {"login": "username"}
    options |= {names.get(name, name): value for name, value in secrets.items() if name in ("login", "password")}
    try:
        system, folder = url_to_fs(address, **options)
    except (ImportError, ValueError, TypeError) as problem:
        raise ProfileError(f"sources.{source.name}.remote: {type(problem).__name__} on opening the address") from None
    yield _FsspecPlace(system, str(folder).rstrip("/"), source.name)


@dataclass(frozen=True, slots=True)
class _FsspecPlace:
    system: Any
    folder: str
    source: str

    def look(self) -> dict[str, Look]:
        self.system.invalidate_cache()
        found = self._told(lambda: self.system.find(self.folder, detail=True))
        seen = {}
        for path, facts in found.items():
            changed = next(
                (facts[k] for k in ("mtime", "LastModified", "modified", "created", "ETag") if k in facts), ""
            )
            relative = str(path)[len(self.folder) :].lstrip("/")
            seen[relative] = Look(int(facts.get("size") or 0), str(changed))
        return seen

    def fetch(self, path: str, into: BinaryIO, offset: int) -> None:
        self._told(lambda: self._copy(path, into, offset))

    def _copy(self, path: str, into: BinaryIO, offset: int) -> None:
        with self.system.open(f"{self.folder}/{path}", "rb") as handle:
            handle.seek(offset)
            while block := handle.read(BLOCK):
                into.write(block)

    def _told(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except PermissionError:
            raise refused_entry(self.source) from None
        except (OSError, ValueError) as problem:
            raise unreachable(self.source, type(problem).__name__) from None


@contextmanager
def _sftp(source: SourceSettings, secrets: Mapping[str, str], home: Path) -> Iterator[Remote]:
    import asyncio

    address = urlsplit(source.options["remote"])
    if not address.hostname or address.password:
        raise ProfileError(f"sources.{source.name}.remote is sftp://user@host:port/folder, without a password")
    with asyncio.Runner() as runner:
        place = _SftpPlace(source.name, unquote(address.path) or ".", runner)
        try:
            place.open(_connection(source, secrets, home))
            yield place
        finally:
            place.close()


def _connection(source: SourceSettings, secrets: Mapping[str, str], home: Path) -> dict[str, Any]:
    import asyncssh

    address = urlsplit(source.options["remote"])
    keys = []
    if secrets.get("private_key"):
        try:
            keys = [asyncssh.import_private_key(secrets["private_key"], secrets.get("passphrase"))]
        except asyncssh.KeyImportError:
            raise _credentials(source.name, "the private key cannot be read") from None
    return {
        "host": address.hostname,
        "port": address.port or 22,
        "username": secrets.get("login") or (unquote(address.username) if address.username else ()),
        "password": secrets.get("password") or None,
        "client_keys": keys,
        "known_hosts": _pinned(source, home),
        "config": None,  # nothing from whoever's account this happens to run under
        "agent_path": None,
        "preferred_auth": "publickey,password",
        "connect_timeout": float(source.options.get("timeout", "20")),
        "keepalive_interval": 15,
    }


def _pinned(source: SourceSettings, home: Path) -> Any:
    """The host keys we accept: there is no connection without one (CTL-27)."""
    import asyncssh

    try:
        if pinned := source.options.get("host_key", "").strip():
            return ([asyncssh.import_public_key(pinned)], [], [])
        if named := source.options.get("known_hosts", "").strip():
            return asyncssh.read_known_hosts(str(home / named))
    except (asyncssh.KeyImportError, OSError, ValueError):
        raise ProfileError(f"sources.{source.name}: the pinned host key cannot be read") from None
    raise ProfileError(
        f"sources.{source.name} needs host_key (ssh-ed25519 AAAA…) or known_hosts (a file): the server's key is pinned"
    )


class _SftpPlace:
    """One SFTP session. Every call is turned into a `RemoteProblem` by what it means to a person."""

    def __init__(self, source: str, folder: str, runner: Any) -> None:
        self.source, self.folder, self._runner = source, folder, runner
        self._connection: Any = None
        self._client: Any = None

    def open(self, how: dict[str, Any]) -> None:
        import asyncssh

        async def connect() -> None:
            self._connection = await asyncssh.connect(**how)
            self._client = await self._connection.start_sftp_client()

        self._told(connect)

    def close(self) -> None:
        async def disconnect() -> None:
            self._connection.abort()
            await self._connection.wait_closed()

        if self._connection is not None:
            self._runner.run(disconnect())

    def look(self) -> dict[str, Look]:
        async def walk() -> dict[str, Look]:
            found: dict[str, Look] = {}
            folders = [PurePosixPath()]
            while folders:
                folder = folders.pop()
                async for entry in self._client.scandir(str(PurePosixPath(self.folder) / folder)):
                    path = folder / str(entry.filename)
                    if entry.filename in (".", ".."):
                        continue
                    if entry.attrs.type == 2:  # a folder; links and devices are not followed
                        folders.append(path)
                    elif entry.attrs.type == 1:
                        found[str(path)] = Look(entry.attrs.size or 0, str(entry.attrs.mtime or ""))
            return found

        seen: dict[str, Look] = self._told(walk)
        return seen

    def fetch(self, path: str, into: BinaryIO, offset: int) -> None:
        async def copy() -> None:
            async with self._client.open(str(PurePosixPath(self.folder) / path), "rb") as handle:
                at = offset
                while block := await handle.read(BLOCK, at):
                    into.write(block)
                    at += len(block)

        self._told(copy)

    def _told(self, act: Callable[[], Any]) -> Any:
        import asyncssh

        try:
            return self._runner.run(act())
        except asyncssh.HostKeyNotVerifiable:
            raise RemoteProblem(
                "HOST_KEY_CHANGED",
                f"{self.source}: the server does not show the host key that is pinned; nothing was sent to it",
                "treat it as a security event; pin a new key only after the supplier has confirmed it by another way",
                state=RunState.REFUSED,
            ) from None
        except (asyncssh.PermissionDenied, asyncssh.SFTPPermissionDenied):
            raise refused_entry(self.source) from None
        except (asyncssh.Error, OSError, TimeoutError) as problem:
            raise unreachable(self.source, type(problem).__name__) from None


def refused_entry(source: str) -> RemoteProblem:
    """The place does not let us in."""
    return _credentials(source, "the place did not accept the login")


def _credentials(source: str, what: str) -> RemoteProblem:
    return RemoteProblem(
        "CREDENTIALS", f"{source}: {what}", "renew the login or have it unlocked", state=RunState.HELD, again=True
    )


def unreachable(source: str, kind: str) -> RemoteProblem:
    """The place cannot be reached, or was lost on the way; what is kept of a file so far is used again."""
    return RemoteProblem(
        "CONNECTION_LOST",
        f"{source}: the place could not be reached or the connection was lost ({kind})",
        "the next run goes on where this one stopped; if it stays so, ask who runs the place",
        state=RunState.HELD,
        again=True,
    )
