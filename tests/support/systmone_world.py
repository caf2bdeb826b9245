"""A hand-made community trust of a few patients in SystmOne, and a desk that hands over its batches, spoilt or not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import Connection

from connectors import conform, stage
from connectors.synthetic import systmone
from connectors.synthetic.keys import ORGANISATION_CODE, ORGANISATION_NAME, person_key
from connectors.synthetic.split_zip import Packer, write_split_zip
from connectors.synthetic.world import AddressPeriod, Appearance, TrueEvent, World
from connectors.systmone.split_archive import open_archive, parts_of
from domain.profile import Profile
from domain.run import RunContext, RunResult
from expectations.staging import create, drop, facts_of, landing_fields
from governance.history import Mode, RowCounts, apply_rows
from governance.store import Store

_NOT_CONFORMED = {
    f"systmone__{name}"
    for name in (
        *("manifest", "mapping_group", "organisation", "organisation_branch", "staff_member", "staff_member_profile"),
        *("staff_member_profile_role", "team", "team_member", "trust", "ctv3", "configured_list_option", "unspecified"),
    )
}
FIRST_NIGHT = date(2026, 3, 26)
PRACTICES = [("B82001", "Ardenbridge Surgery"), ("B82002", "Eastmere Practice")]
_FIELDS = {
    "title": "Mrs", "forename": "Margaret", "middle_names": "Ann", "surname": "O\u2019Brien", "previous_surname": "",
    "nhs_number": "9990000018", "nhs_number_verified": "Y", "birth_date": "1941-07-02", "death_date": "", "sex": "F",
    "ethnicity_code": "A", "telephone": "01632 960001", "email": "", "gp_practice_code": "B82001",
}  # fmt: skip
_FACTS = {
    "referral": {
        "referral_source": "Acute hospital", "service": "Community Nursing", "urgency": "Routine",
        "primary_reason": "Wound care", "discharge_reason": "",
    },
    "visit": {"status": "Finished", "duration_minutes": "30", "referral_event_id": ""},
    "appointment": {"status": "Did not attend", "duration_minutes": "20", "referral_event_id": ""},
}  # fmt: skip


def address(
    street: str = "Tree Road",
    postcode: str = "AV11 1AA",
    since: date = date(2001, 5, 1),
    until: date | None = None,
    **changes: str,
) -> AddressPeriod:
    """Where somebody lives."""
    lines = {"building": "", "number": "5", "street": street, "locality": "", "town": "Eastmere", **changes}
    return AddressPeriod(since, until, **lines, postcode=postcode, uprn="", kind="home")  # type: ignore[arg-type]


def record(
    number: int,
    night: int = 0,
    later: Mapping[int, Mapping[str, str]] | None = None,
    fields: Mapping[str, str] | None = None,
    **changes: object,
) -> Appearance:
    """A patient record; `fields` change what it says at first, `later` what it says from a night on."""
    said = {**_FIELDS, **(fields or {})}
    versions = {night: said, **{n: {**said, **new} for n, new in (later or {}).items()}}
    known = Appearance("systmone", person_key("systmone", number), number, night, "patient", versions, [address()])
    for name, value in changes.items():
        setattr(known, name, value)
    return known


def event(
    number: int,
    kind: str,
    of: int = 1,
    night: int = 0,
    start: datetime = datetime(2026, 1, 12, 9, 30),
    facts: Mapping[str, str] | None = None,
    **changes: object,
) -> TrueEvent:
    """Something that happened to patient `of`."""
    told = TrueEvent(
        number,
        of,
        kind,
        "systmone",
        "Service user",
        start,
        None,
        "open",
        night,  # type: ignore[arg-type]
        {**_FACTS[kind], **(facts or {})},
        person_key("systmone", of),
    )
    for name, value in changes.items():
        setattr(told, name, value)
    return told


def world(
    records: list[Appearance] | None = None,
    events: list[TrueEvent] | None = None,
    nights: int = 1,
    quality: float = 0.0,
) -> World:
    """A trust without accidental defects (`quality` 0), so that every row is known."""
    return World(
        7,
        nights,
        FIRST_NIGHT,
        [],
        events or [],
        records or [record(1)],
        [],
        [],
        ORGANISATION_CODE,
        ORGANISATION_NAME,
        PRACTICES,
        quality,
    )


@dataclass
class Desk:
    """Writes a world and hands over its batches, whole or spoilt."""

    home: Path

    @property
    def inbox(self) -> Path:
        return self.home / "inbox" / "systmone"

    def write(self, trust: World) -> None:
        systmone.write(trust, self.home / "supply")

    def release(self, *nights: int) -> None:
        for night in nights:
            systmone.release(self.home / "supply", night, self.home / "inbox")

    def folder(self, night: int = 0) -> Path:
        """The arrived delivery folder of a night."""
        name = next((self.home / "supply" / "systmone" / f"night_{night}").iterdir()).name
        return self.inbox / name

    def withdraw(self, night: int) -> None:
        """Take an arrived delivery out of the inbox again."""
        shutil.rmtree(self.folder(night))

    def archive(self, night: int = 0) -> Path:
        """The last part of an arrived batch."""
        return self.folder(night) / "SRExtract.zip"

    def members(self, night: int = 0) -> dict[str, bytes]:
        """The files inside an arrived batch."""
        with open_archive(parts_of(self.archive(night))) as archive:
            found = {}
            for entry in archive.entries:
                with archive.open(entry.table) as stream:
                    found[entry.table] = stream.read()
            return found

    def repack(self, members: Mapping[str, bytes], night: int = 0, part_size: int = 60_000) -> None:
        """Put other files into an arrived batch."""
        for old in self.folder(night).iterdir():
            old.unlink()
        packed = []
        for table, content in members.items():
            packer = Packer(f"{table}.csv")
            packer.write(content)
            packed.append(packer.close())
        write_split_zip(self.folder(night), "SRExtract", packed, part_size)

    def spoil(self, table: str, change: Callable[[bytes], bytes], night: int = 0) -> None:
        """Change one file inside an arrived batch."""
        members = self.members(night)
        self.repack({**members, table: change(members[table])}, night)


def collect(profile: Profile) -> RunResult:
    """Land what has arrived at SystmOne's door."""
    return stage.run(RunContext(profile, "run-1", "test", source="systmone"))


