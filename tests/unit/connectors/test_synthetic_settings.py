"""The four settings: which systems, which people, which work; canaries everywhere, children where the page says so."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import lru_cache

import pytest

from connectors.synthetic import truth
from connectors.synthetic.canaries import CHILD_FORENAME, CHILD_SURNAME, RESTRICTED_SURNAME
from connectors.synthetic.casework import CHILDREN_TEAM, ROLES, TEAMS, WORKERS
from connectors.synthetic.generate import build_world
from connectors.synthetic.keys import event_key, micare_check_letter, person_key
from connectors.synthetic.setting import setting_names
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import Appearance, TruePerson, World

FOUR = ("plymouth_like", "wirral_like", "manchester_like", "county_like")


@lru_cache(maxsize=8)
def council(setting: str, scale: float = 0.05) -> World:
    return build_world(SyntheticSettings.of(setting, nights=90, scale=scale, seed=5))


def people(world: World) -> dict[int, TruePerson]:
    return {person.person_id: person for person in world.people}


def first(record: Appearance) -> dict[str, str]:
    return record.versions[record.recorded_night]


@pytest.mark.parametrize("setting", setting_names())
def test_a_council_holds_records_in_the_systems_of_its_page_and_no_other(setting: str) -> None:
    world = council(setting)
    assert {record.system for record in world.appearances} == set(world.setting.systems)


@pytest.mark.parametrize("setting", setting_names())
def test_events_keep_order_and_hang_on_records_told_no_later(setting: str) -> None:
    world = council(setting)
    records = {(record.system, record.key): record for record in world.appearances}
    for event in world.events:
        record = records[(event.system, event.appearance_key)]
        assert record.person_id == event.person_id and record.recorded_night <= event.recorded_night
        assert event.changed_night is None or event.changed_night > event.recorded_night
        for night in {event.recorded_night, event.changed_night or event.recorded_night}:
            state = event.as_of(night)
            assert state is None or state.end_at is None or state.end_at >= state.start_at
            assert state is None or (state.status == "open") == (state.end_at is None)
    assert len({(e.system, event_key(e)) for e in world.events}) == len(world.events)
    assert len(records) == len(world.appearances)


@pytest.mark.parametrize("setting", setting_names())
@pytest.mark.parametrize(("tag", "surname", "count"), [("canary_child", CHILD_SURNAME, 3),
                                                       ("canary_restricted", RESTRICTED_SURNAME, 2)])  # fmt: skip
def test_every_system_holds_the_canaries_under_their_own_names(
    setting: str, tag: str, surname: str, count: int
) -> None:
    world = council(setting)
    canaries = {person.person_id for person in world.people if tag in person.tags}
    assert len(canaries) == count
    for system in world.setting.systems:
        held = [r for r in world.appearances if r.system == system and r.person_id in canaries]
        assert {record.person_id for record in held} == canaries
        for record in held:
            assert all(v["surname"].upper().startswith(surname.upper()) for v in record.versions.values())
            assert record.is_restricted is (tag == "canary_restricted")
            if tag == "canary_child":
                assert first(record)["forename"].upper().startswith(CHILD_FORENAME.upper())


@pytest.mark.parametrize("setting", setting_names())
def test_every_care_system_tells_events_of_the_canaries_and_no_defect_touches_their_values(setting: str) -> None:
    world = council(setting)
    canaries = {p.person_id for p in world.people if p.tags & {"canary_child", "canary_restricted"}}
    keys = {record.key for record in world.appearances if record.person_id in canaries}
    for system in {"systmone", *world.setting.care.values()}:
        assert {e.person_id for e in world.events if e.system == system} >= canaries
    touched = {d.defect_id for d in world.defects if d.key in keys}
    assert touched <= {"D66", "D67", "D80", "SSR"}


@pytest.mark.parametrize("setting", FOUR)
def test_children_are_as_many_among_the_clients_as_the_page_says(setting: str) -> None:
    world = council(setting)
    children = [p for p in world.people if p.tags & {"child", "turned_18"} and "canary_child" not in p.tags]
    wanted = world.setting.children_share * 250
    assert wanted * 0.9 <= len(children) <= wanted + 6
    roles = {r.person_id: r.role for r in world.appearances if r.system not in ("systmone", "controcc")}
    assert all(roles[child.person_id] == "client" for child in children)
    end = world.night_date(world.nights)
    assert all((end - p.birth_date).days < 18 * 365.25 for p in children if "child" in p.tags)


def test_some_children_come_of_age_on_the_nights_and_have_events_before_and_after() -> None:
    world = council("plymouth_like")
    turned = [p for p in world.people if "turned_18" in p.tags]
    birthdays = [p.birth_date.replace(year=p.birth_date.year + 18) for p in turned]
    assert sum(world.first_night <= day < world.night_date(world.nights) for day in birthdays) >= 2
    care = [e for e in world.events if e.system == "carefirst"]
    for before in (True, False):
        assert any(
            (e.start_at.date() < day) is before
            for p, day in zip(turned, birthdays, strict=True) for e in care if e.person_id == p.person_id
        )  # fmt: skip


def test_parents_of_child_clients_are_known_to_care_and_some_care_for_them() -> None:
    world = council("plymouth_like")
    known = people(world)
    held = {r.person_id for r in world.appearances if r.system == "carefirst"}
    ties = [(p, known[n]) for p in world.people for n in p.relations.get("related_to", []) if "child" in known[n].tags]
    assert len(ties) >= 15
    assert all(parent.person_id in held for parent, _ in ties)
    assert all((child.birth_date - parent.birth_date).days > 16 * 365 for parent, child in ties)
    assert any(child.person_id in parent.relations.get("cares_for", []) for parent, child in ties)


@pytest.mark.parametrize("setting", FOUR)
def test_casework_speaks_of_known_teams_workers_and_words(setting: str) -> None:
    world = council(setting)
    kinds = Counter(e.kind for e in world.events)
    assert kinds["involvement"] > 150 and kinds["safeguarding"] > 15 and kinds["dols"] > 5
    teams = {code for code, _ in (*TEAMS, CHILDREN_TEAM)}
    for event in world.events:
        if event.kind == "involvement":
            assert event.facts["team"] in teams and event.facts["role"] in ROLES
            assert 1 <= int(event.facts["worker"]) <= WORKERS
        elif event.kind == "safeguarding":
            assert date.fromisoformat(event.facts["concern_date"]) <= world.night_date(world.nights)
        elif event.kind == "dols" and event.status == "completed" and event.facts["decision"] == "granted":
            assert event.facts["authorised_from"] < event.facts["authorised_to"]


def test_the_default_council_knows_no_casework_children_or_file_faults() -> None:
    world = council("two_districts")
    assert not {e.kind for e in world.events} & {"involvement", "safeguarding", "dols"}
    assert not world.file_faults and not world.migration
    assert {p.tags >= {"canary_child"} for p in world.people if "child" in p.tags} == {True}


def test_a_change_of_controller_closes_long_open_safeguarding_cases_on_one_day() -> None:
    world = council("wirral_like", 0.2)
    change = world.setting.controller_change
    assert change is not None
    bulk = [d for d in world.defects if d.defect_id == "D83" and d.table == "safeguarding"]
    closed = [e for e in world.events if e.kind == "safeguarding" and e.changed_end_at and
              e.changed_end_at.date() == change]  # fmt: skip
    assert len(closed) >= 3
    assert {event_key(e) for e in closed} <= {d.key for d in bulk}
    assert all((e.changed_end_at - e.start_at).days > 90 for e in closed if e.changed_end_at)
    assert {e.changed_night for e in closed} == {(change - world.first_night).days + 1}


def test_much_deprivation_of_liberty_work_where_the_page_says_so() -> None:
    def per_resident(setting: str) -> float:
        world = council(setting, 0.2)
        residents = sum("care_home_resident" in p.tags and "care_client" in p.tags for p in world.people)
        return sum(e.kind == "dols" and e.copy_of is None for e in world.events) / residents

    assert per_resident("wirral_like") > 1.8 * per_resident("county_like")


def test_the_second_unit_sees_shared_patients_under_the_same_row_and_has_some_of_its_own() -> None:
    world = council("plymouth_like")
    second = [r for r in world.appearances if r.key.startswith("NLF22:")]
    firsts = {r.key.partition(":")[2]: r for r in world.appearances if r.key.startswith("NLF11:")}
    shared = [r for r in second if r.key.partition(":")[2] in firsts]
    assert second and all(r.recorded_night == world.setting.second_unit_joins_night for r in second)
    assert 0 < len(second) - len(shared) < len(shared)
    for record in shared:
        other = firsts[record.key.partition(":")[2]]
        assert record.person_id == other.person_id
        assert record.as_of(world.nights) == other.as_of(world.nights)


def test_finance_follows_the_case_system_and_goes_its_own_way_now_and_then() -> None:
    world = council("wirral_like", 0.2)
    cases = {r.key: r for r in world.appearances if r.system == "liquidlogic"}
    finance = [r for r in world.appearances if r.system == "controcc"]
    linked = [r for r in finance if r.references]
    assert all(cases[r.references["liquidlogic"]].person_id == r.person_id for r in linked)
    strangers = {d.key for d in world.defects if (d.defect_id, d.field) == ("FIN", "key")}
    assert strangers == {r.key for r in finance if not r.references} != set()
    older = [d for d in world.defects if (d.defect_id, d.field) == ("FIN", "surname")]
    known = people(world)
    for record in finance:
        if record.key in {d.key for d in older}:
            assert first(record)["surname"] == known[record.person_id].names[-2].surname
    assert older and any((d.defect_id, d.field) == ("FIN", "death_date") for d in world.defects)


def test_a_visit_held_together_is_told_by_health_and_care() -> None:
    world = council("plymouth_like", 0.2)
    events = {e.event_id: e for e in world.events}
    joint = [e for e in world.events if e.system == "systmone" and e.copy_of is not None]
    logged = {d.key for d in world.defects if d.defect_id == "D87"}
    assert len(joint) >= 10
    for visit in joint:
        original = events[visit.copy_of or 0]
        assert (original.person_id, original.start_at.date()) == (visit.person_id, visit.start_at.date())
        assert {event_key(visit), event_key(original)} <= logged
        assert events[int(visit.facts["referral_event_id"])].person_id == visit.person_id


def test_telephones_and_practices_differ_between_systems_without_being_logged() -> None:
    world = council("plymouth_like", 0.2)
    known = people(world)
    care = [r for r in world.appearances if r.system == "carefirst" and not r.is_test and not r.is_mixed]
    other = [r for r in care if first(r)["telephone"] not in ("", known[r.person_id].telephone)]
    missing = [r for r in care if known[r.person_id].telephone and not first(r)["telephone"]]
    practice = [r for r in care if first(r)["gp_practice_code"] != known[r.person_id].gp_practice_code]
    assert len(other) / len(care) == pytest.approx(0.06, abs=0.03)
    assert len(missing) / len(care) == pytest.approx(0.19, abs=0.05)
    assert len(practice) / len(care) == pytest.approx(0.025, abs=0.015)


def test_a_micare_number_has_eight_digits_and_a_letter_that_finds_slips() -> None:
    key = person_key("micare", 3_456)
    assert len(key) == 9 and key == key[:8] + micare_check_letter(key[:8])
    for place in range(8):
        for digit in "0123456789":
            wrong = key[:place] + digit + key[place + 1 : 8]
            assert wrong == key[:8] or micare_check_letter(wrong) != key[8]
    with pytest.raises(ValueError, match="eight digits"):
        micare_check_letter("123")


@pytest.mark.parametrize("setting", ["manchester_like", "wirral_like"])
def test_the_same_setting_gives_the_same_council(setting: str) -> None:
    settings = SyntheticSettings.of(setting, nights=60, scale=0.02)
    assert truth.digest(build_world(settings)) == truth.digest(build_world(settings))


@pytest.mark.parametrize("nights", [0, 2, 7])
@pytest.mark.parametrize("setting", setting_names())
def test_a_story_of_ninety_nights_can_be_told_in_a_few(setting: str, nights: int) -> None:
    world = build_world(SyntheticSettings.of(setting, nights=nights, scale=0.01))
    records = {(record.system, record.key): record for record in world.appearances}
    assert all(records[(e.system, e.appearance_key)].recorded_night <= e.recorded_night for e in world.events)
