"""A place to run in: one folder with a council's profile, its secret, its databases and everything made from them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from connectors.permission import write_synthetic_flows
from connectors.synthetic.keys import ORGANISATION_CODE, SECOND_ORGANISATION_CODE
from connectors.synthetic.settings import SyntheticSettings
from domain.profile import Profile, load_profile
from governance import embedded
from governance.secrets import make_secret

DATABASES = ("warehouse", "airflow", "hdm", "controcc")
MADE = "synth.json"  # the settings of the council in this home


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
    def supplier_databases(self) -> dict[str, str]:
        """Where the simulated suppliers' databases stand, as their administrators; by system."""
        return {"liquidlogic": self.server.url("hdm", "admin"), "controcc": self.server.url("controcc", "admin")}

    @property
    def setting(self) -> str:
        """The kind of council that lives here; the demo's own when none was made yet."""
        try:
            made = json.loads((self.folder / MADE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return "two_districts"
        return str(made.get("setting", "two_districts"))

    def profile(self) -> Profile:
        return load_profile(self.folder / "council.yml")


def open_home(folder: Path, settings: SyntheticSettings | None = None) -> Home:
    """The home in `folder`, made when there is none: server, databases, secret, profile, migrated warehouse.

    `settings` say which council moves in (default: the one that lives here). Opening it again changes nothing; what a
    home of the same place left behind when its folder was deleted by hand goes first.
    Raises `RuntimeError` when the embedded server does not start.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "secret.key").exists():  # a home deleted by hand leaves a database that no key opens any more
        embedded.remove(folder)
    home = Home(folder, embedded.start(folder))
    _make_databases(home)
    make_secret(folder / "secret.key")
    profile = folder / "council.yml"
    if settings is not None or not profile.exists():
        settings = settings or SyntheticSettings()
        write_synthetic_flows(folder / "flows", sources_of(home, settings), settings.kind.controller_change)
        profile.write_text(_profile_text(home, settings), encoding="utf-8")
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


def _profile_text(home: Home, settings: SyntheticSettings) -> str:
    kind = settings.kind
    start, end = kind.reporting_period
    sources = "".join(f"  {name}: {json.dumps(options)}\n" for name, options in sources_of(home, settings).items())
    return f"""# A synthetic council: nobody in it exists. Written by `onestory synth`.
name: "{kind.title} (synthetic)"
la_code: "{kind.la_code}"
synthetic: true            # only here may NHS numbers of the test range be used
home: .
warehouse_url: {home.server.url("warehouse")}
reporting_period: {{start: {start}, end: {end}}}
flows: flows               # the register of agreements; a source without one is not read
sources:
{sources}exchanges:
  nhs_number_trace: {{folder: exchange/nhs_number_trace}}
"""


def _organisations(settings: SyntheticSettings) -> str:
    joins = settings.kind.second_unit_joins_night is not None
    return f"{ORGANISATION_CODE},{SECOND_ORGANISATION_CODE}" if joins else ORGANISATION_CODE


def sources_of(home: Home, settings: SyntheticSettings) -> dict[str, dict[str, str]]:
    """How each source of this kind of council is reached: name -> connector and its options."""
    kind, inbox = settings.kind, home.inbox
    reached = {
        "systmone": {"inbox": str(inbox / "systmone"), "organisations": _organisations(settings)},
        "liquidlogic": {"url": home.server.url("hdm", "hdm_reader")},
        "controcc": {"url": home.server.url("controcc", "controcc_reader")},
        "carefirst": {"inbox": str(inbox / "carefirst")},
        "micare": {"inbox": str(inbox / "micare")},
    }
    sources = {name: {"connector": name, **reached[name]} for name in kind.systems}
    if kind.cutover:

        def on(night: int) -> str:
            return (settings.first_night + timedelta(days=night)).isoformat()

        sources["liquidlogic"] |= {"live_from": on(kind.cutover.go_live_night), "legacy_id": "old_system:micare"}
        if "controcc" in sources:  # finance is fed from the new case system
            sources["controcc"] |= {"live_from": on(kind.cutover.go_live_night)}
        sources["micare"] |= {"archive_from": on(kind.cutover.dual_running_until_night + 1)}
        sources["cross_reference"] = {
            "connector": "cross_reference",
            "events": "none",
            "inbox": str(inbox / "cross_reference"),
            "old": kind.cutover.old,
            "new": kind.cutover.new,
            # days of work: a night's extract tells of the day before
            "trial_loads": ", ".join(on(night - 1) for night in kind.cutover.trial_load_nights),
            "freeze_from": on(kind.cutover.freeze_night - 1),
            "live_from": on(kind.cutover.go_live_night - 1),
            "dual_running_until": on(kind.cutover.dual_running_until_night - 1),
            "go_live_load": str(len(kind.cutover.trial_load_nights) + 1),
        }
    return sources
