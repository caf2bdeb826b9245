"""A handful of records links on general experience and says so; shuffled rows give the same links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from linkage.trial.comparisons import comparisons_for
from linkage.trial.groups import groups_for
from linkage.trial.priors import SAME_PEOPLE, STRANGERS, priors_for
from linkage.trial.roles import Role, Roles
from linkage.trial.run import Outcome, dedupe, link

if TYPE_CHECKING:
    import pyarrow as pa

Person = tuple[str, str, str, str]
ROLES = Roles((("key", Role.ID), ("first", Role.FORENAME), ("last", Role.SURNAME), ("born", Role.BIRTH_DATE),
               ("home", Role.POSTCODE)))  # fmt: skip
FIRST = ("Agnes", "Bernard", "Clara", "Desmond", "Edith", "Francis", "Gwen", "Harold", "Iris", "Jerome")
LAST = ("Abbott", "Bolton", "Carver", "Dunmore", "Eastwood", "Fairley", "Goddard", "Hollis", "Ingram", "Jessop")
SAYS_SO = "Too little to learn from"


def people(count: int, *, start: int = 0) -> list[Person]:
    """Different people; every tenth shares a surname with another, none shares all."""
    return [
        (FIRST[n % 10], LAST[(n * 3 + n // 10) % 10], f"19{30 + n % 60}-{1 + n % 12:02d}-{1 + (n * 7) % 28:02d}",
         f"PL{1 + n % 9} {1 + n % 8}{'ABDEFGHJLN'[n % 10]}{'PQRSTUWXYZ'[n // 10 % 10]}")
        for n in range(start, start + count)
    ]  # fmt: skip


def table(rows: Sequence[Person], *, prefix: str = "", order: Sequence[int] | None = None) -> pa.Table:
    import pyarrow as pa

    keyed = [(f"{prefix}{n}", *row) for n, row in enumerate(rows)]
    placed = [keyed[n] for n in order] if order is not None else keyed
    names = [name for name, _ in ROLES.columns]
    return pa.table({name: pa.array([row[n] for row in placed], pa.string()) for n, name in enumerate(names)})


def linked(outcome: Outcome) -> set[tuple[str, str]]:
    return set(zip(outcome.links["left_id"].to_pylist(), outcome.links["right_id"].to_pylist(), strict=True))


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_two_small_files_of_the_same_people_are_linked_with_a_warning(count: int) -> None:
    outcome = link(table(people(count), prefix="a"), table(people(count), prefix="b"), ROLES, ROLES)
    assert linked(outcome) == {(f"a{n}", f"b{n}") for n in range(count)}
    assert any(SAYS_SO in warning for warning in outcome.facts["warnings"])


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_two_small_files_of_different_people_are_not_linked(count: int) -> None:
    outcome = link(table(people(count)), table(people(count, start=50)), ROLES, ROLES)
    assert linked(outcome) == set()
    assert any(SAYS_SO in warning for warning in outcome.facts["warnings"])


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_a_small_file_holding_everybody_twice_is_grouped(count: int) -> None:
    outcome = dedupe(table(people(count) * 2), ROLES)
    together = {frozenset((f"{n}", f"{n + count}")) for n in range(count)}
    assert {frozenset(pair) for pair in linked(outcome)} == together


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_a_small_file_of_different_people_stays_apart(count: int) -> None:
    assert linked(dedupe(table(people(count)), ROLES)) == set()


def test_damaged_values_still_link_in_a_small_file() -> None:
    right = people(5)
    right[1] = ("Bernhard", *right[1][1:])
    right[2] = (*right[2][:3], "L1 8JQ")
    right[3] = (*right[3][:2], right[3][2].replace("19", "18", 1), right[3][3])
    outcome = link(table(people(5), prefix="a"), table(right, prefix="b"), ROLES, ROLES)
    assert linked(outcome) == {(f"a{n}", f"b{n}") for n in range(5)}


def test_husband_and_wife_are_two_people_in_a_small_file() -> None:
    home = "PL4 8AA"
    couple = [("Arthur", "Pascoe", "1941-03-07", home), ("Mary", "Pascoe", "1944-11-21", home)]
    outcome = link(table(couple[:1], prefix="a"), table(couple[1:], prefix="b"), ROLES, ROLES)
    assert linked(outcome) == set()


def test_empty_files_link_nobody() -> None:
    outcome = link(table([]), table(people(3)), ROLES, ROLES)
    assert linked(outcome) == set()
    assert outcome.clusters.num_rows == 3
    assert linked(dedupe(table([]), ROLES)) == set()


def test_every_level_has_general_experience_that_adds_up() -> None:
    fields = ("name_words", "birth_text", "sex", "postcode_0", "postcode_1", "nhs_number_0", "identifier_0",
              "address_0", "address_1", "place_0", "region_0", "house_number_0", "telephone_0", "email_0",
              "other_0")  # fmt: skip
    comparisons = comparisons_for(fields)
    for prior in priors_for(comparisons, groups_for(comparisons)):
        assert [float(m.sum()) for m in prior.m] == pytest.approx([SAME_PEOPLE] * len(prior.m))
        assert [float(u.sum()) for u in prior.u] == pytest.approx([STRANGERS] * len(prior.u))


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_rows_give_the_same_links_and_weights(seed: int) -> None:
    chance = np.random.default_rng(seed)
    everyone = people(90)
    damaged = [(first[:-1], last, born, home) for first, last, born, home in everyone[:60]] + people(30, start=100)
    straight = link(table(everyone, prefix="a"), table(damaged, prefix="b"), ROLES, ROLES)
    mixed = link(table(everyone, prefix="a", order=chance.permutation(90).tolist()),
                 table(damaged, prefix="b", order=chance.permutation(90).tolist()), ROLES, ROLES)  # fmt: skip
    key = [("left_id", "ascending"), ("right_id", "ascending")]
    assert straight.links.num_rows
    assert mixed.links.sort_by(key).equals(straight.links.sort_by(key))
    assert mixed.model == straight.model


def test_shuffled_rows_give_the_same_groups() -> None:
    twice = people(60) * 2
    order = np.random.default_rng(5).permutation(len(twice)).tolist()
    straight, mixed = dedupe(table(twice), ROLES), dedupe(table(twice, order=order), ROLES)
    assert mixed.clusters.sort_by("id").equals(straight.clusters.sort_by("id"))
