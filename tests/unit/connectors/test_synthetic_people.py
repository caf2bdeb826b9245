"""The invented population: NHS numbers nobody has, names of their time, hard cases, who is known to whom."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from connectors.synthetic.names import name_book, nicknames
from connectors.synthetic.nhs_numbers import NumberBook, check_digit, is_valid
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import TruePerson
from tests.support.synthetic_council import council


def clients() -> list[TruePerson]:
    return [person for person in council().people if "care_client" in person.tags]


def share(people: list[TruePerson], kept: list[TruePerson]) -> float:
    return len(kept) / len(people)


def over_65(person: TruePerson) -> bool:
    return person.birth_date <= date(1961, 3, 30)


@pytest.mark.parametrize(
    ("nine", "digit"), [("943476591", 9), ("999000001", 8), ("900000000", 9), ("999000000", None), ("999123456", None)]
)
def test_the_check_digit_follows_the_published_rule(nine: str, digit: int | None) -> None:
    assert check_digit(nine) == digit


def test_every_number_handed_out_is_valid_new_and_from_the_999_block() -> None:
    book = NumberBook(3)
    numbers = [book.issue() for _ in range(20_000)] + [book.issue_foreign() for _ in range(500)]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith("999") and is_valid(number) for number in numbers)
    assert all(number.startswith("9994") for number in numbers[20_000:])
    assert not any(number.startswith("9994") for number in numbers[:20_000])


def test_everybody_has_a_999_number_of_their_own_and_so_has_every_superseded_one() -> None:
    people = council().people
    numbers = [number for person in people for number in (person.nhs_number, *person.superseded_nhs_numbers)]
    assert len(numbers) == len(set(numbers)) > len(people)
    assert all(number.startswith("999") and is_valid(number) for number in numbers)


def test_older_people_bear_the_names_of_their_own_decade() -> None:
    rng = random.Random(4)
    old = Counter(name_book().forename(rng, "F", 1938, "british") for _ in range(3000))
    young = Counter(name_book().forename(rng, "F", 2016, "british") for _ in range(3000))
    assert old["Margaret"] > 60 and young["Margaret"] == 0
    assert young["Olivia"] > 30 and old["Olivia"] == 0


def test_surnames_have_one_common_head_and_a_tail_that_half_the_people_are_in() -> None:
    rng = random.Random(5)
    drawn = Counter(name_book().surname(rng, "british", hyphen_share=0.0) for _ in range(200_000))
    commonest = drawn.most_common(1)[0]
    assert commonest[0] == "Smith" and 0.009 <= commonest[1] / 200_000 <= 0.015
    rare = sum(count for count in drawn.values() if count < 200_000 / 5000)
    assert 0.45 <= rare / 200_000 <= 0.65


def test_the_council_and_the_linkage_share_no_line_of_the_nickname_list() -> None:
    root = Path(__file__).resolve().parents[3]
    ours, theirs = (
        {line.rstrip(",") for line in (root / path).read_text(encoding="utf-8").splitlines()}
        for path in ("connectors/synthetic/data/nicknames.csv", "linkage/data/nicknames_en.csv")
    )
    assert len(ours) > 500 and len(theirs) > 500
    assert not ours & theirs
    assert "aaron" in nicknames()


def test_care_clients_are_adults_mostly_old_and_mostly_women() -> None:
    people = clients()
    assert len(people) == 1000
    assert max(person.birth_date for person in people) <= date(2008, 3, 26)
    assert share(people, [p for p in people if over_65(p)]) == pytest.approx(2 / 3, abs=0.05)
    assert share(people, [p for p in people if p.sex == "F"]) == pytest.approx(0.58, abs=0.05)


def test_patients_are_as_many_as_asked_and_three_quarters_are_over_65() -> None:
    patients = [person for person in council().people if "patient" in person.tags]
    assert len(patients) == 4000
    assert share(patients, [p for p in patients if over_65(p)]) == pytest.approx(0.75, abs=0.03)
    assert any(person.birth_date > date(2016, 1, 1) for person in patients)


def test_most_care_clients_are_patients_too() -> None:
    people = clients()
    long_term = [person for person in people if "long_term" in person.tags]
    assert 0.68 <= share(people, [p for p in people if "patient" in p.tags]) <= 0.77
    assert share(long_term, [p for p in long_term if "patient" in p.tags]) == pytest.approx(0.75, abs=0.04)


def test_both_districts_have_clients_and_some_are_known_to_both() -> None:
    systems: dict[int, set[str]] = {}
    for record in council().appearances:
        if record.role == "client" and not record.is_test and record.system != "systmone":
            systems.setdefault(record.person_id, set()).add(record.system)
    count = Counter(tuple(sorted(held)) for held in systems.values())
    assert count[("liquidlogic",)] / len(systems) == pytest.approx(0.585, abs=0.05)
    assert count[("carefirst", "liquidlogic")] / len(systems) == pytest.approx(0.05, abs=0.02)


def test_the_county_is_about_four_fifths_white_british() -> None:
    people = council().people
    assert sum(person.ethnicity_code == "A" for person in people) / len(people) == pytest.approx(0.82, abs=0.03)


def test_care_homes_have_20_to_60_residents_behind_one_postcode() -> None:
    homes = Counter(
        person.addresses[-1].postcode for person in council().people if person.addresses[-1].kind == "care_home"
    )
    assert len(homes) >= 3
    assert all(20 <= residents <= 60 for residents in homes.values()) and max(homes.values()) >= 40


@pytest.mark.parametrize(
    "tag",
    [
        "twin_same_sex", "twin_mixed", "triplet", "father_and_son", "namesake", "exchanged_surnames", "three_surnames",
        "reidentified", "restricted", "asylum_seeker", "gypsy_traveller", "student", "moved_away_and_back",
        "same_surname_residents", "night_death", "night_marriage", "night_move", "night_newcomer", "test_person",
        "carer",
    ],
)  # fmt: skip
def test_every_hard_case_is_there_even_in_a_small_council(tag: str) -> None:
    assert any(tag in person.tags for person in council(0.02).people)


def test_twins_share_a_birth_date_and_a_home_but_not_a_forename() -> None:
    people = {person.person_id: person for person in council().people}
    twins = [person for person in people.values() if "twin_same_sex" in person.tags]
    for person in twins:
        other = people[person.relations["twin"][0]]
        assert (person.birth_date, person.sex, person.household_id) == (other.birth_date, other.sex, other.household_id)
        assert person.names[0].forename != other.names[0].forename


def test_father_and_son_of_one_name_are_two_people_with_two_birth_dates() -> None:
    people = {person.person_id: person for person in council().people}
    fathers = [p for p in people.values() if "father_and_son" in p.tags and "child" in p.relations]
    for father in fathers:
        son = people[father.relations["child"][0]]
        assert (father.names[0].forename, father.names[0].surname) == (son.names[0].forename, son.names[0].surname)
        assert (son.birth_date - father.birth_date).days > 15 * 365


def test_somebody_given_a_new_identity_is_two_people_with_two_numbers() -> None:
    people = {person.person_id: person for person in council().people}
    before = [p for p in people.values() if "reidentified_as" in p.relations]
    assert before
    for person in before:
        after = people[person.relations["reidentified_as"][0]]
        assert person.birth_date == after.birth_date and person.nhs_number != after.nhs_number


def test_addresses_follow_each_other_without_gap_and_none_is_before_birth() -> None:
    for person in council().people:
        for earlier, later in zip(person.addresses, person.addresses[1:], strict=False):
            assert earlier.valid_from <= later.valid_from
        assert person.addresses[-1].valid_to is None
        assert person.addresses[0].valid_from >= person.birth_date


def test_a_move_is_told_only_on_the_night_after_it() -> None:
    world = council()
    mover = next(person for person in world.people if "night_move" in person.tags)
    record = next(r for r in world.appearances if r.person_id == mover.person_id)
    moved = mover.addresses[-1].valid_from
    told_before = record.addresses_as_of(moved)
    told_after = record.addresses_as_of(date.fromordinal(moved.toordinal() + 1))
    assert len(told_after) == len(told_before) + 1
    assert told_before[-1][1].valid_to is None and told_after[-2][1].valid_to is not None


def test_settings_that_make_no_council_are_refused() -> None:
    with pytest.raises(ValueError, match="scale"):
        SyntheticSettings(scale=0)
    with pytest.raises(ValueError, match="nights"):
        SyntheticSettings(nights=-1)
