"""MiCare rows in our own words, against what was really so."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from connectors.micare.person_number import completed
from connectors.synthetic.keys import micare_check_letter
from domain.profile import Profile
from tests.support.carefirst_world import address, person
from tests.support.micare_world import Desk, as_profile, event, key, record, rows, settle, world


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def profile(database: Profile) -> Profile:
    return as_profile(database)


def broken_rules(profile: Profile) -> dict[str, int]:
    """Rule -> clients that break it."""
    found = rows(
        profile,
        """select rule, failed from ledger.rule_result join ledger.landed_table using (landed_id)
            where dataset = 'micare__client' and failed > 0""",
    )
    return {row["rule"]: row["failed"] for row in found}


def test_events_of_every_kind_come_out_in_national_wording(profile: Profile, desk: Desk) -> None:
    events = [
        event(1, "request"), event(2, "assessment"), event(3, "review"), event(4, "service"),
        event(5, "service", end_at=None, status="open", facts={"end_outcome": ""}),
        event(6, "assessment", status="cancelled"),
        event(7, "request", end_at=None, status="open"),
        event(8, "request", facts={"outcome": "Progress to support planning or services;NFA: Deceased"}),
        event(9, "involvement"), event(10, "safeguarding"), event(11, "dols"),
        event(12, "safeguarding", end_at=None, status="open", facts={"enquiry_type": "", "enquiry_start_date": "",
              "risk_outcome": "", "msp_asked": ""}),
    ]  # fmt: skip
    desk.write(world(events=events, nights=0))
    desk.release(0)
    settle(profile)

    request, waiting, two_outcomes = rows(profile, "select * from payload.request order by event_key")
    assert request["event_key"] == "request:110000001"
    assert (request["start_date"], request["end_date"]) == (date(2026, 1, 12), date(2026, 1, 21))
    assert request["route_of_access"] == "Community / Other route"
    assert request["primary_support_reason"] == "Physical support: Personal care support"
    assert request["outcomes"] == ["Progress to assessment, review or reassessment"]
    assert (request["description"], request["status"]) == ("Asked for help at home", "completed")
    assert request["client_type"] == "Service user" and request["recorded_at"] is not None
    assert (waiting["status"], waiting["end_date"], waiting["outcomes"]) == ("open", None, [])
    assert two_outcomes["outcomes"] == ["Progress to support planning or services", "NFA: Deceased"]

    assessment, cancelled = rows(profile, "select * from payload.assessment order by event_key")
    assert (assessment["assessment_type"], assessment["eligible_needs"]) == ("Long term assessment", "Yes")
    assert assessment["method"] == "Service user only"
    assert assessment["outcomes"] == ["Progress to support planning or services"]
    assert (cancelled["status"], cancelled["outcomes"]) == ("cancelled", [])

    [review] = rows(profile, "select * from payload.review")
    assert (review["due_date"], review["review_reason"]) == (date(2026, 2, 1), "Planned")
    assert (review["outcomes_achieved"], review["method"]) == ("Fully met", "Service user and unpaid carer")
    assert review["primary_support_reason"] == "Learning disability support"

    service, still_open = rows(profile, "select * from payload.service order by event_key")
    assert service["event_key"] == "service:440000004"
    assert service["service_type"] == "Long term support: Community"
    assert service["service_component"] == "Home support or domiciliary care"
    assert service["delivery_mechanism"] == "CASSR managed personal budget"
    assert (service["provider_name"], service["cqc_location_id"]) == ("LARKFIELD HOME CARE", "1-100000001")
    assert (str(service["unit_cost"]), service["cost_frequency"]) == ("21.50", "Hourly")
    assert (str(service["planned_units"]), service["outcomes"]) == ("14.00", ["NFA: Support ended as planned"])
    assert (still_open["status"], still_open["end_date"], still_open["outcomes"]) == ("open", None, [])

    [allocation] = rows(profile, "select * from payload.involvement")
    assert (allocation["team_code"], allocation["worker_key"]) == ("OPNORT", "W0007")
    assert (allocation["role"], allocation["end_date"]) == ("allocated worker", date(2026, 1, 21))

    concern, only_concern = rows(profile, "select * from payload.safeguarding order by event_key")
    assert (concern["concern_date"], concern["enquiry_start_date"]) == (date(2026, 1, 10), date(2026, 1, 12))
    assert (concern["enquiry_type"], concern["risk_outcome"]) == ("section 42", "reduced")
    assert (concern["msp_asked"], concern["case_status"]) == ("asked, outcomes told", "completed")
    assert concern["concluded_date"] == date(2026, 1, 21)
    told = ("enquiry_start_date", "enquiry_type", "risk_outcome", "msp_asked", "concluded_date")
    assert only_concern["case_status"] == "open" and not any(only_concern[name] for name in told)

    [authorisation] = rows(profile, "select * from payload.dols")
    assert (authorisation["received_date"], authorisation["decided_date"]) == (date(2025, 12, 1), date(2026, 1, 12))
    assert (authorisation["start_date"], authorisation["end_date"]) == (date(2026, 1, 12), date(2026, 7, 12))
    assert (authorisation["decision"], authorisation["place_kind"]) == ("granted", "care home")


def test_a_person_has_the_traced_number_the_register_entries_and_the_address_the_file_names(
    profile: Profile, desk: Desk
) -> None:
    home = address(until=date(2025, 11, 2))
    placement = address("Willow Road", "AR7 9ZZ", "care_home", since=date(2025, 11, 2))
    plain = {"previous_surname": "Holt", "known_as": "Edie", "birth_date_estimated": "Y"}
    first = record(1, fields=plain, addresses=[home, placement], references={"systmone": "NLF11:35161000001"})
    untraced = record(2, fields={"nhs_number_verified": "N"}, is_restricted=True)
    numberless = record(3, "carer", fields={"nhs_number": "", "sex": "U", "ethnicity_code": "", "birth_date": ""})
    training = record(4, is_test=True, is_flagged_test=True)
    people = [person(1), person(2, relations={"cared_for_by": [3]}), person(3, relations={"cares_for": [2]}), person(4)]
    desk.write(world(people, [first, untraced, numberless, training], nights=0))
    desk.release(0)
    settle(profile)
    one, two, three = rows(profile, "select * from identity.source_person order by source_person_key")
    assert (one["forename"], one["middle_names"], one["surname"]) == ("EDITH", "ANNE", "MARLOW")
    assert (one["previous_surname"], one["known_as"]) == ("HOLT", "EDIE")
    assert (one["nhs_number_supplied"], one["nhs_number_verified"]) == ("999 000 0018", True)
    assert (one["birth_date"], one["birth_date_estimated"], one["sex"]) == (date(1941, 7, 9), True, "2")
    assert (one["postcode"], one["address_text"]) == ("AR7 9ZZ", "12 WILLOW ROAD, EASTGATE, ARDENVALE")
    assert (one["gp_practice_code"], one["ethnicity_code"], one["is_client"]) == ("Y99001", "A", True)
    assert (two["nhs_number_verified"], two["is_restricted"], one["is_restricted"]) == (False, True, False)
    assert (three["nhs_number_supplied"], three["nhs_number_verified"], three["birth_date"]) == (None, None, None)
    assert (three["sex"], three["ethnicity_code"]) == (None, None)
    assert (three["is_client"], three["is_carer"], two["is_carer"]) == (False, True, False)

    told = rows(profile, "select reference_type, reference_value from identity.source_reference order by 1")
    assert [tuple(row.values()) for row in told] == [
        ("former_surname", "HOLT"), ("systmone_key", "NLF11:35161000001"),
    ]  # fmt: skip
    held = """select address_type, valid_from, valid_to from identity.source_address
        where source_person_key like '%1Y' order by 2"""
    assert [tuple(row.values()) for row in rows(profile, held)] == [
        ("home", date(2001, 5, 1), date(2025, 11, 2)), ("placement", date(2025, 11, 2), None),
    ]  # fmt: skip
    assert [row["event_key"] for row in rows(profile, "select event_key from payload.caring")] == [
        f"caring:{key(3)}:{key(2)}"
    ]
    kinds = rows(profile, "select kind, value from payload.characteristic where kind = 'accommodation_status'")
    assert {row["value"] for row in kinds} == {"Owner occupier or shared ownership scheme"}
    left_out = "select reason, rows from ledger.exclusion where dataset = 'micare__client'"
    assert [tuple(row.values()) for row in rows(profile, left_out)] == [("test_person", 1)]


def test_acceptance_14_micare_an_old_number_leads_to_the_survivor_over_any_number_of_steps(
    profile: Profile, desk: Desk
) -> None:
    numbers = range(1, 11)
    desk.write(world([person(n) for n in numbers], [record(n) for n in numbers], nights=0))
    desk.release(0)
    points = {1: 2, 2: 3, 3: 4, 5: 6, 6: 7, 7: 6, 8: 8, 9: 99}  # 4 survives 1 to 3; 5 leads into a circle; 9 to nobody
    header, *clients = desk.lines("CLIENT")
    for at, (number, other) in enumerate(points.items()):
        place = next(n for n, line in enumerate(clients) if line.startswith(key(number)))
        clients[place] = clients[place].rsplit("\t", 1)[0] + "\t" + key(other)
        assert at <= place
    desk.put("CLIENT", [header, *clients])
    _, checked, _ = settle(profile)

    found = {r["source_person_key"]: r for r in rows(profile, "select * from identity.source_person")}
    assert len(found) == 10, "nobody is lost"
    survivors = {n: found[key(n)]["duplicate_of_key"] for n in numbers}
    assert survivors == {1: key(4), 2: key(4), 3: key(4), **dict.fromkeys((4, 5, 6, 7, 8, 9, 10))}
    assert [n for n in numbers if found[key(n)]["is_marked_duplicate"]] == [1, 2, 3]
    told = broken_rules(profile)
    assert told["MRG-001"] == 4, "5, 6 and 7, and 8 that points to itself"
    assert told["REF-002"] == 1 and "PER-004" not in told
    assert checked.counts.get("quarantined", 0) == 0


def test_a_wrong_check_letter_is_counted_and_nobody_is_dropped(profile: Profile, desk: Desk) -> None:
    desk.write(world([person(1), person(2)], [record(1), record(2)], [event(1, "request", of=2)], nights=0))
    desk.release(0)
    for table in ("CLIENT", "ADDRESS", "EPISODE", "NOTEHDR"):
        desk.replace(table, key(2), key(2)[:-1] + "K")
    _, checked, _ = settle(profile)
    assert checked.counts["quarantined"] == 0
    people = rows(profile, "select source_person_key from identity.source_person order by 1")
    assert [row["source_person_key"] for row in people] == [key(1), key(2)[:-1] + "K"]
    assert len(rows(profile, "select 1 as one from payload.request")) == 1
    assert broken_rules(profile)["PER-004"] == 1


def test_the_databases_check_letter_is_the_connectors_and_the_suppliers(profile: Profile) -> None:
    numbers = ", ".join(f"('{n * 7_919 % 100_000_000:08d}')" for n in range(400))
    letters = f"select n, landing.micare_check_letter(n) as letter from (values {numbers}) t(n)"
    assert all(row["letter"] == micare_check_letter(row["n"]) for row in rows(profile, letters))
    typed = [key(5), key(5).lower(), key(5)[:-1], "120005", "120005 G", "120005K", "x", "", "123456789", "1 2"]
    listed = ", ".join(f"('{text}')" for text in typed)
    whole = rows(profile, f"select n, landing.micare_person_number(n) as whole from (values {listed}) t(n)")
    assert {row["n"]: row["whole"] for row in whole} == {text: completed(text) for text in typed}


def test_codes_are_understood_in_any_hand_and_numbers_with_words_are_kept_beside(profile: Profile, desk: Desk) -> None:
    desk.write(world(events=[event(n, kind) for n, kind in enumerate(["request"] * 3 + ["service"] * 2, 1)], nights=0))
    desk.release(0)
    header, *lines = desk.lines("EPISODE")
    requests = [n for n, line in enumerate(lines) if "\tREF\t" in line or "\tCON\t" in line]
    for place, value in zip(requests, ("t02", "T91", "J10"), strict=True):
        lines[place] = lines[place].replace("\tT02\t", f"\t{value}\t")
    desk.put("EPISODE", [header, *lines])
    desk.replace("SERVICE", "\t21.50\t", "\t£21.50\t")
    desk.replace("SERVICE", "\t21012026\t", "\t01011900\t")
    settle(profile)
    found = rows(profile, "select outcomes, outcomes_raw from payload.request order by event_key")
    known = "Progress to assessment, review or reassessment"
    assert known in found[0]["outcomes"] and found[1]["outcomes"] != [] and found[2]["outcomes"] == []
    assert [row["outcomes_raw"] for row in found] == ["T02", "T91", "J10"]
    cost = rows(profile, "select unit_cost, unit_cost_raw, end_date, status from payload.service")
    assert {tuple(row.values()) for row in cost} == {(None, "£21.50", None, "completed")}


def test_what_changes_or_goes_overnight_changes_or_goes_here(profile: Profile, desk: Desk) -> None:
    ends = {"changed_night": 1, "changed_status": "completed", "changed_end_at": datetime(2026, 3, 20)}
    changed = event(1, "service", end_at=None, status="open", changed_facts={"end_outcome": "NFA: Deceased"}, **ends)
    desk.write(world(events=[changed, event(2, "request", deleted_night=2), event(3, "review", recorded_night=2)]))
    seen = []
    for night in range(3):
        desk.release(night)
        settle(profile)
        now = "where known_to is null"
        status = rows(profile, f"select status from payload.service {now}")[0]["status"]
        counted = [len(rows(profile, f"select 1 as one from payload.{name} {now}")) for name in ("request", "review")]
        seen.append((status, *counted))
    assert seen == [("open", 1, 0), ("completed", 1, 0), ("completed", 0, 1)]
    ended = "select known_to is not null as ended from payload.request"
    assert rows(profile, ended) == [{"ended": True}], "end-dated, not erased"