def accept(profile: Profile) -> dict[str, RowCounts]:
    """Apply what has landed as a check stage with no rules but the policy exclusions would; the last counts per table.

    Tables that conforming does not read are left alone: this is for tests, and each costs time.
    """
    with Store(profile).connect("loader") as connection:
        landed = connection.exec_driver_sql(
            """select t.dataset, t.file_id, t.parquet_path, t.mode, d.as_known_at from ledger.landed_table t
                 join ledger.delivery d using (delivery_id) where d.state = 'landed'
                order by d.as_known_at, t.landed_id"""
        ).all()
        read = [row for row in landed if row[0] not in _NOT_CONFORMED]
        counts = {row[0]: _apply(connection, *row) for row in read if pq.read_metadata(row[2]).num_rows}
        connection.exec_driver_sql("update ledger.delivery set state = 'checked' where state = 'landed'")
    return counts


def _apply(connection: Connection, dataset: str, file_id: int, parquet: str, mode: Mode, moment: datetime) -> RowCounts:
    facts, fields = facts_of(Path(parquet)), landing_fields(connection, dataset)
    create(connection, dataset, fields, facts.key)
    landed = set(pq.read_schema(parquet).names)  # free text is not in it
    columns = [*(field for field in fields if field in landed), "landed_line"]
    connection.exec_driver_sql(
        f"insert into staging.{dataset} ({', '.join(columns)}) values ({', '.join(f'%({c})s' for c in columns)})",
        pq.read_table(parquet).to_pylist(),
    )
    for policy in facts.exclude:
        connection.exec_driver_sql(
            f"update staging.{dataset} set disposition = %(reason)s where {policy.field} = %(value)s",
            {"reason": policy.reason, "value": policy.value},
        )
    counts = apply_rows(
        connection,
        staging=f"staging.{dataset}",
        target=f"landing.{dataset}",
        fields=fields,
        key=facts.key,
        removed=facts.removed,
        mode=mode,
        file_id=file_id,
        as_known_at=moment,
    )
    drop(connection, dataset)
    return counts


def settle(profile: Profile) -> RunResult:
    """Land, accept and conform what has arrived."""
    collect(profile)
    accept(profile)
    return conform.run(RunContext(profile, "run-1", "test", source="systmone"))


def rows(profile: Profile, query: str) -> list[dict[str, object]]:
    """What the loader reads."""
    return Store(profile).read_arrow("loader", query).to_pylist()
