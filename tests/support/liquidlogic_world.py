"""A hand-made council of a few people in Liquidlogic, with a mart in a real database and a door that reads it."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi

from connectors import conform, stage
from connectors.synthetic import liquidlogic
from connectors.synthetic.keys import person_key
from connectors.synthetic.world import AddressPeriod, Appearance, NamePeriod, TrueEvent, TruePerson, World
from domain.profile import Profile
from domain.run import RunContext, RunResult
from expectations.staging import create, drop, facts_of, landing_fields
from governance.history import RowCounts, apply_rows
from governance.store import Store

FIRST_NIGHT = date(2026, 3, 26)
PROVIDERS = [("Larkfield Home Care", "1-100000001"), ("The Willows", "1-100000002")]
PERSONAL_CARE = "Physical support: Personal care support"

FACTS: dict[str, dict[str, str]] = {
    "request": {
        "route_of_access": "Community / Other route", "outcome": "Progress to assessment, review or reassessment",
        "primary_support_reason": PERSONAL_CARE, "description": "Asked for help at home",
    },
    "assessment": {
        "assessment_type": "Long term assessment", "eligible_needs": "Yes", "method": "Service user only",
        "outcome": "Progress to support planning or services", "primary_support_reason": PERSONAL_CARE,
        "description": "Needs assessment",
    },
    "review": {
        "review_reason": "Planned", "outcomes_achieved": "Fully met", "method": "Service user and unpaid carer",
        "outcome": "Continuation of support or services", "primary_support_reason": "Learning disability support",
        "due_date": "2026-02-01", "description": "Yearly review",
    },
    "service": {
        "service_type": "Long term support: Community", "service_component": "Home support or domiciliary care",
        "delivery_mechanism": "CASSR managed personal budget", "provider_name": PROVIDERS[0][0],
        "cqc_location_id": PROVIDERS[0][1], "unit_cost": "21.50", "cost_frequency": "Hourly", "planned_units": "14",
        "end_outcome": "NFA: Support ended as planned", "primary_support_reason": PERSONAL_CARE, "description": "",
    },
}  # fmt: skip


def address(street: str = "Mill Lane", postcode: str = "AR1 2AB", kind: str = "home", since: date = date(2001, 5, 1),
            until: date | None = None) -> AddressPeriod:  # fmt: skip
    return AddressPeriod(since, until, "", "12", street, "", "Ardenvale", postcode, "", kind)  # type: ignore[arg-type]


def person(number: int, **changes: Any) -> TruePerson:
    born = date(1941, 7, 9)
    facts: dict[str, Any] = {
        "person_id": number, "sex": "F", "birth_date": born, "death_date": None, "death_known_night": 0,
        "names": [NamePeriod(born, "Edith", "Anne", "Marlow")], "addresses": [address()], "nhs_number": "9990000018",
        "superseded_nhs_numbers": [], "ethnicity_code": "A", "tradition": "british", "household_id": number,
        "telephone": "", "email": "", "gp_practice_code": "Y99001", "preferred_forename": "",
        "primary_support_reason": PERSONAL_CARE,
        "accommodation_status": "Owner occupier or shared ownership scheme",
    }  # fmt: skip
    return TruePerson(**{**facts, **changes})


def record(number: int, of: int | None = None, role: str = "client", **changes: Any) -> Appearance:
    fields = {
        "title": "Mrs", "forename": "Edith", "middle_names": "Anne", "surname": "Marlow", "previous_surname": "",
        "known_as": "", "nhs_number": "9990000018", "nhs_number_verified": "Y", "birth_date": "1941-07-09",
        "birth_date_estimated": "N", "death_date": "", "sex": "F", "ethnicity_code": "A", "telephone": "", "email": "",
        "gp_practice_code": "Y99001", **changes.pop("fields", {}),
    }  # fmt: skip
    start: dict[str, Any] = {"versions": {0: fields}, "addresses": [address()], **changes}
    start.setdefault("recorded_night", min(start["versions"]))
    return Appearance(system="liquidlogic", key=person_key("liquidlogic", number), person_id=of or number, role=role,  # type: ignore[arg-type]
                      **start)  # fmt: skip


def event(number: int, kind: str, of: int = 1, **changes: Any) -> TrueEvent:
    started = datetime(2026, 1, 12, 10, 30)
    start: dict[str, Any] = {
        "client_type": "Service user", "start_at": started, "end_at": started + timedelta(days=9),
        "status": "completed", "recorded_night": 0, "appearance_key": person_key("liquidlogic", of), **changes,
        "facts": {**FACTS.get(kind, {}), **changes.get("facts", {})},
    }  # fmt: skip
    return TrueEvent(event_id=number, person_id=of, kind=kind, system="liquidlogic", **start)  # type: ignore[arg-type]


def world(people: list[TruePerson] | None = None, records: list[Appearance] | None = None,
          events: list[TrueEvent] | None = None, nights: int = 3, quality: float = 0.0) -> World:  # fmt: skip
    """A council without any injected defect unless `quality` says otherwise."""
    return World(
        seed=7, nights=nights, first_night=FIRST_NIGHT, people=people if people is not None else [person(1)],
        events=events or [], appearances=records if records is not None else [record(1)], defects=[],
        providers=PROVIDERS, organisation_code="NLF11", organisation_name="Ardenvale Community Health Services",
        gp_practices=[("Y99001", "Mill Street Surgery")], quality=quality,
    )  # fmt: skip


def busy_world(people: int, *, nights: int = 5, quality: float = 1.0, events_each: int = 8) -> World:
    """Many people with one of everything, some of it told late, changed or deleted."""
    kinds = ("request", "assessment", "service", "review")
    happened: list[TrueEvent] = []
    for number in range(people * events_each):
        started = datetime(2024, 6, 1, 9) + timedelta(days=number % 600, minutes=number % 400)
        late: dict[str, Any] = {"recorded_night": 1 + number % nights} if number % 50 == 0 else {}
        if number % 97 == 0:
            late = {"changed_night": 2, "changed_status": "completed", "changed_end_at": started + timedelta(days=20)}
        if number % 331 == 0:
            late = {"deleted_night": 3}
        happened.append(event(number + 1, kinds[number % 4], 1 + number % people, start_at=started,
                              end_at=started + timedelta(days=30), **late))  # fmt: skip
    return world(
        [person(n) for n in range(1, people + 1)], [record(n) for n in range(1, people + 1)], happened, nights, quality
    )


class Desk:
    """Where a test writes a council's nights and has the mart rebuilt; its reader is the profile's own."""

    def __init__(self, profile: Profile, home: Path) -> None:
        self.profile, self.supply = profile, home / "supply"
        self.url = profile.source("liquidlogic").options["url"].replace("hdm_reader@", "admin@")

    def write(self, council: World) -> None:
        liquidlogic.write(council, self.supply)

    def rebuild(self, night: int, *, half_filled: bool = False) -> None:
        liquidlogic.rebuild_mart(self.supply, night, self.url, half_filled=half_filled)

    def tamper(self, statement: str) -> None:
        """Change the mart behind its supplier's back."""
        with sa.create_engine(self.url.replace("postgresql://", "postgresql+psycopg://", 1)).begin() as connection:
            connection.exec_driver_sql(statement)

    def collect(self) -> RunResult:
        """Land what is at the door."""
        return stage.run(RunContext(self.profile, "run-1", "test", source="liquidlogic"))

    def settle(self) -> RunResult:
        """Land, accept and conform what is at the door."""
        self.collect()
        self.accept()
        return conform.run(RunContext(self.profile, "run-1", "test", source="liquidlogic"))

    def accept(self) -> dict[tuple[str, str], RowCounts]:
        """Apply what has landed as a check stage without any rule would; what became of each table's rows, by mode."""
        store, counts = Store(self.profile), {}
        with store.connect("loader") as connection:
            landed = connection.exec_driver_sql(
                """select t.landed_id, t.file_id, t.parquet_path, t.mode, d.as_known_at from ledger.landed_table t
                     join ledger.delivery d using (delivery_id)
                    where d.state = 'landed' and (t.records > 0 or t.mode = 'keys')
                      and t.dataset <> 'liquidlogic__lookup' order by t.landed_id"""
            ).all()
            names = [f"{facts_of(Path(path)).dataset}__{number}" for number, _, path, _, _ in landed]
            for name, (_, _, path, _, _) in zip(names, landed, strict=True):
                facts = facts_of(Path(path))
                create(connection, name, landing_fields(connection, facts.dataset), facts.key)
        with closing(dbapi.connect(store.url("loader"))) as loading, loading.cursor() as cursor:
            for name, (_, _, path, _, _) in zip(names, landed, strict=True):
                rows = pq.read_table(path).replace_schema_metadata(None)
                cursor.adbc_ingest(name, rows, mode="append", db_schema_name="staging")
            loading.commit()
        with store.connect("loader") as connection:
            for name, (number, file_id, path, mode, moment) in zip(names, landed, strict=True):
                facts = facts_of(Path(path))
                counts[facts.dataset.removeprefix("liquidlogic__"), mode] = apply_rows(
                    connection, staging=f"staging.{name}", target=f"landing.{facts.dataset}", key=facts.key,
                    fields=landing_fields(connection, facts.dataset), removed=facts.removed, mode=mode,
                    file_id=file_id, as_known_at=moment,
                )  # fmt: skip
                drop(connection, name)
                done = {"id": number}
                connection.exec_driver_sql(
                    "update ledger.landed_table set state = 'checked' where landed_id = %(id)s", done
                )
            connection.exec_driver_sql("update ledger.delivery set state = 'checked' where state = 'landed'")
        return counts

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the loader reads."""
        return cast(list[dict[str, Any]], Store(self.profile).read_arrow("loader", query).to_pylist())
