"""Lasting person ids: new groups compared with the people of the day before, so that an id outlives re-runs.

An id is a keyed digest of a running number: nothing in it comes from a record or an NHS number, and the same run
repeated after a crash gives the same ids. Ids are kept, retired or split by the rules of linkage handbook 10; none is
ever reused for other records.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from linkage.clustering import Node

_LENGTH = 16  # letters of base 32: 80 bits


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person as the identity zone holds it: `order` is the running number of its birth (older is smaller)."""

    person_id: str
    order: int
    status: str = "active"
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True)
class PersonChange:
    """A person who is new (`is_new`), retired, or active again."""

    person_id: str
    is_new: bool
    status: str
    superseded_by: str | None = None
    split_from: str | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """What became of records since it was last believed who they are."""

    changed: frozenset[int] = frozenset()  # their source tells something else of them
    renumbered: frozenset[int] = frozenset()  # and among it another NHS number
    reborn: frozenset[int] = frozenset()  # number, birth date and names: the key was given to somebody else (F47)
    returned: frozenset[int] = frozenset()  # they had left, and who they were is remembered only

    @property
    def absent(self) -> frozenset[int]:
        """Records that hold no id in the meantime: they had left, or are somebody else."""
        return self.reborn | self.returned


@dataclass(slots=True)
class Assignment:
    """Which group is which person, and what became of persons."""

    person_of: dict[int, str] = field(default_factory=dict)  # record -> person
    changes: list[PersonChange] = field(default_factory=list)
    merged: int = 0
    split: int = 0


def person_id(key: bytes, number: int) -> str:
    """The id of the `number`-th person: opaque, and without the key not to be told from a random one."""
    digest = hmac.new(key, f"person {number}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:_LENGTH].lower()


def assign_people(
    groups: Sequence[tuple[int, ...]],
    nodes: Mapping[int, Node],
    believed: Mapping[int, str],
    people: Mapping[str, KnownPerson],
    *,
    key: bytes,
    next_number: int,
    since: Since | None = None,
) -> Assignment:
    """Give every group its person.

    Args:
        groups: groups of record ids, in a settled order.
        nodes: the records.
        believed: record -> person, as last believed (also of records that had left and came back).
        people: every person that `believed` names or that has members among the records looked at.
        key: the council's key for person ids.
        next_number: the running number of the next person to be born.
        since: what became of the records since.

    A group keeps the id with which it shares most: records with a checked number count first, then records, then
    those that had left, then the age of the id, then the smallest id; between two parts of one person that are equal
    in all this the one keeps it of which less has changed. An id all of whose records went elsewhere is retired and
    redirects; a part that loses its id to another part is a new person, `split_from` the old one. A record that has
    another bearer now brings no id with it (governance F47).
    """
    since = since or Since()
    claims = _claims(groups, nodes, believed, people, since)
    taken: dict[str, int] = {}
    kept: dict[int, str] = {}
    for claim in claims:
        if claim.may_keep and claim.person not in taken and claim.group not in kept:
            taken[claim.person], kept[claim.group] = claim.group, claim.person
    origins: dict[int, str] = {}
    for claim in claims:
        origins.setdefault(claim.group, claim.person)
    assignment = Assignment()
    for number, group_members in enumerate(groups):
        name = kept.get(number)
        if name is None:
            name = person_id(key, next_number)
            next_number += 1
            origin = origins.get(number)
            assignment.split += origin is not None
            assignment.changes.append(PersonChange(name, True, "active", split_from=origin))
            kept[number] = name
        elif people[name].status != "active":
            assignment.changes.append(PersonChange(name, False, "active"))
        for record in group_members:
            assignment.person_of[record] = name
    _retire(assignment, claims, kept, taken, people)
    return assignment


@dataclass(frozen=True, slots=True, order=True)
class _Claim:
    """An old person and a new group that share records; `may_keep`: the group may keep the id."""

    rank: tuple[int, ...]
    person: str
    group: int
    may_keep: bool


def _claims(
    groups: Sequence[tuple[int, ...]],
    nodes: Mapping[int, Node],
    believed: Mapping[int, str],
    people: Mapping[str, KnownPerson],
    since: Since,
) -> list[_Claim]:
    """Every (old person, new group) that share records, the strongest claim first."""
    shared: dict[tuple[str, int], list[int]] = {}
    for number, members in enumerate(groups):
        for record in members:
            if record in believed:
                shared.setdefault((_redirected(believed[record], people), number), []).append(record)
    # Who was there all along takes the id along; who only comes back finds it where they are.
    there = {person for (person, _), records in shared.items() if not since.absent.issuperset(records)}
    claims = []
    for (person, number), records in shared.items():
        same = [r for r in records if r not in since.reborn]
        present = [r for r in same if r not in since.returned]
        checked = {r for r in same if nodes[r].verified_number is not None and r not in since.renumbered}
        anchor = -len(checked.intersection(present)), -len(present), -len(checked), -len(same)
        steady = sum(r not in since.changed for r in present)
        rank = (*anchor, people[person].order, -steady, number)
        claims.append(_Claim(rank, person, number, bool(present) or (bool(same) and person not in there)))
    return sorted(claims)


def _redirected(name: str, people: Mapping[str, KnownPerson]) -> str:
    while (successor := people[name].superseded_by) is not None and successor in people:
        name = successor
    return name


def _retire(
    assignment: Assignment,
    claims: Sequence[_Claim],
    kept: Mapping[int, str],
    taken: Mapping[str, int],
    people: Mapping[str, KnownPerson],
) -> None:
    strongest: dict[str, int] = {}
    for claim in claims:
        if claim.may_keep:
            strongest.setdefault(claim.person, claim.group)
    for name in sorted(people):
        is_active = people[name].status == "active"
        # Who was retired because all records left, and whose records came back as somebody else's, redirects as well.
        if name in taken or (not is_active and name not in strongest):
            continue
        successor = kept[strongest[name]] if name in strongest else None
        assignment.merged += is_active and successor is not None
        assignment.changes.append(PersonChange(name, False, "retired", superseded_by=successor))
