"""The canonical digest: the same for the same content however it got there, another for any other content."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.profile import Profile
from tests.support.small_warehouse import NIGHT_0, NIGHT_1, SmallWarehouse, everyday
from warehouse.build import EVENTS

Step = Callable[[SmallWarehouse], None]


@pytest.fixture
def database(unreleased: Profile) -> Profile:
    """Before the first release: these tests publish it themselves."""
    return unreleased


@pytest.fixture
def warehouse(database: Profile, admin_url: str) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(database, admin_url) as small:
        yield small


def empty(warehouse: SmallWarehouse, *, restart_numbers: bool) -> None:
    """As if nothing had ever arrived; internal numbers go on counting unless they are restarted."""
    tables = ", ".join(f"payload.{kind}, core.{kind}" for kind in EVENTS)
    warehouse.connection.execute(
        f"truncate {tables}, core.event, core.person, core.identity, core.current_release, ledger.release, "
        "ledger.delivery, ledger.link_run, identity.source_record, identity.person, identity.membership, "
        f"identity.link, identity.person_detail {'restart' if restart_numbers else 'continue'} identity cascade"
    )


def digest(warehouse: SmallWarehouse) -> str:
    return warehouse.build().facts["digest"]


def test_the_digest_does_not_know_internal_numbers_or_person_ids(warehouse: SmallWarehouse) -> None:
    everyday(warehouse)
    first = digest(warehouse)
    empty(warehouse, restart_numbers=False)
    everyday(warehouse)
    for table in ("identity.membership", "identity.person_detail"):
        warehouse.connection.execute(
            "insert into identity.person select 'zz-' || person_id, born_at from identity.person on conflict do nothing"
        )
        warehouse.connection.execute(f"update {table} set person_id = 'zz-' || person_id")
    assert digest(warehouse) == first
    assert warehouse.one("select min(event_id) from core.event") > 1


CHANGES: dict[str, Step] = {
    "a column of an event": lambda w: w.event("service", "liquidlogic:L1", "service-1", planned_units="3.5"),
    "an outcome": lambda w: w.event("review", "liquidlogic:L1", "review-1", outcomes=["NHS funded care"]),
    "an event moved to another person": lambda w: w.event("request", "liquidlogic:L2", "request-1"),
    "an event gone": lambda w: w.end("payload.contact", event_key="contact-1"),
    "an event's own key": lambda w: w.event("referral", "systmone:S1", "referral-2"),
    "a date of death": lambda w: w.person("person-bea", death_date="2026-02-02"),
    "the weight of a link": lambda w: w.link("liquidlogic:L1", "systmone:S1", 9.5),
    "a split": lambda w: w.person("person-cat", "systmone:S1"),
    "whom a carer cares for": lambda w: w.event("caring", "liquidlogic:L2", "caring-1", cared_for="liquidlogic:L2"),
    "the referral of a contact": lambda w: w.event("contact", "systmone:S1", "contact-1", referral_event_key=None),
}


def test_the_digest_tells_any_difference(warehouse: SmallWarehouse) -> None:
    everyday(warehouse)
    known = {digest(warehouse): "the first content"}
    warehouse.night(NIGHT_1)
    for what, change in CHANGES.items():
        change(warehouse)
        told = digest(warehouse)
        assert told not in known, f"{what} went unnoticed: as {known.get(told)}"
        known[told] = what


def test_a_change_undone_gives_the_first_digest_again(warehouse: SmallWarehouse) -> None:
    everyday(warehouse)
    first = digest(warehouse)
    warehouse.night(NIGHT_1)
    warehouse.event("service", "liquidlogic:L1", "service-1", planned_units="3.5")
    second = digest(warehouse)
    warehouse.event("service", "liquidlogic:L1", "service-1")
    assert [second == first, digest(warehouse) == first] == [False, True]


@pytest.mark.property
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts=st.lists(
        st.tuples(st.sampled_from(["request", "service", "referral", "contact"]), st.integers(0, 5), st.integers(0, 9)),
        min_size=1,
        max_size=8,
        unique_by=lambda fact: (fact[0], fact[2]),
    ),
    seed=st.integers(0, 1000),
)
def test_order_of_arrival_and_number_of_builds_do_not_change_the_digest(
    warehouse: SmallWarehouse, facts: list[tuple[str, int, int]], seed: int
) -> None:
    def told(order: list[tuple[str, int, int]], *, builds: bool) -> str:
        empty(warehouse, restart_numbers=builds)
        warehouse.night(NIGHT_0)
        for nth, (kind, person, key) in enumerate(order):
            warehouse.person(f"p{seed * builds}-{person}", f"systmone:{person}")
            warehouse.event(kind, f"systmone:{person}", f"{kind}-{key}")
            if builds and nth == len(order) // 2:
                warehouse.build()
        return digest(warehouse)

    shuffled = random.Random(seed).sample(facts, len(facts))
    assert told(facts, builds=True) == told(shuffled, builds=False)
