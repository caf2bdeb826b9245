"""A warehouse of a few people, written behind the roles' backs as conforming and linking would have left it.

Each fact is put under the key of its source and replaces what was believed under that key before, so that a test reads
as a list of nights.
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import psycopg
from psycopg import sql

from domain.profile import Profile
from domain.run import RunContext, RunResult

NIGHT_0 = datetime(2026, 3, 26, 2, tzinfo=UTC)
NIGHT_1 = datetime(2026, 3, 27, 2, tzinfo=UTC)
NIGHT_2 = datetime(2026, 3, 28, 2, tzinfo=UTC)

CANARY = "Zzyxcanary"
EVENT_DEFAULTS: dict[str, dict[str, Any]] = {
    "request": {
        "client_type": "Service User",
        "status": "completed",
        "start_date": "2025-06-01",
        "end_date": "2025-06-09",
    },
    "assessment": {
        "client_type": "Service User",
        "status": "completed",
        "start_date": "2025-07-01",
        "end_date": "2025-07-20",
    },
    "review": {
        "client_type": "Service User",
        "status": "completed",
        "start_date": "2025-09-01",
        "end_date": "2025-09-02",
    },
    "service": {"client_type": "Service User", "status": "open", "start_date": "2025-08-01", "unit_cost": "512.50"},
    "characteristic": {"kind": "primary_support_reason", "value": "Social Support: Support for Social Isolation/Other"},
    "caring": {"valid_from": "2025-01-01"},
    "referral": {"organisation_code": "RZZ01", "referral_date": "2025-05-05"},
    "contact": {
        "organisation_code": "RZZ01",
        "contact_type": "visit",
        "start_at": "2025-05-06 10:00+01",
        "duration_minutes": 30,
    },
}


class SmallWarehouse:
    """Puts facts into the identity and payload zones of a test's own database."""

    def __init__(self, profile: Profile, admin_url: str) -> None:
        self.profile = profile
        self.connection = psycopg.connect(admin_url, autocommit=True)
        self.moment = NIGHT_0

    def __enter__(self) -> SmallWarehouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def night(self, moment: datetime) -> None:
        """A delivery known up to `moment` has been conformed and linked; facts put from now on are learnt then."""
        self.moment = moment
        self.connection.execute(
            "insert into ledger.delivery (source, name, content_hash, mode, as_known_at, state) "
            "values ('systmone', %s, %s, 'delta', %s, 'conformed') on conflict do nothing",
            (str(moment), f"hash of {moment}", moment),
        )
        self.connection.execute(
            "insert into ledger.link_run (run_id, as_known_at, model_version, input_digest, report) "
            "values ('r', %s, '1', '', '{}')",
            (moment,),
        )

    def person(self, person_id: str, *records: str, **detail: Any) -> None:
        """A person made of supplier records given as `source:key`; `detail` are columns of identity.person_detail."""
        self.connection.execute(
            "insert into identity.person (person_id, born_at) values (%s, %s) on conflict do nothing",
            (person_id, self.moment),
        )
        for record in records:
            number = self.record(record)
            self._put("identity.membership", {"source_record_id": number}, person_id=person_id, reason="nhs_verified")
        told = {
            "nhs_number": "9990000018",
            "forename": CANARY,
            "surname": CANARY,
            "birth_date": "1950-05-17",
            "sex": "2",
            "ethnicity_code": "A",
            "postcode": "ZZ99 3VZ",
            **detail,
        }
        self._put("identity.person_detail", {"person_id": person_id}, **told)

    def record(self, record: str) -> int:
        """A supplier's record of somebody, conformed and not linked yet; returns its internal number."""
        source, key = record.split(":", 1)
        number = self.record_number(record)
        identifiers = {
            "forename": CANARY,
            "surname": CANARY,
            "nhs_number_supplied": "9990000018",
            "birth_date": "1950-05-17",
        }
        told = {"source": source, "source_person_key": key, **identifiers, **self._landed(source)}
        self._put("identity.source_person", {"source_record_id": number}, **told)
        return number

    def event(self, kind: str, record: str, event_key: str, **columns: Any) -> None:
        """An event of `kind` for the record `source:key`; unnamed columns take the defaults above."""
        source = record.split(":", 1)[0]
        told = {
            **EVENT_DEFAULTS[kind],
            **self._landed(source),
            "source_record_id": self.record_number(record),
            **columns,
        }
        if "cared_for" in told:
            told["cared_for_record_id"] = self.record_number(told.pop("cared_for"))
        self._put(f"payload.{kind}", {"source": source, "event_key": event_key}, **told)

    def end(self, table: str, **key: Any) -> None:
        """What was believed under `key` is believed no more."""
        where = sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier(k), sql.Literal(v)) for k, v in key.items()
        )
        self.connection.execute(
            sql.SQL("update {} set known_to = {} where known_to is null and {}").format(
                sql.Identifier(*table.split(".")), sql.Literal(self.moment), where
            )
        )

    def link(self, left: str, right: str, weight: float) -> None:
        """A scored link between two records."""
        pair = sorted((self.record_number(left), self.record_number(right)))
        self._put(
            "identity.link",
            {"left_record_id": pair[0], "right_record_id": pair[1]},
            rule="probabilistic",
            decision="link",
            match_weight=weight,
            model_version="1",
            decided_by="engine",
        )

    def record_number(self, record: str) -> int:
        source, key = record.split(":", 1)
        self.connection.execute(
            "insert into identity.source_record (source, source_person_key) values (%s, %s) on conflict do nothing",
            (source, key),
        )
        return self.one(
            "select source_record_id from identity.source_record where source = %s and source_person_key = %s",
            source,
            key,
        )

    def build(self, run_id: str = "a run") -> RunResult:
        """Run the build stage."""
        from warehouse import stage

        return stage.run(RunContext(self.profile, run_id, "a test"))

    def one(self, query: str, *values: Any) -> Any:
        """The first column of the only row of `query`, read as superuser."""
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return row[0]

    def _landed(self, source: str) -> dict[str, Any]:
        return {
            "landed_dataset": f"{source}__{'patient' if source == 'systmone' else 'person'}",
            "landed_version_id": 1,
        }

    def _put(self, table: str, key: dict[str, Any], **columns: Any) -> None:
        self.end(table, **key)
        told = {**key, **columns, "row_digest": "", "known_from": self.moment}
        self.connection.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                sql.Identifier(*table.split(".")),
                sql.SQL(", ").join(map(sql.Identifier, told)),
                sql.SQL(", ").join(map(sql.Literal, told.values())),
            )
        )


def everyday(warehouse: SmallWarehouse, moment: datetime = NIGHT_0) -> None:
    """Ada in both kinds of system with one event of every kind, and Bea who cares for her: learnt on night 0."""
    warehouse.night(moment)
    warehouse.person("person-ada", "liquidlogic:L1", "systmone:S1")
    warehouse.person("person-bea", "liquidlogic:L2", sex="1", birth_date="1961-02-03", death_date="2026-01-05")
    warehouse.link("liquidlogic:L1", "systmone:S1", 17.25)
    for kind in ("request", "assessment", "review", "service", "characteristic"):
        warehouse.event(kind, "liquidlogic:L1", f"{kind}-1")
    warehouse.event("caring", "liquidlogic:L2", "caring-1", cared_for="liquidlogic:L1")
    warehouse.event("referral", "systmone:S1", "referral-1")
    warehouse.event("contact", "systmone:S1", "contact-1", referral_event_key="referral-1")
