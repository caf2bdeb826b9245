"""A whole synthetic city in MiCare against its truth: every event once with the right values, or a logged defect.

Children are left out at the door, so the truth is that of adults, from their eighteenth birthdays on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.synthetic.generate import build_world
from connectors.synthetic.keys import event_key
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import Appearance, TrueEvent, World
from domain.profile import Profile
from tests.support.micare_world import Desk, as_profile, rows, settle

NIGHTS = 9
#: fact -> column, where they are called differently; and the field of MiCare's table in which a defect would sit.
FACTS = {
    "request": {"route_of_access": "ROUTE", "primary_support_reason": "PSR"},
    "assessment": {"assessment_type": "", "eligible_needs": "", "method": "METHOD", "primary_support_reason": "PSR"},
    "review": {"review_reason": "", "outcomes_achieved": "", "method": "METHOD", "primary_support_reason": "PSR"},
    "service": {
        "service_type": "SVC_TYPE", "service_component": "", "delivery_mechanism": "", "cost_frequency": "",
        "primary_support_reason": "PSR",
    },
    "involvement": {"role": ""},
    "safeguarding": {"enquiry_type": "", "risk_outcome": "", "msp_asked": ""},
    "dols": {"decision": ""},
}  # fmt: skip
STARTS = {"safeguarding": "concern_date", "dols": "received_date"}
ENDS = {"safeguarding": "concluded_date"}
#: Defects for which the row is held back until somebody mends it: nobody's, unreadable, of an unknown service type.
HOLDS = {("D86", "CLIENT_NO"), ("D89", "DESCR"), ("D84", "SVC_TYPE")}


@dataclass(frozen=True)
class City:
    """A settled city: its truth, what was told, and the defects on each key."""

    world: World
    profile: Profile
    last: int

    def defects(self) -> dict[str, set[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for defect in self.world.defects:
            if defect.system == "micare":
                found[defect.key].add((defect.defect_id, defect.field))
        return found

    def born(self, record: Appearance) -> date | None:
        told = (record.as_of(self.last) or {}).get("birth_date", "")
        return date.fromisoformat(told) if len(told) == 10 and told[:4].isdecimal() else None

    def came_of_age(self, record: Appearance) -> date:
        """The day from which MiCare's record is that of an adult."""
        born = self.born(record)
        if born is None:
            tags = next(p.tags for p in self.world.people if p.person_id == record.person_id)
            return date(9999, 1, 1) if "child" in tags else date(1, 1, 1)
        try:
            return born.replace(year=born.year + 18)
        except ValueError:
            return date(born.year + 18, 3, 1)

    def adults(self) -> dict[str, Appearance]:
        day = self.world.night_date(self.last)
        told = [a for a in self.world.appearances if a.system == "micare" and a.as_of(self.last) is not None]
        return {a.key: a for a in told if not a.is_flagged_test and self.came_of_age(a) <= day}

    def events(self) -> Iterator[TrueEvent]:
        """What MiCare should tell of adults after the last night."""
        adults = self.adults()
        for event in self.world.events:
            seen = event.as_of(self.last) if event.system == "micare" else None
            record = adults.get(event.appearance_key)
            if seen is not None and record is not None and seen.start_at.date() >= self.came_of_age(record):
                yield seen

    def payload(self, kind: str) -> dict[str, dict[str, Any]]:
        found = rows(self.profile, f"select * from payload.{kind} where known_to is null")
        assert len(found) == len({row["event_key"] for row in found})
        return {row["event_key"]: row for row in found}


@pytest.fixture
def city(database: Profile, tmp_path: Path) -> City:
    world = build_world(SyntheticSettings.of("manchester_like", nights=NIGHTS, scale=0.06), lambda step: None)
    world.file_faults = []
    assert world.setting.cutover is not None
    last = world.setting.cutover.dual_running_until_night
    desk, profile = Desk(tmp_path), as_profile(database)
    desk.write(world)
    desk.release(0)
    settle(profile)
    desk.release(last)
    landed, checked, _ = settle(profile)
    assert landed.counts["deliveries"] == 1 and not checked.counts.get("held_deliveries")
    return City(world, profile, last)


def differences(event: TrueEvent, found: dict[str, Any], excused: set[tuple[str, str]]) -> Iterator[str]:
    fields = {name for _, name in excused}
    ids = {defect_id for defect_id, _ in excused}
    start = event.facts.get(STARTS.get(event.kind, "")) or event.start_at.date().isoformat()
    if str(found[STARTS.get(event.kind, "start_date")]) != start:
        yield "start"
    if event.kind != "dols" and "END" not in fields:
        ended = event.end_at.date() if event.end_at else None
        if found[ENDS.get(event.kind, "end_date")] != ended:
            yield "end"
    status = found.get("status") or found.get("case_status")
    if status is not None and status != event.status:
        yield "status"
    for fact, column in FACTS[event.kind].items():
        if column not in fields and found[fact] != (event.facts.get(fact) or None):
            yield fact
    if event.kind in ("request", "assessment", "review") and "OUTCOME1" not in fields:
        meant = event.facts.get("outcome", "") if event.status == "completed" else ""
        if found["outcomes"] != [m for m in meant.split(";") if m]:
            yield "outcomes"
    if event.kind == "service" and "UNIT_COST" not in fields:
        cost = event.facts.get("unit_cost", "")
        if (found["unit_cost"] is None) != (not cost) or (cost and float(found["unit_cost"]) != float(cost)):
            yield "unit_cost"
    told = found.get("description")
    if told is not None and not ids & {"D88", "D89"} and told != event.facts.get("description", ""):
        yield "description"


