"""The truth files: the same seed gives the same council, saved is what a scorer needs, the cost is linear."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import FrameType

import pytest

from connectors.synthetic import truth
from connectors.synthetic.generate import build_world
from connectors.synthetic.keys import event_key
from connectors.synthetic.settings import SyntheticSettings
from tests.support.synthetic_council import council

_SMALL = SyntheticSettings(seed=11, scale=0.02)


def test_the_same_settings_give_the_same_council() -> None:
    assert truth.digest(build_world(_SMALL)) == truth.digest(build_world(_SMALL))


def test_another_seed_gives_another_council() -> None:
    assert truth.digest(build_world(_SMALL)) != truth.digest(build_world(SyntheticSettings(seed=12, scale=0.02)))


def test_the_saved_truth_has_one_row_per_person_record_and_event_that_exists_at_the_end(tmp_path: Path) -> None:
    world = council(0.02)
    truth.save(world, tmp_path / "truth")
    folder = tmp_path / "truth"
    assert truth.load_people(folder).num_rows == len(world.people)
    assert truth.load_appearances(folder).num_rows == len(world.appearances)
    assert truth.load_defects(folder).num_rows == len(world.defects)
    states = [state for event in world.events if (state := event.as_of(world.nights)) is not None]
    events = truth.load_events(folder).to_pylist()
    assert [row["event_key"] for row in events] == [event_key(state) for state in states]
    assert [row["status"] for row in events] == [state.status for state in states]
    assert json.loads(events[0]["facts"]) == states[0].facts


def test_a_saved_event_shows_its_last_state(tmp_path: Path) -> None:
    world = council(0.2)
    truth.save(world, tmp_path)
    rows = {row["event_key"]: row for row in truth.load_events(tmp_path).to_pylist()}
    changed = [
        e
        for e in world.events
        if e.changed_night is not None and e.deleted_night is None and e.recorded_night <= world.nights
    ]
    assert changed
    for event in changed:
        row = rows[event_key(event)]
        assert (row["end_at"], row["status"]) == (event.changed_end_at, event.changed_status)
    assert not any(event_key(event) in rows for event in world.events if event.deleted_night is not None)


def test_caring_is_told_by_person_and_by_record(tmp_path: Path) -> None:
    world = council(0.2)
    truth.save(world, tmp_path)
    owner = {(r.system, r.key): r.person_id for r in world.appearances}
    rows = truth.load_caring(tmp_path).to_pylist()
    assert len(rows) > 100
    for row in rows:
        assert owner[(row["system"], row["carer_key"])] == row["carer_person_id"]
        assert owner[(row["system"], row["cared_for_key"])] == row["cared_for_person_id"]


def test_a_council_that_was_not_saved_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        truth.load_people(tmp_path)


def test_a_council_without_later_nights_changes_nothing_later() -> None:
    world = build_world(SyntheticSettings(seed=3, scale=0.02, nights=0))
    assert all(event.recorded_night == 0 and event.changed_night is None for event in world.events)
    assert all(set(record.versions) == {0} for record in world.appearances)


def _calls(scale: float) -> int:
    count = 0

    def counting(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counting)
    try:
        build_world(SyntheticSettings(seed=2, scale=scale))
    finally:
        sys.setprofile(None)
    return count


def test_the_work_grows_no_faster_than_the_council() -> None:
    build_world(_SMALL)
    assert _calls(0.12) / _calls(0.04) < 3 * 1.15


def test_the_truth_of_a_replaced_system_says_how_records_went_over_what_was_told_twice_and_which_nights_failed(
    tmp_path: Path,
) -> None:
    world = build_world(SyntheticSettings.of("manchester_like", nights=60, scale=0.02))
    truth.save(world, tmp_path)
    links = truth.load_migration(tmp_path).to_pylist()
    assert [(x["old_key"], x["new_key"], x["pattern"], x["load_no"]) for x in links] == [
        (x.old_key, x.new_key, x.pattern, x.load_no) for x in world.migration
    ]
    told_again = {e["event_id"]: e["copy_of"] for e in truth.load_events(tmp_path).to_pylist() if e["copy_of"]}
    assert told_again == {e.event_id: e.copy_of for e in world.events if e.copy_of and e.as_of(world.nights)}
    faults = truth.load_file_faults(tmp_path).to_pylist()
    assert len(faults) == 7 * len(world.setting.systems)
    assert all(world.night_date(fault["night"]) == fault["night_date"] for fault in faults)
    children = {row["person_id"] for row in truth.load_appearances(tmp_path).to_pylist() if row["is_child"]}
    assert children >= {person.person_id for person in world.people if "canary_child" in person.tags}
