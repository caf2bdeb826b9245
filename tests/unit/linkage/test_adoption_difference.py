"""What a new model version would change is told by reason and pattern, and nothing of a protected record is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from linkage.adoption_difference import PairView, band_changes, explain_move, parameters, people_changed
from linkage.model import load_model
from linkage.training import at_least
from review.model_difference import write

V1, V2, V3 = load_model("v1"), load_model("v2"), load_model("v3")
NAME, PLACE = ("forename equal only", 0.5), ("equal", 11.0)


def view(band: str, **changed: Any) -> PairView:
    told: dict[str, Any] = {
        "reason": "",
        "own_band": band,
        "rule": "probabilistic",
        "weight": 7.0,
        "guards": frozenset(),
    }
    return PairView(band, **(told | {"parts": {"name": NAME, "postcode": PLACE}} | changed))


def test_people_who_merge_and_people_who_part_are_counted_by_groups() -> None:
    before = {1: 0, 2: 1, 3: 2, 4: 2, 5: 3, 6: 4}
    after = {1: 0, 2: 0, 3: 2, 4: 5, 5: 3, 6: 4}
    told = people_changed(before, after)
    assert (told["people_before"], told["people_after"], told["people_unchanged"]) == (5, 5, 2)
    assert (told["merges"], told["people_who_would_merge"]) == (1, 2)
    assert (told["splits"], told["people_who_would_be_made_of_splits"], told["records_concerned"]) == (1, 2, 4)
    assert people_changed(before, before)["people_unchanged"] == 5


def test_every_reason_is_told_by_its_name_and_pattern() -> None:
    one = view("review")
    guarded = view("link", guards=frozenset({"possible twin"}))
    level = view("link", parts={"name": ("forename a nickname only", 2.0), "postcode": PLACE})
    weight = view("link", parts={"name": ("forename equal only", 3.0), "postcode": PLACE}, weight=9.5)
    lower = replace(V2, bands=replace(V2.bands, link=6.0))
    assert explain_move(one, guarded, V1, V2) == ("guard", "now possible twin")
    assert explain_move(guarded, one, V1, V2) == ("guard", "no longer possible twin")
    assert explain_move(one, level, V1, V3) == ("level", "name: forename equal only → forename a nickname only")
    assert explain_move(one, weight, V1, V2) == ("weight", "name forename equal only counts more")
    assert explain_move(one, view("link"), V1, lower)[0] == "line"
    assert explain_move(one, view("link", rule="cross_reference"), V1, V2) == (
        "rule",
        "probabilistic → cross reference",
    )
    rival = view("review", own_band="link", reason="close_competitor")
    assert explain_move(view("link"), rival, V1, V2) == ("group", "link → close competitor")
    assert explain_move(None, view("link"), V1, V2) == ("candidates", "compared by v2 only")


def test_of_a_protected_record_neither_pattern_nor_weight_is_told() -> None:
    hidden = view("link", is_protected=True, weight=30.0)
    told = band_changes([(view("review"), hidden)], V1, V2)
    assert told["moves"] == [{"from": "review", "to": "link", "why": "protected", "pairs": 1}]
    (line,) = told["patterns"]
    assert (line["pattern"], line["mean_weight_to"], line["mean_weight_from"]) == ("not told", 0.0, 0.0)


def test_pairs_of_one_pattern_are_one_line_and_rare_patterns_are_counted_together() -> None:
    weight = view("link", parts={"name": ("forename equal only", 3.0), "postcode": PLACE}, weight=9.0)
    named = [(view("review"), view("link", parts={"name": (f"level {n}", 2.0), "postcode": PLACE})) for n in range(45)]
    told = band_changes([(view("review"), weight)] * 3 + named, V1, V2)
    assert (told["patterns"][0]["pairs"], told["patterns"][0]["mean_weight_to"]) == (3, 9.0)
    assert len(told["patterns"]) == 40 and told["pairs_of_rarer_patterns"] == 6
    assert sum(line["pairs"] for line in told["moves"]) == 48


def test_levels_of_both_versions_stand_side_by_side_and_a_new_one_stands_alone() -> None:
    lines = {(line["comparison"], line["level"]): line for line in parameters(V2, V3)}
    assert lines["sex", "equal"]["from"]["m"] == V2.comparisons[3].levels[1].m
    assert lines["sex", "equal"]["to"]["m"] == V3.comparisons[3].levels[1].m
    new = lines["name", "forename a nickname only"]
    assert new["from"] is None and new["to"]["m"] >= 0.0006


def test_a_level_too_seldom_in_training_gets_its_least_share_and_the_shares_still_add_up() -> None:
    raised = at_least([0.9, 0.0999, 0.0001], [0.0, 0.0, 0.001])
    assert raised[2] == 0.001 and abs(sum(raised) - 1) < 1e-12
    assert abs(raised[0] / raised[1] - 0.9 / 0.0999) < 1e-9
    assert at_least([0.5, 0.5], [0.0, 0.4]) == [0.5, 0.5]


def test_the_page_tells_obstacles_and_what_was_not_measured_and_needs_nothing_else(tmp_path: Path) -> None:
    nothing = {"value": None, "low": None, "high": None, "hits": 0, "base": 0}
    share = {"value": 0.99, "low": 0.98, "high": 1.0, "hits": 99, "base": 100}
    gap = {"points": 2.5, "dimension": "sex", "group": "female"}
    side = {"counts": {"links": 9, "reviews": 2, "people": 7}, "lines": {"link": 8, "review": 3}, "files": "abc"}
    both = {"recall": share, "false_share": nothing, "second_opinion": None}
    told = {**side, **both, "without_a_number": {"recall": share, "false_share": nothing}}
    obstacle = {"code": "EQUALITY_GAP", "subject": "sex: female", "message": "missed <more>", "remedy": "mend it"}
    report = {
        "title": "What v2 would change",
        "as_known_at": "2026-03-31",
        "code_version": "1",
        "from": {**told, "version": "v1", "largest_gap": None},
        "to": {**told, "version": "v2", "largest_gap": gap},
        "people": people_changed({1: 0, 2: 1}, {1: 0, 2: 0}),
        "pairs": band_changes([(view("review"), view("link", weight=9.0, parts={"name": NAME}))], V1, V2),
        "obstacles": [obstacle],
        "parameters": parameters(V2, V3),
    }
    page = write(report, "digest-of-it", tmp_path / "page.html").read_text(encoding="utf-8")
    assert "EQUALITY_GAP, sex: female" in page and "missed &lt;more&gt;" in page
    assert "digest-of-it" in page and "not measured" in page and "2.5 points: sex, female" in page
    assert "<script" not in page and "http" not in page
