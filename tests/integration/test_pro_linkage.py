"""People who need extra protection, through the front door of linkage (governance 2.4, PRO-1, PRO-3 and PRO-4)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.profile import Profile
from domain.run import RunContext, RunState
from linkage.do_not_link import keep_apart, strike_off
from linkage.notices import Notice, note_notice
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number

IRIS = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV1 1AA"}
WALTER = {"forename": "Walter", "surname": "Pym", "birth_date": "1972-08-30", "sex": "1", "postcode": "AV9 9ZZ"}
NUMBER, OTHER_NUMBER = {"nhs_number_supplied": nhs_number(1)}, {"nhs_number_supplied": nhs_number(2)}
ONE, OTHER, THIRD = "systmone:1", "liquidlogic:7", "carefirst:3"


@pytest.fixture
def council(database: Profile, admin_url: str) -> Iterator[LinkageCouncil]:
    with LinkageCouncil(database, admin_url) as small:
        yield small


def context(council: LinkageCouncil, name: str) -> RunContext:
    return RunContext(council.profile, name, "a test")


def joined(council: LinkageCouncil, *records: str) -> bool:
    return len({council.person(record) for record in records}) == 1


def test_pro_1_a_protected_record_is_linked_by_a_verified_number_and_by_nothing_else(council: LinkageCouncil) -> None:
    council.put(ONE, **IRIS, **NUMBER)
    council.put(OTHER, **IRIS, is_restricted=True)
    council.refer(THIRD, "liquidlogic_key", "7")
    council.put(THIRD, **IRIS)
    result = council.link()
    assert joined(council, ONE, THIRD) and not joined(council, ONE, OTHER)
    assert council.pair(ONE, OTHER) == council.pair(OTHER, THIRD) == ("", "", ""), "it was never compared"
    council.decide(OTHER, ONE, "same")
    council.link()
    assert not joined(council, ONE, OTHER), "an ordinary reviewer does not join it either"
    council.night(1)
    council.put(OTHER, **WALTER | {"birth_date": None, "postcode": None}, **NUMBER, is_restricted=True)
    council.link()
    council.night(2)
    council.put(OTHER, **IRIS | {"postcode": "AV7 7AA"}, **NUMBER, is_restricted=True)
    council.link()
    assert joined(council, ONE, OTHER) and result.state is RunState.DONE
    assert (
        council.one("select levels::text from identity.link where known_to is null and rule = 'nhs_verified'") == "{}"
    )


def test_pro_1_what_a_number_does_not_settle_is_out_of_ordinary_review_without_its_reason(
    council: LinkageCouncil,
) -> None:
    council.put(ONE, **IRIS, **NUMBER)
    council.put(OTHER, **IRIS, **NUMBER, nhs_number_verified=False, is_restricted=True)
    council.link()
    assert not joined(council, ONE, OTHER)
    assert council.one("select count(*) from identity.ordinary_review") == 0
    assert council.one("select count(*) from identity.restricted_review") == 1
    shown = council.connection.execute(
        "select column_name from information_schema.columns where table_name = 'restricted_review' order by 1"
    ).fetchall()
    assert [name for (name,) in shown] == ["known_from", "left_record_id", "right_record_id"]


def test_pro_3_a_reviewer_cannot_join_two_verified_numbers_and_an_authorised_notice_can(
    council: LinkageCouncil,
) -> None:
    council.put(ONE, **IRIS, **NUMBER)
    council.put(OTHER, **IRIS, **OTHER_NUMBER)
    council.put(THIRD, **WALTER)
    council.decide(ONE, OTHER, "same")
    council.link()
    assert not joined(council, ONE, OTHER)
    assert council.pair(ONE, OTHER)[1:] == ("review", "needs_notice")
    left, right = sorted((council.number(ONE), council.number(OTHER)))
    notice = Notice("number_replaced", left, right, "letter 12", "A. Lee", "B. Roe")
    assert note_notice(context(council, "notice"), notice).state is RunState.DONE
    council.link()
    assert joined(council, ONE, OTHER)
    assert council.pair(ONE, OTHER)[1:] == ("link", "human_decision")


def test_pro_3_nor_through_a_third_record_without_a_number(council: LinkageCouncil) -> None:
    council.put(ONE, **IRIS, **NUMBER)
    council.put(OTHER, **IRIS, **OTHER_NUMBER)
    council.put(THIRD, **WALTER)
    council.decide(ONE, THIRD, "same")
    council.decide(OTHER, THIRD, "same")
    council.link()
    assert len(council.partition()) == 3
    assert council.pair(ONE, THIRD)[1:] == council.pair(OTHER, THIRD)[1:] == ("review", "needs_notice")


def test_pro_4_the_do_not_link_list_stands_above_numbers_and_reviewers_on_every_run(council: LinkageCouncil) -> None:
    council.put(ONE, **IRIS, **NUMBER)
    council.put(OTHER, **IRIS, **NUMBER)
    council.link()
    assert joined(council, ONE, OTHER)
    council.decide(ONE, OTHER, "same")
    made = keep_apart(context(council, "list"), ONE, OTHER, officer="C. Guardian", reason="order 5")
    council.link()
    assert not joined(council, ONE, OTHER)
    assert council.pair(ONE, OTHER)[1:] == ("reject", "do_not_link")
    council.night(1)
    council.put(OTHER, **IRIS | {"postcode": "AV2 2AB"}, **NUMBER)
    council.put(THIRD, **IRIS, **NUMBER)  # a third record would chain the two
    council.link()
    assert not joined(council, ONE, OTHER)
    assert strike_off(context(council, "end"), made.counts["entry"], officer="C. Guardian").is_done
    council.link()
    assert joined(council, ONE, OTHER, THIRD)


def test_pro_4_a_record_on_the_list_joins_nobody_and_an_entry_needs_an_officer(council: LinkageCouncil) -> None:
    council.put(ONE, **IRIS, **NUMBER)
    council.put(OTHER, **IRIS, **NUMBER)
    council.put(THIRD, **IRIS)
    refused = keep_apart(context(council, "nobody"), ONE, None, officer=" ", reason="order 5")
    assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "LIST_REFUSED")
    assert keep_apart(context(council, "list"), ONE, None, officer="C. Guardian", reason="order 5").is_done
    council.link()
    assert joined(council, OTHER, THIRD) and not joined(council, ONE, OTHER)
