"""The migration's cross-reference list from the file to the link: dated versions, damage, trial loads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors import conform
from connectors import stage as landing
from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunResult
from expectations import stage as checking
from tests.support.linkage_council import LinkageCouncil

HEADER = "OLD_ID,NEW_ID,LOAD_NO,MATCH_RULE,DECIDED_BY,DECIDED_ON"
FORENAMES = ("", "Ida", "Walter", "Ewa", "Cyril", "Nora")
SURNAMES = ("Quill", "Oakhampton", "Pym", "Hussain", "Thorne", "Brack", "Mottram", "Ince", "Yarrow", "Zeal")
IDA = "00123456J"  # check letter by landing.micare_check_letter
OPTIONS = {"inbox": "inbox/cross_reference", "old": "micare", "new": "liquidlogic", "go_live_load": "3"}


@pytest.fixture
def profile(database: Profile) -> Profile:
    (database.home / "inbox" / "cross_reference").mkdir(parents=True)
    return replace(database, sources=(SourceSettings("cross_reference", "cross_reference", OPTIONS),))


@pytest.fixture
def council(profile: Profile, admin_url: str) -> Iterator[LinkageCouncil]:
    with LinkageCouncil(profile, admin_url) as small:
        yield small


def saved(profile: Profile, day: str, *lines: str) -> None:
    """A version of the list, saved on `day` (yyyymmdd)."""
    path = profile.home / "inbox" / "cross_reference" / f"XREF_MICARE_LAS_{day}.csv"
    path.write_bytes("\r\n".join((HEADER, *lines, "")).encode("cp1252"))


def taken_in(profile: Profile) -> list[RunResult]:
    context = RunContext(profile, "a run", "a test", "cross_reference")
    stages: tuple[Callable[[RunContext], RunResult], ...] = (landing.run, checking.run, conform.run)
    return [stage(context) for stage in stages]


def stated(
    council: LinkageCouncil, columns: str = "old_key, new_key, load_number, is_evidence"
) -> list[tuple[Any, ...]]:
    return council.connection.execute(
        f"select {columns} from identity.cross_reference where known_to is null order by cross_reference_key"
    ).fetchall()


def test_a_version_is_taken_once_and_the_next_one_replaces_it_on_both_clocks(
    profile: Profile, council: LinkageCouncil
) -> None:
    saved(profile, "20260320", f"{IDA},501,3,1-1,MIGR01,19/03/2026", "00200000Q,502,3,1-1,MIGR01,19/03/2026")
    assert [result.state.value for result in taken_in(profile)] == ["done"] * 3
    saved(profile, "20260325", f"{IDA},501,3,1-1,MIGR01,19/03/2026", f"{IDA},777,3,1-1,MIGR02,24/03/2026")
    landed, *_ = taken_in(profile)
    assert (landed.counts["deliveries"], landed.counts["repeats"]) == (1, 1)
    columns = "old_key, new_key, valid_from::text, valid_to::text, known_to is null"
    history = council.connection.execute(
        f"select {columns} from identity.cross_reference order by cross_reference_key, known_from"
    ).fetchall()
    assert history == [
        (IDA, "501", "2026-03-19", None, False),
        (IDA, "501", "2026-03-19", "2026-03-24", True),  # decided anew five days later
        (IDA, "777", "2026-03-24", None, True),
        ("00200000Q", "502", "2026-03-19", None, False),  # withdrawn
    ]


def test_only_leading_zeros_are_put_back_everything_else_a_spreadsheet_did_is_held_with_its_reason(
    profile: Profile, council: LinkageCouncil
) -> None:
    saved(
        profile,
        "20260320",
        "123456J,501,3,1-1,MIGR01,19/03/2026",  # zeros lost, the letter fits: safe
        "123456,502,3,1-1,MIGR01,19/03/2026",  # letter lost as well
        "123456K,503,3,1-1,MIGR01,19/03/2026",  # another letter: some digit is wrong
        f"{IDA},5.04E+02,3,1-1,MIGR01,19/03/2026",
        f"{IDA},505,3,1-1,MIGR01,46100",
        f"{IDA},506,3,01-Feb,MIGR01,19/03/2026",
    )
    _, checked, _ = taken_in(profile)
    assert checked.counts["quarantined"] == 5
    assert stated(council) == [(IDA, "501", 3, True)]
    reasons = council.connection.execute(
        "select rule, failed from ledger.rule_result where failed > 0 and rule like 'KEY%' order by 1"
    ).fetchall()
    assert reasons == [("KEY-003", 3), ("KEY-004", 2)]


def test_ids_of_trial_loads_are_kept_and_never_count_and_without_the_go_live_load_none_does(
    profile: Profile, council: LinkageCouncil
) -> None:
    saved(profile, "20260320", f"{IDA},501,2,1-1,MIGR01,19/03/2026", f"{IDA},601,3,1-1,MIGR01,20/03/2026")
    taken_in(profile)
    assert stated(council, "new_key, is_evidence") == [("501", False), ("601", True)]
    unsaid = {name: value for name, value in OPTIONS.items() if name != "go_live_load"}
    careless = replace(profile, sources=(SourceSettings("cross_reference", "cross_reference", unsaid),))
    saved(careless, "20260321", f"{IDA},601,3,1-1,MIGR01,20/03/2026")
    taken_in(careless)
    assert stated(council, "new_key, is_evidence") == [("601", False)]


def test_f47_a_local_id_reused_after_a_migration_joins_nobody_by_itself(
    profile: Profile, council: LinkageCouncil
) -> None:
    """The trial load gave 501 to Ida; go-live gave 501 to Una and 601 to Ida. Eve's own id is Ida's digits."""
    ida = {"forename": "Ida", "surname": "Quill", "birth_date": "1941-07-02"}
    council.put(f"micare:{IDA}", **ida)
    council.put("liquidlogic:601", **{**ida, "surname": "Thornbury"})
    council.put("liquidlogic:501", forename="Una", surname="Marsh", birth_date="1941-07-02")
    council.put("liquidlogic:123456", forename="Eve", surname="Pym", birth_date="1941-07-02")
    saved(profile, "20260320", f"{IDA},501,1,1-1,MIGR01,19/03/2026", f"{IDA},601,3,1-1,MIGR01,20/03/2026")
    taken_in(profile)
    council.link()
    assert council.person(f"micare:{IDA}") == council.person("liquidlogic:601")
    assert len({council.person(key) for key in (f"micare:{IDA}", "liquidlogic:501", "liquidlogic:123456")}) == 3


def test_an_old_id_typed_without_zeros_or_letter_links_when_the_birth_date_agrees_and_waits_when_it_does_not(
    profile: Profile, council: LinkageCouncil
) -> None:
    ways = {
        IDA: "123456J",
        "00200000Q": "200000",
        "00300004J": "00300004",
        "00400004C": "MIC/400004c",
        "00500007N": "00500007N",
    }
    for place, (old, typed) in enumerate(ways.items(), 1):
        born = f"194{place}-07-02"
        council.put(f"micare:{old}", forename=FORENAMES[place], surname=SURNAMES[place], birth_date=born)
        other = "1999-01-20" if place == 5 else born
        council.put(f"liquidlogic:{place}", forename="Ada", surname=SURNAMES[-place], birth_date=other)
        council.refer(f"liquidlogic:{place}", "micare_key", typed)
    council.link()
    said = [council.pair(f"micare:{old}", f"liquidlogic:{place}") for place, old in enumerate(ways, 1)]
    assert said == [
        *[("cross_reference", "link", "")] * 4,
        ("probabilistic", "review", "reference_without_birth_date"),
    ]


def test_the_list_of_a_migration_links_what_only_it_knows_and_a_later_decision_ends_its_evidence(
    profile: Profile, council: LinkageCouncil
) -> None:
    council.put(f"micare:{IDA}", forename="Ida", surname="Quill", birth_date="1941-07-02")
    council.put("liquidlogic:501", forename="Idony", surname="Thornbury", birth_date="1941-07-02")
    council.put("liquidlogic:502", forename="Adele", surname="Marsh", birth_date="1941-07-02")
    saved(profile, "20260320", f"{IDA},501,3,2-1,MIGR01,19/03/2026")
    taken_in(profile)
    council.link()
    assert council.person(f"micare:{IDA}") == council.person("liquidlogic:501")
    council.night(1)
    saved(profile, "20260327", f"{IDA},501,3,2-1,MIGR01,19/03/2026", f"{IDA},502,3,1-1,MIGR02,26/03/2026")
    taken_in(profile)
    council.link()
    assert council.person(f"micare:{IDA}") == council.person("liquidlogic:502") != council.person("liquidlogic:501")
