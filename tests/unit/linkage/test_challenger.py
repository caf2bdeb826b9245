"""The challenger learns from decisions of known truth, is judged on those it never saw, and says when they are few."""

from __future__ import annotations

import duckdb
import pytest

from linkage.challenger import FEWEST_LABELS, challenge, ranked_rightly
from linkage.engine import find_edges, open_calculation
from linkage.model import load_model
from tests.support.linkage_world import council, records_after

MODEL = load_model("v1")


@pytest.fixture(scope="module")
def world() -> duckdb.DuckDBPyConnection:
    """A small council after all pairs were compared, with the truth beside it."""
    records = records_after(council(77, 0.2), 5)
    calculation = open_calculation()
    find_edges(calculation, records.sources, MODEL, synthetic=True, before=None)
    keys = calculation.execute("select record_id, record_key from standard").fetchall()
    calculation.execute("create table truth (record_id bigint, person bigint)")
    calculation.executemany("insert into truth values (?, ?)", [(r, records.truth[key]) for r, key in keys])
    calculation.execute("""create table reviewable as
        select s.left_id, s.right_id, s.weight, a.person = b.person as is_same
          from scored s join truth a on a.record_id = s.left_id join truth b on b.record_id = s.right_id
         where s.by_demographics and not s.any_restricted and (a.person = b.person or s.weight > -20)
         order by hash(s.left_id, s.right_id)""")
    return calculation


def decided(world: duckdb.DuckDBPyConnection, of_each: int, answer: str = "is_same") -> None:
    """So many pairs of each kind were decided; `answer` is what the reviewers said."""
    world.execute(f"""create or replace table decided_edge as
        with chosen as (select *, row_number() over (partition by is_same order by hash(left_id, right_id)) as place
                          from reviewable)
        select left_id, right_id, case when {answer} then 'link' else 'reject' end as decision,
               'human_decision' as reason, case when weight >= 8 then 'link' else 'review' end as pair_decision, weight
          from chosen where place <= {of_each}""")


def test_few_decisions_are_counted_and_nothing_is_said(world: duckdb.DuckDBPyConnection) -> None:
    decided(world, 20)
    told = challenge(world, MODEL)
    assert (told["labels"], told["same"], told["not_same"]) == (40, 20, 20)
    assert str(FEWEST_LABELS) in told["verdict"] and "model" not in told


def test_true_decisions_are_learnt_and_judged_on_pairs_never_seen(world: duckdb.DuckDBPyConnection) -> None:
    decided(world, 150)
    told = challenge(world, MODEL)
    assert (told["same"], told["not_same"]) == (150, 150)
    assert told["challenger"]["ranked_rightly"] > 0.97
    assert told["model"]["ranked_rightly"] > told["challenger"]["ranked_rightly"], (
        "names by frequency and history count"
    )
    assert told["challenger_is_better"] is False
    assert challenge(world, MODEL) == told, "the same decisions give the same answer"


def test_decisions_by_chance_teach_nothing_because_the_judged_pairs_are_not_learnt_from(
    world: duckdb.DuckDBPyConnection,
) -> None:
    decided(world, 150, "hash(left_id, right_id, 7) % 2 = 0")
    told = challenge(world, MODEL)
    assert told["challenger"]["ranked_rightly"] < 0.65
    assert told["challenger_is_better"] is False


def test_a_model_that_leaves_everything_to_people_is_beaten(world: duckdb.DuckDBPyConnection) -> None:
    decided(world, 150)
    world.execute("update decided_edge set pair_decision = 'review', weight = 5 + (hash(left_id) % 10) / 10.0")
    told = challenge(world, MODEL)
    assert told["challenger_is_better"] is True and "train a new version" in told["verdict"]
    assert told["right_only_by_the_challenger"] > told["right_only_by_the_model"]


def test_protected_records_and_open_answers_are_no_labels(world: duckdb.DuckDBPyConnection) -> None:
    decided(world, 150)
    (one,) = world.execute("select min(left_id) from decided_edge").fetchall()[0]
    world.execute(f"""create or replace temp table standard as
        select * replace (is_restricted or record_id = {one} as is_restricted) from memory.main.standard""")
    fewer = world.execute(f"select count(*) from decided_edge where {one} in (left_id, right_id)").fetchall()[0][0]
    world.execute(
        "update decided_edge set reason = 'undecided' where left_id = (select max(left_id) from decided_edge)"
    )
    open_ones = world.execute("select count(*) from decided_edge where reason = 'undecided'").fetchall()[0][0]
    try:
        assert challenge(world, MODEL)["labels"] == 300 - fewer - open_ones
    finally:
        world.execute("drop table temp.standard")


def test_the_share_ranked_rightly_counts_ties_by_half() -> None:
    assert ranked_rightly([3.0, 1.0, 2.0], [True, False, False]) == 1.0
    assert ranked_rightly([1.0, 1.0], [True, False]) == 0.5
    assert ranked_rightly([1.0, 2.0], [True, False]) == 0.0
    assert ranked_rightly([1.0], [True]) == 0.5
