"""The finance database against a real server: what it says of people, which services its lines pay for, what is odd."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors.controcc.connector import make
from connectors.synthetic import controcc
from connectors.synthetic.world import World
from domain.profile import Profile, ProfileError, SourceSettings
from domain.run import RunState
from tests.support.controcc_world import FinanceDesk, client
from tests.support.liquidlogic_world import event, person, record, world

PEOPLE = (
    "select * from identity.source_person where source = 'controcc' and known_to is null order by source_person_key"
)
LINES = "select * from payload.finance_line where known_to is null order by event_key"


@pytest.fixture
def desk(database: Profile, tmp_path: Path) -> FinanceDesk:
    return FinanceDesk(database, tmp_path)


def council(nights: int = 2) -> World:
    """Two people with a service each, the second changed on night 1; somebody only finance knows."""
    events = [event(1, "service"), event(2, "service", of=2, end_at=None, status="open", facts={"end_outcome": ""},
              changed_night=1, changed_status="completed")]  # fmt: skip
    events[1].changed_end_at = events[1].start_at
    people = [person(n) for n in (1, 2, 3)]
    dead = {"death_date": "2026-03-20", "surname": "Oldname", "middle_names": ""}
    clients = [client(1, case=1), client(2, case=2, of=2, fields=dead), client(3, of=3, fields={"nhs_number": ""})]
    return world(people, [record(1), record(2), *clients], events, nights=nights)


def test_clients_and_lines_come_out_with_the_case_systems_keys(desk: FinanceDesk) -> None:
    desk.write(council())
    desk.rebuild(0)
    assert {result.state for result in desk.settle()} == {RunState.DONE}
    first, second, stranger = desk.rows(PEOPLE)
    assert (first["source_person_key"], first["forename"], first["middle_names"]) == ("500001", "Edith", "Anne")
    assert (first["nhs_number_supplied"], first["nhs_number_verified"]) == ("9990000018", False)
    assert (second["surname"], second["death_date"]) == ("Oldname", date(2026, 3, 20))
    assert (stranger["nhs_number_supplied"], stranger["nhs_number_verified"]) == (None, None)
    references = desk.rows("select * from identity.source_reference where source = 'controcc' order by reference_key")
    assert [(r["source_person_key"], r["reference_type"], r["reference_value"]) for r in references] == [
        ("500001", "liquidlogic_key", "100001"), ("500002", "liquidlogic_key", "100002"),
    ]  # fmt: skip
    line, still_open = desk.rows(LINES)
    assert (line["event_key"], line["external_event_key"]) == ("line:615000001", "service:610000001")
    assert (line["start_date"], line["end_date"], line["status"]) == (date(2026, 1, 12), date(2026, 1, 21), "completed")
    assert (str(line["unit_cost"]), line["cost_frequency"], str(line["planned_units"])) == ("21.50", "Hourly", "14.00")
    assert (line["service_type"], line["provider_name"]) == ("Long term support: Community", "Larkfield Home Care")
    assert (still_open["status"], still_open["end_date"]) == ("open", None)


def test_a_cost_changed_backwards_is_a_new_version_and_the_old_price_stays_in_history(desk: FinanceDesk) -> None:
    desk.write(council())
    desk.rebuild(0)
    desk.settle()
    desk.rebuild(1)
    desk.tamper('update dbo."T_CarePackageLineItem" set "UnitCost" = 22.36 where "CarePackageLineItemID" = 615000001')
    desk.settle()
    costs = desk.rows("""select unit_cost::text as cost, known_to is null as is_now, start_date
                           from payload.finance_line where event_key = 'line:615000001' order by known_from""")
    assert [(row["cost"], row["is_now"]) for row in costs] == [("21.50", False), ("22.36", True)]
    assert len({row["start_date"] for row in costs}) == 1, "its dates did not change"
    assert desk.rows(LINES)[1]["status"] == "completed"


def test_a_line_without_a_service_and_one_with_letters_in_front_are_told_apart(desk: FinanceDesk) -> None:
    desk.write(council())
    desk.rebuild(0)
    desk.tamper("""update dbo."T_CarePackageLineItem" set "ExternalReference" =
                   case when "CarePackageLineItemID" = 615000001 then 'LAS610000001' else '-1' end""")
    desk.settle()
    assert [row["external_event_key"] for row in desk.rows(LINES)] == ["service:610000001", None]


def test_acceptance_06_ids_of_64_bits_survive_to_the_payload_and_are_nowhere_floats(desk: FinanceDesk) -> None:
    desk.write(council())
    desk.rebuild(0)
    client_id, line_id = 9_007_199_254_740_993, 9_223_372_036_854_775_807  # a float would make the first …992
    desk.tamper(f'update dbo."T_Client" set "ClientID" = {client_id} where "ClientID" = 500001')
    desk.tamper(f'update dbo."T_CarePackageLineItem" set "ClientID" = {client_id}, "CarePackageLineItemID" = {line_id} '
                'where "ClientID" = 500001')  # fmt: skip
    assert {result.state for result in desk.settle()} == {RunState.DONE}
    assert str(client_id) in {row["source_person_key"] for row in desk.rows(PEOPLE)}
    [line] = [row for row in desk.rows(LINES) if row["event_key"] == f"line:{line_id}"]
    assert line["external_event_key"] == "service:610000001"
    floats = desk.rows("""select table_schema || '.' || table_name || '.' || column_name as found
        from information_schema.columns where table_schema in ('landing', 'identity', 'payload')
         and data_type in ('real', 'double precision') and column_name ~ '(_id|_key|number|uprn)$'""")
    assert floats == [], "no id, NHS number or UPRN is kept as a float"
    import pyarrow.parquet as pq

    for kept in desk.rows("select raw_path from ledger.file"):
        assert not [f.name for f in pq.read_schema(kept["raw_path"]) if str(f.type).startswith(("float", "double"))]


def test_acceptance_12_a_finance_database_that_lost_its_lines_is_refused(desk: FinanceDesk) -> None:
    events = [event(n, "service") for n in range(1, 41)]
    desk.write(world([person(1)], [record(1), client(1, case=1)], events, nights=1))
    desk.rebuild(0)
    desk.settle()
    desk.rebuild(1)
    desk.tamper('delete from dbo."T_CarePackageLineItem" where "CarePackageLineItemID" > 615000025')
    held = desk.collect()
    assert (held.state, held.findings[0].code) == (RunState.HELD, "SHRANK")
    assert held.findings[0].message == "T_CarePackageLineItem: 25 rows after 40"
    assert len(desk.rows(LINES)) == 40, "what was believed is still believed"


def test_what_is_gone_from_finance_is_ended_and_not_erased(desk: FinanceDesk) -> None:
    desk.write(council())
    desk.rebuild(0)
    desk.settle()
    desk.rebuild(1)
    desk.tamper('delete from dbo."T_CarePackageLineItem" where "CarePackageLineItemID" = 615000002')
    desk.settle()
    assert [row["event_key"] for row in desk.rows(LINES)] == ["line:615000001"]
    assert len(desk.rows("select 1 as one from payload.finance_line where event_key = 'line:615000002'")) == 1


def test_notes_of_finance_never_leave_the_database(desk: FinanceDesk) -> None:
    import pyarrow.parquet as pq

    desk.write(council())
    desk.rebuild(0)
    desk.collect()
    [kept] = desk.rows("select raw_path from ledger.file where name = 'T_Client.parquet'")
    assert "Notes" not in pq.read_schema(kept["raw_path"]).names


def test_settings_that_cannot_be_used_are_named(database: Profile) -> None:
    for options, said in (({}, "url"), ({"url": "x", "live_from": "soon"}, "live_from"),
                          ({"url": "x", "statement_seconds": "0"}, "statement_seconds")):  # fmt: skip
        with pytest.raises(ProfileError, match=said):
            make(database, SourceSettings("controcc", "controcc", options))


def test_every_defect_of_finance_is_injected_and_logged(tmp_path: Path) -> None:
    events = [event(n, "service", of=n, recorded_night=n % 3) for n in range(1, 601)]
    people = [person(n) for n in range(1, 601)]
    records = [record(n) for n in range(1, 601)] + [client(n, case=n, of=n) for n in range(1, 601)]
    finance = world(people, records, events, nights=8, quality=1.0)
    controcc.write(finance, tmp_path)
    logged = {(d.defect_id, d.field) for d in finance.defects if d.system == "controcc"}
    assert logged == {("FIN", "missing line"), ("FIN", "ExternalReference"), ("FIN", "UnitCost")}
