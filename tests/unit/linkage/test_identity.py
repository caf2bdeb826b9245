"""Lasting ids: who keeps an id, who is retired, who is new – case by case and for anything we can invent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.clustering import Node
from linkage.identity import Assignment, KnownPerson, assign_people, person_id

KEY = b"k" * 32


def node(record: int, *, verified: bool = False) -> Node:
    return Node(record, f"s|{record}", "s", str(record) if verified else None, None)


def assign(
    groups: list[tuple[int, ...]],
    believed: dict[int, str],
    verified: frozenset[int] = frozenset(),
    people: dict[str, KnownPerson] | None = None,
) -> Assignment:
    names = sorted(set(believed.values()))
    known = people or {name: KnownPerson(name, order) for order, name in enumerate(names, 1)}
    nodes = {r: node(r, verified=r in verified) for g in groups for r in g}
    return assign_people(groups, nodes, believed, known, key=KEY, next_number=100)  # fmt: skip


def test_the_same_members_keep_their_person() -> None:
    assert assign([(1, 2)], {1: "p", 2: "p"}).person_of == {1: "p", 2: "p"}


def test_a_new_record_joins_the_person_of_its_group() -> None:
    assert assign([(1, 2, 3)], {1: "p", 2: "p"}).person_of[3] == "p"


def test_a_lone_new_record_is_a_new_person() -> None:
    found = assign([(1,)], {})
    assert found.person_of == {1: person_id(KEY, 100)}
    assert [(c.is_new, c.split_from) for c in found.changes] == [(True, None)]


def test_two_people_become_one_and_the_one_with_more_checked_numbers_survives() -> None:
    found = assign([(1, 2, 3)], {1: "a", 2: "a", 3: "b"}, verified=frozenset({3}))
    assert set(found.person_of.values()) == {"b"}
    (change,) = found.changes
    assert (change.person_id, change.status, change.superseded_by) == ("a", "retired", "b")
    assert found.merged == 1


def test_without_checked_numbers_the_larger_then_the_older_person_survives() -> None:
    assert set(assign([(1, 2, 3)], {1: "b", 2: "b", 3: "a"}).person_of.values()) == {"b"}
    assert set(assign([(1, 2)], {1: "b", 2: "a"}).person_of.values()) == {"a"}


def test_one_person_becomes_two_and_the_part_with_the_checked_number_keeps_the_id() -> None:
    found = assign([(1, 2), (3,)], {1: "p", 2: "p", 3: "p"}, verified=frozenset({3}))
    assert found.person_of[3] == "p"
    assert found.person_of[1] == found.person_of[2] != "p"
    assert [(c.is_new, c.split_from) for c in found.changes] == [(True, "p")]
    assert found.split == 1


def test_a_person_whose_records_all_left_is_retired_and_comes_back_with_them() -> None:
    gone = assign([], {1: "p"})
    assert [(c.person_id, c.status, c.superseded_by) for c in gone.changes] == [("p", "retired", None)]
    back = assign([(1,)], {1: "p"}, people={"p": KnownPerson("p", 1, "retired")})
    assert back.person_of == {1: "p"}
    assert [(c.person_id, c.is_new, c.status) for c in back.changes] == [("p", False, "active")]


def test_a_record_that_comes_back_after_a_merge_follows_the_redirection() -> None:
    people = {"a": KnownPerson("a", 1), "b": KnownPerson("b", 2, "retired", "a")}
    assert assign([(2,)], {2: "b"}, people=people).person_of == {2: "a"}


def test_an_id_says_nothing_of_its_number_and_needs_the_key() -> None:
    ids = [person_id(KEY, n) for n in range(2000)]
    assert len(set(ids)) == 2000
    assert ids != sorted(ids)
    assert person_id(b"x" * 32, 1) != ids[1]
    assert person_id(KEY, 1) == ids[1]


def partition() -> st.SearchStrategy[list[tuple[int, ...]]]:
    return st.lists(st.integers(0, 5), min_size=8, max_size=8).map(
        lambda places: [tuple(r for r, p in enumerate(places) if p == place) for place in sorted(set(places))]
    )


@pytest.mark.property
@given(st.lists(partition(), min_size=2, max_size=6), st.frozensets(st.integers(0, 7)))
def test_ids_are_never_shared_and_never_move_to_other_records(
    history: list[list[tuple[int, ...]]], verified: frozenset[int]
) -> None:
    believed: dict[int, str] = {}
    people: dict[str, KnownPerson] = {}
    number = 1
    for groups in history:
        nodes = {r: node(r, verified=r in verified) for g in groups for r in g}
        found = assign_people(groups, nodes, believed, people, key=KEY, next_number=number)
        assert len({found.person_of[g[0]] for g in groups}) == len(groups)
        for group in groups:
            name = found.person_of[group[0]]
            assert {found.person_of[r] for r in group} == {name}
            held = {r for r, p in believed.items() if p == name}
            assert not held or held & set(group), "an id only stays where one of its records is"
        for change in found.changes:
            born = number if change.is_new else people[change.person_id].order
            number += change.is_new
            people[change.person_id] = KnownPerson(change.person_id, born, change.status, change.superseded_by)
        believed = found.person_of
        again = assign_people(groups, nodes, believed, people, key=KEY, next_number=number)
        assert (again.person_of, again.changes) == (believed, [])
        assert {p for p, known in people.items() if known.status == "active"} == set(believed.values())
