"""Six nights of a small community trust through the whole way in, named after the acceptance list (sources 16).

One run, looked at from all sides: a re-bulk, an overlap, deletions, a chain of merges, a second unit with its own bulk,
clock changes and ids that name nobody.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connectors import conform, stage
from connectors.synthetic.keys import SECOND_ORGANISATION_CODE as SECOND
from connectors.synthetic.keys import person_key, second_unit_key
from connectors.synthetic.systmone_calendar import calendar_of
from connectors.synthetic.world import World
from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunState
from expectations import stage as check
from governance.secrets import make_secret
from tests.support.survival import canonical_dump, unbalanced
from tests.support.systmone_world import Desk, event, record, rows, world

NIGHTS = 5
NOW = "where known_to is null"
OCTOBER = datetime(2025, 10, 26, 1, 30)


def trust() -> World:
    """Patients 1 → 2 → 3 are merged one after the other; 5 is known to both units and leaves the first one's view."""
    records = [
        record(1, removed_night=1, duplicate_of=person_key("systmone", 2)),
        record(2, removed_night=4, duplicate_of=person_key("systmone", 3)),
        record(3),
        record(4, later={2: {"nhs_number": "9990000026"}, 4: {"nhs_number": ""}}),
        record(5, removed_night=4),
        replace(record(5, night=1), key=second_unit_key(person_key("systmone", 5))),
    ]
    events = [
        event(1, "visit", of=1),
        event(2, "appointment", of=4, start=datetime(2026, 1, 12)),
        event(3, "appointment", of=4, start=OCTOBER),
        event(4, "appointment", of=4, start=OCTOBER),
        event(5, "visit", of=4, deleted_night=4),
        *(event(n, "visit", of=5, facts={"referral_event_id": "90"}) for n in range(10, 40)),
        *(event(n, "referral", of=4) for n in range(90, 130)),
    ]
    council = world(records, events, nights=NIGHTS, quality=1e-9)
    council.setting = replace(council.setting, second_unit_joins_night=1)
    return council


@dataclass
class Run:
    """A warehouse after all nights, and what was found on the way."""

    profile: Profile
    desk: Desk
    findings: list[str]

    def rows(self, query: str) -> list[dict[str, Any]]:
        return rows(self.profile, query)


