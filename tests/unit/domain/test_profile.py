"""One council's settings: checked before any data is touched, with errors that say what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from domain.periods import twelve_months_ending
from domain.profile import ProfileError, load_profile

GOOD = """
name: A council
la_code: "990"
warehouse_url: postgresql:///w?host=${PLACE}
reporting_period: {start: 2025-04-01, end: 2026-03-31}
sources: {systmone: {connector: systmone, inbox: here}}
"""


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "council.yml").write_text(text, encoding="utf-8")
    return tmp_path / "council.yml"


def test_a_good_profile_loads_with_the_environment_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "/somewhere")
    profile = load_profile(written(tmp_path, GOOD))
    assert profile.warehouse_url.endswith("/somewhere")
    assert profile.synthetic is False
    assert profile.source("systmone").options == {"inbox": "here"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('la_code: "990"', "la_code: 99"), "three-digit"),
        (("name: A council", ""), "'name'"),
        (("end: 2026-03-31", "end: 2024-03-31"), "start first"),
    ],
)
def test_a_wrong_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], says: str
) -> None:
    monkeypatch.setenv("PLACE", "/somewhere")
    with pytest.raises(ProfileError, match=says):
        load_profile(written(tmp_path, GOOD.replace(*change)))


def test_a_variable_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLACE", raising=False)
    with pytest.raises(ProfileError, match="PLACE"):
        load_profile(written(tmp_path, GOOD))


def test_the_rolling_twelve_months_end_where_they_are_told() -> None:
    assert twelve_months_ending(date(2026, 3, 31))[0] == date(2025, 4, 1)
    assert twelve_months_ending(date(2025, 12, 31))[0] == date(2025, 1, 1)
