"""Floors of a trial on the public sets: roles as an analyst gives them, the same settings for all, truth to the scorer.

The floors guard against regressions; they are no evidence about our data (linkage handbook 18).
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linkage.trial.refusal import Refused
from linkage.trial.roles import Role, Roles
from linkage.trial.run import Outcome, TrialSettings, dedupe, link

if TYPE_CHECKING:
    import pyarrow as pa

DATA = Path(__file__).parents[2] / "support" / "data"
FEBRL = Roles((
    ("rec_id", Role.ID), ("given_name", Role.FORENAME), ("surname", Role.SURNAME),
    ("street_number", Role.HOUSE_NUMBER), ("address_1", Role.ADDRESS), ("address_2", Role.ADDRESS),
    ("suburb", Role.PLACE), ("postcode", Role.POSTCODE), ("state", Role.REGION),
    ("date_of_birth", Role.BIRTH_DATE), ("soc_sec_id", Role.IDENTIFIER),
))  # fmt: skip
FAKE = Roles((
    ("unique_id", Role.ID), ("first_name", Role.FORENAME), ("surname", Role.SURNAME), ("dob", Role.BIRTH_DATE),
    ("city", Role.PLACE), ("email", Role.EMAIL),
))  # fmt: skip
HISTORICAL = Roles((
    ("unique_id", Role.ID), ("full_name", Role.FULL_NAME), ("first_name", Role.FORENAME), ("surname", Role.SURNAME),
    ("dob", Role.BIRTH_DATE), ("birth_place", Role.PLACE), ("postcode_fake", Role.POSTCODE), ("gender", Role.SEX),
    ("occupation", Role.OTHER),
))  # fmt: skip
WITHOUT_NUMBER = TrialSettings(use_identifiers=False)


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as lines:
        return [{k.strip(): (v or "").strip() for k, v in row.items()}
                for row in csv.DictReader(lines, skipinitialspace=True)]  # fmt: skip


def table_of(rows: list[dict[str, str]], roles: Roles) -> pa.Table:
    """Only the columns that have a role: the truth is not among them, the ids say nothing."""
    import pyarrow as pa

    columns = {c: pa.array([row[c] or None for row in rows], pa.string()) for c, role in roles.columns}
    columns[roles.of(Role.ID)[0]] = pa.array([str(number) for number in range(len(rows))])
    return pa.table(columns)


def f1_and_b_cubed(groups: list[int], truth: list[str]) -> tuple[float, float]:
    both = Counter(zip(groups, truth, strict=True))
    found, real = Counter(groups), Counter(truth)
    right, made, true = (sum(n * (n - 1) // 2 for n in c.values()) for c in (both, found, real))
    precision = sum(n * n / found[group] for (group, _), n in both.items()) / len(truth)
    recall = sum(n * n / real[person] for (_, person), n in both.items()) / len(truth)
    return 2 * right / (made + true), 2 * precision * recall / (precision + recall)


def deduped(rows: list[dict[str, str]], roles: Roles, truth: list[str]) -> tuple[float, float]:
    outcome = dedupe(table_of(rows, roles), roles)
    return f1_and_b_cubed(outcome.clusters["cluster"].to_pylist(), truth)


def person(row: dict[str, str]) -> str:
    return row["rec_id"].split("-")[1]


@pytest.fixture(scope="module")
def fake() -> tuple[Outcome, list[str]]:
    rows = rows_of("fake_1000.csv")
    return dedupe(table_of(rows, FAKE), FAKE), [row["cluster"] for row in rows]


def test_fake_1000_is_grouped_into_its_people(fake: tuple[Outcome, list[str]]) -> None:
    outcome, truth = fake
    f1, b_cubed = f1_and_b_cubed(outcome.clusters["cluster"].to_pylist(), truth)
    assert f1 >= 0.96
    assert b_cubed >= 0.965


def test_a_model_once_learnt_gives_the_same_links_again(fake: tuple[Outcome, list[str]]) -> None:
    first, _ = fake
    model = json.loads(json.dumps(first.model))
    again = dedupe(table_of(rows_of("fake_1000.csv"), FAKE), FAKE, TrialSettings(model=model))
    assert again.links.drop(["weight"]).equals(first.links.drop(["weight"]))
    assert again.links["weight"].to_pylist() == pytest.approx(first.links["weight"].to_pylist(), abs=1e-9)


def test_the_facts_hold_no_value_of_a_person(fake: tuple[Outcome, list[str]]) -> None:
    outcome, _ = fake
    told = json.dumps(outcome.facts).lower()
    named = {row[c].lower() for row in rows_of("fake_1000.csv") for c in ("email", "dob") if len(row[c]) > 4}
    assert not [value for value in named if value in told]


def test_febrl_3_is_grouped_into_its_people() -> None:
    rows = rows_of("febrl_dataset3.csv")
    f1, _ = deduped(rows, FEBRL, [person(row) for row in rows])
    assert f1 >= 0.997


def test_febrl_4_is_linked_without_its_number() -> None:
    left, right = rows_of("febrl_dataset4a.csv"), rows_of("febrl_dataset4b.csv")
    outcome = link(table_of(left, FEBRL), table_of(right, FEBRL), FEBRL, FEBRL, WITHOUT_NUMBER)
    pairs = zip(outcome.links["left_id"].to_pylist(), outcome.links["right_id"].to_pylist(), strict=True)
    good = sum(person(left[int(a)]) == person(right[int(b)]) for a, b in pairs)
    assert 2 * good / (outcome.links.num_rows + len(left)) >= 0.9996
    assert outcome.facts["lines"]["one_to_one"]


def test_a_part_of_the_historical_people_is_grouped() -> None:
    import pyarrow.parquet as pq

    rows = pq.read_table(DATA / "historical_people.parquet").to_pylist()
    f1, b_cubed = deduped(rows, HISTORICAL, [row["cluster"] for row in rows])
    assert f1 >= 0.94
    assert b_cubed >= 0.95


def test_files_without_any_evidence_in_common_are_refused() -> None:
    rows = rows_of("fake_1000.csv")[:5]
    only_id = Roles((("unique_id", Role.ID),))
    with pytest.raises(Refused, match="no kind of evidence in common"):
        dedupe(table_of(rows, only_id), only_id)
