"""Clusters judged by pairs and by B-cubed, against cases worked out by hand."""

from __future__ import annotations

import pytest

from linkage.quality import cluster_quality

_TRUTH = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2}


def test_groups_equal_to_the_truth_are_perfect_whatever_they_are_called() -> None:
    quality = cluster_quality({"a": "x", "b": "x", "c": "x", "d": "y", "e": "y"}, _TRUTH)
    assert (quality.pair_f1, quality.b_cubed_f1) == (1.0, 1.0)


def test_a_split_person_and_a_stranger_among_them_by_hand() -> None:
    """Groups {a, b}, {c, d}, {e}: one right pair of two linked and four true ones."""
    quality = cluster_quality({"a": 1, "b": 1, "c": 2, "d": 2, "e": 3}, _TRUTH)
    assert (quality.pairs.right_pairs, quality.pairs.linked_pairs, quality.pairs.true_pairs) == (1, 2, 4)
    assert quality.pair_f1 == pytest.approx(2 * 1 / (2 + 4))
    assert quality.b_cubed_precision == pytest.approx((1 + 1 + 0.5 + 0.5 + 1) / 5)
    assert quality.b_cubed_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 / 2 + 1 / 2) / 5)
    assert quality.b_cubed_f1 == pytest.approx(2 * 0.8 * (8 / 15) / (0.8 + 8 / 15))


def test_a_record_in_no_group_stands_alone_and_one_without_truth_is_not_judged() -> None:
    quality = cluster_quality({"a": 1, "b": 1, "stranger": 1}, {"a": 1, "b": 1, "c": 1})
    assert quality.pairs.linked_pairs == 1
    assert quality.b_cubed_precision == 1.0
    assert quality.b_cubed_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3) / 3)


def test_everybody_in_one_group_finds_everything_and_is_worth_little() -> None:
    quality = cluster_quality(dict.fromkeys(_TRUTH, 0), _TRUTH)
    assert quality.b_cubed_recall == 1.0
    assert quality.b_cubed_precision == pytest.approx((3 * 3 / 5 + 2 * 2 / 5) / 5)
    assert quality.pairs.precision == pytest.approx(4 / 10)


def test_nothing_to_find_and_nothing_found_is_no_error() -> None:
    assert cluster_quality({}, {}).pair_f1 == 1.0
    assert cluster_quality({"a": 1, "b": 2}, {"a": 1, "b": 2}).pair_f1 == 1.0
