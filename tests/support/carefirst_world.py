"""A hand-made council of a few people in CareFirst, and a desk that writes, releases and lands its dumps."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from connectors import conform, stage
from connectors.synthetic import carefirst
from connectors.synthetic.keys import person_key
from connectors.synthetic.world import AddressPeriod, Appearance, NamePeriod, TrueEvent, TruePerson, World
from domain.profile import Profile
from domain.run import RunContext, RunResult
from expectations.staging import create, drop, facts_of, landing_fields
from governance.history import RowCounts, apply_rows
from governance.store import Store

FIRST_NIGHT = date(2026, 3, 26)
PROVIDERS = [("Larkfield Home Care", "1-100000001"), ("The Willows", "1-100000002")]

_FACTS = {
    "request": {
        "route_of_access": "Community / Other route",
        "outcome": "Progress to assessment, review or reassessment",
        "primary_support_reason": "Physical support: Personal care support",
        "description": "Asked for help at home",
    },
    "assessment": {
        "assessment_type": "Long term assessment",
        "eligible_needs": "Yes",
        "method": "Service user only",
        "outcome": "Progress to support planning or services",
        "primary_support_reason": "Physical support: Personal care support",
        "description": "Needs assessment",
    },
    "review": {
        "review_reason": "Planned",
        "outcomes_achieved": "Fully met",
        "method": "Service user and unpaid carer",
        "outcome": "Continuation of support or services",
        "primary_support_reason": "Learning disability support",
        "due_date": "2026-02-01",
        "description": "Yearly review",
    },
    "service": {
        "service_type": "Long term support: Community",
        "service_component": "Home support or domiciliary care",
        "delivery_mechanism": "CASSR managed personal budget",
        "provider_name": PROVIDERS[0][0],
        "cqc_location_id": PROVIDERS[0][1],
        "unit_cost": "21.50",
        "cost_frequency": "Hourly",
        "planned_units": "14",
        "end_outcome": "NFA: Support ended as planned",
        "primary_support_reason": "Physical support: Personal care support",
        "description": "",
    },
}


def address(
    street: str = "Mill Lane",
    postcode: str = "AR1 2AB",
    kind: str = "home",
    since: date = date(2001, 5, 1),
    until: date | None = None,
) -> AddressPeriod:
    return AddressPeriod(since, until, "", "12", street, "Eastgate", "Ardenvale", postcode, "", kind)  # type: ignore[arg-type]


def person(number: int, **changes: object) -> TruePerson:
    facts = {
        "person_id": number,
        "sex": "F",
        "birth_date": date(1941, 7, 9),
        "death_date": None,
        "death_known_night": 0,
        "names": [NamePeriod(date(1941, 7, 9), "Edith", "Anne", "Marlow")],
        "addresses": [address()],
        "nhs_number": "9990000018",
        "superseded_nhs_numbers": [],
        "ethnicity_code": "A",
        "tradition": "british",
        "household_id": number,
        "telephone": "",
        "email": "",
        "gp_practice_code": "Y99001",
        "preferred_forename": "",
        "primary_support_reason": "Physical support: Personal care support",
        "accommodation_status": "Owner occupier or shared ownership scheme",
    }
    return TruePerson(**{**facts, **changes})  # type: ignore[arg-type]


def record(number: int, role: str = "client", **changes: object) -> Appearance:
    fields = {
        "title": "Mrs",
        "forename": "Edith",
        "middle_names": "Anne",
        "surname": "Marlow",
        "previous_surname": "",
        "known_as": "",
        "nhs_number": "999 000 0018",
        "nhs_number_verified": "Y",
        "birth_date": "1941-07-09",
        "birth_date_estimated": "N",
        "death_date": "",
        "sex": "F",
        "ethnicity_code": "A",
        "telephone": "",
        "email": "",
        "gp_practice_code": "Y99001",
    }
    versions = changes.pop("versions", None) or {0: {**fields, **changes.pop("fields", {})}}  # type: ignore[dict-item]
    start = {"recorded_night": min(versions), "addresses": [address()], **changes}  # type: ignore[call-overload]
    return Appearance(
        "carefirst",
        person_key("carefirst", number),
        number,
        start.pop("recorded_night"),
        role,  # type: ignore[arg-type]
        versions,
        start.pop("addresses"),
        **start,
    )  # type: ignore[arg-type]


def event(number: int, kind: str, of: int = 1, **changes: object) -> TrueEvent:
    started = datetime(2026, 1, 12, 10, 30)
    ended = started + timedelta(days=9)
    start = {
        "client_type": "Service user",
        "start_at": started,
        "end_at": ended,
        "status": "completed",
        "recorded_night": 0,
        "facts": {**_FACTS[kind], **changes.pop("facts", {})},
        "appearance_key": person_key("carefirst", of),
        **changes,
    }
    return TrueEvent(event_id=number, person_id=of, kind=kind, system="carefirst", **start)  # type: ignore[arg-type]


def world(
    people: list[TruePerson] | None = None,
    records: list[Appearance] | None = None,
    events: list[TrueEvent] | None = None,
    nights: int = 2,
    quality: float = 0.0,
) -> World:
    """A council without any injected defect unless `quality` says otherwise."""
    return World(
        seed=7,
        nights=nights,
        first_night=FIRST_NIGHT,
        people=people if people is not None else [person(1)],
        events=events or [],
        appearances=records if records is not None else [record(1)],
        defects=[],
        providers=PROVIDERS,
        organisation_code="NLF11",
        organisation_name="Ardenvale Community Health Services",
        gp_practices=[("Y99001", "Mill Street Surgery")],
        quality=quality,
    )


@dataclass
class Desk:
    """Where a test writes a council's dumps, tampers with them and lets them arrive."""

    home: Path
    supply: Path = field(init=False)
    inbox: Path = field(init=False)

    def __post_init__(self) -> None:
        self.supply, self.inbox = self.home / "supply", self.home / "inbox"

    @property
    def arrived(self) -> Path:
        return self.inbox / "carefirst"

    def write(self, council: World) -> None:
        carefirst.write(council, self.supply)

    def release(self, *nights: int) -> None:
        for night in nights:
            carefirst.release(self.supply, night, self.inbox)

    def file(self, table: str, night: int = 0) -> Path:
        """An arrived file."""
        return self.arrived / f"CF_{table}_{FIRST_NIGHT + timedelta(days=night):%Y%m%d}.csv"

    def tamper(self, table: str, content: bytes, night: int = 0, *, rows: int | None = None, sign: bool = True) -> None:
        """Replace an arrived file; `sign` puts its new hash (and `rows`) into the control file, as a sender would."""
        path = self.file(table, night)
        path.write_bytes(content)
        if sign:
            control = self.file("CONTROL", night)
            lines = [line.split("|") for line in control.read_text().splitlines()]
            for line in lines:
                if line[0] == path.name:
                    line[1] = line[1] if rows is None else str(rows)
                    line[4] = hashlib.sha256(content).hexdigest()
            control.write_text("".join("|".join(line) + "\n" for line in lines))


