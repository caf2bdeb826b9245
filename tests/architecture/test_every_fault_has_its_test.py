"""Every fault of the catalogue and every rule for connectors has a test of its name; the page of faults says which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.fault_page import FAULTS, PAGE, POINTS, RULES, ids_in, points, proofs, written


def test_every_fault_and_every_rule_for_connectors_has_a_test_of_its_name() -> None:
    assert set(FAULTS) | set(RULES) <= set(proofs()), sorted((set(FAULTS) | set(RULES)) - set(proofs()))


def test_the_page_names_each_once_and_its_column_of_tests_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^\| (F?\d\d) \|", page, re.MULTILINE)
    assert listed == [*FAULTS, *RULES]
    assert page == written(page, proofs()), "stale: run python -m tests.support.fault_page"


def test_the_page_claims_points_of_survival_that_exist() -> None:
    said = points(PAGE.read_text(encoding="utf-8"))
    assert all(of and of <= set(POINTS) for of in said.values())


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("test_f12_f13_the_same_again", {"F12", "F13"}),
        ("test_f12_and_f13_the_same_again", {"F12", "F13"}),
        ("test_acceptance_09_and_16_micare_fillers", {"09", "16"}),
        ("test_acceptance_01_micare_a_night_again", {"01"}),
        ("test_f54_chi_1_a_child", {"F54"}),
        ("test_a_rule_of_f12", set()),
        ("test_18_is_an_age", set()),
    ],
)
def test_a_test_belongs_to_the_ids_its_name_begins_with(name: str, ids: set[str]) -> None:
    assert ids_in(name) == ids


def test_a_fault_without_a_test_and_a_stale_page_are_found(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_f01_empty() -> None: ...\ndef test_f01_more() -> None: ...\n")
    found = proofs(tmp_path)
    assert found == {"F01": {"test_one.py": ["test_f01_empty", "test_f01_more"]}}
    page = "| F01 | a | b | 1 | `old.py` |\n| F02 | a | b | 1 | `old.py` |\n"
    assert written(page, found) == "| F01 | a | b | 1 | `test_one.py` |\n| F02 | a | b | 1 |  |\n"
