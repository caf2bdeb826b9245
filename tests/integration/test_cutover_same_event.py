"""An event told in both systems around a cut-over is one event, and a service keeps the start it really had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from domain.profile import Profile, SourceSettings
from tests.support.small_warehouse import NIGHT_0, NIGHT_1, SmallWarehouse

DAYS = {"old": "micare", "new": "liquidlogic", "freeze_from": "2025-07-11", "live_from": "2025-07-14"}
NURSING = {"service_type": "Long Term Support: Nursing Care", "service_component": "Nursing", "status": "open"}


@pytest.fixture
def database(unreleased: Profile) -> Profile:
    """Before the first release: these tests publish it themselves."""
    return unreleased


@pytest.fixture
def warehouse(database: Profile, admin_url: str) -> Iterator[SmallWarehouse]:
    sources = (
        SourceSettings("micare", "micare", {}),
        SourceSettings("liquidlogic", "liquidlogic", {}),
        SourceSettings("cross_reference", "cross_reference", {"inbox": "x", **DAYS}),
    )
    with SmallWarehouse(replace(database, sources=sources), admin_url) as small:
        small.night(NIGHT_0)
        small.person("person-ada", "micare:A", "liquidlogic:1")
        small.person("person-bea", "micare:B", "liquidlogic:2")
        yield small


def joined(warehouse: SmallWarehouse) -> list[tuple[Any, ...]]:
    return warehouse.connection.execute(
        """select s.rule, o.event_key, n.event_key, s.started_on::text from release.same_event s
             join core.event n on n.event_id = s.event_id join core.event o on o.event_id = s.same_as_event_id
            order by 1, 2"""
    ).fetchall()


def returned(warehouse: SmallWarehouse, kind: str) -> list[tuple[Any, ...]]:
    return warehouse.connection.execute(
        f"select event_reference, start_date::text, end_date::text, status from returns.{kind} order by 1"
    ).fetchall()


def test_a_service_created_anew_keeps_its_start_counts_once_and_ends_as_the_new_system_says(
    warehouse: SmallWarehouse,
) -> None:
    warehouse.event("service", "micare:A", "old-1", start_date="2019-03-04", cqc_location_id="1-1", **NURSING)
    warehouse.event("service", "liquidlogic:1", "new-1", start_date="2025-07-14", cqc_location_id="1-1", **NURSING)
    warehouse.event("service", "micare:B", "old-2", start_date="2020-01-01", cqc_location_id="1-1", **NURSING)
    warehouse.build()
    assert joined(warehouse) == [("service_continues", "old-1", "new-1", "2019-03-04")]
    starts = warehouse.connection.execute(
        "select source, start_date::text, original_start_date::text from release.service order by 1, 2"
    ).fetchall()
    assert starts == [
        ("liquidlogic", "2025-07-14", "2019-03-04"),
        ("micare", "2019-03-04", None),
        ("micare", "2020-01-01", None),
    ]
    warehouse.night(NIGHT_1)
    ended = {**NURSING, "status": "completed", "start_date": "2025-07-14", "end_date": "2025-09-01"}
    warehouse.event("service", "liquidlogic:1", "new-1", cqc_location_id="1-1", **ended)
    warehouse.build()
    assert returned(warehouse, "service") == [
        ("old-1", "2019-03-04", "2025-09-01", "completed"),
        ("old-2", "2020-01-01", None, "open"),
    ]
    assert warehouse.one("select count(*) from release.service") == 3, "nothing is deleted"


def test_two_services_of_one_type_find_their_own_by_provider_and_price_and_like_ones_pair_off(
    warehouse: SmallWarehouse,
) -> None:
    for key, start, provider, price in (
        ("a", "2018-01-01", "1-1", "500"), ("b", "2019-01-01", "1-2", "600"), ("c", "2020-01-01", "1-2", "700"),
        ("d", "2021-01-01", "1-3", "50"), ("e", "2021-01-01", "1-3", "50"),
    ):  # fmt: skip
        both = {**NURSING, "cqc_location_id": provider, "unit_cost": price}
        warehouse.event("service", "micare:A", f"old-{key}", start_date=start, **both)
        warehouse.event("service", "liquidlogic:1", f"new-{key}", start_date="2025-07-14", **both)
    warehouse.build()
    assert [(old[-1], new[-1]) for _, old, new, _ in joined(warehouse)] == [(k, k) for k in "abcde"]


def test_only_the_same_person_type_and_time_are_one_event(warehouse: SmallWarehouse) -> None:
    def told(kind: str, key: str, old: dict[str, Any], new: dict[str, Any], record: str = "liquidlogic:1") -> None:
        warehouse.event(kind, "micare:A", f"old-{key}", **old)
        warehouse.event(kind, record, f"new-{key}", **new)

    gp, done = {"route_of_access": "Community / other route"}, {"status": "completed", "end_date": "2025-07-10"}
    told("request", "twice", {**gp, **done, "start_date": "2025-07-08"}, {**gp, **done, "start_date": "2025-07-09"})
    told("request", "far", {**gp, **done, "start_date": "2025-06-20"}, {**gp, **done, "start_date": "2025-06-28"})
    told("request", "route", {**gp, **done, "start_date": "2025-05-30"},
         {**done, "route_of_access": "Discharge from hospital", "start_date": "2025-05-30"})  # fmt: skip
    told("request", "other", {**gp, **done, "start_date": "2025-06-05"}, {**gp, **done, "start_date": "2025-06-05"},
         record="liquidlogic:2")  # fmt: skip
    told("review", "before", {**done, "start_date": "2023-02-01", "end_date": "2023-02-02"},
         {**done, "start_date": "2023-02-01", "end_date": "2023-02-02"})  # fmt: skip
    told("assessment", "open", {"status": "open", "start_date": "2025-02-01", "end_date": None},
         {"status": "completed", "start_date": "2025-02-02", "end_date": "2025-07-30"})  # fmt: skip
    warehouse.build()
    assert [(rule, old) for rule, old, *_ in joined(warehouse)] == [
        ("told_twice", "old-twice"),
        ("work_carried_over", "old-open"),
    ]
    assert returned(warehouse, "assessment") == [("old-open", "2025-02-01", "2025-07-30", "completed")]
    assert "new-twice" not in {row[0] for row in returned(warehouse, "request")}


def test_without_a_cut_over_in_the_profile_nothing_is_joined(warehouse: SmallWarehouse) -> None:
    warehouse.event("service", "micare:A", "old-1", start_date="2019-03-04", **NURSING)
    warehouse.event("service", "liquidlogic:1", "new-1", start_date="2025-07-14", **NURSING)
    first = warehouse.build().facts["digest"]
    assert len(joined(warehouse)) == 1
    warehouse.profile = replace(warehouse.profile, sources=())
    assert warehouse.build().facts["digest"] != first
    assert joined(warehouse) == []