def test_a_city_comes_out_of_micare_as_it_is_or_a_logged_defect_says_why_not(city: City) -> None:
    defects, expected = city.defects(), list(city.events())
    assert len(expected) > 1_000 and len({event.kind for event in expected}) == 7
    told = {kind: city.payload(kind) for kind in FACTS}
    missing, wrong, excused = [], [], 0
    for event in expected:
        at = event_key(event)
        found = told[event.kind].pop(at, None)
        if found is None:
            missing += [] if defects[at] & HOLDS else [at]
            excused += 1
        else:
            wrong += [f"{at} {name}" for name in differences(event, found, defects[at])]
    assert missing == [] and wrong == []
    assert {kind: list(left) for kind, left in told.items() if left} == {}, "and nothing that never was"
    assert excused < 0.02 * len(expected)

    people = rows(city.profile, "select * from identity.source_person where known_to is null")
    adults = city.adults()
    assert {row["source_person_key"] for row in people} == adults.keys()
    for row in people:
        record = adults[row["source_person_key"]]
        held = record.as_of(city.last) or {}
        assert row["nhs_number_supplied"] == (held["nhs_number"] or None) or not held["nhs_number"].strip()
        assert row["birth_date"] == city.born(record) or defects[record.key] & {("D43", "birth_date")}
        assert (row["is_restricted"], row["is_client"]) == (record.is_restricted, record.role == "client")
        assert bool(row["nhs_number_supplied"]) == (row["nhs_number_verified"] is not None)
        if row["nhs_number_verified"] is not None:
            assert row["nhs_number_verified"] == (held["nhs_number_verified"] == "Y")

    expect_what_hangs_on_people(city, adults, defects)
    expect_no_child(city)


def expect_what_hangs_on_people(
    city: City, adults: dict[str, Appearance], defects: dict[str, set[tuple[str, str]]]
) -> None:
    """Addresses, dated facts and caring are those of the truth, each once."""
    true_people = {person.person_id: person for person in city.world.people}
    day = city.world.night_date(city.last)
    told = rows(city.profile, "select * from identity.source_address where known_to is null")
    places = {row["address_key"]: row for row in told}
    expected = {
        str(int(key[:-1]) * 100 + index): period
        for key, record in adults.items()
        for index, period in record.addresses_as_of(day)
    }
    unreadable = {key for key in expected if ("D89", "LINE1") in defects[key]}
    assert places.keys() == expected.keys() - unreadable and len(places) == len(told) > 300
    for key, row in places.items():
        assert (row["postcode"] or "") == " ".join(expected[key].postcode.upper().split())
        assert row["valid_from"] == expected[key].valid_from
        assert row["valid_to"] == expected[key].valid_to or ("D70", "DATE_TO") in defects[key]

    facts = rows(
        city.profile,
        """select c.event_key, c.kind, c.value, r.source_person_key from payload.characteristic c
             join identity.source_record r using (source_record_id) where c.known_to is null""",
    )
    assert len(facts) > 1_000 and len({row["event_key"] for row in facts}) == len(facts)
    for row in facts:
        meant = getattr(true_people[adults[row["source_person_key"]].person_id], row["kind"])
        assert row["value"] == meant or ("D84", "EP_CODE") in defects[row["event_key"]], row["kind"]

    main = {r.person_id: key for key, r in adults.items() if r.duplicate_of is None and not r.is_test}
    pairs = {
        f"caring:{key}:{main[other]}"
        for person_id, key in main.items()
        for other in true_people[person_id].relations.get("cares_for", [])
        if other in main
    }
    assert pairs and city.payload("caring").keys() == pairs


def expect_no_child(city: City) -> None:
    """Nothing of a child is behind the door; it was counted."""
    canaries = [p for p in city.world.people if p.tags & {"canary_child"}]
    assert len(canaries) >= 3
    zones = ("micare__client", "micare__episode", "micare__note_heading", "micare__address", "micare__service")
    for zone in zones:
        seen = rows(city.profile, f"select count(*) as n from landing.{zone} t where t::text ~* 'kanarienkind|zzchild'")
        assert seen == [{"n": 0}], zone
    left_out = "select reason, sum(rows)::bigint as n from ledger.exclusion group by 1"
    reasons = {row["reason"] for row in rows(city.profile, left_out)}
    assert {"child", "test_person", "batch_header"} <= reasons
