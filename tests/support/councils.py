"""Small synthetic councils in a home of their own, and copies of their warehouse taken between two stages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from connectors.synthetic.settings import SyntheticSettings
from dags.local_run import run_night
from domain.profile import Profile
from governance import embedded
from onestory.demo import synth
from onestory.home import Home, open_home
from onestory.nights import deliver

_LAST_NIGHT = date(2026, 3, 31)


@contextmanager
def small_council(folder: Path, *, scale: float, nights: int, seed: int = 7) -> Iterator[Home]:
    """A home with its council's deliveries made and none of them delivered; its server is gone afterwards.

    The last night is that of 31 March 2026, so that the reporting period is covered.
    """
    home = open_home(folder)
    try:
        synth(
            home.folder,
            SyntheticSettings(seed=seed, scale=scale, nights=nights, first_night=_LAST_NIGHT - timedelta(days=nights)),
        )
        yield home
    finally:
        embedded.remove(home.folder)


def run_delivered_night(home: Home, night: int, *, with_return: bool = False, profile: Profile | None = None) -> None:
    """Deliver one night and run every stage on it; fails the test when a stage is not done."""
    deliver(home, night)
    results = run_night(profile or home.profile(), f"night-{night}", actor="a test", with_return=with_return)
    assert results[-1].is_done, (results[-1].stage, results[-1].findings)


def copy_of(home: Home, database: str, name: str, folder: Path) -> Profile:
    """A profile over a copy of `database`, with landing, returns and reports below `folder`."""
    import psycopg

    with psycopg.connect(home.server.admin_url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {database}")
    folder.mkdir(parents=True, exist_ok=True)
    return replace(home.profile(), home=folder, warehouse_url=home.server.url(name))
