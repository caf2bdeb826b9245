"""Children never come in: rows of children, about their childhood, or pointing at them stay outside (CHI-1 to CHI-4).

Real dumps through the real stages; the canary children's names begin `Kanarienkind`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from connectors import conform
from domain.profile import Profile
from domain.run import RunContext, RunState
from expectations import stage as check
from tests.support import canaries
from tests.support.carefirst_world import Desk, collect, event, person, record, rows, world

CANARIES = ("Kanarienkind", "Zzchild", "9990000999")
LEFT_OUT = """select dataset, reason, rows, length(sealed_digests) as bytes from ledger.exclusion
               order by dataset, reason"""


def child(number: int, born: str, flag: str = "") -> tuple[object, object]:
    fields = {"forename": f"Zzchild{number}", "surname": "Kanarienkind", "birth_date": born, "nhs_number": "9990000999"}
    truth = person(number, birth_date=date.fromisoformat(born) if born else date(2012, 1, 1))
    return truth, record(number, fields=fields)


def council(nights: int = 1):  # type: ignore[no-untyped-def]
    """An adult, a child of nine with everything, an adult whose referral came before her eighteenth birthday."""
    young, young_record = child(101, "2016-05-04")
    grown = record(102, fields={"forename": "Ada", "surname": "Grown", "birth_date": "2006-02-10"})
    parent = person(100, relations={"child": [101, 102]})
    young.relations = {"parent": [100]}  # type: ignore[attr-defined]
    early = datetime(2023, 9, 1, 9)
    events = [
        event(1, "request", of=100),
        event(2, "request", of=101),
        event(3, "service", of=101),
        event(4, "assessment", of=102, start_at=early, end_at=early),
        event(5, "service", of=102),
    ]
    people = [parent, young, person(102, birth_date=date(2006, 2, 10))]
    return world(people, [record(100), young_record, grown], events, nights=nights)  # type: ignore[list-item]


def night(profile: Profile, name: str = "night-0") -> None:
    context = RunContext(profile, name, "test", source="carefirst")
    assert collect(profile).state is RunState.DONE
    assert check.run(context).state is RunState.DONE
    assert conform.run(context).state is RunState.DONE


def test_f54_chi_1_a_child_is_left_out_before_anything_is_written_and_only_counted(
    database: Profile, admin_url: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "supplier")
    desk.write(council())
    carefirst = replace(database.source("carefirst"), options={"inbox": str(desk.arrived)})
    database = replace(database, sources=(carefirst,))
    desk.release(0)
    night(database)

    told = rows(
        database,
        "select event_key, source_person_key from identity.source_record r join "
        "(select event_key, source_record_id from payload.request union all select event_key, "
        "source_record_id from payload.service union all select event_key, source_record_id "
        "from payload.assessment) e using (source_record_id) order by 1",
    )
    assert [row["source_person_key"] for row in told] == ["4000100", "4000102"], "CHI-1: adults' adult life only"
    left = {(r["dataset"].removeprefix("carefirst__"), r["reason"]): r["rows"] for r in rows(database, LEFT_OUT)}  # type: ignore[attr-defined]
    assert left["person", "child"] == 1
    assert left["activity", "child"] == 1 and left["activity", "before_18"] == 1
    assert left["service_agreement", "child"] == 1 and left["service_element", "child"] == 1
    assert left["observation", "child"] > 0 and left["observation", "before_18"] > 0
    assert left["relationship", "points_at_child"] == 1 and left["relationship", "child"] == 1
    assert all(r["bytes"] == 16 * r["rows"] for r in rows(database, LEFT_OUT)), "a keyed digest for each row (CHI-2)"

    unbalanced = """select * from ledger.landed_table t left join ledger.row_account a using (file_id, dataset)
                     where t.records is distinct from a.read"""
    assert rows(database, unbalanced) == [], "read = … + excluded_by_policy for every table, the empty ones too"
    assert canaries.in_database(admin_url, CANARIES) == [], "CHI-4: no value of a child in any table"
    assert canaries.in_files(database.landing, CANARIES) == [], "nor in any file but the original"
    assert canaries.in_files(database.landing, CANARIES, originals=True), "the original is kept as it came …"
    modes = {path.stat().st_mode & 0o777 for path in (database.landing / "raw").rglob("*") if path.is_file()}
    assert modes == {0o400}, "… write-once, for its owner only"


def test_chi_1_a_flow_that_names_children_and_its_basis_keeps_them(database: Profile, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(council())
    basis = {"inbox": str(desk.arrived), "children": "Transition to adulthood, Care Act 2014 s.58"}
    database = replace(database, sources=(replace(database.source("carefirst"), options=basis),))
    desk.release(0)
    night(database)
    assert rows(database, LEFT_OUT) == []
    kept = rows(database, "select surname from identity.source_person where known_to is null order by 1")
    assert [row["surname"] for row in kept] == ["GROWN", "KANARIENKIND", "MARLOW"]


def test_chi_1_the_childs_flag_decides_without_a_birth_date_and_who_comes_of_age_comes_in(
    database: Profile, admin_url: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "supplier")
    (unborn, unborn_record), (teen, teen_record) = child(201, ""), child(202, "2008-03-27")  # eighteen on night 1
    adults = [person(1), person(2)]
    blank = record(2, fields={"birth_date": "", "surname": "Undated"})
    desk.write(world([*adults, unborn, teen], [record(1), blank, unborn_record, teen_record], [], nights=1))  # type: ignore[list-item]
    carefirst = replace(database.source("carefirst"), options={"inbox": str(desk.arrived)})
    database = replace(database, sources=(carefirst,))
    desk.release(0)
    flagged = desk.file("PERSON").read_bytes()
    lines = [line.replace(b"|A|", b"|C|", 1) if b"ZZCHILD201" in line else line for line in flagged.splitlines(True)]
    desk.tamper("PERSON", b"".join(lines))
    night(database)
    known = "select surname from identity.source_person where known_to is null order by 1"
    assert [row["surname"] for row in rows(database, known)] == ["MARLOW", "UNDATED"]
    assert canaries.in_database(admin_url, CANARIES) == []

    desk.release(1)
    night(database, "night-1")
    grown = rows(database, "select surname, forename from identity.source_person where known_to is null order by 1")
    assert {"surname": "KANARIENKIND", "forename": "ZZCHILD202"} in grown, (
        "a full dump brings who came of age by itself"
    )
