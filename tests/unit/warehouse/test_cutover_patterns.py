"""Each way in which a record can go over (sources hand-book 6.3), drawn as the few facts by which it is recognised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from tests.support.cutover_facts import CutoverFacts


@pytest.fixture
def facts() -> Iterator[CutoverFacts]:
    with CutoverFacts() as made:
        yield made


def test_an_old_id_that_leads_to_the_same_person_is_one_to_one(facts: CutoverFacts) -> None:
    facts.both("A", "ada")
    assert facts.found() == {("A", "A", "one_to_one")}


def test_old_records_that_only_the_list_knows_make_several_to_one(facts: CutoverFacts) -> None:
    facts.both("A", "ada")
    facts.record("old:B", "ada")
    facts.claim("new:A", "old:B", "list", 3)
    assert facts.found() == {("A", "A", "several_to_one"), ("B", "A", "several_to_one")}


def test_a_second_old_record_whose_line_of_the_list_is_held_is_still_read_as_merged(facts: CutoverFacts) -> None:
    facts.both("A", "ada")
    facts.record("old:B", "ada")
    assert ("B", "A", "several_to_one") in facts.found()


def test_two_old_records_that_each_have_their_own_new_one_are_both_one_to_one(facts: CutoverFacts) -> None:
    facts.both("A", "ada")
    facts.both("B", "ada")
    assert facts.found() == {("A", "A", "one_to_one"), ("B", "B", "one_to_one")}


def test_one_old_id_in_two_new_records_is_a_split(facts: CutoverFacts) -> None:
    facts.both("A", "ada")
    facts.record("new:A2", "ada")
    facts.claim("new:A2", "old:A")
    assert facts.found() == {("A", "A", "one_to_several"), ("A", "A2", "one_to_several")}


def test_a_mixed_up_record_split_between_two_people_is_a_split_and_no_wrong_link(facts: CutoverFacts) -> None:
    facts.both("A", "ada")
    facts.record("new:B", "bea")
    facts.claim("new:B", "old:A", birth_agrees=False, surname_agrees=False)
    assert facts.found() == {("A", "A", "one_to_several"), ("A", "B", "one_to_several")}


def test_a_record_that_left_no_trace_in_the_new_system_was_not_migrated(facts: CutoverFacts) -> None:
    facts.record("old:A", "ada")
    assert facts.found() == {("A", "", "not_migrated")}


def test_a_record_begun_in_the_old_system_after_go_live_was_never_part_of_the_migration(facts: CutoverFacts) -> None:
    facts.record("old:A", "ada", first_known=date(2025, 8, 1))
    assert facts.found() == set()


def test_one_person_keyed_into_both_systems_is_recognised_by_linkage_alone(facts: CutoverFacts) -> None:
    facts.record("old:A", "ada")
    facts.record("new:N", "ada")
    assert facts.found() == {("A", "N", "created_in_both")}


def test_a_trial_id_that_differs_from_the_one_that_counts_was_re_keyed(facts: CutoverFacts) -> None:
    facts.both("A", "ada")
    facts.claim("new:A", "old:A", "list", 3)
    facts.claim("new:T", "old:A", "list", 1)
    facts.both("B", "bea")
    facts.claim("new:B", "old:B", "list", 1)
    facts.claim("new:B", "old:B", "list", 3)
    assert facts.found() == {("A", "A", "re_keyed"), ("A", "T", "re_keyed"), ("B", "B", "one_to_one")}


def test_an_old_id_of_somebody_else_is_a_wrong_link_told_of_the_record_that_really_went_over(
    facts: CutoverFacts,
) -> None:
    facts.both("B", "bea")
    facts.record("old:A", "ada")
    facts.record("new:N", "ada")
    for kind, load in (("legacy", None), ("list", 3)):
        facts.claim("new:N", "old:B", kind, load, birth_agrees=False, surname_agrees=False, initial_agrees=False)
    assert facts.found() == {("B", "B", "one_to_one"), ("A", "N", "wrong_link")}


def test_ids_that_agree_in_birth_date_or_name_are_believed_though_linkage_has_not_joined_them(
    facts: CutoverFacts,
) -> None:
    facts.record("old:A", "ada")
    facts.record("new:A", "somebody")
    facts.claim("new:A", "old:A", surname_agrees=False)
    (pattern,) = facts.patterns()
    assert (pattern.pattern, pattern.why) == ("one_to_one", "the ids say so; linkage has not joined the records yet")


def test_a_trial_load_is_judged_by_its_own_number() -> None:
    with CutoverFacts(load=1, is_trial=True) as facts:
        facts.record("old:A", "ada", first_known=date(2026, 1, 1))
        facts.record("new:T", "ada")
        facts.claim("new:T", "old:A", "list", 1, is_evidence=True)
        assert facts.found() == {("A", "T", "one_to_one")}
