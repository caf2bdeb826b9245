"""Suites cover every landed table and name only what exists."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from expectations.rule import RuleError, Use
from expectations.rules import all_rules, rule
from expectations.suites import SuiteError, all_suites, in_order, suite_of

_SPECS = {
    spec["dataset"]: spec
    for page in (Path(__file__).parents[3] / "connectors").glob("*/spec/*.yml")
    if isinstance(spec := yaml.safe_load(page.read_text("utf-8")), dict) and "dataset" in spec
}
_CODES = Path(__file__).parents[3] / "connectors"


def test_every_landed_table_has_a_suite_and_every_suite_a_table() -> None:
    assert set(all_suites()) == set(_SPECS)


@pytest.mark.parametrize("dataset", sorted(_SPECS))
def test_a_suite_names_only_fields_parents_and_code_sets_that_exist(dataset: str) -> None:
    fields = {column["field"] for column in _SPECS[dataset]["columns"]}
    for use in suite_of(dataset).uses:
        assert set(use.fields) <= fields, use
        if "parent" in use.options:
            parent = _SPECS[str(use.options["parent"])]
            by = use.options.get("by")
            assert by in {c["field"] for c in parent["columns"]} if by else len(use.fields) == len(parent["key"]), use
        if "code_set" in use.options:
            assert (_CODES / dataset.split("__")[0] / "codes" / f"{use.options['code_set']}.csv").is_file(), use


@pytest.mark.parametrize("dataset", sorted(_SPECS))
def test_every_suite_guards_the_whole_key_and_the_encoding(dataset: str) -> None:
    uses = {use.rule: use for use in suite_of(dataset).uses}
    assert set(uses["KEY-001"].fields) <= set(_SPECS[dataset]["key"])
    assert uses["KEY-001"].fields
    assert "TXT-001" in uses
    assert suite_of(dataset).owner


def test_parents_are_checked_before_their_children() -> None:
    order = in_order(frozenset(all_suites()))
    for dataset, suite in all_suites().items():
        assert all(order.index(parent) < order.index(dataset) for parent in suite.parents)


def test_a_dataset_without_a_suite_is_named() -> None:
    with pytest.raises(SuiteError, match="mystery__thing"):
        suite_of("mystery__thing")


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(RuleError, match="ABC-999"):
        rule("ABC-999")


def test_a_use_without_its_option_or_fields_says_what_the_rule_needs() -> None:
    with pytest.raises(RuleError, match="style"):
        Use("DAT-001", fields=("start_at",)).option("style")
    with pytest.raises(RuleError, match="2 field"):
        Use("DAT-003", fields=("start_at",)).names(2)


def test_only_rules_whose_cause_can_go_away_are_tried_again() -> None:
    again = {
        code: page.retry for code, page in all_rules().items() if page.severity == "hold" and page.retry != "never"
    }
    assert again == {"REF-001": "parent", "COD-001": "mapping"}
