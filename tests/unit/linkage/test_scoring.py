"""The compiled statement and Splink give the same weight to every candidate, and the parts of a weight add up."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest

from linkage import blocking
from linkage.compiled import score_pairs
from linkage.deterministic import apply_ladder
from linkage.engine import find_edges, open_calculation
from linkage.explain import explain
from linkage.inputs import Sources
from linkage.model import load_model
from linkage.scoring import score_with_splink
from linkage.second_opinion import second_opinion
from tests.support.linkage_tables import address_table, person, person_table, reference_table
from tests.support.linkage_world import council, records_after

FAKE_1000 = Path(__file__).parents[2] / "support" / "data" / "fake_1000.csv"


@pytest.fixture(scope="module")
def small_council() -> duckdb.DuckDBPyConnection:
    """A twentieth of a council of its own seed, all its candidates scored."""
    calculation = open_calculation()
    find_edges(calculation, records_after(council(99, 0.05), 5).sources, load_model(), synthetic=True, before=None)
    return calculation


@pytest.fixture(scope="module")
def fake_1000() -> duckdb.DuckDBPyConnection:
    """The public set of a thousand made-up records (tests/support/data/README.md)."""
    with FAKE_1000.open(encoding="utf-8") as lines:
        rows = [
            person(int(r["unique_id"]), "fake", forename=r["first_name"] or None, surname=r["surname"] or None,
                   birth_date=r["dob"] or None, email=r["email"] or None)
            for r in csv.DictReader(lines)
        ]  # fmt: skip
    calculation = open_calculation()
    sources = Sources(person_table(rows), address_table(), reference_table())
    find_edges(calculation, sources, load_model(), synthetic=True, before=None)
    return calculation


@pytest.mark.parametrize("world", ["small_council", "fake_1000"])
def test_weights_equal_splinks_for_every_candidate(world: str, request: pytest.FixtureRequest) -> None:
    calculation = request.getfixturevalue(world)
    score_with_splink(calculation, load_model())
    pairs, compared, furthest = calculation.execute("""
        select (select count(*) from pair), count(*), max(abs(s.weight_unguarded - k.match_weight))
          from scored s join splink_scored k using (left_id, right_id)""").fetchall()[0]
    assert pairs == compared > 1000
    assert furthest < 1e-9


def test_every_part_of_a_weight_adds_up_to_the_stored_weight(small_council: duckdb.DuckDBPyConnection) -> None:
    rows = small_council.execute("select rule, decision, reason, weight, levels::varchar from edge").fetchall()
    assert len(rows) > 100
    for rule, decision, reason, weight, levels in rows:
        told = explain(rule, decision, reason, json.loads(levels))
        assert told.total == pytest.approx(weight, abs=1e-9)
        assert told.sentence.startswith(("Linked: ", "For a person to decide: "))


def test_a_guard_is_part_of_the_sum(small_council: duckdb.DuckDBPyConnection) -> None:
    guarded = small_council.execute(
        "select weight, weight_unguarded from scored where guard_0 and not guard_1 and not guard_2"
    ).fetchall()
    assert guarded
    assert all(weight == pytest.approx(unguarded - 8.0) for weight, unguarded in guarded)


def test_the_same_records_in_another_order_make_the_same_edges() -> None:
    sources = records_after(council(99, 0.05), 5).sources
    model, results = load_model(), []
    for order in (sources.persons, sources.persons.take(list(range(sources.persons.num_rows))[::-1])):
        calculation = open_calculation()
        find_edges(
            calculation, Sources(order, sources.addresses, sources.references), model, synthetic=True, before=None
        )
        results.append(calculation.execute("select * from edge_now order by left_id, right_id").fetchall())
    assert results[0] == results[1]


def test_a_flood_of_pairs_is_refused_before_scoring() -> None:
    from dataclasses import replace

    from domain.run import StageFailure

    calculation, bands = open_calculation(), replace(load_model().bands, pair_limit_per_record=1)
    rows = [person(n, "carefirst", forename="Ada", surname="Oakhampton", birth_date="1941-03-17") for n in range(12)]
    with pytest.raises(StageFailure) as refusal:
        find_edges(calculation, Sources(person_table(rows), address_table(), reference_table()),
                   replace(load_model(), bands=bands), synthetic=True, before=None)  # fmt: skip
    assert "birth date and any part of the name" in str(refusal.value)
    assert "Ada" not in str(refusal.value) and "1941" not in str(refusal.value)


def test_a_block_above_the_cap_is_left_out_and_counted() -> None:
    calculation, bands = open_calculation(), load_model().bands
    rows = [
        person(n, "carefirst", forename=f"F{'abcdefghijklmnopqrstuvwxyz'[n]}x", surname="Oakhampton") for n in range(12)
    ]
    find_edges(calculation, Sources(person_table(rows), address_table(), reference_table()), load_model(),
      synthetic=True,
               before=None)  # fmt: skip
    rare = next(r for r in blocking.make_keys(calculation, bands) if r.rule == "rare part of the name")
    assert (rare.pairs, rare.blocks_left_out, rare.largest_left_out) == (0, 1, 12)


def test_the_string_measures_are_those_of_another_library() -> None:
    import jellyfish

    names = ["martha", "marhta", "dwayne", "duane", "dixon", "dicksonx", "jean", "jane", "mohammed", "muhammad"]
    for one in names:
        for other in names:
            found = duckdb.execute(
                "select jaro_winkler_similarity($a, $b), damerau_levenshtein($a, $b)", {"a": one, "b": other}
            )
            similarity, distance = found.fetchall()[0]
            assert similarity == pytest.approx(jellyfish.jaro_winkler_similarity(one, other), abs=1e-9)
            assert distance == jellyfish.damerau_levenshtein_distance(one, other)


@pytest.mark.filterwarnings("ignore")
def test_a_second_opinion_by_another_method_seldom_disagrees(small_council: duckdb.DuckDBPyConnection) -> None:
    opinion = second_opinion(small_council, load_model().bands)
    assert opinion.pairs > 1000
    assert opinion.disagreement is not None and opinion.disagreement.value is not None
    assert opinion.disagreement.value < 0.03


def test_scoring_again_changes_nothing(small_council: duckdb.DuckDBPyConnection) -> None:
    before = small_council.execute("select * from edge order by left_id, right_id").fetchall()
    score_pairs(small_council, load_model())
    apply_ladder(small_council, load_model())
    assert small_council.execute("select * from edge order by left_id, right_id").fetchall() == before
