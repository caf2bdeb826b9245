"""One secret a council, one key a purpose."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from domain.profile import Profile, ProfileError
from governance.secrets import key_for, make_secret


def test_the_secret_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    make_secret(tmp_path / "key")
    first = (tmp_path / "key").read_bytes()
    make_secret(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == first
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_two_purposes_have_two_keys_and_a_lost_secret_says_so(database: Profile, tmp_path: Path) -> None:
    assert key_for(database, "quarantine") != key_for(database, "person ids")
    with pytest.raises(ProfileError, match="restore it"):
        key_for(replace(database, secret_file=tmp_path / "gone"), "quarantine")
