"""A council whose suppliers get whole deliveries wrong, carried night by night and judged against its truth log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module

import pytest

from connectors.synthetic.settings import SyntheticSettings
from dags.local_run import PER_SOURCE, TOGETHER
from domain.run import RunContext
from governance import embedded
from governance.store import Store
from onestory.demo import synth
from onestory.drift import accept_suggestions
from onestory.home import Home, open_home
from onestory.nights import deliver
from onestory.scoring.defects import DefectLine, defect_table
from onestory.scoring.file_faults import faults_found
from onestory.scoring.leaks import find_leaks
from onestory.summary import accounts, ledger, quality

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NIGHTS = 12


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    settings = SyntheticSettings.of("wirral_like", nights=NIGHTS, scale=0.03, seed=5)
    place = open_home(tmp_path_factory.mktemp("council") / "home", settings)
    try:
        synth(place.folder, settings)
        for night in range(NIGHTS + 1):
            deliver(place, night)
            day = (settings.first_night + timedelta(days=night)).isoformat()
            done = [_ingested(place, source.name, day) for source in place.profile().sources]
            if all(done):
                for module in TOGETHER:
                    assert import_module(module).run(RunContext(place.profile(), day, "a test")).is_done, module
        yield place
    finally:
        embedded.remove(place.folder)


def _ingested(home: Home, source: str, day: str, *, is_second_try: bool = False) -> bool:
    """Every step of one source; a renamed heading is answered once, as somebody on duty would."""
    for module in PER_SOURCE:
        context = RunContext(home.profile(), day, "a test", source=source)
        if not import_module(module).run(context).is_done:
            answered = not is_second_try and accept_suggestions(home.profile(), source, by="a test", reason="seen")
            return bool(answered) and _ingested(home, source, day, is_second_try=True)
    return True


@pytest.fixture(scope="module")
def table(home: Home) -> list[DefectLine]:
    return defect_table(home.profile(), home.truth)


def test_every_fault_of_a_delivery_is_noticed(home: Home) -> None:
    noticed = list(faults_found(home.profile(), Store(home.profile()), home.truth))
    assert len(noticed) >= 4
    assert [fault for fault, was_found in noticed if not was_found] == []


def test_after_the_faults_every_row_is_accounted_for_and_the_links_are_right(home: Home) -> None:
    store = Store(home.profile())
    with store.connect("auditor") as connection:
        lines = ledger(connection)  # raises when a line does not add up
        waiting = connection.exec_driver_sql("select count(*) from ledger.delivery where state = 'landed'").scalar_one()
    assert {account["source"] for account in accounts(lines)} == {"systmone", "liquidlogic", "controcc"}
    assert waiting == 0
    judged = quality(home, store)
    assert judged["precision"] >= 0.995 and judged["recall"] >= 0.95, judged


def test_defects_are_found_or_rightly_left_alone(table: list[DefectLine]) -> None:
    injected, missed = sum(line.injected for line in table), sum(line.missed for line in table)
    assert injected > 500
    assert missed <= 0.03 * injected, [line.as_dict() for line in table if line.missed]
    by_rule = {line.defect: line for line in table if line.defect in ("D03", "D70", "D93")}
    assert all(line.found == line.injected for line in by_rule.values()), by_rule


def test_chi_4_no_canary_is_found_where_it_should_not_be(home: Home) -> None:
    assert find_leaks(home) == []
