"""Every rule of the return, by its own examples."""

from __future__ import annotations

import re

import pytest

from statutory.client_level_data.rules.base import Rule
from statutory.client_level_data.rules.registry import rules_for

RULES = rules_for("2025-26")
each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])


def test_the_rules_are_v01_to_v24_in_order() -> None:
    assert [rule.code for rule in RULES] == [f"V{number:02}" for number in range(1, 25)]


@each_rule
def test_the_passing_example_passes(rule: Rule) -> None:
    outcome = rule.check(rule.passing.file())
    assert not outcome.failed
    assert outcome.references == ()


@each_rule
def test_the_failing_example_fails_on_exactly_its_rows(rule: Rule) -> None:
    outcome = rule.check(rule.failing.file())
    assert outcome.failed
    assert outcome.references == rule.failing.fails


@each_rule
def test_the_levels_are_those_of_the_handbook(rule: Rule) -> None:
    errors = {"V01", "V02", "V03", "V05", "V19", "V20", "V23", "V24"}
    information = {"V09", "V21"}
    assert rule.level == ("error" if rule.code in errors else "info" if rule.code in information else "warning")


@each_rule
def test_an_empty_file_breaks_no_rule(rule: Rule) -> None:
    from statutory.client_level_data.return_file import file_from_rows
    from statutory.client_level_data.rules.base import EXAMPLE_FACTS
    from statutory.client_level_data.specification import load_specification

    assert not rule.check(file_from_rows([], load_specification().headings, EXAMPLE_FACTS)).references


@each_rule
def test_a_rule_is_written_for_two_readers(rule: Rule) -> None:
    for sentence in (rule.text, rule.why, rule.remedy):
        assert re.match(r"^[A-Z].*\.$", sentence)


def test_figures_of_rules_hold_no_person_ids() -> None:
    for rule in RULES:
        figures = " ".join(rule.check(rule.failing.file()).figures.values())
        assert not re.search(r"p\d|\d{10}", figures)


def test_the_page_of_rules_is_up_to_date() -> None:
    from pathlib import Path

    from statutory.client_level_data.rules import pages

    root = Path(pages.__file__).parents[3]
    assert (root / pages.PAGE).read_text(encoding="utf-8") == pages.rules_page("2025-26")
