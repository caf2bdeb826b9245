"""Two files made ready for each other, or refused in one sentence before any work is done."""

from __future__ import annotations

import pyarrow as pa
import pytest

from linkage.trial.alignment import check_difference, check_evidence, check_id, numbered, paired, with_birth_date
from linkage.trial.refusal import Refused
from linkage.trial.roles import Role, Roles


def roles(**columns: Role) -> Roles:
    return Roles(tuple(columns.items()))


def test_year_month_and_day_become_one_birth_date() -> None:
    table = pa.table({"by": ["1961", "1970", None], "bm": ["2", "11", "3"], "bd": ["3.0", "12", "4"]})
    said = roles(by=Role.BIRTH_YEAR, bm=Role.BIRTH_MONTH, bd=Role.BIRTH_DAY)
    table, said = with_birth_date(table, said)
    assert table["by-bm-bd"].to_pylist() == ["1961-02-03", "1970-11-12", None]
    assert said.of(Role.BIRTH_DATE) == ("by-bm-bd",)
    assert said.evidence == ("by-bm-bd",)


def test_records_without_an_id_are_numbered_from_one_beside_a_column_of_that_name() -> None:
    table, said = numbered(pa.table({"row": ["x", "y"]}), roles(row=Role.OTHER))
    assert table[said.id_column].to_pylist() == ["1", "2"]
    assert said.role("row") is Role.OTHER


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [(["1", "1", "2"], "f.csv: 1 records repeat a 'no'"), (["1", None, "2"], "1 records have no 'no'")],
)
def test_an_id_that_does_not_name_each_record_is_refused_with_the_count(ids: list[str | None], sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_id(pa.table({"no": ids}), roles(no=Role.ID), "f.csv")
    assert sentence in str(refusal.value) and "--id" in str(refusal.value)


def test_columns_of_one_role_are_paired_by_their_headings_and_the_rest_stands_last() -> None:
    left = roles(suburb=Role.PLACE, birth_place=Role.PLACE, job=Role.OTHER, hobby=Role.OTHER, surname=Role.SURNAME)
    right = roles(Hobby=Role.OTHER, PlaceOfBirth=Role.PLACE, name=Role.SURNAME, Job=Role.OTHER)
    one, other = paired(left, right)
    assert one.of(Role.PLACE) == ("birth_place", "suburb")
    assert other.of(Role.PLACE) == ("PlaceOfBirth",)
    assert (one.of(Role.OTHER), other.of(Role.OTHER)) == (("job", "hobby"), ("Job", "Hobby"))
    assert {*one.columns} == {*left.columns} and {*other.columns} == {*right.columns}


def test_too_little_in_common_is_refused_and_little_is_told() -> None:
    sex, name, number = roles(a=Role.SEX), roles(b=Role.SURNAME), roles(c=Role.NHS_NUMBER)
    with pytest.raises(Refused, match=r"no column means the same in both \(l has sex; r has name\)"):
        check_evidence(sex, name, ("l", "r"), "roles.yml")
    with pytest.raises(Refused, match="the only evidence is sex"):
        check_evidence(sex, None, ("l",), "roles.yml")
    with pytest.raises(Refused, match="no column is understood as evidence"):
        check_evidence(roles(x=Role.IGNORE), None, ("l",), "roles.yml")
    assert "treat links as hints" in check_evidence(number, number, ("l", "r"), "roles.yml")[0]
    assert check_evidence(Roles((*sex.columns, *name.columns)), None, ("l",), "roles.yml") == []


def test_records_that_all_say_the_same_are_told() -> None:
    said = roles(a=Role.SURNAME, b=Role.POSTCODE)
    assert (
        "all 2 records say the same" in check_difference(pa.table({"a": ["x", "x"], "b": [None, None]}), said, "f")[0]
    )
    assert check_difference(pa.table({"a": ["x", "y"], "b": [None, None]}), said, "f") == []
    assert check_difference(pa.table({"a": ["x"], "b": ["z"]}), said, "f") == []
