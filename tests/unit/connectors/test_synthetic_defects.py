"""Defects of records: at the catalogue's rates, each one logged, none with a value, hard cases as they should be."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from connectors.synthetic.choosing import choose
from connectors.synthetic.defects import RATES, defect_rng, rate
from connectors.synthetic.name_variants import across_code_page, is_joined, rejoined, slip, transliterated
from connectors.synthetic.nhs_numbers import is_valid
from connectors.synthetic.settings import QualityProfile
from connectors.synthetic.world import Appearance, World
from tests.support.synthetic_council import council

_SCALE = 0.35


def world() -> World:
    return council(_SCALE)


def records(system: str, in_world: World | None = None) -> list[Appearance]:
    return [r for r in (in_world or world()).appearances if r.system == system and not r.is_test]


def hits(defect_id: str, system: str, in_world: World | None = None) -> int:
    defects = (in_world or world()).defects
    return len({d.key for d in defects if (d.defect_id, d.system) == (defect_id, system)})


def first(record: Appearance) -> dict[str, str]:
    return record.versions[record.recorded_night]


#: Rates of the sources hand-book, section 11, as shares of all records of the system.
CATALOGUE = [
    ("D03", "systmone", 0.011), ("D06", "carefirst", 0.005), ("D07", "carefirst", 0.002), ("D10", "systmone", 0.003),
    ("D08", "systmone", 0.0046), ("D08", "liquidlogic", 0.0046), ("D11", "liquidlogic", 0.015), ("D11", "carefirst",
    0.03),
    ("D11", "systmone", 0.003), ("D12", "liquidlogic", 0.015), ("D12", "carefirst", 0.01), ("D25", "systmone", 0.002),
    ("D28", "systmone", 0.002), ("D28", "carefirst", 0.002), ("D29", "carefirst", 1.0), ("D29", "liquidlogic", 0.005),
    ("D31", "systmone", 0.003), ("D33", "liquidlogic", 0.01), ("D40", "systmone", 0.00245), ("D42", "systmone", 0.005),
    ("D43", "systmone", 0.001), ("D46", "systmone", 0.00165), ("D48", "liquidlogic", 0.15), ("D48", "systmone", 0.11),
    ("D61", "systmone", 0.0003), ("D62", "systmone", 0.004), ("D62", "carefirst", 0.004), ("D64", "systmone", 0.20),
    ("D64", "liquidlogic", 0.05), ("D68", "systmone", 0.002), ("D69", "carefirst", 0.95), ("D69", "liquidlogic", 0.211),
    ("D70", "systmone", 0.003),
]  # fmt: skip


@pytest.mark.parametrize(("defect_id", "system", "share"), CATALOGUE)
def test_a_defect_is_as_common_as_the_catalogue_says(defect_id: str, system: str, share: float) -> None:
    expected = share * len(records(system))
    assert abs(hits(defect_id, system) - expected) <= max(2.0, 0.08 * expected)


@pytest.mark.parametrize(("system", "known", "slight"), [("liquidlogic", 0.06, 0.35), ("carefirst", 0.12, 0.40)])
def test_numbers_are_missing_as_often_as_the_catalogue_says(system: str, known: float, slight: float) -> None:
    clients_known = Counter(bool(first(r)["nhs_number"]) for r in records(system) if r.role == "client")
    others = Counter(bool(first(r)["nhs_number"]) for r in records(system) if r.role != "client")
    assert others[False] / sum(others.values()) == pytest.approx(slight, abs=0.05)
    missing = clients_known[False] / sum(clients_known.values())
    assert known <= missing <= known + 0.06, "clients and those who only asked"


def test_unverified_numbers_are_a_share_of_those_present() -> None:
    for system, share in (("liquidlogic", 0.15), ("carefirst", 0.30), ("systmone", 0.03)):
        present = sum(1 for r in records(system) if first(r)["nhs_number"])
        assert hits("D04", system) / present == pytest.approx(share, abs=0.005)


def test_nicknames_are_twice_as_common_over_75() -> None:
    people = {person.person_id: person for person in world().people}
    by_key = {r.key: people[r.person_id].birth_date.year <= 1950 for r in records("systmone")}
    hit = Counter(by_key[d.key] for d in world().defects if (d.defect_id, d.system) == ("D24", "systmone"))
    base = Counter(by_key.values())
    assert hit[True] / base[True] == pytest.approx(0.004, abs=0.001)
    assert hit[False] / base[False] == pytest.approx(0.002, abs=0.001)


def test_names_of_one_person_differ_between_care_and_health_as_often_as_was_observed() -> None:
    """Observed: forename 2.4 % of pairs, surname 6.8 % of women and 2.2 % of men, both 0.44 % (sources 11.2)."""
    health = {r.person_id: r for r in records("systmone") if r.duplicate_of is None}
    women = {person.person_id for person in world().people if person.sex == "F"}
    pairs, differ = Counter[str](), Counter[str]()
    for record in (r for system in ("liquidlogic", "carefirst") for r in records(system) if r.duplicate_of is None):
        theirs = health.get(record.person_id)
        if theirs is None:
            continue
        sex = "F" if record.person_id in women else "M"
        forename, surname = (_same_name(record, theirs, field) for field in ("forename", "surname"))
        pairs.update(["all", sex])
        differ.update(name for name, same in (("forename", forename), ("all", surname), (sex, surname)) if not same)
        differ["both"] += not forename and not surname
    assert differ["forename"] / pairs["all"] == pytest.approx(0.024, abs=0.010)
    assert differ["all"] / pairs["all"] == pytest.approx(0.049, abs=0.012)
    assert differ["F"] / pairs["F"] == pytest.approx(0.068, abs=0.020)
    assert differ["M"] / pairs["M"] == pytest.approx(0.022, abs=0.014)
    assert differ["both"] / pairs["all"] < 0.012


def _same_name(one: Appearance, other: Appearance, field: str) -> bool:
    written = [" ".join((r.as_of(world().nights) or first(r))[field].upper().split()) for r in (one, other)]
    return written[0] == written[1]


def test_postcodes_of_one_person_differ_between_care_and_health_in_about_three_pairs_of_ten() -> None:
    health = {r.person_id: r for r in records("systmone") if r.duplicate_of is None and r.addresses}
    pairs = differ = 0
    for system in ("liquidlogic", "carefirst"):
        for record in records(system):
            other = health.get(record.person_id)
            if other is None or record.duplicate_of is not None:
                continue
            mine, theirs = (r.addresses[-1].postcode.replace(" ", "").upper() for r in (record, other))
            if mine and theirs:
                pairs += 1
                differ += mine != theirs
    assert differ / pairs == pytest.approx(0.31, abs=0.03)


def test_records_without_a_number_go_wrong_more_often() -> None:
    slips = {(d.system, d.key) for d in world().defects if d.defect_id in ("D25", "D28", "D40", "D41")}
    care = [r for system in ("liquidlogic", "carefirst") for r in records(system) if r.duplicate_of is None]
    share = {}
    for present in (True, False):
        group = [r for r in care if bool(first(r)["nhs_number"]) is present]
        share[present] = sum((r.system, r.key) in slips for r in group) / len(group)
    assert share[False] > 1.8 * share[True]


@pytest.mark.parametrize(("profile", "factor"), [("good", 0.5), ("poor", 2.0)])
def test_a_profile_halves_or_doubles_the_rates(profile: QualityProfile, factor: float) -> None:
    other = council(0.2, profile)
    assert other.quality == factor
    for defect_id, typical in (("D33", 0.01), ("D31", 0.003), ("D62", 0.004)):
        expected = typical * factor * len(records("systmone", other))
        assert hits(defect_id, "systmone", other) == pytest.approx(expected, abs=max(1.5, 0.1 * expected))


def test_habits_are_not_doubled_and_no_rate_passes_the_cap() -> None:
    assert rate("D29", "carefirst", 2.0) == 1.0 and rate("D69m", "carefirst", 2.0) == 0.95
    assert all(rate(defect_id, "systmone", 100.0) <= 1.0 for defect_id in RATES)
    assert rate("D06", "systmone") == 0.0


def test_every_wrong_999_number_is_somebody_elses_or_logged_as_a_slip() -> None:
    people = {person.person_id: person for person in world().people}
    logged = {
        (d.system, d.key): d.defect_id for d in world().defects if d.defect_id in ("D05", "D06", "D07", "D08", "D10")
    }
    for record in world().appearances:
        if record.is_test:
            continue
        for fields in record.versions.values():
            digits = fields["nhs_number"].replace(" ", "").replace("-", "").removesuffix(".0")
            person = people[record.person_id]
            if digits in ("", person.nhs_number) or "E+" in digits:
                continue
            defect = logged[(record.system, record.key)]
            assert is_valid(digits) is (defect != "D06")


def test_no_log_entry_holds_a_value() -> None:
    values = {
        value for r in records("carefirst") for value in (first(r)["surname"], first(r)["nhs_number"]) if len(value) > 3
    }
    for defect in world().defects:
        assert not {defect.key, defect.field, defect.table} & values


def test_duplicates_point_at_the_record_they_double() -> None:
    by_key = {(r.system, r.key): r for r in world().appearances}
    doubles = [r for r in world().appearances if r.duplicate_of is not None]
    assert doubles
    for record in doubles:
        main = by_key[(record.system, record.duplicate_of or "")]
        assert main.person_id == record.person_id and main.key != record.key
    on_doubles = {r.key for r in doubles}
    assert any(event.appearance_key in on_doubles for event in world().events)


def test_carefirst_marks_duplicates_in_the_name_and_liquidlogic_by_flag() -> None:
    marked = [r for r in world().appearances if r.marked_duplicate_night is not None]
    assert {r.system for r in marked} == {"liquidlogic", "carefirst"}
    for record in marked:
        surname = (record.as_of(world().nights) or {})["surname"]
        in_name = surname.startswith("DO NOT USE") or surname == "DUPLICATE"
        assert in_name is (record.system == "carefirst")


def test_test_people_are_flagged_or_show_it_in_their_name() -> None:
    tests = [r for r in world().appearances if r.is_test]
    assert {r.system for r in tests} == {"systmone", "liquidlogic", "carefirst"}
    for record in tests:
        shown = (first(record)["forename"] + first(record)["surname"]).upper()
        assert record.is_flagged_test or any(word in shown for word in ("TEST", "DUMMY", "TRAINING"))


def test_the_woman_with_three_surnames_bears_another_in_each_system() -> None:
    people = [person for person in world().people if "three_surnames" in person.tags]
    mains = [record for record in world().appearances if record.duplicate_of is None]
    seen = [{first(r)["surname"].strip().upper() for r in mains if r.person_id == p.person_id} for p in people]
    assert any(len(surnames) == 3 for surnames in seen)


def test_systmone_gives_no_address_of_a_restricted_person() -> None:
    restricted = [r for r in world().appearances if r.is_restricted]
    assert restricted and all(not r.addresses for r in restricted if r.system == "systmone")
    assert all(r.addresses for r in restricted if r.system != "systmone")


def test_typed_in_references_mostly_point_at_the_right_record_and_the_rest_is_logged() -> None:
    owner: dict[tuple[str, str], int] = {(r.system, r.key): r.person_id for r in world().appearances}
    logged = {(d.system, d.key, d.field) for d in world().defects if d.defect_id == "SSR"}
    right = wrong = 0
    for record in world().appearances:
        for system, key in record.references.items():
            if owner.get((system, key)) == record.person_id:
                right += 1
            else:
                wrong += 1
                assert (record.system, record.key, system) in logged
    assert right > 200 and 0.01 < wrong / (right + wrong) < 0.12


def test_choosing_gives_the_number_asked_and_prefers_the_prone() -> None:
    rng = random.Random(1)
    chosen = [choose(rng, range(1000), 100, lambda n: n < 200) for _ in range(30)]
    assert all(len(set(items)) == 100 for items in chosen)
    low = sum(n < 200 for items in chosen for n in items) / 3000
    assert low == pytest.approx(200 * 3 / (200 * 3 + 800), abs=0.04)


@pytest.mark.parametrize("surname", ["O'Brien", "Smith-Jones", "MacDonald", "McKay", "de Silva"])
def test_a_joined_surname_is_written_another_way(surname: str) -> None:
    assert is_joined(surname)
    assert all(rejoined(random.Random(seed), surname) != surname for seed in range(20))


def test_a_slip_changes_a_name_by_little() -> None:
    for seed in range(200):
        changed = slip(random.Random(seed), "Margaret")
        assert abs(len(changed) - 8) <= 1 and changed[0] == "M"


def test_names_from_other_alphabets_are_spelt_as_heard() -> None:
    spellings = {
        transliterated(random.Random(n), "south_asian_muslim", "M", ("Mohammed", "", "Hussain")) for n in range(50)
    }
    assert ("Muhammad", "", "Hussain") in spellings and ("Mohammed", "", "Hussein") in spellings
    assert {transliterated(random.Random(n), "polish", "F", ("Anna", "", "Kowalska"))[2] for n in range(20)} >= {
        "Kowalski"
    }


def test_an_accent_is_kept_dropped_or_broken_on_its_way_through_a_code_page() -> None:
    seen = Counter(across_code_page(random.Random(n), "José", code_page=True) for n in range(2000))
    assert seen["José"] / 2000 == pytest.approx(0.4, abs=0.05) and seen["Jose"] / 2000 == pytest.approx(0.5, abs=0.05)
    assert set(seen) == {"José", "Jose", "Jos?", "JosÃ©"}
    assert "ł" not in "".join(across_code_page(random.Random(n), "Łukasz Michał", code_page=True) for n in range(40))


def test_each_purpose_draws_from_a_generator_of_its_own() -> None:
    assert defect_rng(1, "systmone", "names").random() == defect_rng(1, "systmone", "names").random()
    assert defect_rng(1, "systmone", "names").random() != defect_rng(1, "carefirst", "names").random()
