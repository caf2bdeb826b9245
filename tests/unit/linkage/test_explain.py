"""Explanations: parts that add up to the last figure shown, on real evidence and on any evidence at all."""

from __future__ import annotations

import json
from decimal import Decimal
from math import fsum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.explain import FREQUENCY, Bar, added_up, bars_of, explain
from linkage.model import START, load_model
from linkage.report_waterfall import drawn, patterns, why_linked
from tests.support.linkage_run import LinkedRun, link_all
from tests.support.linkage_world import council, records_after

MODEL = load_model()
BITS = st.floats(min_value=-80, max_value=80, allow_nan=False)


@pytest.fixture(scope="module")
def run() -> LinkedRun:
    return link_all(records_after(council(1234, 0.15), 5).sources)


def as_shown(bits: float) -> Decimal:
    return Decimal(f"{bits:.2f}")


@given(st.lists(BITS, min_size=1, max_size=14), st.integers(0, 4))
def test_rounded_parts_add_up_to_their_rounded_total_and_none_is_off_by_more_than_a_unit(
    bits: list[float], places: int
) -> None:
    shown, total = added_up(bits, places=places)
    assert sum(Decimal(f"{n:.{places}f}") for n in shown) == Decimal(f"{total:.{places}f}")
    unit = 10.0**-places
    assert all(abs(n - exact) <= unit + 1e-9 for n, exact in zip(shown, bits, strict=True))
    assert abs(total - fsum(bits)) <= unit / 2 + 1e-9


@given(st.lists(BITS, min_size=1, max_size=12))
def test_a_waterfall_of_any_parts_adds_up_as_shown(bits: list[float]) -> None:
    told = drawn([Bar(f"part {n}", "", value) for n, value in enumerate(bits)], fsum(bits))
    assert sum(as_shown(bar["bits"]) for bar in told["bars"]) == as_shown(told["total"])


@given(st.lists(BITS, min_size=1, max_size=12))
def test_parts_that_are_not_those_of_the_weight_are_refused(bits: list[float]) -> None:
    with pytest.raises(ValueError, match="do not add up"):
        drawn([Bar("part", "", value) for value in bits], fsum(bits) + 0.01)


def test_the_waterfalls_of_real_patterns_add_up_to_the_mean_of_the_stored_weights(run: LinkedRun) -> None:
    found = patterns(run.calculation, MODEL)
    assert len(found) >= 8
    for pattern in found:
        assert sum(as_shown(bar["bits"]) for bar in pattern["bars"]) == as_shown(pattern["total"])
        assert pattern["bars"][0]["part"] == START
        assert pattern["pairs"] >= 10
    commonest = max(found, key=lambda p: p["pairs"])
    levels = {bar["part"]: bar["level"] for bar in commonest["bars"] if bar["level"] not in ("", FREQUENCY)}
    where = " and ".join(
        f"json_extract_string(levels, '$.\"{part}\".level') = '{level}'" for part, level in levels.items()
    )
    rest = [p for p in ("name", "contact", "gp_practice") if p not in levels]
    where += "".join(f" and json_extract_string(levels, '$.\"{part}\".level') = 'missing'" for part in rest)
    pairs, weight = run.calculation.execute(f"""select count(*), avg(weight) from decided_edge
        where decision = '{commonest["decision"]}' and rule = '{commonest["rule"]}'
          and reason <> 'joined_by_other_links' and {where}""").fetchall()[0]
    assert pairs == commonest["pairs"]
    assert commonest["total"] == pytest.approx(weight, abs=0.0051)


def test_every_stored_link_has_an_explanation_whose_bars_add_up_and_tell_rarity_apart(run: LinkedRun) -> None:
    rows = run.calculation.execute(
        "select rule, decision, reason, weight, levels::varchar from decided_edge where weight is not null"
    ).fetchall()
    rare = 0
    for rule, decision, reason, weight, levels in rows:
        told = explain(rule, decision, reason, json.loads(levels), model=MODEL)
        if not told.bars:
            continue  # a protected record: no evidence is kept
        assert told.total == pytest.approx(weight, abs=2e-6)
        bars, total = told.shown()
        assert sum(as_shown(bar.bits) for bar in bars) == as_shown(total)
        assert told.model_version == MODEL.version
        rare += any(bar.level == FREQUENCY for bar in bars)
    assert rare > 100


def test_a_level_and_its_rarity_are_two_bars_that_make_the_part() -> None:
    level = next(rung for c in MODEL.comparisons if c.name == "name" for rung in c.levels if rung.frequency_column)
    bars = bars_of("name", level.label, level.weight + 3.0, MODEL)
    assert [bar.level for bar in bars] == [level.label, FREQUENCY]
    assert [bar.bits for bar in bars] == [level.weight, pytest.approx(3.0)]
    assert bars_of("sex", "missing", 0.0, MODEL) == []


def evidence(**parts: tuple[str, float]) -> dict[str, dict[str, Any]]:
    start = {START: {"level": "", "weight": -17.0}}
    return start | {name: {"level": level, "weight": bits} for name, (level, bits) in parts.items()}


@pytest.mark.parametrize(
    ("rival", "told"),
    [
        (None, "No other candidate within 6 bits."),
        (5.0, "The next candidate is 4.0 bits weaker."),
        (11.0, "Another candidate is 2.0 bits stronger."),
    ],
)
def test_the_sentence_says_what_agrees_and_how_far_the_next_candidate_is(rival: float | None, told: str) -> None:
    levels = evidence(birth_date=("equal", 14.0), postcode=("equal", 12.0))
    sentence = explain("probabilistic", "link", "", levels, model=MODEL, rival=rival).sentence
    assert sentence == (
        "Linked: match weight at or above the link line. Evidence: birth date equal; postcode equal. " + told
    )


def test_a_guard_and_a_human_decision_are_told() -> None:
    guarded = evidence(birth_date=("equal", 14.0)) | {"possible twin": {"level": "applied", "weight": -8.0}}
    told = explain("probabilistic", "review", "guard", guarded, model=MODEL)
    assert told.sentence.startswith("For a person to decide: agreement that a twin")
    assert "possible twin applied" in told.sentence
    assert told.total == -11.0
    decided = explain("probabilistic", "link", "human_decision", guarded, model=MODEL, decided_by="Pat")
    assert decided.sentence.startswith("Linked: a reviewer said so.")
    assert decided.decided_by == "Pat"


def test_parts_come_in_the_order_of_the_model_however_a_database_sorts_them() -> None:
    levels = evidence(birth_date=("equal", 14.0), sex=("equal", 1.0), name=("different", -8.0))
    told = explain("probabilistic", "reject", "", dict(sorted(levels.items())), model=MODEL)
    assert [bar.part for bar in told.bars] == [START, "name", "birth_date", "sex"]


def test_fewer_patterns_than_the_template_asks_for_are_said_to_be_few() -> None:
    few = link_all(records_after(council(7, 0.004), 5).sources)
    assert "are left to show" in why_linked(few.calculation, MODEL)["note"]
