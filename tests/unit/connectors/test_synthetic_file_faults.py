"""Faults of whole deliveries (D91): each kind once for each system, never on a night that means something else."""

from __future__ import annotations

from itertools import pairwise

import pytest

from connectors.synthetic.file_faults import AWAY, KINDS, busy_nights, schedule
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import FileFault, System

_SETTINGS = ("plymouth_like", "wirral_like", "manchester_like", "county_like")


def by_system(settings: SyntheticSettings) -> dict[System, list[FileFault]]:
    found: dict[System, list[FileFault]] = {}
    for fault in schedule(settings):
        found.setdefault(fault.system, []).append(fault)
    return found


@pytest.mark.parametrize("setting", _SETTINGS)
@pytest.mark.parametrize("nights", [60, 75, 90, 120])
@pytest.mark.parametrize("seed", [1, 7, 20260331])
def test_every_system_meets_every_kind_once_and_never_two_close_together(setting: str, nights: int, seed: int) -> None:
    settings = SyntheticSettings.of(setting, nights=nights, seed=seed)
    found = by_system(settings)
    assert tuple(found) == settings.kind.systems
    for system, faults in found.items():
        assert sorted(fault.kind for fault in faults) == sorted(KINDS)
        assert faults[-1].kind == "renamed_column"
        assert all(later.night - earlier.night > 4 for earlier, later in pairwise(faults))
        assert all(0 < fault.night < nights for fault in faults)
        for fault in faults:
            assert all(abs(fault.night - busy) >= AWAY > 3 for busy in busy_nights(settings, system))


def test_the_new_system_meets_faults_only_when_it_is_live_and_the_old_one_only_until_it_is_an_archive() -> None:
    settings = SyntheticSettings.of("manchester_like", nights=90)
    plan = settings.kind.cutover
    assert plan is not None
    found = by_system(settings)
    assert all(fault.night > plan.go_live_night for fault in found["liquidlogic"])
    assert all(fault.night < plan.dual_running_until_night for fault in found["micare"])


def test_a_short_run_gets_the_faults_that_fit_and_a_few_nights_get_none() -> None:
    assert all(len(faults) == 1 for faults in by_system(SyntheticSettings.of("plymouth_like", nights=5)).values())
    assert schedule(SyntheticSettings.of("plymouth_like", nights=3)) == []


def test_the_default_council_has_no_file_faults_and_the_schedule_never_changes() -> None:
    assert schedule(SyntheticSettings()) == []
    settings = SyntheticSettings.of("county_like", nights=90)
    assert schedule(settings) == schedule(settings)
