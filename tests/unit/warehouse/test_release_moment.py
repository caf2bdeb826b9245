"""When a release is, when it would be the same again, and how a gate speaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from warehouse.release import Gate, Release, moment_after

NIGHT = datetime(2026, 3, 26, 2, tzinfo=UTC)


def basis(**changed: object) -> dict[str, object]:
    return {"as_known_at": NIGHT.isoformat(), "link_run_id": 1, "marks": {"payload.request": [10, 9]}, **changed}


def test_a_release_has_the_moment_of_its_data() -> None:
    assert moment_after(None, NIGHT) == NIGHT
    assert moment_after(Release(1, NIGHT, "", {}), NIGHT + timedelta(days=1)) == NIGHT + timedelta(days=1)


def test_no_release_shares_its_moment_with_the_one_before_or_goes_back_behind_it() -> None:
    before = Release(1, NIGHT, "", {})
    assert (
        moment_after(before, NIGHT)
        == moment_after(before, NIGHT - timedelta(days=3))
        == NIGHT + timedelta(microseconds=1)
    )


def test_another_link_run_with_the_same_answers_is_no_news_but_a_row_or_a_moment_is() -> None:
    before = Release(1, NIGHT, "", basis())
    assert before.is_built_from(basis(link_run_id=2))
    assert not before.is_built_from(basis(marks={"payload.request": [10, 8]}))
    assert not before.is_built_from(basis(as_known_at=(NIGHT + timedelta(days=1)).isoformat()))


def test_a_gate_that_fails_says_what_was_counted_and_what_to_do() -> None:
    gate = Gate("PERSONS", False, {"events_to_link": 3}, "every event must belong to a person", "run the link stage")
    assert gate.finding().message == "every event must belong to a person (events to link: 3)"
    assert gate.finding().remedy == "run the link stage"
