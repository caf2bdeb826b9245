"""CareFirst rows in our own words, against what was really so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from domain.profile import Profile
from domain.run import RunState
from tests.support.carefirst_world import Desk, address, event, person, record, rows, settle, world


@pytest.fixture
def desk(database: Profile, tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_events_of_every_kind_come_out_in_national_wording(database: Profile, desk: Desk) -> None:
    events = [
        event(1, "request"),
        event(2, "assessment"),
        event(3, "review"),
        event(4, "service"),
        event(5, "service", end_at=None, status="open", facts={"end_outcome": ""}),
        event(6, "assessment", status="cancelled"),
        event(7, "request", end_at=None, status="open"),
        event(8, "request", facts={"outcome": "Progress to support planning or services;NFA: Deceased"}),
    ]
    desk.write(world(events=events, nights=0))
    desk.release(0)
    assert settle(database).state is RunState.DONE

    request, open_request, two_outcomes = rows(database, "select * from payload.request order by event_key")
    assert request["event_key"] == "request:1100000001"
    assert request["start_date"] == date(2026, 1, 12) and request["end_date"] == date(2026, 1, 21)
    assert request["route_of_access"] == "Community / Other route"
    assert request["primary_support_reason"] == "Physical support: Personal care support"
    assert request["outcomes"] == ["Progress to assessment, review or reassessment"]
    assert request["description"] == "Asked for help at home"
    assert (request["status"], request["client_type"]) == ("completed", "Service user")
    assert (open_request["status"], open_request["end_date"], open_request["outcomes"]) == ("open", None, [])
    assert two_outcomes["outcomes"] == ["Progress to support planning or services", "NFA: Deceased"]

    assessment, cancelled = rows(database, "select * from payload.assessment order by event_key")
    assert assessment["assessment_type"] == "Long term assessment"
    assert assessment["eligible_needs"] == "Yes"
    assert assessment["method"] == "Service user only"
    assert assessment["outcomes"] == ["Progress to support planning or services"]
    assert cancelled["status"] == "cancelled"

    review = rows(database, "select * from payload.review")[0]
    assert review["due_date"] == date(2026, 2, 1)
    assert review["review_reason"] == "Planned"
    assert review["outcomes_achieved"] == "Fully met"
    assert review["method"] == "Service user and unpaid carer"
    assert review["primary_support_reason"] == "Learning disability support"

    service, still_open = rows(database, "select * from payload.service order by event_key")
    assert service["event_key"] == "service:1700000004"
    assert service["service_type"] == "Long term support: Community"
    assert service["service_component"] == "Home support or domiciliary care"
    assert service["delivery_mechanism"] == "CASSR managed personal budget"
    assert service["primary_support_reason"] == "Physical support: Personal care support"
    assert (service["provider_name"], service["cqc_location_id"]) == ("Larkfield Home Care", "1-100000001")
    assert (str(service["unit_cost"]), service["cost_frequency"]) == ("21.50", "Hourly")
    assert str(service["planned_units"]) == "14.00"
    assert service["outcomes"] == ["NFA: Support ended as planned"]
    assert (still_open["status"], still_open["end_date"], still_open["outcomes"]) == ("open", None, [])


def test_a_person_has_names_apart_the_traced_number_verified_and_the_postcode_of_line_five(
    database: Profile, desk: Desk
) -> None:
    untraced = record(2, fields={"nhs_number": "9990000026", "nhs_number_verified": "N", "previous_surname": "Holt"})
    numberless = record(3, "carer", fields={"nhs_number": "", "sex": "U", "ethnicity_code": ""})
    desk.write(world([person(1), person(2), person(3)], [record(1), untraced, numberless], nights=0))
    desk.release(0)
    typed = desk.file("ADDRESS").read_bytes()
    desk.tamper("ADDRESS", typed.replace(b"|Eastgate|Ardenvale|||AR1 2AB|", b"|Eastgate|Ardenvale||ar1 2ab||"))
    settle(database)

    first, second, third = rows(database, "select * from identity.source_person order by source_person_key")
    assert (first["forename"], first["middle_names"], first["surname"]) == ("EDITH", "ANNE", "MARLOW")
    assert (first["nhs_number_supplied"], first["nhs_number_verified"]) == ("999 000 0018", True)
    assert (first["birth_date"], first["sex"], first["ethnicity_code"]) == (date(1941, 7, 9), "2", "A")
    assert (first["postcode"], first["address_text"]) == ("ar1 2ab", "12 Mill Lane, Eastgate, Ardenvale")
    assert (first["gp_practice_code"], first["is_client"], first["is_restricted"]) == ("Y99001", True, False)
    assert (second["nhs_number_verified"], second["previous_surname"]) == (False, "HOLT")
    assert (third["nhs_number_supplied"], third["nhs_number_verified"]) == (None, None)
    assert (third["sex"], third["ethnicity_code"], third["is_client"]) == (None, None, False)


def test_a_duplicate_typed_into_the_name_becomes_a_flag_and_leaves_the_name(database: Profile, desk: Desk) -> None:
    typed = {
        "EDITH ANNE|MARLOW DUPLICATE": ("EDITH", "MARLOW", True),
        "EDITH ANNE|DO NOT USE MARLOW": ("EDITH", "MARLOW", True),
        "DUPLICATE|MARLOW": (None, "MARLOW", True),
        "Edith|Duplicate": ("Edith", None, True),
        "EDITH ANNE|DUPLICATEY": ("EDITH", "DUPLICATEY", False),
    }
    numbers = range(1, len(typed) + 1)
    desk.write(world([person(n) for n in numbers], [record(n) for n in numbers], nights=0))
    desk.release(0)
    content = desk.file("PERSON").read_text("cp1252")
    for names in typed:
        content = content.replace("EDITH ANNE|MARLOW|", f"{names}|", 1)
    desk.tamper("PERSON", content.encode("cp1252"))
    settle(database)
    found = rows(database, "select * from identity.source_person order by source_person_key")
    assert [(p["forename"], p["surname"], p["is_marked_duplicate"]) for p in found] == list(typed.values())


def test_the_address_for_linking_is_the_open_one_begun_last_and_training_people_have_none(
    database: Profile, desk: Desk
) -> None:
    home = address(until=date(2025, 11, 2))
    placement = address("Willow Road", "AR7 9ZZ", "care_home", since=date(2025, 11, 2))
    training = replace(record(2), key="9999001", is_test=True)
    desk.write(world(records=[record(1, addresses=[home, placement]), training], nights=0))
    desk.release(0)
    settle(database)
    assert rows(database, "select postcode from identity.source_person") == [{"postcode": "AR7 9ZZ"}]
    held = rows(database, "select address_type, valid_from, valid_to from identity.source_address order by valid_from")
    assert held == [
        {"address_type": "home", "valid_from": date(2001, 5, 1), "valid_to": date(2025, 11, 2)},
        {"address_type": "placement", "valid_from": date(2025, 11, 2), "valid_to": None},
    ]


def test_a_caring_relationship_recorded_from_both_sides_is_one(database: Profile, desk: Desk) -> None:
    cared_for, carer = person(1, relations={"cared_for_by": [2]}), person(2, relations={"cares_for": [1]})
    desk.write(world([cared_for, carer], [record(1), record(2, "carer")], nights=0))
    desk.release(0)
    settle(database)
    caring = rows(database, "select event_key from payload.caring")
    assert caring == [{"event_key": "caring:4000002:4000001"}]
    flags = rows(database, "select source_person_key, is_carer from identity.source_person order by 1")
    assert [flag["is_carer"] for flag in flags] == [False, True]


def test_codes_are_understood_whatever_their_age_and_soft_deletions_were_never_true(
    database: Profile, desk: Desk
) -> None:
    desk.write(world(events=[event(1, "request"), event(2, "request"), event(3, "request")], nights=0))
    desk.release(0)
    lines = desk.file("ACTIVITY").read_text().splitlines()
    for place, code in ((1, "reas"), (2, "REAS    "), (3, "X99")):
        lines[place] = lines[place].replace("ASSE    ", code)
    desk.tamper("ACTIVITY", ("\n".join(lines) + "\n").encode())
    facts = desk.file("CLASSIFICATION").read_text().splitlines()
    deleted = "499999999|4000001|ACCOM     |ROUG  |01-JAN-2020|||DELETED"
    desk.tamper("CLASSIFICATION", ("\n".join([*facts, deleted]) + "\n").encode(), rows=len(facts))
    settle(database)
    found = rows(database, "select outcomes, outcomes_raw, status from payload.request order by event_key")
    expected = ["Progress to assessment, review or reassessment"]
    assert [row["outcomes"] for row in found] == [expected, expected, []], "in small letters, retired, unknown"
    assert found[2]["outcomes_raw"] == "X99" and found[2]["status"] == "completed"
    homes = rows(database, "select value from payload.characteristic where kind = 'accommodation_status'")
    assert homes == [{"value": "Owner occupier or shared ownership scheme"}]


def test_what_changes_or_goes_overnight_changes_or_goes_here(database: Profile, desk: Desk) -> None:
    changed = event(
        1,
        "service",
        end_at=None,
        status="open",
        changed_night=1,
        changed_status="completed",
        changed_end_at=datetime(2026, 3, 20),
        changed_facts={"end_outcome": "NFA: Deceased"},
    )
    deleted = event(2, "request", deleted_night=2)
    late = event(3, "review", recorded_night=2)
    desk.write(world(events=[changed, deleted, late]))
    seen = []
    for night in range(3):
        desk.release(night)
        settle(database)
        now = "where known_to is null"
        seen.append(
            [
                rows(database, f"select status from payload.service {now}"),
                len(rows(database, f"select 1 as one from payload.request {now}")),
                len(rows(database, f"select 1 as one from payload.review {now}")),
            ]
        )
    assert seen == [[[{"status": "open"}], 1, 0], [[{"status": "completed"}], 1, 0], [[{"status": "completed"}], 0, 1]]
