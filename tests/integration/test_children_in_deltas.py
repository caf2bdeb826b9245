"""Children in a source that sends changes only: what a delta does not repeat, the door knows from before."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from connectors import conform
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from tests.support import canaries
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
