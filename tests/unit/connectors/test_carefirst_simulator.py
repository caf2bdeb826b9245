"""The simulated CareFirst: the dialect, the habits of its clerks, and defects at the catalogue's rates."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from connectors.synthetic.keys import event_key
from connectors.synthetic.world import World
from tests.support.carefirst_world import Desk, address, event, person, record, world

KINDS = ("request", "assessment", "review", "service")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def table(desk: Desk, name: str, night: int = 0) -> list[dict[str, str]]:
    content = desk.file(name, night).read_bytes().removeprefix(b"\xef\xbb\xbf").decode("cp1252", "replace")
    return list(csv.DictReader(io.StringIO(content, newline=""), delimiter="|", strict=True))


def town(nights: int = 2, size: int = 1_500) -> World:
    """Many people with events, with every defect at its typical rate."""
    people = [person(n) for n in range(1, size + 1)]
    events = [event(n, KINDS[n % 4], of=n % size + 1) for n in range(1, 4 * size + 1)]
    return world(people, [record(n) for n in range(1, size + 1)], events, nights=nights, quality=1.0)


def test_the_same_council_is_written_byte_for_byte_the_same(tmp_path: Path) -> None:
    first, second = Desk(tmp_path / "a"), Desk(tmp_path / "b")
    logs = []
    for desk in (first, second):
        council = town(nights=1, size=80)
        desk.write(council)
        logs.append(council.defects)
    names = sorted(path.relative_to(first.supply) for path in first.supply.rglob("*.csv"))
    assert len(names) == 30
    assert all((first.supply / name).read_bytes() == (second.supply / name).read_bytes() for name in names)
    assert logs[0] == logs[1]


def test_a_dump_has_capitals_pipes_and_line_feeds_and_quotes_only_where_needed(desk: Desk) -> None:
    desk.write(world(events=[event(1, "request", facts={"description": 'He said "no"|twice'})], nights=0))
    desk.release(0)
    raw = desk.file("OBSERVATION").read_bytes()
    assert raw.startswith(b"OBS_ID|ACTIVITY_ID|PERSON_ID|OBS_CODE|OBS_VALUE|OBS_DATE\n") and b"\r" not in raw
    assert raw.count(b'"') == 6 and b'|"He said ""no""|twice"|' in raw
    assert table(desk, "PERSON")[0]["SURNAME"] == "MARLOW"


def test_the_control_file_comes_last_and_describes_every_file(desk: Desk) -> None:
    desk.write(world(nights=0))
    desk.release(0)
    control = table(desk, "CONTROL")
    assert {row["FILE_NAME"] for row in control} == {p.name for p in desk.arrived.iterdir() if "CONTROL" not in p.name}
    newest = max(desk.arrived.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert newest == desk.file("CONTROL")


def test_characters_the_code_page_lacks_lose_their_accents_or_become_question_marks(desk: Desk) -> None:
    desk.write(world(records=[record(1, fields={"forename": "Şule", "middle_names": "", "surname": "Łoś"})], nights=0))
    desk.release(0)
    assert (table(desk, "PERSON")[0]["FORENAMES"], table(desk, "PERSON")[0]["SURNAME"]) == ("SULE", "?OS")


def test_a_record_is_marked_as_a_duplicate_in_its_name_from_its_night_on(desk: Desk) -> None:
    desk.write(world(records=[record(1, marked_duplicate_night=1)]))
    desk.release(0, 1)
    before, after = table(desk, "PERSON", 0)[0], table(desk, "PERSON", 1)[0]
    named = [f"{row['FORENAMES']} {row['SURNAME']}" for row in (before, after)]
    assert named[0] == "EDITH ANNE MARLOW"
    assert "DUPLICATE" in named[1] or "DO NOT USE" in named[1]


def test_a_record_removed_is_missing_with_all_that_hangs_on_it(desk: Desk) -> None:
    desk.write(world(records=[record(1, removed_night=1)], events=[event(1, "request"), event(2, "service")]))
    desk.release(0, 1)
    for name in ("PERSON", "ADDRESS", "REFERENCE", "CLASSIFICATION", "ACTIVITY", "OBSERVATION", "SERVICE_AGREEMENT"):
        assert table(desk, name, 0) and not table(desk, name, 1), name


def test_a_move_is_told_on_the_night_after_it(desk: Desk) -> None:
    moved = date(2026, 3, 26)
    addresses = [address(until=date(2026, 3, 25)), address("Willow Road", "AR7 9ZZ", since=moved)]
    desk.write(world(records=[record(1, addresses=addresses)]))
    desk.release(0, 1)
    assert [row["END_DATE"] for row in table(desk, "ADDRESS", 0)] == [""]
    assert [row["END_DATE"] for row in table(desk, "ADDRESS", 1)] == ["25-MAR-2026", ""]


def test_a_changed_event_keeps_its_ids(desk: Desk) -> None:
    undecided = {"outcome": "", "outcomes_achieved": ""}
    decided = {"outcome": "Continuation of support or services", "outcomes_achieved": "Not met"}
    later = {"changed_night": 1, "changed_status": "completed", "changed_end_at": datetime(2026, 3, 25, 15)}
    changed = event(1, "review", end_at=None, status="open", facts=undecided, changed_facts=decided, **later)
    desk.write(world(events=[changed], nights=1))
    desk.release(0, 1)
    before, after = table(desk, "ACTIVITY", 0)[0], table(desk, "ACTIVITY", 1)[0]
    assert before["ACTIVITY_ID"] == after["ACTIVITY_ID"]
    assert (before["END_DATE"], after["END_DATE"]) == ("", "25/03/2026 15:00:00")
    asked = [{row["OBS_CODE"].strip(): row["OBS_ID"] for row in table(desk, "OBSERVATION", night)} for night in (0, 1)]
    assert asked[0].items() < asked[1].items()


def test_both_sides_of_a_caring_relationship_are_recorded(desk: Desk) -> None:
    people = [person(1, relations={"cared_for_by": [2]}), person(2, relations={"cares_for": [1]})]
    desk.write(world(people, [record(1), record(2, "carer")], nights=0))
    desk.release(0)
    sides = {(r["PERSON_ID"], r["REL_TYPE"].strip(), r["RELATED_PERSON_ID"]) for r in table(desk, "RELATIONSHIP")}
    assert sides == {("4000001", "CFBY", "4000002"), ("4000002", "CARE", "4000001")}


def test_a_good_council_has_no_defects_of_its_own(desk: Desk) -> None:
    council = town(size=200)
    council.quality = 0.0
    desk.write(council)
    assert {defect.defect_id for defect in council.defects} <= {"D84"}, "only the two edited labels (D84) are left"


def test_defects_come_at_the_catalogues_rates_and_name_the_event(desk: Desk) -> None:
    council = town()
    desk.write(council)
    events = len(council.events)
    seen = Counter((d.defect_id, d.field) for d in council.defects)
    expected = {
        ("D86", "PERSON_ID"): 0.003 * events,
        ("D86", "WORKER_ID"): 0.01 * events * 3 / 4,
        ("D86", "AGREEMENT_ID"): 0.02 * events / 4,
        ("D88", "DESCRIPT"): 0.03 * events * 3 / 4,
        ("D84", "OUTCOME_CODE"): 0.035 * events * 3 / 4,
    }
    for place, rate in expected.items():
        assert rate / 2 <= seen[place] <= rate * 2, place
    rarer = (("D70", "END_DATE"), ("D85", "PARENT_ACTIVITY_ID"), ("D93", "RATE"), ("D93", "UNITS"))
    assert all(seen[place] for place in rarer)
    keys = {event_key(e) for e in council.events}
    of_events = {"CF_ACTIVITY", "CF_OBSERVATION", "CF_SERVICE_AGREEMENT", "CF_SERVICE_ELEMENT"}
    assert all(d.key in keys for d in council.defects if d.table in of_events and d.field)
    assert len({(d.defect_id, d.key, d.field) for d in council.defects}) == len(council.defects), "each logged once"


def test_an_agreement_that_comes_a_night_after_its_element_is_logged(desk: Desk) -> None:
    council = town(nights=1)
    desk.write(council)
    desk.release(0, 1)
    agreed = [{row["AGREEMENT_ID"] for row in table(desk, "SERVICE_AGREEMENT", night)} for night in (0, 1)]
    late = {d.key for d in council.defects if (d.defect_id, d.field) == ("D86", "AGREEMENT_ID")}
    assert late and {f"service:{identity}" for identity in agreed[1] - agreed[0]} == late


def test_forms_are_never_typed_before_the_event_nor_after_the_first_dump_that_has_them(desk: Desk) -> None:
    recent = event(1, "request", start_at=datetime(2026, 3, 25, 9), end_at=datetime(2026, 3, 25, 10))
    desk.write(world(events=[recent], nights=0))
    desk.release(0)
    for row in table(desk, "OBSERVATION"):
        typed = datetime.strptime(row["OBS_DATE"], "%d/%m/%Y %H:%M:%S")
        assert recent.start_at <= typed <= datetime(2026, 3, 26)
