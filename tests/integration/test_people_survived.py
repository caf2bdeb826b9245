"""Faults of identity through the whole way in, from two suppliers' deliveries to the release (F35 to F38).

Who is one person changes with what the sources say, and changes back with it: at the end the same records are the same
people with the same details and events as in a council that never met the fault, compared under the records' own keys.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.run import RunContext, RunState
from governance.recipients import releases_showing
from governance.store import Store
from linkage.notices import Notice, note_notice, withdraw_notice
from tests.support.linkage_numbers import nhs_number
from tests.support.row_faults_door import PEOPLE, FirstNight, Night, RowCouncil, Straight, first_night, key

_copies = itertools.count(1)
EVENTS = ("request", "service", "characteristic")


@pytest.fixture(scope="module")
def origin(cluster: object, new_council: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> FirstNight:
    return first_night(cluster, RowCouncil(new_council(tmp_path_factory.mktemp("people"))))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def straight(origin: FirstNight, tmp_path_factory: pytest.TempPathFactory) -> Straight:
    return origin.straight(tmp_path_factory.mktemp("straight"), "people_straight")


@pytest.fixture
def council(origin: FirstNight, tmp_path: Path) -> RowCouncil:
    """A council whose second night has arrived and waits to be spoilt."""
    copied = origin.copy(tmp_path, f"people_{next(_copies)}")
    copied.arrive(1)
    return copied


def linked(council: RowCouncil, number: int, code: str, *planted: str) -> Night:
    """Take in and link: the link run says the code, readers see the release before; then publish."""
    survival, before = council.survival(*planted), council.shown()
    council.take_in(number)
    made = council.publish(number)
    (current,) = (row["release"] for row in council.shown()["about"])
    assert council.shown(current - 1) == _as_the_older(before), "the release before is as it was"
    survival.release = council.survival().release
    survival.ended(made.of("link"), RunState.DONE, code)
    assert made.of("build").is_done
    return made


def _as_the_older(shown: dict[str, list[dict[str, object]]]) -> dict[str, list[dict[str, object]]]:
    return {**shown, "about": [{**row, "is_current": False} for row in shown["about"]]}


def events(council: RowCouncil) -> dict[str, int]:
    return {kind: len(council.shown()[kind]) for kind in EVENTS}


def pair(council: RowCouncil, one: str, other: str) -> tuple[str, str, str]:
    """Rule, decision and reason of what is believed of two records."""
    facts = {"one": one, "other": other}
    with Store(council.profile).connect("linker") as connection:
        row = connection.exec_driver_sql(_PAIR, facts).one_or_none()
    return (str(row[0]), str(row[1]), str(row[2])) if row else ("", "", "")


_PAIR = """select rule, decision, reason from identity.link k
             join identity.source_record a on a.source_record_id = least(k.left_record_id, k.right_record_id)
             join identity.source_record b on b.source_record_id = greatest(k.left_record_id, k.right_record_id)
            where known_to is null and array[a.source_person_key, b.source_person_key] @> array[%(one)s, %(other)s]"""


def test_f35_one_number_on_two_different_people_joins_nobody_is_told_and_both_keep_their_rows(
    council: RowCouncil, straight: Straight
) -> None:
    groups, before = council.groups(), events(council)
    council.retype(7, 1, NHS_NO=nhs_number(5))
    made = linked(council, 1, "NUMBER_ON_TWO_PEOPLE")
    assert council.groups() == groups and events(council) == before
    assert pair(council, key("carefirst", 5), key("micare", 7))[1:] == ("review", "number_contradiction")
    assert made.of("link").counts["reviews"] >= 1
    council.whole(2)
    assert council.now() == straight.now


def test_f36_a_second_number_under_one_id_joins_only_by_a_notice_two_people_stand_for(
    council: RowCouncil, straight: Straight
) -> None:
    new, before = nhs_number(21), events(council)
    council.change("PERSON", 1, "NHS_NUMBER", new)
    council.change("REFERENCE", 1, "REF_NUMBER", new)
    linked(council, 1, "PEOPLE_PARTED", new)
    assert council.person("carefirst", 1) != council.person("micare", 1), "two numbers, so two people for now"
    assert pair(council, key("carefirst", 1), key("micare", 1))[1:] == ("review", "different_verified_numbers")
    context = RunContext(council.profile, "by-hand", "test")
    left, right = council.record("carefirst", 1), council.record("micare", 1)
    alone = note_notice(context, Notice("number_replaced", left, right, "NBO-1", "A. Lee", "a. lee"))
    assert alone.state is RunState.REFUSED and "two different officers" in alone.findings[0].message
    assert note_notice(context, Notice("number_replaced", left, right, "NBO-1", "A. Lee", "B. Roe")).is_done
    joined = council.publish(1)
    assert joined.of("link").counts["people_merged"] == 1
    assert council.person("carefirst", 1) == council.person("micare", 1)
    assert pair(council, key("carefirst", 1), key("micare", 1))[1:] == ("link", "human_decision")
    assert events(council) == before
    (told,) = council.ask("select notice_id, reference, first_officer, second_officer from ledger.notice", "auditor")
    assert [*told.values()][1:] == ["NBO-1", "A. Lee", "B. Roe"]
    number = int(told["notice_id"])
    assert withdraw_notice(context, number, "", "A. Lee", "B. Roe").state is RunState.REFUSED
    assert withdraw_notice(context, number, "the numbers agree again", "A. Lee", "B. Roe").is_done
    assert withdraw_notice(context, number, "once more", "A. Lee", "B. Roe").state is RunState.REFUSED
    council.whole(2)
    assert council.now() == straight.now


def test_f37_a_merge_notice_joins_two_files_with_history_and_can_be_taken_back(
    council: RowCouncil, straight: Straight
) -> None:
    kept, lost, before = council.person("micare", 8), council.person("micare", 7), events(council)
    _, surname, _, _ = PEOPLE[7]
    now_like_8 = {"SURNAME": surname.upper(), "DOB": "28031936", "NHS_NO": ""}  # under another forename
    council.retype(7, 1, XREF_CLIENT_NO=key("micare", 8), STATUS="X", **now_like_8)
    made = linked(council, 1, "PEOPLE_JOINED")
    assert made.of("link").counts["people_merged"] == 1
    assert "ESTABLISHED_JOINED" in made.codes(), "readers had seen the two apart: somebody is to look"
    assert council.person("micare", 7) == council.person("micare", 8) == kept
    assert events(council) == before, "every event is still there, under the one person"
    assert pair(council, key("micare", 7), key("micare", 8))[:2] == ("marked_duplicate", "link")
    (mapping,) = council.ask(f"select superseded_by, status from identity.person where person_id = '{lost}'", "linker")
    assert mapping == {"superseded_by": kept, "status": "retired"}, "the mapping is on record"
    council.whole(2)  # the notice is taken back
    assert council.person("micare", 7) != council.person("micare", 8)
    assert council.now() == straight.now


def test_f38_people_who_shared_a_number_by_mistake_are_parted_nothing_is_lost_and_who_was_told_is_listed(
    council: RowCouncil, straight: Straight
) -> None:
    shared, before = council.person("carefirst", 3), events(council)
    council.retype(3, 1, NHS_NO=nhs_number(22), DOB="02091967", FORENAME1="GRETEL")
    made = linked(council, 1, "PEOPLE_PARTED", nhs_number(22))
    assert made.of("link").counts["people_split"] == 1
    mine, other = council.person("carefirst", 3), council.person("micare", 3)
    assert mine != other and shared in (mine, other)
    parted = council.ask(f"select person_id from identity.person where split_from = '{shared}'", "linker")
    assert [row["person_id"] for row in parted] == [*({mine, other} - {shared})]
    assert events(council) == before, "nothing is lost"
    for source, person in (("carefirst", mine), ("micare", other)):
        whose = {row["person_id"] for row in council.shown()["request"] if row["source"] == source}
        assert person in whose and ({mine, other} - {person}).isdisjoint(whose), "events went by their source's id"
    with Store(council.profile).connect("linker") as connection:
        assert len(releases_showing(connection, shared)) >= 2
    council.whole(2)
    assert council.now() == straight.now
