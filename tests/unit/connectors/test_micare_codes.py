"""MiCare's codes and person numbers against our reading of them: every national wording has a way in."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

import connectors.micare
from connectors.micare.person_number import check_letter, completed, is_right
from connectors.spec import table_specs
from connectors.synthetic import casework
from connectors.synthetic.keys import micare_check_letter, person_key
from connectors.synthetic.micare_codes import code, described_codes, retired_code
from connectors.synthetic.micare_tables import COLUMNS
from domain.codes import codes
from tests.unit.connectors.test_carefirst_codes import SETS as CAREFIRST_SETS

FOLDER = Path(connectors.micare.__file__).parent / "codes"

#: our code set -> MiCare's code set, the national list
SETS = {
    name: (theirs, national)
    for name, (theirs, national) in CAREFIRST_SETS.items()
    if name != "budget_support_reason"
} | {
    "client_type": ("CLTYPE", "Client Type"),
    "cost_frequency": ("COSTFREQ", "Cost Frequency (Unit Type)"),
    "delivery_mechanism": ("MECHANISM", "Delivery Mechanism"),
    "hours_caring": ("CAREHRS", "Total Hrs Caring per week"),
    "service_component": ("COMPONENT", "Service Component"),
    "service_type": ("SVCTYPE", "Service Type"),
}  # fmt: skip
#: Lists of casework, which has no national wording in one place: the words of the truth.
CASEWORK = {
    "allocation_role": ("ROLE", casework.ROLES),
    "enquiry_type": ("ENQTYPE", ("section 42", "other")),
    "risk_outcome": ("RISK", ("removed", "reduced", "remains")),
    "msp_asked": ("MSP", ("asked, outcomes told", "asked, no outcomes told", "not asked", "not known")),
    "dols_decision": ("DECISION", ("granted", "not granted")),
    "dols_place": ("PLACE", ("care home", "hospital")),
}


def code_map(name: str) -> dict[str, str]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8") as handle:
        return {row["raw"]: row["clean"] for row in csv.DictReader(handle)}


@pytest.mark.parametrize("name", sorted(SETS))
def test_every_national_wording_survives_the_way_through_micares_code(name: str) -> None:
    code_set, national = SETS[name]
    mapped = code_map(name)
    for wording in codes("cld_r2", national):
        assert mapped[code(code_set, wording)] == wording
        retired = retired_code(code_set, wording)
        assert retired is None or mapped[retired] == wording
    assert set(mapped.values()) <= set(codes("cld_r2", national))


@pytest.mark.parametrize("name", sorted(CASEWORK))
def test_every_word_of_casework_survives_too(name: str) -> None:
    code_set, words = CASEWORK[name]
    assert {code(code_set, word): word for word in words}.items() <= code_map(name).items()


def test_ethnic_origins_lead_to_the_national_letters() -> None:
    letters = codes("nhs_data_dictionary", "Ethnic category")
    mapped = code_map("ethnicity")
    assert {mapped[code("ETHNIC", letter)] for letter in letters} == set(letters) == set(mapped.values())


def test_no_code_stands_in_two_lists_and_retired_codes_are_described_nowhere() -> None:
    described = [value for _, value, _ in described_codes()]
    assert len(described) == len(set(described))
    assert retired_code("PSR", "Learning disability support") not in described


def test_the_lists_for_checking_episodes_hold_every_code_an_episode_may_carry() -> None:
    facts = ("primary_support_reason", "accommodation_status", "autism", "hours_caring", "enquiry_type", "dols_place")
    for name in facts:
        assert code_map(name).keys() <= code_map("episode_code").keys()
    for name in ("event_outcome", "risk_outcome", "dols_decision"):
        assert code_map(name).keys() <= code_map("episode_outcome").keys()


def test_the_specifications_name_every_column_of_the_files_in_its_order() -> None:
    specs = table_specs("micare")
    assert {n.removeprefix("MICARE_"): tuple(c.name for c in s.columns) for n, s in specs.items()} == COLUMNS


def test_our_check_letter_is_the_suppliers() -> None:
    numbers = [f"{random.Random(n).randrange(100_000_000):08d}" for n in range(2_000)]
    assert all(check_letter(digits) == micare_check_letter(digits) for digits in numbers)
    assert all(is_right(person_key("micare", n)) for n in range(1, 200))
    for wrong in ("1234567", "123456789", "1234567A", "١٢٣٤٥٦٧٨"):
        with pytest.raises(ValueError):
            check_letter(wrong)


def test_a_number_typed_by_hand_is_completed_and_one_slip_is_noticed() -> None:
    for n in range(1, 300):
        whole = person_key("micare", n)
        digits, letter = whole[:-1], whole[-1]
        typed = (whole, whole.lstrip("0"), digits, digits.lstrip("0"), f" {whole.lower()} ", f"{digits} {letter}")
        assert {completed(text) for text in typed} == {whole}
        slip = f"{digits[:-1]}{(int(digits[-1]) + 1) % 10}{letter}"
        swapped = f"{digits[:5]}{digits[6]}{digits[5]}{digits[7]}{letter}"
        assert completed(slip) is None and (swapped == whole or completed(swapped) is None)
    assert [completed(text) for text in ("", "K", "12A4", "123456789", "00123456I")] == [None] * 5
