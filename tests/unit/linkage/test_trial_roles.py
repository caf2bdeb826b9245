"""What columns mean: guessed from headings in many styles and from content, never from what may be the answer."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from domain.identifiers import check_digit
from linkage.trial.guessing import by_heading
from linkage.trial.refusal import Refused
from linkage.trial.roles import Guess, Role, Roles, guess_roles, read_roles, write_roles
from linkage.trial.whole_file import agree

GIVEN = ["Robert", "Alice", "James", "Mary", "Thomas", "Susan", "Henry", "Anne", "William", "Jane"]
FAMILY = ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper", "Kapok"]
TOWNS = ["Ely", "Bath", "Wells", "Ripon"]


def numbers(many: int) -> list[str]:
    stems = (f"9{n:08d}" for n in range(1, 3 * many))
    return [stem + digit for stem in stems if (digit := check_digit(stem)) is not None][:many]


def people(many: int = 110, **more: list[str | None]) -> dict[str, list[str | None]]:
    return {
        "given": [GIVEN[n % 10] for n in range(many)],
        "family": [FAMILY[n % 11] for n in range(many)],
        "born": [f"{1930 + n % 70}-{n % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(many)],
        "town": [TOWNS[n % 4] for n in range(many)],
        **more,
    }


def roles_of(columns: dict[str, list[str | None]]) -> dict[str, Role]:
    return dict(guess_roles(pa.table({name: pa.array(v, pa.string()) for name, v in columns.items()})).roles.columns)


@pytest.mark.parametrize(
    ("role", "headings"),
    [
        (
            Role.FORENAME,
            "first_name|given_name|Forename(s)|fname|FirstName|FORENAME|Prénom|Vorname|Imię|Nombre|fname_c1",
        ),
        (
            Role.SURNAME,
            "surname|last_name|LastName|family name|lname|Nachname|Nazwisko|Apellidos|Nom|lname_c1|txtSurname|Sur-name",
        ),
        (Role.FULL_NAME, "full_name|Name|patient_name|Client|Nom complet|FullName|member name"),
        (Role.MIDDLE_NAMES, "middle_name|MiddleInitial|midl_name|fname_c2|other forenames"),
        (Role.KNOWN_AS, "known_as|preferred name|nickname|alias"),
        (Role.PREVIOUS_SURNAME, "maiden_name|previous surname|former name|Geburtsname|nom de naissance|née"),
        (
            Role.BIRTH_DATE,
            "dob|DateOfBirth|birth_dt|D.O.B.|date of birth (dd/mm/yyyy)|Geburtsdatum|BirthDate|client_dob_txt|born",
        ),
        (Role.SEX, "sex|gender|Gender_Code|GESCHLECHT|sexe|stated gender"),
        (Role.POSTCODE, "postcode|post code|PostCode|zip|ZIP_CODE|PLZ|code postal|pcds|postcode_fake"),
        (Role.NHS_NUMBER, "nhs_no|NHSNumber|NHS number|nhs|nhsNo"),
        (
            Role.IDENTIFIER,
            "soc_sec_id|SSN|social security number|National Insurance No|hospital_no|MRN|passport|CHI number",
        ),
        (Role.HOUSE_NUMBER, "street_number|house no|HouseNumber|flat|hausnummer"),
        (Role.ADDRESS, "address|addr1|address_line_1|address_2|street|Straße|home address"),
        (Role.PLACE, "city|Town|suburb|birth_place|PlaceOfBirth|Ville|Ort|res_city_desc|town name"),
        (Role.REGION, "state|county|country|Bundesland|country_of_birth"),
        (Role.TELEPHONE, "phone|mobile|Tel. no.|telephone1|HomePhone"),
        (Role.EMAIL, "email|e-mail|EmailAddress|courriel"),
    ],
)
def test_headings_in_many_styles_and_languages_are_understood(role: Role, headings: str) -> None:
    understood = {heading: (found := by_heading(heading)) and found[0] for heading in headings.split("|")}
    assert understood == dict.fromkeys(headings.split("|"), role)


def test_columns_without_a_telling_heading_are_told_by_their_content() -> None:
    many = 110
    guessed = roles_of(
        {
            "a": [str(n) for n in range(many)],
            "b": [GIVEN[n % 10] for n in range(many)],
            "c": [FAMILY[n % 11] for n in range(many)],
            "d": [f"{n % 28 + 1:02d}/{n % 12 + 1:02d}/{1930 + n % 70}" for n in range(many)],
            "e": ["M" if n % 2 else "F" for n in range(many)],
            "f": [f"EX{n % 9 + 1} {n % 10}AB" for n in range(many)],
            "g": [*numbers(many - 2), None, None],
            "h": [f"x{n % 90}@example.org" for n in range(many)],
            "i": [f"07700 900{n % 90:03d}" for n in range(many)],
        }
    )
    assert guessed == {
        "a": Role.ID,
        "b": Role.FORENAME,
        "c": Role.SURNAME,
        "d": Role.BIRTH_DATE,
        "e": Role.SEX,
        "f": Role.POSTCODE,
        "g": Role.NHS_NUMBER,
        "h": Role.EMAIL,
        "i": Role.TELEPHONE,
    }


@pytest.mark.parametrize(
    "heading",
    [
        "cluster",
        "label",
        "truth",
        "entity_id",
        "person_id",
        "PersonKey",
        "is_duplicate",
        "group",
        "ent_id",
        "class",
        "zq",
    ],
)
def test_what_may_be_the_answer_is_never_evidence_and_says_why(heading: str) -> None:
    table = pa.table(people(**{"id": [str(n) for n in range(110)], heading: [f"Q{1000 + n // 3}" for n in range(110)]}))
    guess = guess_roles(table)
    assert guess.roles.role(heading) is Role.IGNORE
    assert "may hold the answer" in dict(guess.why)[heading]


def test_small_whole_numbers_that_group_records_are_no_evidence_without_being_told() -> None:
    guess = guess_roles(pa.table(people(cid=[str(n // 3) for n in range(110)])))
    assert guess.roles.role("cid") is Role.IGNORE
    assert "give the role 'identifier' or 'other' if they are evidence" in dict(guess.why)["cid"]


def test_a_persons_key_that_names_every_record_once_is_the_id_but_no_evidence() -> None:
    guess = guess_roles(pa.table(people(person_id=[f"P{n}" for n in range(110)])))
    assert guess.roles.id_column == "person_id"
    assert "person_id" not in guess.roles.evidence


def test_of_two_ids_the_one_of_the_record_wins_and_duplicates_are_no_id() -> None:
    every = [str(n) for n in range(110)]
    guessed = roles_of(people(case_no=[f"C{n}" for n in range(110)], unique_id=every))
    assert (guessed["unique_id"], guessed["case_no"]) == (Role.ID, Role.IGNORE)
    assert roles_of(people(record_id=[*every[:-1], every[0]]))["record_id"] is Role.IGNORE


def test_a_fact_told_twice_counts_once() -> None:
    base = people()
    guessed = roles_of(
        {
            **base,
            "whole_name": [f"{g} {f}" for g, f in zip(base["given"], base["family"], strict=True)],
            "city": base["town"],
            "age": [str(n % 70) for n in range(110)],
            "birth_year": [(b or "")[:4] for b in base["born"]],
        }
    )
    assert [guessed[c] for c in ("whole_name", "city", "age", "birth_year")] == [Role.IGNORE] * 4
    assert guessed["town"] is Role.PLACE


def test_birth_parts_are_kept_when_there_is_no_whole_date() -> None:
    base = people()
    born = [b or "" for b in base.pop("born")]
    parts = {"by": [b[:4] for b in born], "bm": [b[5:7] for b in born], "bd": [b[8:] for b in born]}
    guessed = roles_of({**base, **parts})
    assert [guessed[c] for c in parts] == [Role.BIRTH_YEAR, Role.BIRTH_MONTH, Role.BIRTH_DAY]


def test_a_heading_that_the_values_contradict_is_not_believed() -> None:
    many = 110
    guessed = roles_of(
        {
            "nhs_number": [f"{1000000000 + n * 7}" for n in range(many)],
            "sex": [FAMILY[n % 11] + str(n % 9) for n in range(many)],
            "dob": ["Ely" if n % 2 else "Bath" for n in range(many)],
            "created_date": [f"2025-01-{n % 28 + 1:02d}" for n in range(many)],
            "gp_surname": [FAMILY[n % 11] for n in range(many)],
            "note": ["a long note of many words that nobody can compare with anything " * 2 for _ in range(many - 1)]
            + ["b"],
            "source": ["left"] * many,
            "empty": [None] * many,
        }
    )
    assert guessed["nhs_number"] is Role.IDENTIFIER
    assert guessed["sex"] is not Role.SEX
    assert guessed["dob"] is Role.OTHER
    assert {guessed[c] for c in ("created_date", "gp_surname", "note", "source", "empty")} == {Role.IGNORE}


def test_name_beside_a_forename_is_the_surname() -> None:
    base = people()
    assert roles_of({"Vorname": base["given"], "Name": base["family"]})["Name"] is Role.SURNAME


def test_every_column_has_a_sentence_and_no_sentence_holds_a_value() -> None:
    guess = guess_roles(pa.table(people(job=["baker", "smith"] * 55, id=[f"r{n}" for n in range(110)])))
    assert [c for c, _ in guess.why] == [c for c, _ in guess.roles.columns]
    said = " ".join(why for _, why in guess.why)
    assert said and not [value for value in (*GIVEN, *FAMILY, *TOWNS, "baker") if value in said]


def test_the_same_file_gives_the_same_guess() -> None:
    assert guess_roles(pa.table(people())) == guess_roles(pa.table(people()))


def test_further_evidence_counts_only_where_both_files_have_it() -> None:
    left = guess_roles(pa.table(people(job=["baker", "smith"] * 55, shoe=["40", "41"] * 55)))
    right = guess_roles(pa.table(people(Job=["baker", "smith"] * 55)))
    one, other = agree(left, right)
    assert (one.roles.role("job"), one.roles.role("shoe"), other.roles.role("Job")) == (
        Role.OTHER,
        Role.IGNORE,
        Role.OTHER,
    )
    assert dict(one.why)["shoe"] == "the other file has no column called the same"


def test_a_roles_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    columns = ["id", "no", "naïve: name", "#x", "2nd"]
    guess = Guess(
        Roles(tuple(zip(columns, [Role.ID, Role.SURNAME, Role.FULL_NAME, Role.OTHER, Role.IGNORE], strict=True))), ()
    )
    write_roles(tmp_path / "roles.yml", guess, guess)
    assert read_roles(tmp_path / "roles.yml", columns, columns) == (guess.roles, guess.roles)
    write_roles(tmp_path / "one.yml", guess, None)
    assert read_roles(tmp_path / "one.yml", columns, None) == (guess.roles, None)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "columns: {surname: surnam}",
            "r.yml: 'surname' is given the role 'surnam', which does not exist; did you mean 'surname'.",
        ),
        ("columns: {surnme: surname}", "r.yml: the file has no column 'surnme'; did you mean 'surname'."),
        ("columns: {id: id, surname: id}", "r.yml: id and surname are both the id; only one column may be."),
        ("surname: surname", "r.yml has no 'columns:'"),
        ("columns: [surname]", "r.yml: no columns are named"),
        ("columns: {", "r.yml, line 1: not readable as YAML"),
    ],
)
def test_a_wrong_roles_file_says_what_is_wrong(tmp_path: Path, said: str, sentence: str) -> None:
    (tmp_path / "r.yml").write_text(said, encoding="utf-8")
    with pytest.raises(Refused) as refusal:
        read_roles(tmp_path / "r.yml", ["id", "surname"], None)
    assert sentence in str(refusal.value)