@pytest.fixture(scope="module")
def nights(cluster: object, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("trust")
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:  # type: ignore[attr-defined]
        connection.execute(f"create database six_nights template {migrated_template}")
    source = SourceSettings("systmone", "systmone", {"inbox": str(home / "inbox" / "systmone")})
    profile = Profile(
        path=home / "council.yml",
        name="Test council",
        la_code="990",
        synthetic=True,
        home=home,
        warehouse_url=cluster.url("six_nights"),  # type: ignore[attr-defined]
        reporting_period=(date(2025, 4, 1), date(2026, 3, 31)),
        sources=(source,),
        secret_file=home / "secret.key",
    )
    make_secret(profile.secret_file)
    desk, findings = Desk(home), []
    desk.write(trust())
    for night in range(NIGHTS + 1):
        desk.release(night)
        if night == 0:
            _quote_the_nobody(desk)
        context = RunContext(profile, f"run-{night}", "test", source="systmone")
        for front in (stage, check, conform):
            result = front.run(context)
            assert result.state is RunState.DONE, result.findings
            findings += [f"{f.code} {f.message}" for f in result.findings]
    yield Run(profile, desk, findings)


def _quote_the_nobody(desk: Desk) -> None:
    """A visit whose referral is written as a quoted -1 in the first batch."""
    desk.spoil("SRVisit", lambda text: text.replace(b'"-1","35161000004"', b'"\'-1\'","35161000004"', 1))


def test_acceptance_03_overlap_and_a_bulk_sent_again_do_not_duplicate_rows(nights: Run) -> None:
    calendar = calendar_of(trust())
    assert (calendar.rebulk, calendar.overlap) == (2, 3)
    deliveries = nights.rows("select name, window_from, as_known_at from ledger.delivery order by as_known_at, name")
    overlapping = deliveries[4]
    assert overlapping["window_from"] < deliveries[3]["as_known_at"], "the window begins before the last one ended"
    sent = nights.rows(
        f"""select d.name, a.read, a.unchanged, a.updated, a.inserted from ledger.row_account a
              join ledger.file f using (file_id) join ledger.delivery d using (delivery_id)
             where a.dataset = 'systmone__code' and d.name = '{deliveries[3]["name"]}'"""
    )
    assert sent[0]["read"] == sent[0]["unchanged"] > 3, "the codes came whole, and none was new"
    assert nights.rows("select row_key from landing.systmone__code group by 1 having count(*) > 1") == []
    twice = f"select event_key from payload.contact {NOW} group by 1 having count(*) > 1"
    assert nights.rows(twice) == []
    assert unbalanced(nights.profile) == []


def test_acceptance_04_a_tombstone_ends_its_row_and_a_patients_ends_that_view_only(nights: Run) -> None:
    told = {row["event_key"] for row in nights.rows(f"select event_key from payload.contact {NOW}")}
    assert "visit:741200000005" not in told, "the deleted visit named no patient"
    people = {row["source_person_key"] for row in nights.rows(f"select * from identity.source_person {NOW}")}
    key = person_key("systmone", 5)
    assert key not in people
    assert second_unit_key(key) in people, "the other organisation still knows the patient"
    addresses = nights.rows(f"select source_person_key from identity.source_address {NOW}")
    assert {a["source_person_key"] for a in addresses} == people
    hers = f"select count(*) as n from payload.contact c join identity.source_record r using (source_record_id) {NOW}"
    assert nights.rows(f"{hers} and r.source_person_key = '{key}'") == [{"n": 0}]
    shared = nights.rows(f"{hers} and r.source_person_key = '{second_unit_key(key)}'")[0]["n"]
    assert 0 < shared < 30, "what both units see stays with the one that still sees the patient"
    unknown = nights.rows("select sum(rows)::int as n from ledger.exclusion where reason = 'tombstone_of_unknown_key'")
    assert unknown[0]["n"] >= 2 * NIGHTS, "one of a visit and one of an appointment each night"


def test_acceptance_09_an_id_that_names_nobody_becomes_null_with_a_reason(nights: Run) -> None:
    assert b"\"'-1'\"" in nights.desk.members(0)["SRVisit"]
    raw = nights.rows("select distinct referral_id from landing.systmone__visit where row_id = '741200000005'")
    assert {"referral_id": "'-1'"} in raw
    wrong = f"select referral_event_key from payload.contact {NOW} and referral_event_key ~ '(:-1|:0|''-1'')$'"
    assert nights.rows(wrong) == []
    forms = nights.rows("select distinct caseload_id from landing.systmone__referral_in")
    assert {"-1", "'-1'", ""} <= {row["caseload_id"] for row in forms}
    counted = nights.rows(
        """select sum(r.failed)::int as n from ledger.rule_result r join ledger.landed_table t using (landed_id)
            where r.rule = 'KEY-006' and t.dataset = 'systmone__referral_in'"""
    )
    assert counted[0]["n"] >= 35, "all but those left blank"


def test_acceptance_10_midnight_means_that_only_the_day_is_known(nights: Run) -> None:
    told = nights.rows(f"select event_key, is_date_only from payload.contact {NOW} and contact_type = 'appointment'")
    assert {t["event_key"]: t["is_date_only"] for t in told} == {
        "appointment:343760000002": True,
        "appointment:343760000003": False,
        "appointment:343760000004": False,
    }


def test_acceptance_11_both_sides_of_the_october_clock_change_stand_in_the_order_they_were_recorded(
    nights: Run,
) -> None:
    told = nights.rows(
        f"""select event_key, start_at, recorded_at from payload.contact {NOW}
              and event_key in ('appointment:343760000003', 'appointment:343760000004')
             order by start_at, recorded_at"""
    )
    assert [t["start_at"] for t in told] == [datetime(2025, 10, 26, 1, 30, tzinfo=UTC)] * 2
    typed = nights.rows(
        """select distinct on (row_id) 'appointment:' || row_id as event_key, booked_at
             from landing.systmone__appointment
            where row_id in ('343760000003', '343760000004') order by row_id, version_id"""
    )
    by_hand = sorted(typed, key=lambda row: datetime.strptime(str(row["booked_at"]), "%d %b %Y %H:%M:%S"))
    assert by_hand[0]["booked_at"] != by_hand[1]["booked_at"]
    assert [t["event_key"] for t in told] == [row["event_key"] for row in by_hand], "told apart by when each was typed"


def test_acceptance_14_events_of_merged_patients_hang_on_the_last_survivor(nights: Run) -> None:
    history = nights.rows(
        """select r.source_person_key as who, c.known_to is null as now from payload.contact c
             join identity.source_record r using (source_record_id)
            where c.event_key = 'visit:741200000001' order by c.known_from"""
    )
    assert [h["who"] for h in history] == [person_key("systmone", n) for n in (1, 2, 3)], "nothing of it is forgotten"
    assert [h["now"] for h in history] == [False, False, True]


def test_a_number_added_swapped_and_taken_away_is_kept_with_its_days(nights: Run) -> None:
    told = nights.rows(
        f"""select nhs_number_supplied from identity.source_person
             where source_person_key = '{person_key("systmone", 4)}' order by known_from"""
    )
    assert [row["nhs_number_supplied"] for row in told] == ["9990000018", "9990000026", None]


def test_the_second_units_bulk_is_a_stream_of_its_own(nights: Run) -> None:
    names = [row["name"] for row in nights.rows("select name from ledger.delivery order by as_known_at, name")]
    assert [name for name in names if "/" in str(name)] == [f"{names[1]}/SRExtract_{SECOND}"]
    assert not [f for f in nights.findings if f.startswith("GAP")]


def test_tables_without_a_specification_are_catalogued_and_no_row_of_them_is_kept(nights: Run) -> None:
    told = [f for f in nights.findings if f.startswith("CATALOGUED")]
    assert not [f for f in told if " 0 rows" in f], "a table without a row is no news"
    assert nights.rows("select * from landing.systmone__unspecified") == []
    assert "SRTask" in {str(row["name"]).removesuffix(".csv") for row in nights.rows("select name from ledger.file")}, (
        "the ledger has a line for it"
    )


def test_free_text_and_relatives_details_are_never_landed(nights: Run) -> None:
    import pyarrow.parquet as pq

    landed = sorted((nights.profile.home / "landing" / "systmone").rglob("*.parquet"))
    assert len(landed) > 300
    text = b"".join(_values(path, pq) for path in landed if "care_plan" in path.name or "unspecified" in path.name)
    assert b"Wound care plan" in text or b"care plan" in text
    assert b"Zzfreetext" not in text and b"Zzunspecified" not in text
    assert b"Zzfreetext" in nights.desk.members(0)["SRCarePlanDetail"], "the extract does hold it"
    fields = set(pq.read_schema(next(p for p in landed if p.name == "systmone__patient_relationship.parquet")).names)
    assert "relationship_type" in fields
    assert not {f for f in fields if f.startswith("relative_")} and "relationship_user_code" not in fields


def _values(path: Path, pq: object) -> bytes:
    table = pq.read_table(path)  # type: ignore[attr-defined]
    return "|".join(str(value) for column in table.columns for value in column.to_pylist()).encode()


def test_f12_and_f13_the_same_batches_again_under_the_same_or_another_name_change_nothing(nights: Run) -> None:
    before = canonical_dump(nights.profile, "systmone")
    shutil.copytree(nights.desk.folder(2), nights.desk.inbox / "20260328_0931")
    context = RunContext(nights.profile, "run-again", "test", source="systmone")
    landed, _, _ = (front.run(context) for front in (stage, check, conform))
    assert (landed.counts["deliveries"], landed.counts["repeats"]) == (0, NIGHTS + 3)
    assert "20260328_0931 is " in next(f.message for f in landed.findings if f.code == "REPEATED")
    assert canonical_dump(nights.profile, "systmone") == before


def test_acceptance_01_conforming_a_night_again_gives_the_same_warehouse(nights: Run) -> None:
    before = canonical_dump(nights.profile, "systmone")
    with psycopg.connect(nights.profile.warehouse_url.replace("postgresql:///", "postgresql://admin@/", 1)) as admin:
        admin.execute(
            """update ledger.delivery set state = 'checked' where as_known_at =
                 (select max(as_known_at) from ledger.delivery)"""
        )
    result = conform.run(RunContext(nights.profile, "run-5-again", "test", source="systmone"))
    assert result.state is RunState.DONE
    assert not {name for name, n in result.counts.items() if n and name.endswith(("_inserted", "_changed", "_ended"))}
    assert canonical_dump(nights.profile, "systmone") == before
