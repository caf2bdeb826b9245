"""A night's change against a kept run: whatever changes, the pairs are those of a run of all records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, cast

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.executor import (
    ChangedCounts,
    Guard,
    IdentifierStage,
    RecordsRefused,
    SettingsRefused,
    compile_settings,
    keep_run,
    replace_pairs,
    run_changed,
    run_executor,
)

_COLUMNS = "record varchar, number varchar, forename varchar, surname varchar, born varchar, place varchar"
_FREQUENCY = {"tf_adjustment_column": "surname", "tf_minimum_u_value": 0.001}
_MODEL: dict[str, Any] = {
    "link_type": "link_only",
    "unique_id_column_name": "record",
    "probability_two_random_records_match": 0.05,
    "comparisons": [
        {"output_column_name": "surname", "comparison_levels": [
            {"sql_condition": "surname_l is null or surname_r is null", "is_null_level": True},
            {"sql_condition": "surname_l = surname_r", "m_probability": 0.9, "u_probability": 0.1} | _FREQUENCY,
            {"sql_condition": "jaro_winkler_similarity(surname_l, surname_r) > 0.8", "m_probability": 0.05,
             "u_probability": 0.1} | _FREQUENCY,
            {"sql_condition": "ELSE", "m_probability": 0.05, "u_probability": 0.8}]},
        {"output_column_name": "born", "comparison_levels": [
            {"sql_condition": "born_l is null or born_r is null", "is_null_level": True},
            {"sql_condition": "born_l = born_r", "m_probability": 0.9, "u_probability": 0.1},
            {"sql_condition": "substr(born_l, 1, 4) = substr(born_r, 1, 4)", "m_probability": 0.05,
             "u_probability": 0.2},
            {"sql_condition": "ELSE", "m_probability": 0.05, "u_probability": 0.7}]},
    ],
    "blocking_rules_to_generate_predictions": [
        "l.surname = r.surname", "l.forename = r.surname and l.born = r.born",
        "substr(l.born, 1, 4) = substr(r.born, 1, 4) and l.forename = r.forename or l.place = r.place",
    ],
}  # fmt: skip
_GUARDS = (Guard("apart", "handbook 7.1", "forename_l <> forename_r and born_l = born_r", -3.0),)


def _stage(settles_both: bool, weigh: bool) -> IdentifierStage:
    return IdentifierStage.demographic("number", birth_date="born", forename="forename", surname="surname",
                                       postcode="place", settles_both=settles_both, weigh=weigh)  # fmt: skip


def _record(random: Random, name: str) -> tuple[str | None, ...]:
    """Few numbers and names, so that numbers are often shared and often move from one record to another."""
    values = (
        [None, *(f"n{n}" for n in range(9))], ["ann", "bea", "col", None], ["oak", "oaks", "elm", "ash", None],
        ["1950-01-02", "1950-02-01", "1960-01-02", None], ["A1", "B2", "C3", None],
    )  # fmt: skip
    return (name, *(random.choice(column) for column in values))


class _Broken(Exception):
    """The machine stops here."""


class _BreakingOff:
    """A connection that goes no further than a step."""

    def __init__(self, con: duckdb.DuckDBPyConnection, step: str) -> None:
        self._con, self._step = con, step

    def execute(self, statement: str, *given: Any) -> Any:
        if self._step and statement.startswith(self._step):
            raise _Broken
        return self._con.execute(statement, *given)

    def commit(self) -> None:
        self._con.commit()
        if self._step == "commit":
            raise _Broken

    def begin(self) -> None:
        self._con.begin()

    def rollback(self) -> None:
        if self._step != "commit":
            self._con.rollback()


def _break_off(con: duckdb.DuckDBPyConnection, folder: Path, step: str) -> None:
    if step:
        with pytest.raises(_Broken):
            replace_pairs(cast("duckdb.DuckDBPyConnection", _BreakingOff(con, step)), "standing", "standing", folder)


def _fill(con: duckdb.DuckDBPyConnection, table: str, records: list[tuple[str | None, ...]]) -> None:
    con.execute(f"create or replace table {table} ({_COLUMNS})")
    if records:
        con.executemany(f"insert into {table} values (?, ?, ?, ?, ?, ?)", records)


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    return [
        tuple(round(value, 9) if isinstance(value, float) else value for value in row)
        for row in con.execute(f"from {table} order by left_id, right_id").fetchall()
    ]


@pytest.fixture(autouse=True, scope="module")
def _a_few_records_at_once() -> Iterator[None]:
    """Kept runs of these tests are written in several pieces, as those of large files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("linkage.executor.store._AT_ONCE", 6)
        yield


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_nights_one_after_another_leave_the_pairs_of_a_run_of_all_records(seed: int) -> None:
    """Records change, come, go, hand their numbers on; numbers of untouched records become shared or free again."""
    random = Random(seed)
    stage = random.choice([None, _stage(random.random() < 0.5, random.random() < 0.5)])
    asked: dict[str, Any] = {"identifier": stage, "guards": random.choice([(), _GUARDS])}
    line = random.choice([None, 0.0])
    model = compile_settings(_MODEL)
    with duckdb.connect() as con, TemporaryDirectory() as home:
        sides = {"l": {f"l{n}": _record(random, f"l{n}") for n in range(14)},
                 "r": {f"r{n}": _record(random, f"r{n}") for n in range(20)}}  # fmt: skip
        for side in "lr":
            _fill(con, side, list(sides[side].values()))
        con.execute("""create table frequency as select surname, count(*) / sum(count(*)) over () as tf_surname
                         from (from l union all from r) where surname is not null group by surname""")
        frequencies = {"surname": "frequency"}
        run_executor(con, model, "l", "r", keep_above=line, frequencies=frequencies, **asked)
        con.execute("create table standing as from scored_pair")
        keep_run(con, model, "l", "r", Path(home), keep_above=line, frequencies=frequencies, **asked)
        for night in range(2):
            gone = {}
            for side in "lr":
                names = random.sample(sorted(sides[side]), random.randint(0, 4))
                gone[side] = names[: random.randint(0, 2)]
                changed = [*names[len(gone[side]) :], f"{side}_new_{night}"]
                sides[side] |= {name: _record(random, name) for name in changed}
                for name in gone[side]:
                    del sides[side][name]
                _fill(con, f"{side}_changed", [sides[side][name] for name in changed])
                _fill(con, side, list(sides[side].values()))
            link = partial(run_changed, con, "l_changed", "r_changed", Path(home), gone_left=gone["l"],
                           gone_right=gone["r"])  # fmt: skip
            link()
            if random.random() < 0.5:  # the night breaks off before, while or after its pairs are put in place
                _break_off(con, Path(home), random.choice(["", "comment on", "commit"]))
                link()
            replace_pairs(con, "standing", "standing", Path(home))
            run_executor(con, model, "l", "r", keep_above=line, frequencies=frequencies, **asked)
            assert _rows(con, "standing") == _rows(con, "scored_pair")


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for side in "lr":
        _fill(con, side, [_record(Random(n), f"{side}{n}") for n in range(5)])
    return con


