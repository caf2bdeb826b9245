"""A hand-made council of a few people in MiCare, and a desk that writes, releases, changes and settles nights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors import conform, stage
from connectors.synthetic import micare
from connectors.synthetic.keys import person_key
from connectors.synthetic.micare_tables import OLD_CODE_PAGE
from connectors.synthetic.world import Appearance, TrueEvent, TruePerson, World
from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from governance.store import Store
from tests.support import carefirst_world
from tests.support.carefirst_world import FIRST_NIGHT, person

CASEWORK = {
    "involvement": {"team": "OPNORT", "worker": "7", "role": "allocated worker"},
    "safeguarding": {
        "concern_date": "2026-01-10", "enquiry_type": "section 42", "enquiry_start_date": "2026-01-12",
        "risk_outcome": "reduced", "msp_asked": "asked, outcomes told",
    },
    "dols": {
        "received_date": "2025-12-01", "decision": "granted", "decided_date": "2026-01-12",
        "authorised_from": "2026-01-12", "authorised_to": "2026-07-12", "place": "care home",
    },
}  # fmt: skip


def key(number: int) -> str:
    return person_key("micare", number)


def record(number: int, role: str = "client", **changes: Any) -> Appearance:
    """A MiCare record of true person `number`."""
    told = carefirst_world.record(number, role, **changes)
    return replace(told, system="micare", key=key(number))


def event(number: int, kind: str, of: int = 1, **changes: Any) -> TrueEvent:
    """An event on the MiCare record of person `of`."""
    if kind in CASEWORK:
        facts = {**CASEWORK[kind], **changes.pop("facts", {})}
        told = replace(carefirst_world.event(number, "request", of, **changes), kind=kind, facts=facts)  # type: ignore[arg-type]
    else:
        told = carefirst_world.event(number, kind, of, **changes)
    return replace(told, system="micare", appearance_key=key(of))


def world(
    people: list[TruePerson] | None = None,
    records: list[Appearance] | None = None,
    events: list[TrueEvent] | None = None,
    nights: int = 2,
    quality: float = 0.0,
) -> World:
    """A council without any injected defect unless `quality` says otherwise."""
    records = records if records is not None else [record(1)]
    return carefirst_world.world(people if people is not None else [person(1)], records, events, nights, quality)


def as_profile(database: Profile, **options: str) -> Profile:
    """The profile with MiCare as its only source."""
    inbox = {"inbox": str(database.home / "inbox" / "micare")}
    return replace(database, sources=(SourceSettings("micare", "micare", {**inbox, **options}),))


@dataclass
class Desk:
    """Where a test writes a council's nights, tampers with them and lets them arrive."""

    home: Path
    supply: Path = field(init=False)
    inbox: Path = field(init=False)

    def __post_init__(self) -> None:
        self.supply, self.inbox = self.home / "supply", self.home / "inbox"

    @property
    def arrived(self) -> Path:
        return self.inbox / "micare"

    def write(self, council: World) -> None:
        micare.write(council, self.supply)

    def release(self, *nights: int) -> None:
        for night in nights:
            micare.release(self.supply, night, self.inbox)

    def folder(self, night: int = 0) -> Path:
        return self.arrived / f"{FIRST_NIGHT + timedelta(days=night):%Y%m%d}"

    def file(self, table: str, night: int = 0) -> Path:
        """An arrived file."""
        return self.folder(night) / f"MICARE_{table}.TXT"

    def rows(self, table: str, night: int = 0) -> list[dict[str, str]]:
        """The records of an arrived file."""
        header, *records = self.lines(table, night)
        names = header.split("\t")
        return [dict(zip(names, line.split("\t"), strict=True)) for line in records]

    def lines(self, table: str, night: int = 0) -> list[str]:
        """Header and records of an arrived file, without its trailer."""
        content = self.file(table, night).read_bytes().removeprefix(b"\xef\xbb\xbf")
        return content.decode(OLD_CODE_PAGE.get(table, "cp1252"), "replace").split("\r\n")[:-2]

    def put(self, table: str, lines: list[str], night: int = 0, *, code_page: str | None = None) -> None:
        """Write an arrived file anew with the trailer that belongs to it."""
        text = "\r\n".join([*lines, f"*** END OF FILE {len(lines) - 1} RECORDS ***", ""])
        self.file(table, night).write_bytes(text.encode(code_page or OLD_CODE_PAGE.get(table, "cp1252")))

    def replace(self, table: str, old: str, new: str, night: int = 0, count: int = -1) -> None:
        """Change text in an arrived file."""
        self.put(table, [line.replace(old, new, count) for line in self.lines(table, night)], night)


def collect(profile: Profile) -> RunResult:
    """Land what has arrived at MiCare's door."""
    return stage.run(RunContext(profile, "run-1", "test", source="micare"))


def settle(profile: Profile) -> tuple[RunResult, RunResult, RunResult]:
    """Land, check and conform what has arrived."""
    context = RunContext(profile, "run-1", "test", source="micare")
    landed, checked, conformed = stage.run(context), check.run(context), conform.run(context)
    assert conformed.state is RunState.DONE
    return landed, checked, conformed


def rows(profile: Profile, query: str) -> list[dict[str, Any]]:
    """What the loader reads."""
    return Store(profile).read_arrow("loader", query).to_pylist()
