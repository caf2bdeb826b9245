"""Keys for one council: one secret file, a different key derived from it for every purpose (governance PSE, CTL-29)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

from domain.profile import Profile, ProfileError


def make_secret(path: Path) -> None:
    """Write 32 random bytes, readable by the owner only, unless the file is there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as out:
        out.write(os.urandom(32))


def key_for(profile: Profile, purpose: str) -> bytes:
    """The 32-byte key for one purpose (`quarantine`, `person ids`, `row digests` …); keys of two purposes never meet.

    Raises `ProfileError` when the secret file is missing or too short: losing it means quarantined rows stay closed.
    """
    try:
        secret = profile.secret_file.read_bytes()
    except FileNotFoundError:
        raise ProfileError(f"{profile.secret_file}: the secret file is missing; restore it from its backup") from None
    if len(secret) < 32:
        raise ProfileError(f"{profile.secret_file}: the secret file needs at least 32 bytes")
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()


def fernet_key(profile: Profile, purpose: str) -> bytes:
    """The same key in the form `cryptography.fernet.Fernet` takes."""
    return base64.urlsafe_b64encode(key_for(profile, purpose))
