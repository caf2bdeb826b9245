"""The linkage world is what its settings say: rates, twins, namesakes, care homes, valid numbers, and a whole truth."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest

from connectors.synthetic import linkage_world
from connectors.synthetic.linkage_world import LinkageWorldSettings, write_linkage_world
from connectors.synthetic.linkage_world_records import RATES, Defect
from connectors.synthetic.names import nicknames
from domain.identifiers import check_digit

_SETTINGS = LinkageWorldSettings(patients=30_000, clients=3_000, seed=11)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A world of three towns."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linkage_world, "_ROWS_AT_ONCE", 10_000)
        yield write_linkage_world(folder, _SETTINGS)


@pytest.fixture(scope="module")
def world(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for side in ("care", "health"):
            connection.execute(f"create view {side} as from read_parquet('{home / side}.parquet')")
        connection.execute(f"create view truth as from read_parquet('{home / 'truth' / 'truth.parquet'}')")
        connection.execute("create view record as from care union all from health")
        yield connection


def _one(world: duckdb.DuckDBPyConnection, query: str) -> float:
    return float(world.execute(query).fetchall()[0][0])


def test_the_files_have_the_rows_asked_for_and_the_truth_knows_every_record_once(
    world: duckdb.DuckDBPyConnection,
) -> None:
    assert _one(world, "select count(*) from care") == 3_000
    assert _one(world, "select count(*) from health") == 30_000
    assert _one(world, "select count(*) from truth") == _one(world, "select count(distinct record_id) from truth")
    assert _one(world, "select count(*) from record anti join truth using (record_id)") == 0
    assert _one(world, "select count(*) from truth anti join record using (record_id)") == 0


def test_no_column_of_the_two_files_gives_the_person_away(world: duckdb.DuckDBPyConnection) -> None:
    columns = {row[0] for row in world.execute("describe record").fetchall()}
    assert columns == set(linkage_world.COLUMNS)


def test_numbers_are_missing_wrong_and_mistyped_as_often_as_the_settings_say(world: duckdb.DuckDBPyConnection) -> None:
    for side, missing, part in (("care", 0.20, 1), ("health", 0.01, 10)):
        where = f"from truth where side = '{side}'"
        assert _one(world, f"select avg((not has_number)::int) {where}") == pytest.approx(missing, abs=0.025)
        assert _one(
            world, f"select avg(((defects & {int(Defect.NUMBER_OF_ANOTHER)}) > 0)::int) {where}"
        ) == pytest.approx(0.004 / part, abs=0.003)
        assert _one(
            world, f"select avg(((defects & {int(Defect.NUMBER_MISTYPED)}) > 0)::int) {where}"
        ) == pytest.approx(0.004 / part, abs=0.003)
    written = "select count(*) from record join truth using (record_id) where (nhs_number is not null) <> has_number"
    assert _one(world, written) == 0


def test_clients_are_patients_as_often_as_the_settings_say_and_some_are_recorded_twice(
    world: duckdb.DuckDBPyConnection,
) -> None:
    known = """select avg((person_id in (select person_id from truth where side = 'health'))::int)
                 from (select distinct person_id from truth where side = 'care')"""
    assert _one(world, known) == pytest.approx(0.85, abs=0.01)
    again = "select 1 - count(distinct person_id) / count(*) from truth where side = 'care'"
    assert _one(world, again) == pytest.approx(0.02, abs=0.01)


@pytest.mark.parametrize(
    ("defect", "column", "meaning"),
    [
        (Defect.BIRTH_MISSING, "birth_date", "birth_date is null"),
        (Defect.BIRTH_PLACEHOLDER, "birth_date", "birth_date in ('1900-01-01', '1901-01-01')"),
        (Defect.POSTCODE_MISSING, "postcode", "postcode is null"),
        (Defect.POSTCODE_PSEUDO, "postcode", "postcode = 'ZZ99 3VZ'"),
        (Defect.SEX_MISSING, "sex", "record.sex is null"),
    ],
)
def test_a_defect_is_in_the_file_where_the_truth_says_so_and_as_often_as_its_rate(
    world: duckdb.DuckDBPyConnection, defect: Defect, column: str, meaning: str
) -> None:
    said = f"((defects & {int(defect)}) > 0)"
    wrong = f"select count(*) from record join truth using (record_id) where ({meaning}) <> {said}"
    assert _one(world, wrong) == 0, column
    for place, side in enumerate(("care", "health")):
        share = _one(world, f"select avg({said}::int) from truth where side = '{side}'")
        assert share == pytest.approx(RATES[defect][place], abs=0.008)


def test_every_true_number_is_valid_begins_with_nine_and_is_one_persons(world: duckdb.DuckDBPyConnection) -> None:
    spoilt = int(Defect.NUMBER_OF_ANOTHER | Defect.NUMBER_MISTYPED)
    rows = world.execute(
        f"""select distinct replace(nhs_number, ' ', ''), person_id from record join truth using (record_id)
             where nhs_number is not null and (defects & {spoilt}) = 0"""
    ).fetchall()
    assert len({number for number, _ in rows}) == len({person for _, person in rows}) == len(rows)
    assert all(number[0] == "9" and str(check_digit(number[:9])) == number[9] for number, _ in rows)
    mistyped = world.execute(
        f"""select replace(nhs_number, ' ', '') from record join truth using (record_id)
             where (defects & {int(Defect.NUMBER_MISTYPED)}) > 0"""
    ).fetchall()
    assert mistyped and all(str(check_digit(number[:9])) != number[9] for (number,) in mistyped)


def test_twins_share_surname_and_birth_date_but_not_their_forename(world: duckdb.DuckDBPyConnection) -> None:
    """Of twins at one address whose records have no defect that could hide it."""
    clean = f"where is_twin and side = 'health' and (defects & {int(Defect.NUMBER_MISSING) - 1}) = 0"
    rows = world.execute(f"""
        with twin as (select * from health join truth using (record_id) {clean})
        select a.forename = b.forename from twin a join twin b
            on a.birth_date = b.birth_date and a.surname = b.surname and a.postcode = b.postcode
           and a.person_id < b.person_id""").fetchall()
    assert len(rows) > 20
    assert not any(same for (same,) in rows)


def test_parents_and_children_of_one_name_live_at_one_postcode(world: duckdb.DuckDBPyConnection) -> None:
    pairs = """
        with person as (select * from health join truth using (record_id) where has_namesake)
        select count(*) from person a join person b using (forename, surname, postcode)
         where substr(a.birth_date, 1, 4)::int + 12 < substr(b.birth_date, 1, 4)::int"""
    assert _one(world, pairs) > 20


def test_a_care_home_is_one_postcode_of_many_surnames(world: duckdb.DuckDBPyConnection) -> None:
    residents = """select max(n) from (select count(distinct surname) as n from health join truth using (record_id)
                    where in_care_home group by postcode)"""
    assert _one(world, residents) >= 10


def test_the_nicknames_of_the_world_are_not_taken_from_the_engines_list() -> None:
    text = (files("linkage") / "data" / "nicknames_en.csv").read_text(encoding="utf-8")
    engine = {line[0]: set(line[1:]) for line in csv.reader(text.splitlines())}
    ours = nicknames()
    assert not engine.keys() & ours.keys()


def test_the_same_settings_give_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    settings = LinkageWorldSettings(patients=1_500, clients=150, seed=3)
    first, second = (write_linkage_world(tmp_path / name, settings) for name in ("a", "b"))
    other = write_linkage_world(tmp_path / "c", LinkageWorldSettings(patients=1_500, clients=150, seed=4))
    for name in (linkage_world.HEALTH, linkage_world.CARE, f"truth/{linkage_world.TRUTH}"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
        assert (first / name).read_bytes() != (other / name).read_bytes()


def test_a_world_with_more_clients_than_patients_is_refused() -> None:
    with pytest.raises(ValueError, match="not more clients than patients"):
        LinkageWorldSettings(patients=10, clients=11)
