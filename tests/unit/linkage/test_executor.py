"""What the executor adds to Splink's weights: identifiers first, guards, a line, chunks, counts, plain refusals."""

from __future__ import annotations

from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.executor import (
    CompiledModel,
    Guard,
    IdentifierStage,
    RecordsRefused,
    SettingsRefused,
    compile_settings,
    count_patterns,
    run_executor,
)
from linkage.executor.distances import write_case, write_condition
from linkage.executor.expressions import parse_level
from linkage.executor.memory import parts_for
from tests.support.random_models import random_model, random_records
from tests.support.splink_peer import executor_scores

_STAGE = IdentifierStage.demographic(
    "number", birth_date="born", forename="forename", surname="surname", postcode="place"
)
_MODEL: dict[str, Any] = {
    "link_type": "link_only",
    "unique_id_column_name": "record",
    "probability_two_random_records_match": 0.01,
    "comparisons": [
        {"output_column_name": "forename", "comparison_levels": [
            {"sql_condition": "forename_l is null or forename_r is null", "is_null_level": True},
            {"sql_condition": "forename_l = forename_r", "m_probability": 0.9, "u_probability": 0.01},
            {"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.99}]},
        {"output_column_name": "born", "comparison_levels": [
            {"sql_condition": "born_l is null or born_r is null", "is_null_level": True},
            {"sql_condition": "born_l = born_r", "m_probability": 0.95, "u_probability": 0.001},
            {"sql_condition": "damerau_levenshtein(born_l, born_r) <= 1", "m_probability": 0.04, "u_probability": 0.01},
            {"sql_condition": "ELSE", "m_probability": 0.01, "u_probability": 0.989}]},
    ],
    "blocking_rules_to_generate_predictions": ["l.surname = r.surname", "l.born = r.born"],
}  # fmt: skip
_LEFT = [
    ("a1", "9434765919", "Ada", "Oakhampton", "1941-03-17", "AB1 2CD"),
    ("a2", "9434765927", "Bert", "Pinner", "1950-01-02", None),
    ("a3", "9434765935", "Cleo", "Quince", "1960-05-06", None),
    ("a4", None, "Dora", "Ripley", "1970-07-08", "AB1 2CD"),
    ("a5", "9434765943", "Ede", "Sands", "1980-07-08", None),
]
_RIGHT = [
    ("b1", "9434765919", "Ada", "Oakhampton", "1941-03-17", "AB1 2CD"),  # the same person
    ("b2", "9434765927", None, None, None, None),  # equal number, nothing else known
    ("b3", "9434765935", "Rob", "Zeal", "1999-09-09", None),  # somebody else's number
    ("b4", None, "Dora", "Ripley", "1970-07-80", "AB1 2CD"),
    ("b5", "9434765943", "Ede", "Sands", "1980-07-08", None),
    ("b6", "9434765943", "Ede", "Sands", "1980-07-08", None),  # the same number twice in one file
    ("b7", None, "Ada", "Oakhampton", "1941-03-17", None),  # a second record of the person
]


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    calculation = duckdb.connect(config={"threads": 1, "memory_limit": "500MB"})
    for table, rows in (("care", _LEFT), ("health", _RIGHT)):
        calculation.execute(f"""create table {table} (record varchar, number varchar, forename varchar, surname varchar,
            born varchar, place varchar)""")
        calculation.executemany(f"insert into {table} values (?, ?, ?, ?, ?, ?)", rows)
    return calculation


@pytest.fixture
def model() -> CompiledModel:
    return compile_settings(_MODEL)


def _pairs(con: duckdb.DuckDBPyConnection, where: str = "true") -> set[tuple[str, str]]:
    return set(con.execute(f"select left_id, right_id from scored_pair where {where}").fetchall())


def test_an_equal_number_is_accepted_only_where_the_rest_agrees_and_it_stands_once(
    con: duckdb.DuckDBPyConnection, model: CompiledModel
) -> None:
    counts = run_executor(con, model, "care", "health", identifier=_STAGE)
    assert (counts.identifier_pairs, counts.identifier_accepted) == (5, 1)
    assert _pairs(con, "rule_number = -1") == {("a1", "b1")}
    refused = con.execute("select left_id, right_id, agreement from identifier_pair where not accepted").fetchall()
    assert set(refused) == {("a2", "b2", 0), ("a3", "b3", 0), ("a5", "b5", 4), ("a5", "b6", 4)}


def test_accepted_records_are_not_compared_again_and_the_refused_still_are(
    con: duckdb.DuckDBPyConnection, model: CompiledModel
) -> None:
    run_executor(con, model, "care", "health", identifier=_STAGE)
    assert _pairs(con, "rule_number >= 0") == {("a4", "b4"), ("a5", "b5"), ("a5", "b6")}


def test_an_accepted_pair_has_the_models_weight_unless_nobody_asks(
    con: duckdb.DuckDBPyConnection, model: CompiledModel
) -> None:
    run_executor(con, model, "care", "health")
    expected = executor_scores(con)[("a1", "b1")]
    run_executor(con, model, "care", "health", identifier=_STAGE, keep_above=0.0)
    assert executor_scores(con)[("a1", "b1")] == pytest.approx(expected, abs=1e-9)
    unweighed = IdentifierStage(_STAGE.column, _STAGE.agreement, weigh=False)
    run_executor(con, model, "care", "health", identifier=unweighed, keep_above=0.0)
    assert executor_scores(con)[("a1", "b1")] is None


@pytest.mark.parametrize(
    ("one", "other", "points"),
    [
        (("Ada", "Oak", "1941-03-17", "A1"), ("Ada", "Oak", "1941-03-17", "A1"), 5),
        (("Ada", "Oak", "1941-03-07", None), (None, None, "1941-07-03", None), 1),
        (("Ada", "Oak", "1941-03-17", None), ("Bea", "Elm", "1941-03-18", None), 1),
        (("Ada", "Oak", "1941-03-17", None), ("Oak", "Ada", None, "A1"), 2),
        ((None, None, None, None), (None, None, None, None), 0),
        (("Marion", None, None, "A1"), ("Marian", "Elm", None, "A1"), 2),
        (("Ada", "Oak", "1941-03-17", "A1"), ("Bert", "Oak", "1938-11-02", "A1"), 0),  # husband and wife
    ],
)
def test_the_points_of_the_cross_check_are_the_hand_books(
    con: duckdb.DuckDBPyConnection, model: CompiledModel, one: tuple[Any, ...], other: tuple[Any, ...], points: int
) -> None:
    for table, values in (("care", one), ("health", other)):
        con.execute(f"delete from {table}")
        con.execute(f"insert into {table} values ('x', '9434765919', ?, ?, ?, ?)", list(values))
    run_executor(con, model, "care", "health", identifier=_STAGE)
    assert con.execute("select agreement from identifier_pair").fetchall() == [(points,)]


def test_a_guard_is_added_after_the_sum_and_kept_apart(con: duckdb.DuckDBPyConnection, model: CompiledModel) -> None:
    run_executor(con, model, "care", "health")
    plain = executor_scores(con)
    guard = Guard("no postcode", "a postcode is missing", "place_l is null or place_r is null", -8.0)
    run_executor(con, model, "care", "health", guards=[guard])
    assert executor_scores(con) == plain
    guarded = con.execute("select left_id, right_id, guard_0, weight - match_weight from scored_pair").fetchall()
    assert {(a, b): (hit, bits) for a, b, hit, bits in guarded if hit} == {
        ("a5", "b5"): (True, -8.0), ("a5", "b6"): (True, -8.0), ("a1", "b7"): (True, -8.0),
    }  # fmt: skip
    assert all(bits == 0 for _, _, hit, bits in guarded if not hit)


def test_the_line_holds_after_the_guards(con: duckdb.DuckDBPyConnection, model: CompiledModel) -> None:
    guard = Guard("no postcode", "a postcode is missing", "place_l is null or place_r is null", -8.0)
    run_executor(con, model, "care", "health", guards=[guard])
    expected = _pairs(con, "weight >= 2.0")
    assert expected < _pairs(con, "match_weight >= 2.0")
    run_executor(con, model, "care", "health", guards=[guard], keep_above=2.0)
    assert _pairs(con) == expected


def test_candidates_count_for_every_rule_that_found_them_and_kept_pairs_for_the_first(
    con: duckdb.DuckDBPyConnection, model: CompiledModel
) -> None:
    counts = run_executor(con, model, "care", "health", keep_above=8.0)
    assert [(rule.rule, rule.candidates) for rule in counts.rules] == [(0, 5), (1, 4)]
    assert counts.rules[1].kept == 0
    assert counts.kept == len(_pairs(con)) == sum(rule.kept for rule in counts.rules)
    assert 0 < counts.kept < 5


def test_patterns_of_given_pairs_are_counted_with_splinks_numbers(
    con: duckdb.DuckDBPyConnection, model: CompiledModel
) -> None:
    con.execute("""create table chosen as select l.record as left_id, r.record as right_id
                     from care l join health r on l.number = r.number""")
    assert count_patterns(con, model, "chosen", "care", "health") == 3
    assert con.execute("select * from pattern_count order by all").fetchall() == [(-1, -1, 1), (0, 0, 1), (1, 2, 3)]


@pytest.mark.property
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**9), link_type=st.sampled_from(("dedupe_only", "link_only", "link_and_dedupe")))
def test_in_chunks_and_with_a_line_the_same_pairs_are_kept(seed: int, link_type: str) -> None:
    chance, calculation = Random(seed), duckdb.connect(config={"threads": 1})
    compiled = compile_settings(random_model(chance, link_type))
    for table in ("one", "other"):
        random_records(calculation, table, chance)
    right = None if link_type == "dedupe_only" else "other"
    run_executor(calculation, compiled, "one", right)
    whole = executor_scores(calculation)
    counts = run_executor(calculation, compiled, "one", right, chunks=5, keep_above=-2.0, levels=seed % 4 == 0)
    assert executor_scores(calculation) == pytest.approx(
        {pair: weight for pair, weight in whole.items() if weight is not None and weight >= -2.0}, abs=1e-9
    )
    assert sum(rule.candidates for rule in counts.rules) >= len(whole)


_TEXTS = st.one_of(st.none(), st.text("abé1-", max_size=6))


@pytest.mark.property
@settings(max_examples=15, deadline=None)
@given(texts=st.lists(_TEXTS, min_size=10, max_size=25), k=st.integers(0, 3))
@pytest.mark.parametrize("name", ["levenshtein", "damerau_levenshtein"])
def test_a_guarded_distance_gives_the_plain_answer_on_any_text(name: str, texts: list[str | None], k: int) -> None:
    conditions = (f"{name}(a_l, a_r) <= {k}", f"{k + 1} > {name}(a_l, a_r)", f"not {name}(a_l, a_r) >= {k + 1}",
                  f"a_l is null or {name}(a_l, a_r) < {k}")  # fmt: skip
    answers = [(condition, write_condition(parse_level(condition))) for condition in conditions]
    levels = [f"{name}(a_l, a_r) <= {limit}" for limit in (0, 1, k + 1)]
    arms = " ".join(f"when {level} then {n}" for n, level in enumerate(levels))
    written = write_case([*(parse_level(level) for level in levels), None], ["0", "1", "2", "3"])
    answers.append((f"case {arms} else 3 end", written))
    differ = " or ".join(f"({plain}) is distinct from ({guarded})" for plain, guarded in answers)
    calculation = duckdb.connect(config={"threads": 1})
    calculation.execute("create table texts as select unnest(?::varchar[]) as a", [texts])
    assert (
        calculation.execute(f"""
        select a_l, a_r from (select l.a as a_l, r.a as a_r, l, r from texts l cross join texts r)
         where {differ}""").fetchall()
        == []
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"link_type": "guess"}, "link_type must be one of"),
        ({"probability_two_random_records_match": 1}, "between 0 and 1"),
        ({"comparisons": [{"output_column_name": "sex"}]}, "comparison sex has no comparison_levels"),
        ({"comparisons": [{"output_column_name": "sex", "comparison_levels": [{"sql_condition": "sex = sex"}]}]},
         "comparison sex, level 1: column sex is of neither side"),
        ({"comparisons": [{"output_column_name": "sex", "comparison_levels": [{"sql_condition": "sex_l =="}]}]},
         "comparison sex, level 1: it is not a condition"),
        ({"blocking_rules_to_generate_predictions": ["surname_l = surname_r"]}, "blocking rule 1: column surname_l"),
        ({"comparisons": [{"output_column_name": "sex", "comparison_levels": [
            {"sql_condition": "left(sex_l, 1) = left(sex_r, 1)", "tf_adjustment_column": "sex"},
            {"sql_condition": "ELSE"}]}]}, "the frequency of sex needs a level on which that column is equal"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_run_are_refused_with_the_place(change: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsRefused, match=told):
        compile_settings({**_MODEL, **change})


def test_a_run_is_cut_by_what_memory_holds(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("set memory_limit = '4GiB'")
    assert [parts_for(con, left, right) for left, right in ((0, 5), (100_000, 1_000_000), (1_000_000, 10_000_000))] == [
        1, 1, 1,
    ]  # fmt: skip
    con.execute("set memory_limit = '1GiB'")
    assert parts_for(con, 1_000_000, 10_000_000) == 4


def test_one_file_is_never_deduplicated_against_another(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(SettingsRefused, match="one file"):
        run_executor(con, compile_settings({**_MODEL, "link_type": "dedupe_only"}), "care", "health")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("b1", "ids that stand more than once in the right file: 1"),
        (None, "records without an id in the right file: 1"),
    ],
)
def test_records_without_an_id_of_their_own_are_refused_without_telling_it(
    con: duckdb.DuckDBPyConnection, model: CompiledModel, record: str | None, told: str
) -> None:
    con.execute("insert into health (record) values (?)", [record])
    with pytest.raises(RecordsRefused, match=told) as refusal:
        run_executor(con, model, "care", "health")
    assert "b1" not in str(refusal.value)