def test_what_is_kept_is_for_its_owner_only(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    keep_run(con, compile_settings(_MODEL), "l", "r", folder)
    run_changed(con, "l", "r", folder)
    replace_pairs(con, "scored_pair", "standing", folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_kept_run_of_another_model_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    keep_run(con, compile_settings(_MODEL), "l", "r", tmp_path, version="one")
    with pytest.raises(SettingsRefused, match="another model"):
        run_changed(con, "l", "r", tmp_path, version="two")


def test_a_night_counts_only_with_its_pairs(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    keep_run(con, compile_settings(_MODEL), "l", "r", tmp_path)
    with pytest.raises(SettingsRefused, match="no night waits"):
        replace_pairs(con, "scored_pair", "standing", tmp_path)
    _fill(con, "new", [_record(Random(1), "l_new")])
    first = run_changed(con, "new", "r", tmp_path)
    assert run_changed(con, "new", "r", tmp_path).grown == first.grown > 0
    replace_pairs(con, "scored_pair", "standing", tmp_path)
    _fill(con, "newer", [_record(Random(2), "l_newer")])
    assert run_changed(con, "newer", "r", tmp_path).grown > first.grown


def test_records_that_come_again_unchanged_are_no_change(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    keep_run(con, compile_settings(_MODEL), "l", "r", tmp_path)
    assert run_changed(con, "l", "r", tmp_path) == ChangedCounts(0, 0, 0, 0, 0, 0.0)
    con.execute("create table moved as select * replace ('Z9' as place) from l where record = 'l1'")
    assert run_changed(con, "moved", "r", tmp_path).left == 1


def test_without_a_whole_kept_run_no_night_begins(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    keep_run(con, compile_settings(_MODEL), "l", "r", tmp_path)
    _fill(con, "l", [_record(Random(1), "same"), _record(Random(2), "same")])
    with pytest.raises(RecordsRefused, match="ids that stand more than once in the left file: 1"):
        keep_run(con, compile_settings(_MODEL), "l", "r", tmp_path)
    with pytest.raises(SettingsRefused, match="no run is kept"):
        run_changed(con, "l", "r", tmp_path)


def test_changed_records_of_one_id_are_refused_and_change_nothing(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    keep_run(con, compile_settings(_MODEL), "l", "r", tmp_path)
    _fill(con, "twice", [_record(Random(1), "l1"), _record(Random(2), "l1")])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RecordsRefused, match="another changed record"):
        run_changed(con, "twice", "r", tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("rule", ["levenshtein(l.surname, r.surname) < 2", "l.born = r.born and l.place < r.place"])
def test_rules_that_are_not_equalities_alone_are_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, rule: str
) -> None:
    model = compile_settings(_MODEL | {"blocking_rules_to_generate_predictions": [rule]})
    with pytest.raises(SettingsRefused, match="blocking rule 1 is not made of equalities"):
        keep_run(con, model, "l", "r", tmp_path)
