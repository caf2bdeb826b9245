"""One PostgreSQL server a test run; a fresh database for every test that asks for one.

It is migrated and has a published release already (`tests/support/settled.py`), as every council has after its first
night: what must not change for readers is something, then. A test of first releases asks for `unreleased` instead.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from domain.profile import Profile, SourceSettings

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[object]:
    """A server of this test process's own; gone with everything in it at the end."""
    from governance import embedded

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with tempfile.TemporaryDirectory(prefix=f"onestory-tests-{worker}-") as home:
        server = embedded.start(Path(home))
        try:
            yield server
        finally:
            embedded.remove(Path(home))


@pytest.fixture(scope="session")
def migrated_template(cluster: object) -> str:
    """The name of a migrated database that others are copied from."""
    from warehouse.migrate import migrate

    _create(cluster, "template_onestory", None)
    migrate(cluster.url("template_onestory", "admin"))  # type: ignore[attr-defined]
    return "template_onestory"


@pytest.fixture(scope="session")
def settled_template(cluster: object, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated database with release 1 published, and nothing that a later night would meet."""
    from tests.support.settled import settle

    _create(cluster, "template_settled", migrated_template)
    profile = _profile(cluster, "template_settled", tmp_path_factory.mktemp("settled"))
    settle(profile, cluster.url("template_settled", "admin"))  # type: ignore[attr-defined]
    return "template_settled"


@pytest.fixture(scope="session")
def new_council(cluster: object, settled_template: str) -> Callable[[Path], Profile]:
    """Makes a synthetic council with a warehouse of its own and release 1 published, at home in a folder."""
    return lambda home: _council(cluster, settled_template, home)


@pytest.fixture
def database(new_council: Callable[[Path], Profile], tmp_path: Path) -> Profile:
    """A synthetic council with a warehouse of its own: release 1 is published, nothing of a source has come yet."""
    return new_council(tmp_path)


@pytest.fixture
def unreleased(cluster: object, migrated_template: str, tmp_path: Path) -> Profile:
    """A synthetic council with an empty, migrated warehouse of its own, before its first release."""
    return _council(cluster, migrated_template, tmp_path)


@pytest.fixture
def admin_url(cluster: object, database: Profile) -> str:
    """Superuser address of the test's own database, for looking behind the roles."""
    return database.warehouse_url.replace("postgresql:///", "postgresql://admin@/", 1)


def _council(cluster: object, template: str, home: Path) -> Profile:
    name = f"council_{next(_numbers)}"
    _create(cluster, name, template)
    return _profile(cluster, name, home)


def _profile(cluster: object, name: str, home: Path) -> Profile:
    from governance.secrets import make_secret

    profile = Profile(
        path=home / "council.yml",
        name="Test council",
        la_code="990",
        synthetic=True,
        home=home,
        warehouse_url=cluster.url(name),  # type: ignore[attr-defined]
        reporting_period=(date(2025, 4, 1), date(2026, 3, 31)),
        sources=(
            SourceSettings("systmone", "systmone", {"inbox": str(home / "inbox" / "systmone")}),
            SourceSettings("liquidlogic", "liquidlogic", {"url": cluster.url(f"hdm_{name}", "hdm_reader")}),  # type: ignore[attr-defined]
            SourceSettings("carefirst", "carefirst", {"inbox": str(home / "inbox" / "carefirst")}),
        ),
        secret_file=home / "secret.key",
    )
    make_secret(profile.secret_file)
    return profile


def _create(cluster: object, name: str, template: str | None) -> None:
    import psycopg

    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:  # type: ignore[attr-defined]
        connection.execute(f"create database {name}" + (f" template {template}" if template else ""))
