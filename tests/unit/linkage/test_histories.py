"""Nights of any kind: a run of what changed believes what a run of everything would, ids last, and no guard is broken.

Records are new, change, leave and come back; decisions are made, contradict each other and are taken back. The world
is tiny and its people alike, so that groups form, clash and part all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from linkage import engine
from linkage.model import Model, load_model
from tests.support.linkage_history import Evening, Morning, link
from tests.support.linkage_numbers import nhs_number

pytestmark = pytest.mark.property

# Small caps, so that blocks are left out, postcodes become communal and dates common in a world of a dozen records.
_MODEL = load_model()
MODEL = replace(_MODEL, bands=replace(_MODEL.bands, block_cap=4, communal_surnames=3))
TWO_LINES = replace(MODEL, bands=replace(MODEL.bands, part=4.0))
RECORDS = 9
Change = Callable[[Evening], Evening]

FORENAMES, SURNAMES = ("Iris", "Olive", "Walter", ""), ("Oakhampton", "Pym", "Vale")
BIRTHS = ("1941-03-17", "1941-03-11", "1972-08-30", "1938-11-02", None)
POSTCODES = ("AV1 1AA", "AV1 1AB", "AV9 9ZZ", None)


@pytest.fixture(autouse=True, scope="module")
def always_a_delta() -> Iterator[None]:
    """In so small a world a handful of changes would otherwise be reason enough to compare everything anew."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engine, "_ALL_ANEW_ABOVE", 2.0)
        yield


@st.composite
def told(draw: st.DrawFn) -> dict[str, Any]:
    number = draw(st.sampled_from([None, None, 1, 2, 3]))
    return {
        "forename": draw(st.sampled_from(FORENAMES)) or None,
        "surname": draw(st.sampled_from(SURNAMES)),
        "birth_date": draw(st.sampled_from(BIRTHS)),
        "sex": draw(st.sampled_from("12")),
        "postcode": draw(st.sampled_from(POSTCODES)),
        "nhs_number_supplied": None if number is None else nhs_number(number),
        "nhs_number_verified": None if number is None else draw(st.booleans()),
        "addresses": draw(st.lists(st.sampled_from(POSTCODES[:3]), max_size=1)),
        "references": [("liquidlogic_key", f"k{draw(st.integers(1, RECORDS))}")]
        if draw(st.integers(0, 4)) == 0
        else [],
        "is_restricted": draw(st.integers(0, 6)) == 0,
        "duplicate_of_key": f"k{draw(st.integers(1, RECORDS))}" if draw(st.integers(0, 5)) == 0 else None,
    }


def put(record: int, fields: dict[str, Any]) -> Change:
    source = ("systmone", "liquidlogic", "carefirst")[record % 3]
    return lambda evening: evening.put(record, source=source, **fields)


def end(record: int) -> Change:
    return lambda evening: evening.end(record)


def decide(one: int, other: int, answer: str, by_notice: bool) -> Change:
    return lambda evening: evening.decide(one, other, answer, by_notice=by_notice)


def keep_apart(one: int, other: int | None) -> Change:
    return lambda evening: evening.keep_apart(one, other)


def no_longer_apart(place: int) -> Change:
    return lambda evening: evening.no_longer_apart(place)


def withdraw(place: int) -> Change:
    return lambda evening: evening.withdraw(place)


records = st.integers(1, RECORDS)
pairs = st.sampled_from(list(combinations(range(1, RECORDS + 1), 2)))
answers, booleans = st.sampled_from(["same", "not_same", "cannot_tell"]), st.booleans()
change = st.one_of(
    st.builds(put, records, told()),
    st.builds(put, records, told()),
    st.builds(end, records),
    st.builds(lambda pair, answer, by_notice: decide(pair[0], pair[1], answer, by_notice), pairs, answers, booleans),
    st.builds(lambda pair, answer, by_notice: decide(pair[0], pair[1], answer, by_notice), pairs, answers, booleans),
    st.builds(lambda pair: keep_apart(*pair), pairs),
    st.builds(lambda record: keep_apart(record, None), records),
    st.builds(no_longer_apart, st.integers(0, 1)),
    st.builds(withdraw, st.integers(0, 2)),
)
first_night = st.lists(told(), min_size=4, max_size=RECORDS)
nights = st.lists(st.lists(change, min_size=1, max_size=3), min_size=2, max_size=3)
few = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
    derandomize=True,
)


