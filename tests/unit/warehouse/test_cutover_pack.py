"""The reconciliation pack as a page and files, and the plan of a cut-over as a profile tells it."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from domain.profile import Profile, ProfileError, SourceSettings
from review.cutover_pack import write
from tests.support.cutover_facts import CutoverFacts
from warehouse.cutover.plan import plan_of
from warehouse.cutover.reconcile import Reconciliation


def reconciliation() -> Reconciliation:
    """A restricted person lost her flag, and a team's name looks like a formula."""
    with CutoverFacts() as facts:
        facts.both("00123456J", "ada", is_restricted=True)
        facts.scratch.execute("update person set is_restricted = false where source = 'liquidlogic'")
        facts.both("00200000Q", "bea")
        facts.open("allocation", "old:00200000Q", "<b>x</b>", "=cmd()")
        rows = tuple(facts.rows().values())
        told = tuple(facts.patterns_found())
        restricted = frozenset({"00123456J"})
        return Reconciliation(2, True, "2025-07-01", "micare", "liquidlogic", rows, told, (), restricted)


def written(folder: Path) -> str:
    page = write(
        reconciliation(), folder, as_known_at="2025-07-02", source_of_old="micare", source_of_new="liquidlogic"
    )
    return page.read_text(encoding="utf-8")


def test_a_restricted_flag_that_is_missing_is_told_first_as_an_incident_and_its_keys_are_not_on_the_page(
    tmp_path: Path,
) -> None:
    page = written(tmp_path)
    assert page.index("Confidentiality incident.") < page.index("<h2")
    section = page[page.index('id="c-people_restricted"') : page.index('id="c-allocations"')]
    assert "00123456J" not in section
    kept = tmp_path / "list_people_restricted.csv"
    others = [p for p in tmp_path.iterdir() if p != kept]
    assert len(others) > 3
    assert not [p.name for p in others if "00123456J" in p.read_text(encoding="utf-8")]
    assert "(restricted)" in (tmp_path / "patterns.csv").read_text(encoding="utf-8")
    assert "00123456J" in kept.read_text(encoding="utf-8")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_f43_f45_values_are_text_on_the_page_and_in_a_spreadsheet(tmp_path: Path) -> None:
    page = written(tmp_path)
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "\n'=cmd()," in (tmp_path / "list_allocations.csv").read_text(encoding="utf-8").replace("\r", "")


def test_a_pack_written_again_holds_nothing_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "list_of_yesterday.csv").write_text("old")
    written(tmp_path)
    assert not (tmp_path / "list_of_yesterday.csv").exists()
    assert {p.name for p in tmp_path.iterdir()} >= {"pack.html", "checks.csv", "patterns.csv"}


DAYS = {
    "inbox": "x",
    "old": "micare",
    "new": "liquidlogic",
    "live_from": "2025-07-14",
    "trial_loads": "2025-06-02, 2025-06-16",
}


def council(tmp_path: Path, **options: str) -> Profile:
    listed = SourceSettings("cross_reference", "cross_reference", {**DAYS, **options})
    systems = tuple(SourceSettings(name, name, {}) for name in ("micare", "liquidlogic"))
    return Profile(
        tmp_path / "council.yml", "City", "993", True, tmp_path, "postgresql:///x",
        (date(2025, 4, 1), date(2026, 3, 31)), (*systems, listed), tmp_path / "secret.key",
    )  # fmt: skip


def test_the_loads_are_numbered_as_the_list_numbers_them_and_the_last_is_go_live(tmp_path: Path) -> None:
    plan = plan_of(council(tmp_path))
    assert plan is not None
    assert [plan.day_of(load).isoformat() for load in (1, 2, 3)] == ["2025-06-02", "2025-06-16", "2025-07-14"]
    assert (plan.go_live_load, plan.freeze_from, plan.dual_running_until) == (3, date(2025, 7, 14), date(2025, 8, 25))
    with pytest.raises(ProfileError, match="no load 4"):
        plan.day_of(4)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"live_from": "14/07/2025"}, "live_from of cross_reference is a day"),
        ({"freeze_from": "2025-07-20"}, "out of order"),
        ({"new": "carefirst"}, "no source called 'carefirst'"),
    ],
)
def test_a_plan_that_contradicts_itself_says_which_setting(tmp_path: Path, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        plan_of(council(tmp_path, **wrong))


def test_a_council_without_a_list_has_no_cut_over(tmp_path: Path) -> None:
    assert plan_of(replace(council(tmp_path), sources=())) is None
