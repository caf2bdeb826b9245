"""The report of a trial: every section on every page, charts whose parts add up, and nothing it would have to fetch."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from review.linkage_trial import HEIGHT, WIDTH, histogram, level_bar, share, write

FACTS: dict[str, Any] = {
    "kind": "link",
    "sides": [{"side": "left", "records": 9, "fields": [{"field": "name", "column": "who", "present": 8}]}],
    "steps": [{"step": "cleaning", "rows": 30, "of": "records", "seconds": 1.2}],
    "possible_pairs": 200,
    "pairs": 90,
    "blocking": [{"rule": "birth date + surname", "pairs": 90, "largest_block": 12, "links": 8}],
    "model": {
        "how": "Learnt from the files.",
        "starting_weight": -14.3,
        "comparisons": [
            {
                "name": "birth_date",
                "levels": [
                    {"level": "equal", "m": 0.85, "u": 0.0001, "bits": 13.1},
                    {"level": "different", "m": 0.01, "u": 0.98, "bits": -6.6, "learnt": False},
                ],
            }
        ],
        "guards": [{"name": "possible_twin", "meaning": "same birth date and home", "bits": -8.0}],
    },
    "lines": {"cut": 4.2, "how": "the valley between two hills", "one_to_one": True, "clustering": "each other's best"},
    "weights": [
        {"low": -10.0, "high": -8.0, "linked": 0, "rejected": 80},
        {"low": 8.0, "high": 10.0, "linked": 10, "rejected": 0},
    ],
    "clusters": 10,
    "linked_records": {"left": 10, "right": 10},
    "cluster_sizes": [{"records": 2, "clusters": 10}],
    "patterns": [
        {
            "linked": True,
            "pairs": 10,
            "rule": "birth date + surname",
            "parts": [
                {"part": "starting weight", "level": "", "bits": -4.1},
                {"part": "birth_date", "level": "equal", "bits": 13.1},
            ],
            "total": 9.0,
        }
    ],
    "estimates": [{"what": "missed links", "value": 0.02, "low": 0.01, "high": 0.04, "how": "two ways to find them"}],
    "warnings": ["Look at <this> first."],
    "seed": 7,
    "engine": {"duckdb": "2.0.0"},
}
FILE = {"records": 10, "encoding": "utf-8", "delimiter": ",", "id": "no"}
ROLE = {"column": "who & what", "role": "full_name", "why": "the heading says so"}


def page(tmp_path: Path, facts: dict[str, Any]) -> str:
    files = [{**FILE, "file": "a.csv", "roles": [ROLE]}, {**FILE, "file": "b.csv", "id": None, "roles": [ROLE]}]
    return write({"kind": "link", "files": files, "links": 10, "facts": facts}, tmp_path / "r.html").read_text(
        encoding="utf-8"
    )


class _Shape(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "rect", "line", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("facts", [FACTS, {"kind": "link"}])
def test_the_page_is_whole_needs_no_script_and_fetches_nothing(tmp_path: Path, facts: dict[str, Any]) -> None:
    text = page(tmp_path, facts)
    shape = _Shape()
    shape.feed(text)
    assert shape.open == []
    assert not {"script", "img", "iframe", "object", "form"} & set(shape.tags)
    assert not [v for a, v in shape.attributes if a in ("src", "href") and not (v or "").startswith("#")]
    assert not re.search(r"url\(|@import|https?://", text)
    assert [f'id="s{n}"' in text for n in range(1, 10)] == [True] * 9


def test_a_section_without_facts_says_why(tmp_path: Path) -> None:
    text = page(tmp_path, {"kind": "link", "not_measured": {"model": "an earlier model was used"}})
    assert "Not measured, because an earlier model was used." in text
    assert text.count("Not measured, because") == 8


def test_what_was_found_is_on_the_page_and_escaped(tmp_path: Path) -> None:
    text = page(tmp_path, FACTS)
    assert "Not measured" not in text
    for said in ("Look at &lt;this&gt; first.", "who &amp; what", "birth date + surname", "1 in 10,000",
                 "possible twin",
                 "2.00 % (1.00 % to 4.00 %)", "the valley between two hills", "set, too few to learn"):  # fmt: skip
        assert said in text


def test_the_parts_of_a_waterfall_add_up_to_its_total() -> None:
    for pattern in FACTS["patterns"]:
        assert sum(part["bits"] for part in pattern["parts"]) == pytest.approx(pattern["total"])


def test_the_weight_chart_keeps_every_bar_and_the_cut_inside_and_the_cut_between_its_neighbours() -> None:
    chart = histogram(FACTS["weights"], FACTS["lines"])
    rejected, linked = chart["bars"]
    assert all(bar["x"] >= 0 and bar["x"] + bar["width"] <= WIDTH for bar in chart["bars"])
    assert max(bar["linked"] + bar["rejected"] for bar in chart["bars"]) == pytest.approx(HEIGHT)
    assert rejected["x"] + rejected["width"] < chart["cut"]["x"] < linked["x"]
    assert (rejected["linked"], linked["rejected"]) == (0, 0)


def test_level_bars_point_to_the_side_the_evidence_speaks_for() -> None:
    assert level_bar(13.1, 13.1) == {"x": 120.0, "width": 120.0, "kind": "for"}
    assert level_bar(-13.1, 13.1) == {"x": 0.0, "width": 120.0, "kind": "against"}


def test_rare_probabilities_are_told_as_one_in_many() -> None:
    assert (share(0.0), share(0.25), share(0.0001)) == ("0.00 %", "25.00 %", "1 in 10,000")