def mornings(model: Model, first: list[dict[str, Any]], later: list[list[Change]]) -> Iterator[tuple[Evening, Morning]]:
    """Each evening with the morning that a run of the changes alone leads to."""
    evening = Evening()
    for night in [[put(number, fields) for number, fields in enumerate(first, 1)], *later]:
        for step in night:
            evening = step(evening)
        morning = link(evening, model)
        yield evening, morning
        evening = morning.next


@few
@given(st.sampled_from([MODEL, TWO_LINES]), first_night, nights)
def test_a_run_of_the_changes_believes_what_a_run_of_everything_would(
    model: Model, first: list[dict[str, Any]], later: list[list[Change]]
) -> None:
    for evening, morning in mornings(model, first, later):
        _no_guard_is_broken(evening, morning)
        _contradictions_wait(evening, morning)
        if evening.before is not None:
            assert link(evening, model, is_full=True).believed == morning.believed
            _ids_last(evening, morning)


def _no_guard_is_broken(evening: Evening, morning: Morning) -> None:
    assert set(morning.person_of) == set(evening.records), "every record is one person's"
    constraints = morning.constraints
    parted = constraints.apart | (constraints.attention - constraints.held) | constraints.never
    noticed = constraints.together - constraints.ordinary
    for group in morning.groups:
        inside = set(combinations(sorted(group), 2))
        assert not inside & parted, "never together, not even through a third"
        assert len(group) == 1 or not group & constraints.alone, "whoever must not be linked is alone"
        if not _chained(noticed, group):
            assert len({n for r in group if (n := _verified(evening, r))}) <= 1, "one verified number a person"
        for record in group if len(group) > 1 else ():
            if evening.records[record]["is_restricted"]:
                assert _verified(evening, record), "a protected record is linked by a verified number only"
    for pair in constraints.together:
        edge = morning.edge(*pair)
        if set(pair) <= set(evening.records) and edge is not None and edge[9] == "link":
            assert morning.together(*pair), "what is said to be joined is joined"
        elif set(pair) <= set(evening.records) and pair not in constraints.never and not constraints.alone & set(pair):
            assert edge is not None and edge[10] in ("needs_notice", "restricted"), "or it is said why not"
    for pair, expected in [*((p, ("review", "needs_attention")) for p in constraints.attention - constraints.never),
                           *((p, ("reject", "human_decision")) for p in constraints.apart - constraints.never),
                           *((p, ("reject", "do_not_link")) for p in constraints.never)]:  # fmt: skip
        if not constraints.alone & set(pair) and set(pair) <= set(evening.records):
            edge = morning.edge(*pair)
            assert edge is not None and (edge[9], edge[10]) == expected


def _contradictions_wait(evening: Evening, morning: Morning) -> None:
    """F71, said anew: what was apart stays apart, what was together stays so unless a guard speaks against it."""
    answers: dict[tuple[int, int], set[str]] = {}
    for decision in evening.decisions:
        answers.setdefault((decision.left, decision.right), set()).add(decision.answer)
    for (one, other), said in answers.items():
        if not {"same", "not_same"} <= said or not {one, other} <= set(evening.records):
            continue
        if (one, other) not in evening.met:
            assert not morning.together(one, other), "nobody is joined meanwhile"
        elif not _guard_may_part(evening, morning):
            assert morning.together(one, other), "nobody is parted meanwhile"


def _guard_may_part(evening: Evening, morning: Morning) -> bool:
    numbers = {n for r in evening.records if (n := _verified(evening, r))}
    protected = any(fields["is_restricted"] for fields in evening.records.values())
    return bool(evening.kept_apart) or protected or len(numbers) > 1 or bool(morning.constraints.apart)


def _chained(pairs: frozenset[tuple[int, int]], group: frozenset[int]) -> bool:
    return any(group & set(pair) for pair in pairs)


def _ids_last(evening: Evening, morning: Morning) -> None:
    people = morning.next.people
    active = {name for name, known in people.items() if known.status == "active"}
    assert active == set(morning.person_of.values())
    held: dict[str, set[int]] = {}
    for record, (name, _, _) in evening.member_of.items():
        held.setdefault(_ends_at(name, evening.people), set()).add(record)
    for name in active & set(evening.people):
        members = {r for r, whose in morning.person_of.items() if whose == name}
        assert held.get(name, set()) & members, "an id stays where one of its records is"
    for name in evening.people:
        if people[name].status == "retired":
            assert _ends_at(name, people) == name or people[_ends_at(name, people)].order != people[name].order


def _ends_at(name: str, people: Any) -> str:
    while people[name].superseded_by is not None:
        name = people[name].superseded_by
    return name


def _verified(evening: Evening, record: int) -> str | None:
    fields = evening.records[record]
    return fields["nhs_number_supplied"] if fields["nhs_number_verified"] else None
