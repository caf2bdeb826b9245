"""Lasting ids: who keeps an id, who is retired, who is new – case by case and for anything we can invent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.clustering import Node
from linkage.identity import Assignment, KnownPerson, Since, assign_people, person_id

KEY = b"k" * 32


def node(record: int, *, verified: bool = False) -> Node:
    return Node(record, f"s|{record}", "s", str(record) if verified else None, None)


def assign(
    groups: list[tuple[int, ...]],
    believed: dict[int, str],
    verified: frozenset[int] = frozenset(),
    people: dict[str, KnownPerson] | None = None,
    **since: frozenset[int],
) -> Assignment:
    names = sorted(set(believed.values()))
    known = people or {name: KnownPerson(name, order) for order, name in enumerate(names, 1)}
    nodes = {r: node(r, verified=r in verified) for g in groups for r in g}
    return assign_people(groups, nodes, believed, known, key=KEY, next_number=100, since=Since(**since))  # fmt: skip


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


def test_of_two_equal_parts_the_one_that_did_not_change_keeps_the_id() -> None:
    for changed, keeper in ((1, 2), (2, 1)):
        found = assign([(1,), (2,)], {1: "p", 2: "p"}, changed=frozenset({changed}))
        assert found.person_of[keeper] == "p" != found.person_of[changed]


def test_a_checked_number_that_is_another_one_now_is_no_anchor() -> None:
    found = assign([(1,), (2,)], {1: "p", 2: "p"}, verified=frozenset({1}), changed=frozenset({1}),
                   renumbered=frozenset({1}))  # fmt: skip
    assert found.person_of[2] == "p"


def test_f47_a_key_with_another_bearer_takes_no_id_along() -> None:
    found = assign([(1,)], {1: "p"}, verified=frozenset({1}), reborn=frozenset({1}))
    assert found.person_of[1] != "p"
    assert [(c.person_id, c.status, c.superseded_by, c.split_from) for c in found.changes] == [
        (found.person_of[1], "active", None, "p"),
        ("p", "retired", None, None),
    ]


def test_f47_the_other_records_of_the_former_bearer_keep_the_id() -> None:
    found = assign([(1, 3), (2,)], {1: "p", 2: "p"}, verified=frozenset({1, 3}), reborn=frozenset({1}))
    assert found.person_of[2] == "p"
    assert found.person_of[1] == found.person_of[3] != "p"


def test_who_was_there_all_along_keeps_the_id_before_who_comes_back_with_a_better_number() -> None:
    found = assign([(1, 2), (3,)], {1: "p", 3: "p"}, verified=frozenset({1}), returned=frozenset({1}))
    assert found.person_of[3] == "p" != found.person_of[1]


def test_who_comes_back_takes_no_id_from_whom_it_was_joined_to_others() -> None:
    found = assign([(1,), (2, 3, 4)], {1: "p", 2: "p", 3: "q", 4: "q"}, returned=frozenset({1}))
    assert [(c.person_id, c.superseded_by, c.split_from) for c in found.changes] == [
        (found.person_of[1], None, "p"),
        ("p", "q", None),
    ]


def test_ids_of_before_lead_through_every_merge_to_who_it_is_today() -> None:
    people = {"a": KnownPerson("a", 1, "retired", "b"), "b": KnownPerson("b", 2, "retired", "c"),
              "c": KnownPerson("c", 3)}  # fmt: skip
    assert assign([(1, 3)], {1: "a", 3: "c"}, people=people).person_of == {1: "c", 3: "c"}
    parted = assign([(1,), (3,)], {1: "a", 3: "c"}, frozenset({3}), people)
    assert parted.person_of[3] == "c"
    assert parted.person_of[1] not in people, "an id that leads to somebody never comes back for another"


def test_an_id_says_nothing_of_its_number_and_needs_the_key() -> None:
    ids = [person_id(KEY, n) for n in range(2000)]
    assert len(set(ids)) == 2000
    assert ids != sorted(ids)
    assert person_id(b"x" * 32, 1) != ids[1]
    assert person_id(KEY, 1) == ids[1]


RECORDS = range(8)


@dataclass(frozen=True)
class Night:
    """Where every record is (0: it has left), which have a checked number, and what became of them since."""

    places: tuple[int, ...]
    verified: frozenset[int]
    changed: frozenset[int]
    reborn: frozenset[int]

    def groups(self) -> list[tuple[int, ...]]:
        named = sorted({place for place in self.places if place})
        return sorted(tuple(r for r in RECORDS if self.places[r] == place) for place in named)


few = st.frozensets(st.sampled_from(RECORDS), max_size=3)
places = st.lists(st.sampled_from([0, 1, 1, 2, 2, 3, 4]), min_size=len(RECORDS), max_size=len(RECORDS)).map(tuple)
a_night = st.builds(Night, places, few, few, few)


@dataclass
class Ledger:
    """What a council keeps of its people from night to night."""

    last: dict[int, str] = field(default_factory=dict)  # also of records that have left
    present: frozenset[int] = frozenset()
    people: dict[str, KnownPerson] = field(default_factory=dict)

    def since(self, night: Night) -> Since:
        here = {r for r in RECORDS if night.places[r]}
        return Since(changed=night.changed, reborn=night.reborn & self.last.keys(),
                     returned=frozenset((here & self.last.keys()) - self.present))  # fmt: skip

    def heir(self, name: str) -> str:
        while (successor := self.people[name].superseded_by) is not None:
            name = successor
        return name

    def believed(self) -> dict[int, str]:
        return {r: self.heir(name) for r, name in self.last.items()}

    def run(self, night: Night, as_numbered: Callable[[int], int] = lambda r: r) -> Assignment:
        """One night's assignment; records may bear other internal numbers, their keys stay."""
        groups = [tuple(as_numbered(r) for r in group) for group in night.groups()]
        nodes = {
            as_numbered(r): Node(as_numbered(r), f"s|{r}", "s", str(r) if r in night.verified else None, None)
            for r in RECORDS
        }
        since = self.since(night)
        renamed = Since(*(frozenset(map(as_numbered, named)) for named in
                          (since.changed, since.renumbered, since.reborn, since.returned)))  # fmt: skip
        believed = {as_numbered(r): name for r, name in self.believed().items()}
        known = {name: self.people[name] for name in set(believed.values())}
        return assign_people(groups, nodes, believed, known, key=KEY, next_number=len(self.people) + 1, since=renamed)

    def note(self, night: Night, found: Assignment) -> None:
        for change in found.changes:
            order = len(self.people) + 1 if change.is_new else self.people[change.person_id].order
            self.people[change.person_id] = KnownPerson(change.person_id, order, change.status, change.superseded_by)
        self.last |= found.person_of
        self.present = frozenset(found.person_of)


