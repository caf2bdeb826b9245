"""A trial load, looked at without letting it near the real index: a scratch warehouse beside the real one.

Old system, trial copy and cross-reference list go through the ordinary stages there; the comparison is made there; then
the scratch warehouse and everything landed for it are gone. The real warehouse is not even opened.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunResult, RunState, StageFailure
from governance.sql import identifier
from warehouse.cutover.plan import CutoverPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection

PER_SOURCE: Final = ("connectors.stage", "expectations.stage", "connectors.conform")
Told = Callable[[RunResult], None]


@contextmanager
def scratch_warehouse(profile: Profile, plan: CutoverPlan, load: int, admin_url: str) -> Iterator[Profile]:
    """The council's profile over an empty warehouse of its own, gone with all it held when the block ends.

    Only the sources of the cut-over are in it. The new system's trial copy is taken there (its `live_from` is left
    out), and the list's rows of this load count as evidence. What an interrupted trial left behind is removed first.

    Args:
        profile: the council's.
        plan: its cut-over.
        load: the number of the load to look at.
        admin_url: the real warehouse database as its administrator; the scratch one is made beside it.
    """
    from warehouse.migrate import migrate

    name = identifier(f"{urlsplit(profile.warehouse_url).path.strip('/')}_trial_{load}"[:63])
    home = profile.home / "scratch" / f"cutover_{load}"
    _remove(admin_url, name)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        with _server(admin_url) as connection:
            connection.exec_driver_sql(f"create database {name}")
        migrate(_on_database(admin_url, name))
        if (mappings := profile.home / "mappings").is_dir():
            shutil.copytree(mappings, home / "mappings")
        yield replace(
            profile,
            home=home,
            warehouse_url=_on_database(profile.warehouse_url, name),
            sources=tuple(_scratch_source(profile, s, plan, load) for s in _sources(profile, plan)),
        )
    finally:
        _remove(admin_url, name)
        shutil.rmtree(home, ignore_errors=True)


def load_into(profile: Profile, run_id: str, actor: str, told: Told | None = None) -> list[RunResult]:
    """Carry every source of the scratch profile through the ordinary stages and link its people.

    A stage that holds something goes on: what is held is told and compared as missing.

    Raises:
        StageFailure: when a source brought nothing at all, or linking could not be done.
    """
    results = []
    for source in profile.sources:
        context = RunContext(profile, run_id, actor, source.name)
        done = [import_module(module).run(context) for module in PER_SOURCE]
        results += done
        if not done[-1].counts:
            message = "; ".join(f.message for result in done for f in result.findings) or "nothing has arrived"
            raise StageFailure(
                f"trial load: {source.name} brought nothing: {message}",
                remedy="Ask the migration team whether the load is there, then run the command again.",
                retry_helps=True,
            )
    linked = import_module("linkage.stage").run(RunContext(profile, run_id, actor))
    results.append(linked)
    for result in results if told else ():
        told(result)  # type: ignore[misc]
    if linked.state is not RunState.DONE:
        raise StageFailure("trial load: linking was not done", remedy="See what it says above.", retry_helps=True)
    return results


def _sources(profile: Profile, plan: CutoverPlan) -> list[SourceSettings]:
    return [profile.source(name) for name in (plan.old, plan.new, plan.list_source)]


def _scratch_source(profile: Profile, source: SourceSettings, plan: CutoverPlan, load: int) -> SourceSettings:
    left_out = {"remote", "live_from"} if source.name == plan.new else {"remote"}
    options = {name: value for name, value in source.options.items() if name not in left_out}
    if "inbox" in options:
        options["inbox"] = str(profile.home / options["inbox"])
    if source.name == plan.list_source:
        options["go_live_load"] = str(load)
    return replace(source, options=options)


def _remove(admin_url: str, name: str) -> None:
    with _server(admin_url) as connection:
        connection.exec_driver_sql(f"drop database if exists {identifier(name)} with (force)")


@contextmanager
def _server(admin_url: str) -> Iterator[Connection]:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    address = admin_url.replace("postgresql://", "postgresql+psycopg://", 1)
    with create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def _on_database(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
