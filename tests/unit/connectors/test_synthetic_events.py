"""What happens to the invented people: in order, in life, in national wording, told night by night."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from connectors.synthetic.keys import event_key, person_key, supplier_event_id, systmone_key_parts
from connectors.synthetic.world import TrueEvent
from tests.support.synthetic_council import council

_CODES = Path(__file__).parents[3] / "domain" / "codes" / "cld_r2.csv"
_FIELDS = {
    "route_of_access": "Request: Route of Access", "outcome": "Event Outcome", "end_outcome": "Event Outcome",
    "primary_support_reason": "Primary Support Reason", "assessment_type": "Assessment Type",
    "eligible_needs": "Eligible Needs Identified", "review_reason": "Review Reason",
    "outcomes_achieved": "Review Outcomes Achieved", "service_type": "Service Type",
    "service_component": "Service Component",
    "delivery_mechanism": "Delivery Mechanism", "cost_frequency": "Cost Frequency (Unit Type)",
}  # fmt: skip


def national_values() -> dict[str, set[str]]:
    values: dict[str, set[str]] = {}
    with _CODES.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            values.setdefault(row["field"], set()).add(row["code"])
    return values


def care_events() -> list[TrueEvent]:
    return [event for event in council().events if event.system != "systmone"]


def states(event: TrueEvent) -> list[TrueEvent]:
    return [state for night in range(council().nights + 1) if (state := event.as_of(night)) is not None]


def test_nothing_ends_before_it_starts_and_what_is_open_has_no_end() -> None:
    for event in council().events:
        for state in states(event):
            assert state.end_at is None or state.end_at >= state.start_at
            assert (state.status == "open") == (state.end_at is None)


def test_nothing_starts_before_birth_or_adulthood_or_after_death_except_what_is_logged() -> None:
    people = {person.person_id: person for person in council().people}
    logged = {defect.key for defect in council().defects if defect.defect_id == "D45" and defect.field == "start_at"}
    after = 0
    for event in council().events:
        person, day = people[event.person_id], event.start_at.date()
        assert day >= person.birth_date
        if event.system != "systmone" and "child" not in person.tags:
            assert (day - person.birth_date).days >= 18 * 365
        if person.death_date is not None and day > person.death_date:
            assert event_key(event) in logged
            after += 1
    assert after == len(logged) > 0


def test_no_extract_tells_of_a_later_day_except_for_bookings() -> None:
    world = council()
    for event in world.events:
        if event.facts.get("status") != "Booked":
            assert event.start_at.date() < world.night_date(event.recorded_night)
        for state in states(event):
            assert state.end_at is None or state.end_at.date() < world.night_date(world.nights)


def test_care_values_are_national_wording_letter_by_letter() -> None:
    allowed = national_values()
    for event in care_events():
        for fact, value in {**event.facts, **event.changed_facts}.items():
            if fact == "method":
                field = "Method of Review" if event.kind == "review" else "Method of Assessment"
            elif fact in _FIELDS:
                field = _FIELDS[fact]
            else:
                continue
            assert value == "" or value in allowed[field], f"{fact} of a {event.kind} is not a national value"


def test_what_care_knows_of_people_is_national_wording_too() -> None:
    allowed = national_values()
    fields = {
        "accommodation_status": "Accommodation Status", "employment_status": "Employment Status",
        "autism": "Autism Spectrum Disorder (ASD)",
        "has_unpaid_carer": "Has Unpaid Carer", "dementia": "Dementia", "hearing_impairment": "Hearing Impairment",
        "visual_impairment": "Visual Impairment", "client_funding_status": "Client Funding Status",
    }  # fmt: skip
    for person in council().people:
        for field, national in fields.items():
            assert getattr(person, field) in allowed[national]
        assert person.hours_caring == "" or person.hours_caring in allowed["Total Hrs Caring per week"]


def test_completed_care_work_has_an_outcome() -> None:
    for event in care_events():
        state = event.as_of(council().nights)
        if state is not None and state.status == "completed":
            assert state.facts["end_outcome" if state.kind == "service" else "outcome"]


def test_events_are_as_many_as_a_council_of_this_size_has() -> None:
    kinds = Counter(event.kind for event in council().events)
    own = [event for event in care_events() if event.client_type == "Service user"]
    assert 5.0 <= len(own) / 1000 <= 8.0
    assert kinds["referral"] / 4000 == pytest.approx(1.5, abs=0.1)
    assert kinds["visit"] / 4000 == pytest.approx(6.0, abs=0.8)
    assert kinds["appointment"] / 4000 == pytest.approx(2.4, abs=0.4)


def test_a_request_for_new_support_comes_before_the_assessment_and_that_before_the_support() -> None:
    people = {person.person_id: person for person in council().people}
    chains = 0
    by_person: dict[int, list[TrueEvent]] = {}
    for event in care_events():
        by_person.setdefault(event.person_id, []).append(event)
    for events in by_person.values():
        services = [
            e for e in events if e.kind == "service" and e.facts["service_type"] == "Long term support: Community"
        ]
        begun = min((e.start_at for e in services), default=None)
        if begun is None or begun.date() < date(2024, 6, 1) or "care_home_resident" in people[events[0].person_id].tags:
            continue
        if any(e.kind == "request" and e.start_at <= begun for e in events):
            chains += 1
    assert chains >= 50


def test_every_client_has_events_and_test_people_have_none() -> None:
    with_events = {event.person_id for event in council().events}
    for person in council().people:
        if "test_person" in person.tags:
            assert person.person_id not in with_events
    without = [p for p in council().people if "care_client" in p.tags and p.person_id not in with_events]
    assert len(without) <= 5


def test_every_event_hangs_on_a_record_of_its_person_that_is_told_no_later() -> None:
    records = {(record.system, record.key): record for record in council().appearances}
    for event in council().events:
        record = records[(event.system, event.appearance_key)]
        assert record.person_id == event.person_id
        assert record.recorded_night <= event.recorded_night and record.removed_night is None


def test_contacts_belong_to_a_referral_of_the_same_person_told_no_later() -> None:
    referrals = {event.event_id: event for event in council().events if event.kind == "referral"}
    for event in council().events:
        if event.kind in ("visit", "appointment"):
            referral = referrals[int(event.facts["referral_event_id"])]
            assert referral.person_id == event.person_id and referral.recorded_night <= event.recorded_night
            assert referral.deleted_night is None


def test_each_later_night_brings_new_changed_and_deleted_events() -> None:
    events = council().events
    for night in range(1, council().nights + 1):
        assert sum(event.recorded_night == night for event in events) >= 40
        assert sum(event.changed_night == night for event in events) >= 5
        assert any(event.deleted_night == night for event in events)
    assert sum(event.recorded_night == 0 for event in events) / len(events) > 0.98


def test_each_later_night_changes_people_too() -> None:
    nights = Counter(
        night for record in council().appearances for night in record.versions if night > record.recorded_night
    )
    assert sum(nights.values()) >= 10 and set(nights) >= {1, 2, 3, 4, 5}
    assert sum(record.recorded_night > 0 for record in council().appearances) >= 10
    assert any(record.removed_night for record in council().appearances)


def test_an_event_is_seen_as_it_was_known_on_each_night() -> None:
    services = [e for e in council().events if e.kind == "service" and e.recorded_night == 0]
    event, night = next((e, e.changed_night) for e in services if e.changed_night is not None)
    before, after = event.as_of(night - 1), event.as_of(night)
    assert before is not None and after is not None
    assert (before.end_at, after.end_at) == (event.end_at, event.changed_end_at)
    assert event.as_of(-1) is None


def test_supplier_ids_keep_kinds_and_widths_apart() -> None:
    assert supplier_event_id("systmone", "visit", 1) > 2**32 and supplier_event_id("systmone", "referral", 1) > 2**32
    for kind in ("request", "assessment", "review", "service"):
        assert supplier_event_id("liquidlogic", kind, 3_000_000) < 2**31
        assert supplier_event_id("carefirst", kind, 3_000_000) < 2**31
    with pytest.raises(KeyError):
        supplier_event_id("carefirst", "visit", 1)
    keys = [(event.system, event_key(event)) for event in council().events]
    assert len(keys) == len(set(keys))


def test_a_systmone_key_is_the_pair_of_organisation_and_row() -> None:
    key = person_key("systmone", 7)
    assert systmone_key_parts(key) == ("NLF11", 35_161_000_007)
    with pytest.raises(ValueError, match="SystmOne person key"):
        systmone_key_parts("35161000007")


def test_carers_are_linked_both_ways_and_recorded_where_the_cared_for_person_is() -> None:
    people = {person.person_id: person for person in council().people}
    carers = [person for person in people.values() if person.relations.get("cares_for")]
    assert len(carers) > 100
    systems: dict[int, set[str]] = {}
    for record in council().appearances:
        systems.setdefault(record.person_id, set()).add(record.system)
    together = 0
    for carer in carers:
        for number in carer.relations["cares_for"]:
            assert carer.person_id in people[number].relations["cared_for_by"]
            together += bool((systems[carer.person_id] & systems[number]) - {"systmone"})
    assert together / len(carers) > 0.95


def test_the_window_is_two_years_long() -> None:
    asked = [event.start_at.date() for event in care_events() if event.kind == "request"]
    assert min(asked) < date(2024, 4, 15) and max(asked) <= date(2026, 3, 30)
    assert max(asked) - min(asked) > timedelta(days=700)