def accept(profile: Profile) -> dict[str, RowCounts]:
    """Apply what has landed as a check stage without any rule would; returns what became of each table's last file."""
    counts = {}
    with Store(profile).connect("loader") as connection:
        landed = connection.exec_driver_sql(
            """select t.landed_id, t.file_id, t.parquet_path, d.as_known_at
                 from ledger.landed_table t join ledger.delivery d using (delivery_id)
                where d.state = 'landed' order by d.as_known_at, t.landed_id"""
        ).all()
        for landed_id, file_id, parquet, moment in landed:
            facts, table = facts_of(Path(parquet)), pq.read_table(parquet)
            create(connection, facts.dataset, landing_fields(connection, facts.dataset), facts.key)
            if table.num_rows:
                columns = ", ".join(table.column_names)
                places = ", ".join(f"%({name})s" for name in table.column_names)
                statement = f"insert into staging.{facts.dataset} ({columns}) values ({places})"
                connection.exec_driver_sql(statement, table.to_pylist())
            counts[facts.dataset] = apply_rows(
                connection,
                staging=f"staging.{facts.dataset}",
                target=f"landing.{facts.dataset}",
                fields=landing_fields(connection, facts.dataset),
                key=facts.key,
                removed=facts.removed,
                mode="full",
                file_id=file_id,
                as_known_at=moment,
            )
            drop(connection, facts.dataset)
            done = "update ledger.landed_table set state = 'checked' where landed_id = %s"
            connection.exec_driver_sql(done, (landed_id,))
        connection.exec_driver_sql("update ledger.delivery set state = 'checked' where state = 'landed'")
    return counts


def collect(profile: Profile) -> RunResult:
    """Land what has arrived at CareFirst's door."""
    return stage.run(RunContext(profile, "run-1", "test", source="carefirst"))


def settle(profile: Profile) -> RunResult:
    """Land, accept and conform what has arrived."""
    collect(profile)
    accept(profile)
    return conform.run(RunContext(profile, "run-1", "test", source="carefirst"))


def rows(profile: Profile, query: str) -> list[dict[str, object]]:
    """What the loader reads."""
    return Store(profile).read_arrow("loader", query).to_pylist()
