"""Children in a source that sends changes only: what a delta does not repeat, the door knows from before."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from connectors import conform, memory
from connectors.spec import table_specs
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from tests.support import canaries
from tests.support import liquidlogic_world as mart
from tests.support.systmone_world import Desk, collect, event, record, rows, world

CANARIES = ("Kanarienkind", "Zzchild", "9990000999")
CANARY = {"forename": "Zzchild1", "surname": "Kanarienkind", "nhs_number": "9990000999"}
VISITS = "select count(*) as n from landing.systmone__visit where known_to is null and not is_removed"
PATIENTS = "select row_id from landing.systmone__patient where known_to is null and not is_removed order by row_id"


def night(profile: Profile, number: int) -> RunResult:
    context = RunContext(profile, f"night-{number}", "test", source="systmone")
    landed = collect(profile)
    assert landed.state is RunState.DONE
    assert check.run(context).state is RunState.DONE
    assert conform.run(context).state is RunState.DONE
    return landed


def left_out(profile: Profile) -> dict[str, int]:
    found = rows(profile, "select reason, sum(rows)::bigint as n from ledger.exclusion where dataset ="
                          " 'systmone__visit' and reason in ('child', 'before_18') group by 1")  # fmt: skip
    return {str(r["reason"]): int(str(r["n"])) for r in found}


def test_chi_1_a_delta_is_judged_by_the_people_of_earlier_deliveries_and_corrections_withdraw(
    database: Profile, admin_url: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path)
    youth = datetime(2005, 3, 1, 10)
    trust = [
        record(1, fields={"birth_date": "1990-06-01"}),
        record(2, fields={**CANARY, "birth_date": "2016-05-04"}),
        record(3, fields={**CANARY, "birth_date": "2008-03-27"}),  # eighteen in the window of night 1
        record(4, later={1: {**CANARY, "birth_date": "2015-01-01"}}),  # corrected: a child after all
    ]
    told = [
        event(1, "visit", of=1),
        event(2, "visit", of=2),
        event(3, "visit", of=1, night=1, start=youth),
        event(4, "visit", of=2, night=1),
        event(5, "visit", of=1, night=1),
        event(6, "visit", of=4),
    ]
    desk.write(world(trust, told, nights=2))
    desk.release(0)
    night(database, 0)
    assert [r["row_id"] for r in rows(database, PATIENTS)] == ["35161000001", "35161000004"]
    assert rows(database, VISITS) == [{"n": 2}]
    remembered = "select length(person_digest) as n from ledger.left_out_person"
    assert rows(database, remembered) == [{"n": 32}] * 2, "of a child the ledger keeps a keyed digest and a date"

    desk.release(1)
    findings = night(database, 1).findings
    assert left_out(database) == {"child": 2, "before_18": 1}
    assert [r["row_id"] for r in rows(database, PATIENTS)] == ["35161000001"], "who is a child after all is withdrawn"
    assert rows(database, "select surname from identity.source_person where known_to is null") == [
        {"surname": "O\u2019Brien"}
    ]
    assert rows(database, VISITS) == [{"n": 2}], "and with the patient everything of the patient"
    unbalanced = """select * from ledger.landed_table t left join ledger.row_account a using (file_id, dataset)
                     where t.records is distinct from a.read"""
    assert rows(database, unbalanced) == []
    assert canaries.in_database(admin_url, CANARIES) == []
    assert canaries.in_files(database.landing, CANARIES) == []

    desk.release(2)
    findings = (*findings, *night(database, 2).findings)
    (grown,) = [f for f in findings if f.code == "CAME_OF_AGE"]
    assert "1 people" in grown.message and "bulk" in grown.remedy


def test_chi_1_a_mart_read_by_its_changes_leaves_children_out_every_night(
    database: Profile, admin_url: str, tmp_path: Path
) -> None:
    parent = mart.person(1, relations={"child": [2]})
    young = mart.person(2, birth_date=date(2016, 5, 4), relations={"parent": [1]})
    told = [
        mart.event(1, "request", of=1),
        mart.event(2, "request", of=2),
        mart.event(3, "service", of=2, recorded_night=1),
        mart.event(4, "service", of=1, recorded_night=1),
    ]
    records = [mart.record(1), mart.record(2, fields={**CANARY, "birth_date": "2016-05-04"})]
    desk = mart.Desk(database, tmp_path / "supplier")
    desk.write(mart.world([parent, young], records, told, nights=1))
    for number in range(2):
        desk.rebuild(number)
        context = RunContext(database, f"night-{number}", "test", source="liquidlogic")
        assert desk.collect().state is RunState.DONE
        assert check.run(context).state is RunState.DONE
        assert conform.run(context).state is RunState.DONE
    events = "select event_key from payload.request where known_to is null union select event_key from payload.service"
    assert len(rows(database, events)) == 2, "the parent's request and service"
    related = (
        "select reason, count(*) as n from ledger.exclusion where dataset = 'liquidlogic__person_relation' group by 1"
    )
    assert "points_at_child" in {r["reason"] for r in rows(database, related)}
    assert canaries.in_database(admin_url, CANARIES) == []
    assert canaries.in_files(database.landing, CANARIES) == []


def test_chi_1_whoever_is_asked_for_alone_is_told_of_as_when_everybody_is_read(
    database: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    desk.write(world([record(n, fields={"birth_date": f"19{n}0-06-01"}) for n in (1, 2, 3)], []))
    desk.release(0)
    night(database, 0)
    people = [spec for spec in table_specs("systmone").values() if spec.subject.is_person_table]
    asked = [pa.array(["35161000003", "nobody"]), pa.array(["35161000001", "35161000003", ""])]

    def told() -> tuple[list[list[str]], bool]:
        known = memory.Memory(database, "systmone")
        days = [[str(day) for day in known.find(people, keys)] for keys in asked]
        return days, known._landed["systmone__patient"].is_everybody

    one_by_one = told()
    assert one_by_one == ([["1948-06-01", "NaT"], ["1928-06-01", "1948-06-01", "NaT"]], False)
    for limit, most in (("_FEW", 2), ("_QUESTIONS", 1), ("_FEW", 0)):
        monkeypatch.setattr(memory, limit, most)
        assert told() == (one_by_one[0], True), f"with {limit} at {most} everybody is read, to the same end"
