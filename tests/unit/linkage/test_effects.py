"""What a proposal would do, told in lasting ids: who becomes one, who is parted, what is not followed."""

from __future__ import annotations

import pytest

from governance.records_named import NotTaken, plain, two_people
from linkage.clustering import Grouping, Node, group_records
from linkage.constraints import Constraints
from linkage.decisions import constraints_of
from linkage.effects import Effects, Move, effects_of
from linkage.identity import KnownPerson
from linkage.inputs import Decision
from linkage.model import load_model
from tests.support.linkage_numbers import nhs_number

BELIEVED = {1: "ada", 2: "ada", 3: "bea"}
PEOPLE = {"ada": KnownPerson("ada", 1), "bea": KnownPerson("bea", 2)}


def grouped(constraints: Constraints, numbers: dict[int, str] | None = None) -> Grouping:
    return group_records(nodes(numbers), [], constraints, load_model().bands)


def nodes(numbers: dict[int, str] | None = None) -> dict[int, Node]:
    return {r: Node(r, f"s|{r}", f"source{r}", (numbers or {}).get(r), None) for r in (1, 2, 3, 4)}


def foretold(before: list[tuple[int, int, str]], *added: Decision, numbers: dict[int, str] | None = None) -> Effects:
    kept = [Decision(*told, "Kim") for told in before]
    groupings = tuple(grouped(constraints_of(answers), numbers) for answers in (kept, [*kept, *added]))
    return effects_of((groupings[0], groupings[1]), nodes(numbers), BELIEVED, PEOPLE, added)


def test_two_people_become_one_and_the_older_id_stays() -> None:
    found = foretold([(1, 2, "same")], Decision(2, 3, "same", "Pat"))
    assert found == Effects(moves=(Move(3, "bea", "ada"),), joined=(("bea", "ada"),))
    assert found.people == {"ada", "bea"}


def test_a_person_is_parted_into_somebody_yet_to_be_born() -> None:
    groupings = grouped(constraints_of([Decision(1, 2, "same", "Kim")])), grouped(Constraints())
    found = effects_of(groupings, nodes(), BELIEVED, PEOPLE)
    assert (found.parted, found.joined, [move.becomes for move in found.moves]) == (("ada",), (), [""])


def test_a_record_that_was_nobody_yet_is_a_move_and_no_merge() -> None:
    found = foretold([(1, 2, "same")], Decision(3, 4, "same", "Pat"))
    assert (found.moves, found.joined, found.parted) == ((Move(4, "", "bea"),), (), ())


def test_what_changes_nothing_moves_nobody() -> None:
    assert foretold([(1, 2, "same")], Decision(1, 2, "same", "Sam")) == Effects()
    assert foretold([(1, 2, "same")], Decision(1, 3, "cannot_tell", "Sam")) == Effects()


def test_two_verified_numbers_ask_for_a_notice_and_a_contradiction_for_somebody_who_decides() -> None:
    numbers = {1: nhs_number(1), 3: nhs_number(2)}
    assert foretold([], Decision(1, 3, "same", "Pat"), numbers=numbers).not_followed == "needs_notice"
    assert foretold([(1, 3, "same")], Decision(1, 3, "not_same", "Pat")).not_followed == "needs_attention"


def test_a_reason_holds_no_nhs_number_and_two_people_are_two() -> None:
    assert plain(" filed under IG 2026-14, 020 7946 0958 ", "the reason") == "filed under IG 2026-14, 020 7946 0958"
    number = nhs_number(7)
    for told in ("", "  ", f"it is {number}", f"it is {number[:3]} {number[3:6]} {number[6:]}"):
        with pytest.raises(NotTaken) as refused:
            plain(told, "the reason")
        assert number[6:] not in str(refused.value)
    assert two_people("A. Lee", " B. Roe ") == ("A. Lee", "B. Roe")
    with pytest.raises(NotTaken):
        two_people("A. Lee", "a. lee ")
