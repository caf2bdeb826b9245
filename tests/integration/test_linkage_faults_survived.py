"""Faults of who is who through the whole way in, from two suppliers' deliveries to the release (F47, F71, F72).

What people decided stands against every later score; where they disagree nothing moves until they agree. At the end
the same records are the same people, with the same details, events and release, as in a council without the fault.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.run import RunContext, RunResult, RunState
from expectations.replay import release
from governance.store import Store
from linkage import stage as linking
from tests.support.linkage_numbers import nhs_number
from tests.support.row_faults_door import PEOPLE, FirstNight, RowCouncil, first_night, key

_copies = itertools.count(1)
_ALIKE = ("carefirst", 1), ("micare", 1)  # one person in two systems, by number
_STRANGERS = ("carefirst", 5), ("micare", 7)
Record = tuple[str, int]


@pytest.fixture(scope="module")
def origin(cluster: object, new_council: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> FirstNight:
    return first_night(cluster, RowCouncil(new_council(tmp_path_factory.mktemp("decided"))))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def straight(origin: FirstNight, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What is believed and shown after two nights more without any fault."""
    return origin.straight(tmp_path_factory.mktemp("straight"), "decided_straight").now


@pytest.fixture
def council(origin: FirstNight, tmp_path: Path) -> RowCouncil:
    """A council whose second night has arrived and waits to be spoilt."""
    copied = origin.copy(tmp_path, f"decided_{next(_copies)}")
    copied.arrive(1)
    return copied


def decide(council: RowCouncil, one: Record, other: Record, answer: str, reviewer: str) -> None:
    facts = {"one": key(*one), "other": key(*other), "answer": answer, "reviewer": reviewer}
    with Store(council.profile).connect("linker") as connection:
        assert connection.exec_driver_sql(_DECIDE, facts | {"source": one[0], "with": other[0]}).rowcount == 1


def withdraw(council: RowCouncil, reviewer: str) -> None:
    with Store(council.profile).connect("linker") as connection:
        done = connection.exec_driver_sql(_WITHDRAW, {"reviewer": reviewer})
        assert done.rowcount > 0


def link(council: RowCouncil, run: str) -> RunResult:
    return linking.run(RunContext(council.profile, run, "test"))


def pair(council: RowCouncil, one: Record, other: Record) -> tuple[str, str]:
    """Decision and reason of what is believed of two records."""
    with Store(council.profile).connect("linker") as connection:
        row = connection.exec_driver_sql(_PAIR, {"one": key(*one), "other": key(*other)}).one()
    return str(row[0]), str(row[1])


_DECIDE = """insert into identity.decision (left_record_id, right_record_id, answer, reviewer, reason)
    select least(a.source_record_id, b.source_record_id), greatest(a.source_record_id, b.source_record_id),
           %(answer)s, %(reviewer)s, 'both files seen'
      from identity.source_record a, identity.source_record b
     where (a.source, a.source_person_key) = (%(source)s, %(one)s)
       and (b.source, b.source_person_key) = (%(with)s, %(other)s)"""
_WITHDRAW = """update identity.decision set withdrawn_at = clock_timestamp()
                where reviewer = %(reviewer)s and withdrawn_at is null"""
_PAIR = """select decision, reason from identity.link k
             join identity.source_record a on a.source_record_id = k.left_record_id
             join identity.source_record b on b.source_record_id = k.right_record_id
            where known_to is null and array[a.source_person_key, b.source_person_key] @> array[%(one)s, %(other)s]"""


