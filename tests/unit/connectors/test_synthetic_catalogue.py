"""The defect catalogue: every line of it is injected where it names a system, by the council or by its door."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import pytest

from connectors.synthetic.defects import RATES, rate
from connectors.synthetic.generate import build_world
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import SYSTEMS, World

_FOUR = ("plymouth_like", "wirral_like", "manchester_like", "county_like")
_CATALOGUE = {f"D{n:02d}" for n in (*range(1, 15), *range(20, 34), *range(40, 49), *range(60, 71), *range(80, 94))}
#: What lies in a supplier's own tables, files and code lists is put there by its door; D92 by hand-made feeds.
_OF_THE_DOORS = {"D84", "D85", "D86", "D88", "D89", "D90", "D91", "D93"}
_HAND_MADE = {"D92"}
_LEGACY = {"carefirst", "micare"}
_CARE = {"liquidlogic", *_LEGACY}
_ALL = {"systmone", *_CARE}
#: Which systems the catalogue names, where it is not all of them.
_WHERE = {
    "D01": _CARE, "D02": _CARE, "D03": {"systmone"}, "D06": _LEGACY, "D07": _LEGACY, "D09": _CARE, "D12": _CARE,
    "D44": _CARE, "D47": _CARE, "D63": _CARE, "D69": _CARE, "D83": _CARE,
}  # fmt: skip
#: Rates so small that a small council shows them in one system only.
_RARE = {"D05", "D08", "D10", "D13", "D20", "D22", "D23", "D25", "D26", "D28", "D32", "D40", "D43", "D46", "D61", "D68",
         "D06", "D07"}  # fmt: skip


@lru_cache(maxsize=4)
def council(setting: str) -> World:
    return build_world(SyntheticSettings.of(setting, nights=90, scale=0.15, seed=3))


def injected() -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for setting in _FOUR:
        for defect in council(setting).defects:
            found.setdefault(defect.defect_id, Counter())[defect.system] += 1
    return found


def test_the_four_settings_together_hold_every_defect_that_is_not_a_doors_own() -> None:
    assert set(injected()) >= _CATALOGUE - _OF_THE_DOORS - _HAND_MADE


@pytest.mark.parametrize("defect_id", sorted(_CATALOGUE - _OF_THE_DOORS - _HAND_MADE - _RARE))
def test_a_defect_is_in_every_system_that_the_catalogue_names(defect_id: str) -> None:
    assert set(injected()[defect_id]) >= _WHERE.get(defect_id, _ALL)


@pytest.mark.parametrize("defect_id", sorted(_WHERE))
def test_a_defect_of_some_systems_is_in_no_other(defect_id: str) -> None:
    assert set(injected()[defect_id]) <= _WHERE[defect_id]


def test_doors_have_a_rate_for_everything_that_is_theirs() -> None:
    with_rate = {name[:3] for name in RATES}
    assert _OF_THE_DOORS - {"D85", "D91"} <= with_rate, "D85 is a habit of each system, D91 has its own schedule"


@pytest.mark.parametrize(
    ("defect_id", "share"),
    [("D01", 0.25), ("D02", 0.50), ("D04", 0.60), ("D06", 0.005), ("D09", 0.10), ("D11", 0.04), ("D12", 0.01),
     ("D29", 1.0)],
)  # fmt: skip
def test_micare_is_as_bad_as_the_catalogue_says(defect_id: str, share: float) -> None:
    assert rate(defect_id, "micare") == share
    world = council("manchester_like")
    old = [r for r in world.appearances if r.system == "micare" and not r.is_test]
    clients = [r for r in old if r.role == "client"]
    present = [r for r in old if r.versions[r.recorded_night]["nhs_number"]]
    others = {r.key for r in old if r.role != "client"}
    keys = {d.key for d in world.defects if (d.defect_id, d.system) == (defect_id, "micare")}
    hits = len(keys & others if defect_id == "D02" else keys)
    base = {"D04": present, "D09": present, "D01": clients, "D02": others}
    expected = share * len(base.get(defect_id, old))
    assert hits == pytest.approx(expected, rel=0.25, abs=3)


def test_finance_has_no_share_in_the_catalogue_beyond_names() -> None:
    assert all(rate(defect_id, "controcc") == 0 for defect_id in RATES)
    assert {d.defect_id for d in council("wirral_like").defects if d.system == "controcc"} == {"FIN", "D21"}


def test_defects_cluster_on_people_who_are_hard_to_trace() -> None:
    hit, count = Counter[bool](), Counter[bool]()
    for setting in _FOUR:
        world = council(setting)
        hard = {p.person_id for p in world.people
                if p.tags & {"no_fixed_abode", "asylum_seeker", "gypsy_traveller", "moved_away_and_back"}}  # fmt: skip
        owner: dict[tuple[str, str], int] = {
            (r.system, r.key): r.person_id for r in world.appearances if r.role == "client"
        }
        count.update(person in hard for person in owner.values())
        hit.update(owner[(d.system, d.key)] in hard for d in world.defects
                   if d.defect_id in ("D01", "D11", "D41") and (d.system, d.key) in owner)  # fmt: skip
    assert hit[True] / count[True] > 1.5 * hit[False] / count[False]


def test_every_household_and_every_shared_home_is_written_down() -> None:
    world = council("plymouth_like")
    people = {p.person_id: p for p in world.people}
    logged = {(d.system, d.key): d.defect_id for d in world.defects if d.defect_id in ("D66", "D67")}
    residents = [r for r in world.appearances if r.system == "carefirst" and r.duplicate_of is None and not r.is_test
                 and people[r.person_id].addresses[-1].kind == "care_home"]  # fmt: skip
    assert residents and all(logged[(r.system, r.key)] == "D67" for r in residents)
    assert Counter(logged.values())["D66"] > 100


def test_every_log_entry_names_a_system_and_a_line_of_the_catalogue_or_an_extra_one() -> None:
    for setting in _FOUR:
        for defect in council(setting).defects:
            assert defect.system in SYSTEMS
            assert defect.defect_id in _CATALOGUE or defect.defect_id in ("SSR", "FIN", "CUT")
            assert 0 <= defect.night <= 90
