"""A hand-made finance database beside a hand-made case system, and a desk to rebuild and read it at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from connectors import conform, stage
from connectors.synthetic import controcc
from connectors.synthetic.keys import person_key
from connectors.synthetic.world import Appearance, World
from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunResult
from expectations import stage as check
from governance.store import Store
from tests.support.liquidlogic_world import record


def client(number: int, case: int | None = None, of: int = 1, **changes: Any) -> Appearance:
    """A finance client; `case` is the running number of the case system's record."""
    base = record(number, of=of)
    references = {} if case is None else {"liquidlogic": person_key("liquidlogic", case)}
    fields = {**base.versions[0], **changes.pop("fields", {})}
    return replace(
        base, system="controcc", key=person_key("controcc", number), references=references, addresses=[],
        versions={0: fields}, **changes,
    )  # fmt: skip


class FinanceDesk:
    """Where a test writes a council's nights, has the finance database rebuilt and reads it."""

    def __init__(self, profile: Profile, home: Path) -> None:
        url = profile.source("liquidlogic").options["url"].replace("hdm_council", "controcc_council")
        source = SourceSettings("controcc", "controcc", {"url": url.replace("hdm_reader@", "controcc_reader@")})
        self.profile = replace(profile, sources=(*profile.sources, source))
        self.url, self.supply = url.replace("hdm_reader@", "admin@"), home / "supply"

    def write(self, council: World) -> None:
        controcc.write(council, self.supply)

    def rebuild(self, night: int) -> None:
        controcc.rebuild_mart(self.supply, night, self.url)

    def tamper(self, statement: str) -> None:
        """Change the database behind its supplier's back."""
        with sa.create_engine(self.url.replace("postgresql://", "postgresql+psycopg://", 1)).begin() as connection:
            connection.exec_driver_sql(statement)

    def collect(self) -> RunResult:
        return stage.run(self._context())

    def settle(self) -> list[RunResult]:
        """Land, check and conform what is at the door."""
        return [door(self._context()) for door in (stage.run, check.run, conform.run)]

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the loader reads."""
        return cast(list[dict[str, Any]], Store(self.profile).read_arrow("loader", query).to_pylist())

    def _context(self) -> RunContext:
        return RunContext(self.profile, "run-1", "test", source="controcc")
