"""NHS numbers that change, records that are merged and records that are taken apart again (faults F36 to F38)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.profile import Profile
from domain.run import RunContext
from linkage.notices import Notice, note_notice
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number

IRIS = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV1 1AA"}
OLIVE = IRIS | {"forename": "Olive"}
FIRST, SECOND = {"nhs_number_supplied": nhs_number(1)}, {"nhs_number_supplied": nhs_number(2)}


@pytest.fixture
def council(database: Profile, admin_url: str) -> Iterator[LinkageCouncil]:
    with LinkageCouncil(database, admin_url) as small:
        yield small


def believed(council: LinkageCouncil, record: str, night_ended: object) -> str:
    """The person the record belonged to until that moment."""
    return str(
        council.one(
            "select person_id from identity.membership where source_record_id = %s and known_to = %s",
            council.number(record),
            night_ended,
        )
    )


def test_f36_a_second_number_under_one_local_id_joins_nobody_until_a_notice_says_so(council: LinkageCouncil) -> None:
    council.put("carefirst:3", **IRIS, **FIRST)
    council.put("systmone:1", **IRIS, **FIRST)
    council.link()
    before = council.person("systmone:1")
    assert council.person("carefirst:3") == before
    council.night(1)
    council.put("carefirst:3", **IRIS, **SECOND)  # the local id now bears another number
    council.put("liquidlogic:7", **IRIS, **SECOND)
    council.link()
    assert council.person("carefirst:3") == council.person("liquidlogic:7") != council.person("systmone:1")
    assert before in {council.person("carefirst:3"), council.person("systmone:1")}, "one of them keeps the id"
    assert council.pair("carefirst:3", "systmone:1")[1:] == ("review", "different_verified_numbers")

    council.night(2)
    council.decide("carefirst:3", "systmone:1", "same", reviewer="one reviewer alone")
    council.link()
    assert council.person("carefirst:3") != council.person("systmone:1"), "no reviewer joins two verified numbers"
    left, right = council.number("carefirst:3"), council.number("systmone:1")
    note = Notice("number_replaced", left, right, "letter 7", "an officer", "another officer")
    assert note_notice(RunContext(council.profile, "by-hand", "a test"), note).is_done
    council.link()
    assert council.person("carefirst:3") == council.person("systmone:1")
    assert council.pair("carefirst:3", "systmone:1")[1:] == ("link", "human_decision")


def test_f37_a_merge_notice_joins_with_history_is_on_record_and_can_be_taken_back(council: LinkageCouncil) -> None:
    council.put("liquidlogic:7", **IRIS, **FIRST)
    council.put("liquidlogic:8", **OLIVE | {"postcode": "AV7 7AA"})
    council.link()
    kept, lost = council.person("liquidlogic:7"), council.person("liquidlogic:8")
    assert kept != lost
    council.night(1)
    council.put("liquidlogic:8", **OLIVE | {"postcode": "AV7 7AA"}, duplicate_of_key="7")
    assert council.link().counts["people_merged"] == 1
    assert council.person("liquidlogic:8") == council.person("liquidlogic:7") == kept
    assert council.pair("liquidlogic:7", "liquidlogic:8")[:2] == ("marked_duplicate", "link")
    assert believed(council, "liquidlogic:8", council.moment) == lost, "what was believed before can still be told"
    assert council.one("select superseded_by from identity.person where person_id = %s", lost) == kept

    council.night(2)
    council.put("liquidlogic:8", **OLIVE | {"postcode": "AV7 7AA"})  # the notice was a mistake
    council.link()
    assert council.person("liquidlogic:8") != council.person("liquidlogic:7") == kept
    assert believed(council, "liquidlogic:8", council.moment) == kept


def test_f38_two_people_under_one_number_by_mistake_are_parted_and_nothing_is_lost(council: LinkageCouncil) -> None:
    council.put("carefirst:3", **IRIS, **FIRST)
    council.put("systmone:1", **IRIS | {"postcode": "AV2 2BB"}, **FIRST)
    council.put("liquidlogic:7", **IRIS, **FIRST)
    council.link()
    shared = council.person("carefirst:3")
    assert council.partition() == {frozenset({"carefirst:3", "systmone:1", "liquidlogic:7"})}
    council.night(1)
    council.put("systmone:1", **IRIS | {"postcode": "AV2 2BB", "birth_date": "1944-09-02"}, **SECOND)  # split notice
    result = council.link()
    assert result.counts["people_split"] == 1
    assert council.partition() == {frozenset({"carefirst:3", "liquidlogic:7"}), frozenset({"systmone:1"})}
    parted = council.person("systmone:1")
    assert council.one("select split_from from identity.person where person_id = %s", parted) == shared
    assert council.one("select count(*) from identity.membership where known_to is null") == 3, (
        "every record has a place"
    )
    assert believed(council, "systmone:1", council.moment) == shared
