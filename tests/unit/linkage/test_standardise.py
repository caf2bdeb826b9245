"""Records become comparable once: usable numbers, dates and postcodes stay, everything else is missing."""

from __future__ import annotations

from typing import Any

import pytest

from linkage.engine import open_calculation
from linkage.standardise import standardise
from linkage.training import untrained_model
from tests.support.linkage_numbers import nhs_number
from tests.support.linkage_tables import address_table, person, person_table, reference_table


def standard(*rows: dict[str, Any], synthetic: bool = True, **tables: Any) -> list[dict[str, Any]]:
    calculation = open_calculation()
    standardise(
        calculation,
        person_table(rows),
        tables.get("addresses", address_table()),
        tables.get("references", reference_table()),
        model=untrained_model(),
        synthetic=synthetic,
    )
    return calculation.sql("from standard order by record_id").to_arrow_table().to_pylist()


@pytest.mark.parametrize("written", ["9434765918", "94347659190", "943476591", "9.434766E+09", "NHS9434765919"])
def test_f33_a_number_that_fails_the_check_is_no_number(written: str) -> None:
    (record,) = standard(person(1, "carefirst", nhs_number_supplied=written, nhs_number_verified=True))
    assert record["nhs_number"] is None
    assert record["nhs_verified"] is False


@pytest.mark.parametrize("written", ["0000000000", "1111111111", "9999999999", "1234567881", "9876543210"])
def test_f34_a_filler_that_passes_the_check_digit_is_missing(written: str) -> None:
    (record,) = standard(person(1, "carefirst", nhs_number_supplied=written, nhs_number_verified=True))
    assert record["nhs_number"] is None


@pytest.mark.parametrize("synthetic", [True, False])
def test_test_numbers_count_in_a_synthetic_council_only(synthetic: bool) -> None:
    (record,) = standard(person(1, "systmone", nhs_number_supplied="999 000 0018"), synthetic=synthetic)
    assert record["nhs_number"] == ("9990000018" if synthetic else None)


def test_a_number_of_another_country_links_nobody() -> None:
    (record,) = standard(person(1, "carefirst", nhs_number_supplied="9994000667", nhs_number_verified=True))
    assert record["nhs_number"] is None


def test_a_default_birth_date_is_missing_and_first_of_january_is_estimated() -> None:
    dates = ["1900-01-01", "1901-01-01", "1950-01-01", "1950-02-03"]
    records = standard(*(person(n, "carefirst", birth_date=d) for n, d in enumerate(dates)))
    assert [r["birth_text"] for r in records] == [None, None, "19500101", "19500203"]
    assert [r["birth_estimated"] for r in records] == [None, None, True, False]


def test_a_date_far_too_frequent_for_its_source_is_missing() -> None:
    rows = [person(n, "carefirst", birth_date="1955-05-15") for n in range(21)]
    records = standard(*rows, person(50, "systmone", birth_date="1955-05-15"))
    assert [r["birth_text"] for r in records] == [None] * 21 + ["19550515"]


def test_postcodes_are_repaired_and_pseudo_postcodes_are_missing() -> None:
    records = standard(
        *(person(n, "carefirst", postcode=p) for n, p in enumerate(["av1 iaa", "ZZ99 3VZ", "xxx", "AV12 3BD"]))
    )
    assert [r["postcode"] for r in records] == ["AV1 1AA", None, None, "AV12 3BD"]
    assert (records[3]["outcode"], records[3]["sector"]) == ("AV12", "AV12 3")


def test_a_postcode_of_many_surnames_is_communal_and_never_a_shared_one() -> None:
    surnames = [f"{'abcdefghijklmnopqrstuvwxyz'[n]}ley" for n in range(20)]
    home = [person(n, "systmone", surname=s, postcode="AV1 1AA") for n, s in enumerate(surnames)]
    street = [person(100 + n, "systmone", surname="Smith", postcode="AV2 2BB") for n in range(20)]
    records = standard(*home, *street)
    assert {r["is_communal"] for r in records[:20]} == {True}
    assert {tuple(r["postcodes"]) for r in records[:20]} == {()}
    assert {r["is_communal"] for r in records[20:]} == {False}


def test_a_telephone_of_a_whole_team_is_missing() -> None:
    rows = [person(n, "liquidlogic", telephone="01632 960001") for n in range(9)]
    records = standard(*rows, person(20, "liquidlogic", telephone="+44 1632 960002"))
    assert [r["telephone"] for r in records] == [None] * 9 + ["1632960002"]


def test_former_known_and_referenced_names_are_further_names() -> None:
    (record,) = standard(
        person(
            1,
            "liquidlogic",
            forename="Margaret",
            middle_names="Ann",
            known_as="Peggy",
            surname="Cole-Hart",
            previous_surname="Dunn",
        ),
        references=reference_table([(1, "former_surname", "O'Neill")]),
    )
    assert record["given_names"] == ["ann", "margaret", "peggy"]
    assert record["surnames"] == ["cole", "colehart", "dunn", "hart", "oneill"]
    assert record["full_name"] == "margaret colehart"


def test_verdicts_on_numbers_are_counted_by_source() -> None:
    calculation = open_calculation()
    rows = [
        person(1, "systmone", nhs_number_supplied=nhs_number(1)),
        person(2, "carefirst", nhs_number_supplied="1111111111"),
        person(3, "carefirst", nhs_number_supplied="9434765918"),
        person(4, "carefirst"),
    ]
    counts = standardise(
        calculation, person_table(rows), address_table(), reference_table(), model=untrained_model(), synthetic=True
    )
    assert counts.number_reasons == {
        "carefirst": {"check_digit": 1, "filler": 1, "missing": 1},
        "systmone": {"valid": 1},
    }
