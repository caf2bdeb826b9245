"""Judging groups by the truth, and intervals, against figures worked out by hand."""

from __future__ import annotations

import pyarrow as pa
import pytest

from linkage.quality import PairQuality, pairwise_quality, quality_of, wilson


def test_pairs_missed_and_pairs_wrong_are_counted_over_all_pairs() -> None:
    truth = {"h|1": 1, "c|1": 1, "c|2": 1, "h|2": 2, "c|3": 3}
    linked = {"h|1": "p", "c|1": "p", "c|2": "q", "h|2": "r", "c|3": "r"}
    found = quality_of(linked, truth, health_records={"h|1", "h|2"}, numberless_records={"c|2"})
    assert found.overall == PairQuality(true_pairs=3, linked_pairs=2, right_pairs=1)
    assert (found.overall.precision, found.overall.recall) == (0.5, 1 / 3)
    assert found.care_to_patient == PairQuality(true_pairs=2, linked_pairs=2, right_pairs=1)
    assert found.number_missing == PairQuality(true_pairs=2, linked_pairs=0, right_pairs=0)


def test_a_record_that_was_never_linked_is_missed_and_two_such_are_not_together() -> None:
    found = quality_of({"c|1": "p"}, {"c|1": 1, "c|2": 1, "c|3": 1})
    assert found.overall == PairQuality(true_pairs=3, linked_pairs=0, right_pairs=0)


def test_records_that_are_gone_and_flagged_training_people_are_not_judged() -> None:
    clusters = pa.table({"source": ["s", "s", "s"], "source_person_key": ["1", "2", "3"], "person_id": ["p", "p", "p"]})
    truth = pa.table({
        "system": ["s"] * 4, "key": ["1", "2", "3", "4"], "person_id": [1, 1, 9, 1], "removed_night": [None, None,
          None, 3],
        "has_nhs_number": [True, True, True, True], "is_flagged_test": [False, False, True, False],
    })  # fmt: skip
    assert pairwise_quality(clusters, truth)["overall"] == {
        "true_pairs": 1, "linked_pairs": 1, "right_pairs": 1, "precision": 1.0, "recall": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("hits", "base", "low", "high"), [(81, 263, 0.2553, 0.3662), (0, 300, 0.0, 0.01264), (10, 10, 0.7225, 1.0)]
)
def test_wilson_intervals_are_those_of_the_textbook(hits: int, base: int, low: float, high: float) -> None:
    found = wilson(hits, base)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_no_base_no_share() -> None:
    assert wilson(0, 0).value is None
