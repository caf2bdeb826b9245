"""A profile as text, so that a test can hand it to a process it is about to kill."""

from __future__ import annotations

import base64
import pickle

from domain.profile import Profile


def dumps(profile: Profile) -> str:
    """The profile as one word."""
    return base64.b64encode(pickle.dumps(profile)).decode()


def loads(text: str) -> Profile:
    """The profile that `dumps` wrote."""
    profile = pickle.loads(base64.b64decode(text))
    assert isinstance(profile, Profile)
    return profile
