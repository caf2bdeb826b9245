"""Liquidlogic rows in our own words, against what was really so."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.synthetic.world import World
from domain.profile import Profile
from tests.support.liquidlogic_world import PERSONAL_CARE, Desk, address, event, person, record
from tests.support.liquidlogic_world import world as any_world


@pytest.fixture
def desk(database: Profile, tmp_path: Path) -> Desk:
    return Desk(database, tmp_path)


def world(*parts: Any, **named: Any) -> World:
    return any_world(*parts, **named, nights=0)


def settle(desk: Desk, council: World) -> None:
    desk.write(council)
    desk.rebuild(0)
    desk.settle()


def test_events_of_every_kind_come_out_in_national_wording(desk: Desk) -> None:
    events = [event(1, "request"), event(2, "assessment"), event(3, "review"), event(4, "service"),
              event(5, "service", end_at=None, status="open", facts={"end_outcome": ""}),
              event(6, "assessment", status="cancelled", client_type="Unpaid carer"),
              event(7, "request", end_at=None, status="open", facts={"outcome": ""})]  # fmt: skip
    settle(desk, world(events=events))

    request, waiting = desk.rows("select * from payload.request order by event_key")
    assert request["event_key"] == "request:10000001"
    assert (request["start_date"], request["end_date"]) == (date(2026, 1, 12), date(2026, 1, 21))
    assert request["route_of_access"] == "Community / Other route"
    assert (request["primary_support_reason"], request["primary_support_reason_raw"]) == (PERSONAL_CARE, "PHYPC")
    assert "Progress to assessment, review or reassessment" in request["outcomes"]
    assert (request["description"], request["status"]) == ("Asked for help at home", "completed")
    assert request["client_type"] == "Service user"
    assert (waiting["status"], waiting["end_date"], waiting["outcomes"]) == ("open", None, [])

    assessment, cancelled = desk.rows("select * from payload.assessment order by event_key")
    assert (assessment["assessment_type"], assessment["eligible_needs"]) == ("Long term assessment", "Yes")
    assert assessment["method"] == "Service user only"
    assert "Progress to support planning or services" in assessment["outcomes"]
    assert (cancelled["status"], cancelled["client_type"]) == ("cancelled", "Unpaid carer")

    [review] = desk.rows("select * from payload.review")
    assert (review["due_date"], review["review_reason"]) == (date(2026, 2, 1), "Planned")
    assert (review["outcomes_achieved"], review["method"]) == ("Fully met", "Service user and unpaid carer")
    assert review["primary_support_reason"] == "Learning disability support", "of its own referral, not the latest"
    assert review["outcomes"] == ["Continuation of support or services"]

    service, still_open = desk.rows("select * from payload.service order by event_key")
    assert service["event_key"] == "service:610000004"
    assert service["service_type"] == "Long term support: Community"
    assert service["service_component"] == "Home support or domiciliary care"
    assert service["delivery_mechanism"] == "CASSR managed personal budget"
    assert (service["provider_name"], service["cqc_location_id"]) == ("Larkfield Home Care", "1-100000001")
    assert (str(service["unit_cost"]), service["cost_frequency"]) == ("21.50", "Hourly")
    assert str(service["planned_units"]) == "14.00"
    assert service["outcomes"] == ["NFA: Support ended as planned"]
    assert (still_open["status"], still_open["end_date"], still_open["outcomes"]) == ("open", None, [])


def test_several_flags_are_several_outcomes_in_whatever_way_yes_is_said(desk: Desk) -> None:
    desk.write(world(events=[event(1, "request")]))
    desk.rebuild(0)
    desk.tamper("""update "Adult_Social"."FACT_CONTACTS" set "OUTCOME_ASSESSMENT_FLAG" = 'TRUE',
        "OUTCOME_ADVICE_FLAG" = 'yes', "OUTCOME_NFA_FLAG" = '1', "OUTCOME_DECLINED_FLAG" = 'N',
        "OUTCOME_DECEASED_FLAG" = '0'""")
    desk.settle()
    [request] = desk.rows("select outcomes, outcomes_raw from payload.request")
    assert sorted(request["outcomes"]) == [
        "NFA: Information and advice or signposting", "NFA: Other", "Progress to assessment, review or reassessment",
    ]  # fmt: skip
    assert request["outcomes_raw"] == "OUTCOME_ADVICE_FLAG;OUTCOME_ASSESSMENT_FLAG;OUTCOME_NFA_FLAG"


def test_codes_are_known_in_any_case_and_when_retired_and_kept_beside_when_unknown(desk: Desk) -> None:
    desk.write(world(events=[event(n, "review") for n in (1, 2, 3)]))
    desk.rebuild(0)
    for number, code in ((1, "Plan "), (2, "ANNUAL"), (3, "ZZ9")):
        desk.tamper(f"""update "Adult_Social"."FACT_ADULT_REVIEW" set "DIM_LOOKUP_REVIEW_REASON_CODE" = '{code}'
            where "FACT_ADULT_REVIEW_ID" = 41000000{number}""")
    desk.tamper("""update "Adult_Social"."FACT_REFERRALS" set "DIM_LOOKUP_PSR_CODE" = 'NEW1'""")
    desk.settle()
    found = desk.rows(
        "select review_reason, review_reason_raw, primary_support_reason from payload.review order by event_key"
    )
    assert [(row["review_reason"], row["review_reason_raw"]) for row in found] == [
        ("Planned", "Plan"), ("Planned", "ANNUAL"), (None, "ZZ9"),
    ]  # fmt: skip
    assert {row["primary_support_reason"] for row in found} == {"Unknown"}


def test_an_event_without_a_referral_takes_the_persons_latest_reason(desk: Desk) -> None:
    earlier = event(1, "request", start_at=datetime(2025, 1, 6, 9))
    desk.write(world(events=[earlier, event(2, "review"), event(3, "service", facts={"planned_units": "2 hrs"})]))
    desk.rebuild(0)
    desk.tamper("""update "Adult_Social"."FACT_SERVICE_PROVISION" set "FACT_REFERRAL_ID" = -1, "UNIT_COST" = null""")
    desk.settle()
    [service] = desk.rows("select * from payload.service")
    assert service["primary_support_reason"] == "Learning disability support", "of the review, which began last"
    assert (service["planned_units"], service["unit_cost"]) == (None, None), "what is no number is left empty"


def test_dates_of_1900_are_no_dates_and_an_impossible_end_is_kept_to_be_seen(desk: Desk) -> None:
    desk.write(world(events=[event(1, "service"), event(2, "service")]))
    desk.rebuild(0)
    desk.tamper("""update "Adult_Social"."FACT_SERVICE_PROVISION" set "END_DTTM" = case "FACT_SERVICE_PROVISION_ID"
        when 610000001 then timestamp '1900-01-01' else timestamp '2025-12-24' end""")
    desk.tamper("""update "Adult_Social"."DIM_PERSON" set "BIRTH_DTTM" = '1900-01-01', "DEATH_DTTM" = '1900-01-01'""")
    desk.settle()
    ends = [row["end_date"] for row in desk.rows("select end_date from payload.service order by event_key")]
    assert ends == [None, date(2025, 12, 24)]
    assert desk.rows("select birth_date, death_date from identity.source_person") == [
        {"birth_date": None, "death_date": None}
    ]


def test_a_person_comes_out_as_the_mart_says(desk: Desk) -> None:
    verified = record(1, fields={"nhs_number": "999 000 0018", "known_as": "Edie", "telephone": "01632 960001"})
    unverified = record(2, fields={"nhs_number": "9990000026", "nhs_number_verified": "N", "previous_surname": "Holt"})
    carer = record(3, role="carer", is_restricted=True, fields={"nhs_number": "", "sex": "U", "ethnicity_code": "Z"})
    settle(desk, world([person(n) for n in (1, 2, 3)], [verified, unverified, carer]))
    first, second, third = desk.rows("select * from identity.source_person order by source_person_key")
    assert first["source_person_key"] == "100001"
    assert (first["forename"], first["middle_names"], first["surname"]) == ("Edith", "Anne", "Marlow")
    assert (first["known_as"], first["telephone"], first["email"]) == ("Edie", "01632 960001", None)
    assert (first["nhs_number_supplied"], first["nhs_number_verified"]) == ("999 000 0018", True), "exactly as sent"
    assert (first["birth_date"], first["birth_date_estimated"]) == (date(1941, 7, 9), False)
    assert (first["sex"], first["ethnicity_code"], first["gp_practice_code"]) == ("2", "A", "Y99001")
    assert (first["postcode"], first["address_text"]) == ("AR1 2AB", "12 Mill Lane, Ardenvale")
    assert (first["is_client"], first["is_carer"], first["is_restricted"]) == (True, False, False)
    assert (second["nhs_number_verified"], second["previous_surname"]) == (False, "Holt")
    assert (third["nhs_number_supplied"], third["nhs_number_verified"]) == (None, None)
    assert (third["sex"], third["ethnicity_code"]) == (None, "Z")
    assert (third["is_client"], third["is_carer"], third["is_restricted"]) == (False, True, True)
    [former] = desk.rows("select reference_type, reference_value from identity.source_reference")
    assert former == {"reference_type": "former_surname", "reference_value": "Holt"}


def test_a_record_that_lost_a_merge_stays_marked_with_the_one_that_won(desk: Desk) -> None:
    lost = record(2, of=1, duplicate_of="100001", marked_duplicate_night=0)
    settle(desk, world(records=[record(1), lost]))
    won, marked = desk.rows("select * from identity.source_person order by source_person_key")
    assert (won["is_marked_duplicate"], won["duplicate_of_key"]) == (False, None)
    assert (marked["is_marked_duplicate"], marked["duplicate_of_key"]) == (True, "100001")


def test_the_address_for_linking_is_the_open_one_begun_last(desk: Desk) -> None:
    home = address(until=date(2025, 11, 2))
    placement = address("Willow Road", "AR7 9ZZ", "care_home", since=date(2025, 11, 2))
    never_ended = address()
    records = [record(1, addresses=[home, placement]), record(2, addresses=[placement, never_ended])]
    settle(desk, world([person(1), person(2)], records))
    found = desk.rows("select postcode from identity.source_person order by source_person_key")
    assert [row["postcode"] for row in found] == ["AR7 9ZZ", "AR7 9ZZ"]
    kinds = desk.rows("select address_type, valid_from, valid_to from identity.source_address order by address_key")
    assert kinds[0] == {"address_type": "previous", "valid_from": date(2001, 5, 1), "valid_to": date(2025, 11, 2)}
    assert (kinds[1]["address_type"], kinds[1]["valid_to"]) == ("placement", None)


def test_other_systems_ids_characteristics_and_carers_come_with_their_kinds(desk: Desk) -> None:
    carer = person(1, relations={"cares_for": [2]}, hours_caring="20 to 34 hours", dementia="Yes")
    records = [record(1, role="carer", references={"systmone": "NLF11:35161000001", "carefirst": "4000001"}), record(2)]
    settle(desk, world([carer, person(2)], records, [event(1, "request", of=1)]))
    references = desk.rows(
        "select reference_type, reference_value from identity.source_reference order by reference_type"
    )
    assert references == [
        {"reference_type": "carefirst_key", "reference_value": "4000001"},
        {"reference_type": "systmone_key", "reference_value": "NLF11:35161000001"},
    ]
    facts = desk.rows("""select c.kind, c.value from payload.characteristic c
        join identity.source_record r using (source_record_id)
        where r.source_person_key = '100001' and c.value <> 'Unknown'""")
    assert {row["kind"]: row["value"] for row in facts} == {
        "accommodation_status": "Owner occupier or shared ownership scheme", "dementia": "Yes",
        "hours_caring": "20 to 34 hours", "primary_support_reason": PERSONAL_CARE,
    }  # fmt: skip
    [caring] = desk.rows("""select carer.source_person_key as carer, adult.source_person_key as adult
        from payload.caring c join identity.source_record carer using (source_record_id)
        join identity.source_record adult on adult.source_record_id = c.cared_for_record_id""")
    assert caring == {"carer": "100001", "adult": "100002"}


def test_times_are_london_time_in_summer_and_in_winter(desk: Desk) -> None:
    desk.write(world(events=[event(1, "request"), event(2, "request")]))
    desk.rebuild(0)
    desk.tamper("""update "Adult_Social"."FACT_CONTACTS" set "CREATED_DTTM" = case "FACT_CONTACT_ID"
        when 10000001 then timestamp '2026-01-12 23:30:00' else timestamp '2025-07-12 23:30:00' end""")
    desk.settle()
    recorded = [row["recorded_at"] for row in desk.rows("select recorded_at from payload.request order by event_key")]
    assert recorded == [datetime(2026, 1, 12, 23, 30, tzinfo=UTC), datetime(2025, 7, 12, 22, 30, tzinfo=UTC)]
