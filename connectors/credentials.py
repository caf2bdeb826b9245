"""Logins of sources: handed down by the scheduler, or from the environment; never in a profile, a log or a message.

A source with the option `connection` names an Airflow connection. Inside Airflow the task resolves it and hands it
down; outside, the variable is read that Airflow would read (`AIRFLOW_CONN_<ID>`), else `ONESTORY_SECRET_<SOURCE>`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from domain.profile import ProfileError, SourceSettings

NAMES = ("login", "password", "private_key", "passphrase", "archive_password")
_EXTRAS = {
    "private_key": "private_key",
    "private_key_passphrase": "passphrase",
    "passphrase": "passphrase",
    "archive_password": "archive_password",  # opens encrypted archives
}
_IN_USE: ContextVar[Mapping[str, str] | None] = ContextVar("credentials", default=None)


def credentials_of(source: SourceSettings, given: Mapping[str, str]) -> dict[str, str]:
    """The login of a source: `given` by the scheduler, else from the environment; empty when there is none.

    Raises:
        ProfileError: when the variable is there and cannot be understood; it names the variable, never its value.
    """
    if given:
        return {name: given[name] for name in NAMES if given.get(name)}
    connection = source.options.get("connection", "")
    variables = [f"AIRFLOW_CONN_{_shouted(connection)}"] if connection else []
    for variable in (*variables, f"ONESTORY_SECRET_{_shouted(source.name)}"):
        if text := os.environ.get(variable, ""):
            try:
                return _understood(text.strip())
            except (ValueError, TypeError, AttributeError, OSError):
                raise ProfileError(f"{variable} is neither a connection (JSON or address) nor a password") from None
    return {}


def from_connection(login: str | None, password: str | None, extra: Mapping[str, Any]) -> dict[str, str]:
    """The parts of an Airflow connection we use; `key_file` in its extras is read."""
    found = {"login": login or "", "password": password or ""}
    found |= {ours: str(extra[theirs]) for theirs, ours in _EXTRAS.items() if extra.get(theirs)}
    if extra.get("key_file") and "private_key" not in found:
        found["private_key"] = Path(str(extra["key_file"])).read_text(encoding="utf-8")
    return {name: value for name, value in found.items() if value}


@contextmanager
def lent(credentials: Mapping[str, str]) -> Iterator[None]:
    """Let connectors of this run ask for the login while the block runs (`credentials_in_use`)."""
    token = _IN_USE.set(credentials)
    try:
        yield
    finally:
        _IN_USE.reset(token)


def credentials_in_use() -> Mapping[str, str]:
    """The login of the source that is being landed now; empty outside of `lent`."""
    return _IN_USE.get() or {}


def _understood(text: str) -> dict[str, str]:
    if text.startswith("{"):
        raw = json.loads(text)
        extra = raw.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
        return from_connection(raw.get("login"), raw.get("password"), {**raw, **extra})
    if re.match(r"[a-z0-9+.-]+://", text):
        address = urlsplit(text)
        extra = {name: values[-1] for name, values in parse_qs(address.query).items()}
        return from_connection(unquote(address.username or ""), unquote(address.password or ""), extra)
    return {"password": text}


def _shouted(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()
