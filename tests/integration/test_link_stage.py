"""Identity, case by case, through the front door and a real database: who is who, night after night."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from domain.profile import Profile
from domain.run import RunState
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number

IRIS = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV1 1AA"}
OLIVE = IRIS | {"forename": "Olive"}
WALTER = {"forename": "Walter", "surname": "Pym", "birth_date": "1972-08-30", "sex": "1", "postcode": "AV9 9ZZ"}
NUMBER, OTHER_NUMBER = {"nhs_number_supplied": nhs_number(1)}, {"nhs_number_supplied": nhs_number(2)}


@pytest.fixture
def council(database: Profile, admin_url: str) -> Iterator[LinkageCouncil]:
    with LinkageCouncil(database, admin_url) as small:
        yield small


def detail(council: LinkageCouncil, record: str, field: str) -> Any:
    return council.one(
        f"select {field} from identity.person_detail where person_id = %s and known_to is null", council.person(record)
    )


def test_case_1_a_new_record_is_a_new_person(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    result = council.link()
    assert (result.state, result.counts["people"], result.counts["people_born"]) == (RunState.DONE, 1, 1)
    assert council.state()[0][0][3] == "single"
    assert "1" not in {council.person("systmone:1")} and nhs_number(1) not in council.person("systmone:1")


def test_case_2_a_second_source_joins_the_person_and_the_id_stays(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.link()
    person = council.person("systmone:1")
    council.night(1)
    council.put("liquidlogic:7", **IRIS)
    result = council.link()
    assert council.person("liquidlogic:7") == council.person("systmone:1") == person
    assert council.pair("liquidlogic:7", "systmone:1") == ("probabilistic", "link", "")
    assert (result.counts["people_born"], result.counts["people"]) == (0, 1)


def test_case_3_a_probable_twin_waits_for_a_person(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("liquidlogic:7", **OLIVE)
    council.link()
    assert council.person("liquidlogic:7") != council.person("systmone:1")
    assert council.pair("liquidlogic:7", "systmone:1") == ("probabilistic", "review", "guard")


def test_case_4_a_human_decision_survives_every_later_run(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("liquidlogic:7", **OLIVE)
    council.link()
    council.decide("liquidlogic:7", "systmone:1", "same", reviewer="Pat")
    council.link()
    assert council.person("liquidlogic:7") == council.person("systmone:1")
    assert council.pair("liquidlogic:7", "systmone:1") == ("probabilistic", "link", "human_decision")
    assert council.one("select decided_by from identity.link where known_to is null") == "Pat"
    council.night(1)
    council.put("liquidlogic:7", **OLIVE | {"postcode": "AV7 7AA"})
    council.link()
    assert council.person("liquidlogic:7") == council.person("systmone:1")


def test_case_5_a_split_never_joins_again(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("liquidlogic:7", **IRIS)
    council.link()
    person = council.person("systmone:1")
    council.decide("liquidlogic:7", "systmone:1", "not_same")
    result = council.link()
    assert (council.person("systmone:1"), result.counts["people_split"]) == (person, 1)
    parted = council.person("liquidlogic:7")
    assert parted != person
    assert council.one("select split_from from identity.person where person_id = %s", parted) == person
    council.night(1)
    council.put("liquidlogic:7", **IRIS, **NUMBER)  # now even the number is the same
    council.put("carefirst:3", **IRIS, **NUMBER)  # and a third record would chain them
    council.link()
    assert council.person("liquidlogic:7") == parted != council.person("systmone:1")


def test_case_6_a_superseded_number_is_corrected_and_the_record_comes_home(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.link()
    council.night(1)
    council.put("liquidlogic:7", **IRIS, **OTHER_NUMBER)
    council.link()
    assert council.pair("liquidlogic:7", "systmone:1") == ("probabilistic", "review", "different_verified_numbers")
    kept, lost = council.person("systmone:1"), council.person("liquidlogic:7")
    council.night(2)
    council.put("liquidlogic:7", **IRIS, **NUMBER)
    result = council.link()
    assert {council.person("systmone:1"), council.person("liquidlogic:7")} == {kept}
    assert result.counts["people_merged"] == 1
    assert council.connection.execute(
        "select status, superseded_by from identity.person where person_id = %s", (lost,)
    ).fetchone() == ("retired", kept)
    before = council.one(
        "select person_id from identity.membership where source_record_id = %s and known_to = %s",
        council.number("liquidlogic:7"),
        council.moment,
    )
    assert before == lost, "what was believed the night before can still be told"


def test_case_7_a_record_that_leaves_and_comes_back_finds_its_person(council: LinkageCouncil) -> None:
    council.put("carefirst:3", **WALTER)
    council.link()
    person = council.person("carefirst:3")
    council.night(1)
    council.end("carefirst:3")
    assert council.link().counts["people"] == 0
    assert council.one("select status from identity.person") == "retired"
    council.night(2)
    council.put("carefirst:3", **WALTER | {"postcode": "AV8 8AA"})
    council.link()
    assert (council.person("carefirst:3"), council.one("select status from identity.person")) == (person, "active")


def test_case_8_reviewers_who_contradict_each_other_leave_it_open(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("liquidlogic:7", **IRIS)
    council.decide("liquidlogic:7", "systmone:1", "same", "Pat")
    council.decide("liquidlogic:7", "systmone:1", "not_same", "Sam")
    council.link()
    assert council.person("liquidlogic:7") != council.person("systmone:1")
    assert council.pair("liquidlogic:7", "systmone:1")[1:] == ("review", "needs_attention")


def test_case_9_a_decision_that_is_withdrawn_has_no_effect_any_more(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("liquidlogic:7", **WALTER)
    council.decide("liquidlogic:7", "systmone:1", "same")
    council.link()
    assert council.person("liquidlogic:7") == council.person("systmone:1")
    assert council.pair("liquidlogic:7", "systmone:1") == ("human_decision", "link", "human_decision")
    council.connection.execute("update identity.decision set withdrawn_at = now()")
    council.link()
    assert council.person("liquidlogic:7") != council.person("systmone:1")
    assert council.pair("liquidlogic:7", "systmone:1") == ("", "", "")


def test_case_10_a_record_that_comes_back_alone_after_a_merge_does_not_take_the_id_that_others_hold(
    council: LinkageCouncil,
) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("carefirst:3", **WALTER, **OTHER_NUMBER)
    council.put("liquidlogic:7", **WALTER)
    council.link()
    council.night(1)
    council.end("liquidlogic:7")
    council.link()
    council.night(2)
    council.put("carefirst:3", **IRIS, **NUMBER)  # Walter's file is Iris's, and his id becomes hers
    council.link()
    kept = council.person("systmone:1")
    assert council.person("carefirst:3") == kept
    council.night(3)
    council.put("liquidlogic:7", **WALTER | {"postcode": "AV5 5AA"})
    council.link()
    assert council.person("systmone:1") == council.person("carefirst:3") == kept != council.person("liquidlogic:7")


def test_f35_one_number_on_two_clearly_different_people_is_not_merged_and_both_keep_their_rows(
    council: LinkageCouncil,
) -> None:
    council.put("carefirst:3", **WALTER, **NUMBER)
    council.put("liquidlogic:7", **IRIS, **NUMBER)
    council.link()
    assert council.person("carefirst:3") != council.person("liquidlogic:7")
    assert council.pair("carefirst:3", "liquidlogic:7") == ("nhs_verified", "review", "number_contradiction")
    assert council.one("select count(*) from identity.membership where known_to is null") == 2


def test_two_verified_numbers_never_meet_through_a_third_record(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("systmone:2", **IRIS, **OTHER_NUMBER)
    council.put("liquidlogic:7", **IRIS)
    council.link()
    assert council.person("systmone:1") != council.person("systmone:2")
    assert council.partition() == {frozenset({"systmone:1"}), frozenset({"systmone:2"}), frozenset({"liquidlogic:7"})}


def test_nothing_new_changes_nothing(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("liquidlogic:7", **IRIS)
    council.link()
    before = council.one("select count(*) from ledger.link_run"), council.state()
    again = council.link()
    assert (again.state, dict(again.counts)) == (RunState.DONE, {"changed_records": 0})
    assert (council.one("select count(*) from ledger.link_run"), council.state()) == before


def test_nothing_conformed_yet_is_held(council: LinkageCouncil) -> None:
    council.connection.execute("update ledger.delivery set state = 'landed'")
    result = council.link()
    assert (result.state, result.findings[0].code) == (RunState.HELD, "NOTHING_CONFORMED")


def test_the_best_values_name_their_source(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER, ethnicity_code="Z", death_date="2026-01-05")
    council.put(
        "liquidlogic:7",
        **IRIS | {"birth_date": "1941-01-01", "postcode": "AV2 2BB"},
        ethnicity_code="A",
        nhs_number_supplied=nhs_number(1),
        nhs_number_verified=False,
    )
    council.link()
    assert council.person("liquidlogic:7") == council.person("systmone:1")
    assert str(detail(council, "systmone:1", "birth_date")) == "1941-03-17"
    assert detail(council, "systmone:1", "ethnicity_code") == "A"
    assert detail(council, "systmone:1", "nhs_number_verified") is True
    assert detail(council, "systmone:1", "value_sources")["ethnicity_code"] == "liquidlogic"
    assert detail(council, "systmone:1", "value_sources")["death_date"] == "systmone"
    council.night(1)
    council.put(
        "liquidlogic:7", **IRIS, ethnicity_code="B", nhs_number_supplied=nhs_number(1), nhs_number_verified=False
    )
    council.link()
    assert detail(council, "systmone:1", "ethnicity_code") == "B", (
        "a change that no comparison reads is passed on as well"
    )


def test_the_report_holds_counts_and_no_value_of_a_person(council: LinkageCouncil) -> None:
    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("liquidlogic:7", **IRIS)
    council.link()
    report, text = (
        council.one("select report from ledger.link_run"),
        council.one("select report::text from ledger.link_run"),
    )
    assert {"front_page", "source_data", "method", "results", "quality", "why_linked"} <= set(report)
    assert report["counts"]["people"] == 1
    assert "Oakhampton" not in text and "oakhampton" not in text and nhs_number(1) not in text and "1941-03" not in text


@pytest.mark.parametrize("step", ["write_people", "write_digests"])
def test_f73_a_run_that_dies_while_publishing_leaves_no_trace_and_the_next_one_gives_the_same_ids(
    council: LinkageCouncil, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from linkage import publish

    council.put("systmone:1", **IRIS, **NUMBER)
    council.put("liquidlogic:7", **IRIS)
    council.put("carefirst:3", **WALTER)
    reached = getattr(publish, step)

    def dies(*arguments: Any, **named: Any) -> None:
        reached(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publish, step, dies)
        with pytest.raises(KeyboardInterrupt):
            council.link()
    assert council.state() == ([], [], [])
    assert council.one("select count(*) from identity.person") == 0
    council.link()
    after_a_death = council.state()
    council.connection.execute(
        "truncate identity.person, identity.standardised_record, identity.link, ledger.link_run cascade"
    )
    council.link()
    assert council.state() == after_a_death
