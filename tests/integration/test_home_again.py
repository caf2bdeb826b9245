"""A home whose folder was deleted by hand begins anew; one that is opened again stays as it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from governance import embedded
from onestory.home import Home, open_home


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "council"
    embedded.remove(tmp_path / "council")


def remember(home: Home) -> None:
    with psycopg.connect(home.server.url("warehouse", "admin"), autocommit=True) as connection:
        connection.execute("create table public.remembered (n int)")


def remembers(home: Home) -> bool:
    with psycopg.connect(home.server.url("warehouse", "admin")) as connection:
        row = connection.execute("select to_regclass('public.remembered') is not null").fetchone()
    return row == (True,)


def test_a_home_deleted_by_hand_leaves_no_database_that_no_key_opens(place: Path) -> None:
    remember(open_home(place))
    assert remembers(open_home(place)), "opening it again changes nothing"
    shutil.rmtree(place)
    assert not remembers(open_home(place))