def test_f71_reviewers_who_disagree_leave_the_link_as_it_is_until_somebody_decides(
    council: RowCouncil, straight: dict[str, list[str]]
) -> None:
    survival, groups = council.survival(), council.groups()
    decide(council, *_STRANGERS, "same", "Pat")
    decide(council, *_STRANGERS, "not_same", "Sam")
    council.take_in(1)
    survival.ended(link(council, "night-1"), RunState.DONE, "DECISIONS_CONTRADICT")
    assert council.groups() == groups, "nothing moves meanwhile"
    assert pair(council, *_STRANGERS) == ("review", "needs_attention")

    withdraw(council, "Pat")  # the adjudicator has heard both
    decided = link(council, "adjudicated")
    assert decided.is_done and "DECISIONS_CONTRADICT" not in {finding.code for finding in decided.findings}
    assert pair(council, *_STRANGERS) == ("reject", "human_decision")
    answers = council.ask("select reviewer, withdrawn_at is null as stands from identity.decision order by 1", "linker")
    assert answers == [{"reviewer": "Pat", "stands": False}, {"reviewer": "Sam", "stands": True}], "both on record"
    council.whole(2)
    assert council.now() == straight


def test_f71_people_who_are_one_stay_one_while_reviewers_disagree_about_them(council: RowCouncil) -> None:
    groups = council.groups()
    decide(council, *_ALIKE, "same", "Pat")
    decide(council, *_ALIKE, "not_same", "Sam")
    council.take_in(1)
    assert link(council, "night-1").is_done
    assert pair(council, *_ALIKE) == ("review", "needs_attention")
    assert council.groups() == groups, "the link is unchanged until somebody decides"


def test_f72_a_later_score_that_contradicts_what_was_decided_changes_nothing_and_asks_for_another_look(
    council: RowCouncil, straight: dict[str, list[str]]
) -> None:
    groups = council.groups()
    decide(council, *_ALIKE, "same", "Pat")
    decide(council, *_STRANGERS, "not_same", "Sam")
    assert link(council, "decided").is_done
    planted = nhs_number(5)
    survival = council.survival(planted)
    forename, surname, _, _ = PEOPLE[4]
    council.retype(1, 1, NHS_NO="", DOB="28031968", FORENAME1="GRETEL")  # nothing but the address speaks for them now
    council.retype(7, 1, NHS_NO=planted, SURNAME=surname.upper(), FORENAME1=forename.upper())  # now like person 5
    council.take_in(1)
    contradicted = link(council, "night-1")
    survival.ended(contradicted, RunState.DONE, "DECISION_OVERTAKEN")
    assert council.groups() == groups, "both decisions stand"
    assert pair(council, *_ALIKE) == ("link", "human_decision")
    assert pair(council, *_STRANGERS) == ("reject", "human_decision")
    (told,) = (finding.message for finding in contradicted.findings if finding.code == "DECISION_OVERTAKEN")
    assert " 2 pairs " in told
    council.whole(2)
    assert council.groups() == groups
    withdraw(council, "Pat")  # without the decisions, which the straight council never had, nobody is another either
    withdraw(council, "Sam")
    council.publish(2)
    assert council.now() == straight


def test_f47_a_key_released_for_a_new_bearer_takes_no_id_of_the_former_bearer_along(council: RowCouncil) -> None:
    stranger = {"FORENAMES": "MARMADUKE", "SURNAME": "ELLSWORTHZZ", "DATE_OF_BIRTH": "03-MAR-1970"}

    def given_out_again(night: int) -> None:
        for column, value in {**stranger, "NHS_NUMBER": nhs_number(30)}.items():
            council.change("PERSON", 5, column, value, night)

    former, others = council.person("carefirst", 5), {r: council.person(*r) for r in (_ALIKE[0], _STRANGERS[1])}
    given_out_again(1)
    council.take_in(1)
    assert link(council, "held").is_done
    assert council.person("carefirst", 5) == former, "until somebody says so the id stays with who had it"
    (held,) = (int(row["held_id"]) for row in council.ask(_HELD))
    officer = RunContext(council.profile, "by hand", "test", source="carefirst")
    assert release(officer, [held], reason="the supplier gave the id out again", decided_by="A. Officer") == 1
    council.arrive(2)
    given_out_again(2)
    council.take_in(2)
    assert link(council, "released").is_done
    assert council.person("carefirst", 5) != former
    assert {record: council.person(*record) for record in others} == others, "nobody else is touched"


_HELD = "select held_id from quarantine.held_row where state = 'held'"
