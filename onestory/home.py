"""A place to run in: one folder with a council's profile, its secret, its databases and everything made from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from domain.profile import Profile, load_profile
from governance import embedded
from governance.secrets import make_secret

DATABASES = ("warehouse", "airflow", "hdm")
_PERIOD = (date(2025, 4, 1), date(2026, 3, 31))


@dataclass(frozen=True, slots=True)
class Home:
    """One folder and the embedded server that belongs to it."""

    folder: Path
    server: embedded.Server

    @property
    def truth(self) -> Path:
        return self.folder / "truth"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def airflow(self) -> Path:
        return self.folder / "airflow"

    @property
    def summary(self) -> Path:
        return self.folder / "summary.json"

    @property
    def mart_admin_url(self) -> str:
        return self.server.url("hdm", "admin")

    def profile(self) -> Profile:
        return load_profile(self.folder / "council.yml")


def open_home(folder: Path) -> Home:
    """The home in `folder`, made when there is none: server, databases, secret, profile, migrated warehouse.

    Opening it again changes nothing. Raises `RuntimeError` when the embedded server does not start.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    home = Home(folder, embedded.start(folder))
    _make_databases(home)
    make_secret(folder / "secret.key")
    (folder / "council.yml").write_text(_profile_text(home), encoding="utf-8")
    from warehouse.migrate import migrate

    migrate(home.server.url("warehouse", "admin"))
    return home


def _make_databases(home: Home) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    address = home.server.admin_url.replace("postgresql://", "postgresql+psycopg://", 1)
    with create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        there = set(connection.exec_driver_sql("select datname from pg_database").scalars())
        for name in DATABASES:
            if name not in there:
                connection.exec_driver_sql(f"create database {name}")


def _profile_text(home: Home) -> str:
    start, end = _PERIOD
    return f"""# A synthetic council: nobody in it exists. Written by `onestory synth`.
name: Ardenvale (synthetic)
la_code: "990"
synthetic: true            # only here may NHS numbers of the test range be used
home: .
warehouse_url: {home.server.url("warehouse")}
reporting_period: {{start: {start}, end: {end}}}
sources:
  systmone: {{connector: systmone, inbox: {home.inbox / "systmone"}}}
  liquidlogic: {{connector: liquidlogic, url: "{home.server.url("hdm", "hdm_reader")}"}}
  carefirst: {{connector: carefirst, inbox: {home.inbox / "carefirst"}}}
"""
