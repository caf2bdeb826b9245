"""A council whose conformed source records a test writes itself, night by night, and then links through the "
"front door."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

import psycopg

from domain.profile import Profile
from domain.run import RunContext, RunResult

FIRST_NIGHT = datetime(2026, 3, 26, 2, tzinfo=UTC)
PERSON_COLUMNS = (
    "source_record_id",
    "source",
    "source_person_key",
    "forename",
    "middle_names",
    "surname",
    "previous_surname",
    "known_as",
    "nhs_number_supplied",
    "nhs_number_verified",
    "birth_date",
    "birth_date_estimated",
    "death_date",
    "sex",
    "ethnicity_code",
    "postcode",
    "telephone",
    "email",
    "gp_practice_code",
    "is_restricted",
    "duplicate_of_key",
    "is_marked_duplicate",
)


class LinkageCouncil:
    """Writes `identity.source_*` as conforming would have left it; records are named `source:key`."""

    def __init__(self, profile: Profile, admin_url: str) -> None:
        self.profile = profile
        self.connection = psycopg.connect(admin_url, autocommit=True)
        self.moment = FIRST_NIGHT
        self.runs = 0

    def __enter__(self) -> LinkageCouncil:
        self.night(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def night(self, number: int) -> None:
        """From now on everything is learnt on night `number`."""
        self.moment = FIRST_NIGHT + timedelta(days=number)
        self.connection.execute(
            """insert into ledger.delivery (source, name, content_hash, mode, as_known_at, state)
               values ('systmone', %s, %s, 'delta', %s, 'conformed') on conflict do nothing""",
            (f"night {number}", f"night {number}", self.moment),
        )

    def put(self, record: str, **fields: Any) -> int:
        """A record as it is from now on; what it was before is kept as history."""
        source, key = record.split(":", 1)
        number = self.number(record)
        self.end(record)
        row = {
            "source_record_id": number,
            "source": source,
            "source_person_key": key,
            "is_restricted": False,
            "is_marked_duplicate": False,
            **fields,
        }
        row["nhs_number_verified"] = fields.get(
            "nhs_number_verified", True if "nhs_number_supplied" in fields else None
        )
        self.load([row], [])
        return number

    def end(self, record: str) -> None:
        """The record has left its system."""
        self.connection.execute(
            "update identity.source_person set known_to = %s where source_record_id = %s and known_to is null",
            (self.moment, self.number(record)),
        )

    def refer(self, record: str, reference_type: str, value: str) -> None:
        """An id of another system, or another name, is written in the record."""
        source, key = record.split(":", 1)
        self._copy(
            "source_reference",
            [
                {
                    "source_record_id": self.number(record),
                    "source": source,
                    "source_person_key": key,
                    "reference_key": f"{key}-{reference_type}",
                    "reference_type": reference_type,
                    "reference_value": value,
                }
            ],
        )

    def load(self, persons: Iterable[Mapping[str, Any]], addresses: Iterable[Mapping[str, Any]]) -> None:
        """Many rows at once; their records must be known."""
        self._copy("source_person", persons)
        self._copy("source_address", addresses)

    def number(self, record: str) -> int:
        source, key = record.split(":", 1)
        self.connection.execute(
            "insert into identity.source_record (source, source_person_key) values (%s, %s) on conflict do nothing",
            (source, key),
        )
        return int(
            self.one(
                "select source_record_id from identity.source_record where source = %s and source_person_key = %s",
                source,
                key,
            )
        )

    def decide(self, one: str, other: str, answer: str, reviewer: str = "a reviewer") -> None:
        left, right = sorted((self.number(one), self.number(other)))
        self.connection.execute(
            """insert into identity.decision (left_record_id, right_record_id, answer, reviewer, reason)
               values (%s, %s, %s, %s, 'seen')""",
            (left, right, answer, reviewer),
        )

    def link(self) -> RunResult:
        from linkage import stage

        self.runs += 1
        return stage.run(RunContext(self.profile, f"run-{self.runs}", "a test"))

    def person(self, record: str) -> str:
        """The person the record belongs to now."""
        return str(
            self.one(
                "select person_id from identity.membership where source_record_id = %s and known_to is null",
                self.number(record),
            )
        )

    def pair(self, one: str, other: str) -> tuple[str, str, str]:
        """Rule, decision and reason of the current link row of two records."""
        left, right = sorted((self.number(one), self.number(other)))
        row = self.connection.execute(
            """select rule, decision, reason from identity.link
                where left_record_id = %s and right_record_id = %s and known_to is null""",
            (left, right),
        ).fetchone()
        return row or ("", "", "")

    def state(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Everything linkage believes now, without the numbers that depend on the order of writing."""
        members = self.connection.execute(
            """select r.source, r.source_person_key, m.person_id, m.reason from identity.membership m
                 join identity.source_record r using (source_record_id) where m.known_to is null order by 1, 2"""
        ).fetchall()
        links = self.connection.execute(
            """select l.source, l.source_person_key, r.source, r.source_person_key, rule, decision, reason,
                 match_weight, levels::text,
                      pair_decision, pair_reason, weight_without_number, found_without_identifier, numbers
                 from identity.link k join identity.source_record l on l.source_record_id = k.left_record_id
                 join identity.source_record r on r.source_record_id = k.right_record_id
                where k.known_to is null order by 1, 2, 3, 4"""
        ).fetchall()
        details = self.connection.execute(
            """select person_id, nhs_number, forename, surname, birth_date, death_date, sex, postcode,
                 value_sources::text
                 from identity.person_detail where known_to is null order by 1"""
        ).fetchall()
        return members, links, details

    def partition(self) -> frozenset[frozenset[str]]:
        """Who is together with whom, as names of records."""
        groups: dict[str, set[str]] = {}
        for source, key, person, _ in self.state()[0]:
            groups.setdefault(person, set()).add(f"{source}:{key}")
        return frozenset(frozenset(group) for group in groups.values())

    def one(self, query: str, *values: Any) -> Any:
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return row[0]

    def _copy(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        told = [
            {
                **row,
                "landed_dataset": "a test",
                "landed_version_id": 1,
                "row_digest": _digest(row),
                "known_from": self.moment,
            }
            for row in rows
        ]
        if not told:
            return
        columns = list(told[0])
        assert all(list(row) == columns for row in told)
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f"copy identity.{table} ({', '.join(columns)}) from stdin") as copy,
        ):
            for row in told:
                copy.write_row(list(row.values()))


def _digest(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted((k, str(v)) for k, v in row.items())).encode()).hexdigest()[:32]