@pytest.mark.property
@given(st.lists(a_night, min_size=2, max_size=6))
def test_ids_are_never_shared_never_move_to_other_records_and_lead_to_somebody(nights: list[Night]) -> None:
    ledger, replayed = Ledger(), Ledger()
    for night in nights:
        since, before = ledger.since(night), ledger.believed()
        found = ledger.run(night)
        assert replayed.run(night) == found, "the same nights again, the same ids"
        groups = night.groups()
        assert len({found.person_of[g[0]] for g in groups}) == len(groups)
        for group in groups:
            name = found.person_of[group[0]]
            assert {found.person_of[r] for r in group} == {name}
            held = {r for r, p in before.items() if p == name}
            assert not held or held & set(group) - since.reborn, "an id only stays where one of its records is"
            there = {r for r in held & ledger.present - since.reborn if night.places[r]}
            assert not there or there & set(group), "who comes back takes no id from who was there"
        ledger.note(night, found)
        replayed.note(night, found)
        active = {name for name, known in ledger.people.items() if known.status == "active"}
        assert active == set(found.person_of.values())
        for name in ledger.people:
            assert ledger.heir(name) in active or not ledger.people[ledger.heir(name)].superseded_by
        settled = Night(night.places, night.verified, frozenset(), frozenset())
        assert (ledger.run(settled).person_of, ledger.run(settled).changes) == (found.person_of, [])


@pytest.mark.property
@given(st.lists(a_night, min_size=2, max_size=4), st.permutations(list(RECORDS)))
def test_internal_numbers_and_so_the_order_of_arrival_within_a_night_change_no_id(
    nights: list[Night], numbers: list[int]
) -> None:
    ledger = Ledger()
    for night in nights:
        found, renamed = ledger.run(night), ledger.run(night, lambda r: 100 + numbers[r])
        assert renamed.person_of == {100 + numbers[r]: name for r, name in found.person_of.items()}
        assert renamed.changes == found.changes
        ledger.note(night, found)


@pytest.mark.property
@given(a_night, places)
def test_a_model_that_is_trained_anew_keeps_ids_by_anchor(before: Night, places_after: tuple[int, ...]) -> None:
    """Whatever the other weights join and part: of each person the part with most behind it keeps the id, unless that
    part has a still better right to another one."""
    ledger = Ledger()
    ledger.note(before, ledger.run(before))
    here = tuple(after if was else 0 for was, after in zip(before.places, places_after, strict=True))
    after = Night(here, before.verified, frozenset(), frozenset())
    found, believed = ledger.run(after), ledger.believed()

    def anchor(group: tuple[int, ...], name: str) -> tuple[int, int]:
        shared = [r for r in group if believed.get(r) == name]
        return len(set(shared) & before.verified), len(shared)

    for name in set(believed.values()):
        right = {group: anchor(group, name) for group in after.groups() if anchor(group, name) > (0, 0)}
        for group, mine in right.items():
            kept = found.person_of[group[0]]
            if kept != name:
                by_other = kept in ledger.people and anchor(group, kept) >= mine
                keepers = [g for g in right if found.person_of[g[0]] == name]
                assert by_other or (keepers and right[keepers[0]] >= mine)
