"""Files kept sealed: encrypted with a key of the council's own for one purpose, and gone when their time is over.

For files that hold full identifiers and must be kept for a while (traces, opt-out checks: sources hand-book 15).
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from domain.profile import Profile
from governance.secrets import fernet_key


class SealBroken(ValueError):
    """A sealed file was altered, or belongs to another council's secret."""


def seal(profile: Profile, purpose: str, name: str, content: bytes) -> Path:
    """Keep `content` sealed as `<home>/sealed/<purpose>/<name>`, readable by this account only; returns the file."""
    from cryptography.fernet import Fernet

    path = _folder(profile, purpose) / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(Fernet(fernet_key(profile, f"sealed {purpose}")).encrypt(content))
    unfinished.replace(path)
    return path


def unseal(profile: Profile, purpose: str, name: str) -> bytes:
    """The content of a sealed file. Raises `SealBroken` when it was altered, FileNotFoundError when it is gone."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(fernet_key(profile, f"sealed {purpose}")).decrypt((_folder(profile, purpose) / name).read_bytes())
    except InvalidToken:
        raise SealBroken(f"{purpose} {name}: the seal is broken; restore the file from its backup") from None


def dispose(profile: Profile, purpose: str, names: list[str]) -> int:
    """Delete sealed files whose time is over; returns how many there were."""
    gone = 0
    for name in names:
        path = _folder(profile, purpose) / name
        gone += path.exists()
        path.unlink(missing_ok=True)
    return gone


def is_over(kept_since: datetime, now: datetime, days: int) -> bool:
    """Whether something kept since then has been kept for all its days."""
    return (now - kept_since).days >= days


def _folder(profile: Profile, purpose: str) -> Path:
    return profile.home / "sealed" / purpose.replace(" ", "_")
