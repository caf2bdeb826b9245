"""The page of the linkage report: whole without scripts, read by keyboard and aloud, its attachments beside it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from domain.profile import Profile
from domain.run import RunContext
from linkage import report
from linkage.report_small import protected
from review import charts, linkage_report
from tests.support.linkage_run import link_all
from tests.support.linkage_world import council, records_after

VOID = {"meta", "br", "rect", "line", "circle", "polygon", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Tags with their attributes; refuses a page whose tags do not close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.captions: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open and self.open[-1] == tag, f"{tag} closes {self.open[-3:]}, line {self.getpos()[0]}"
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "caption":
            self.captions.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("home")
    run = link_all(records_after(council(1234, 0.06), 5).sources)
    period = (date(2025, 4, 1), date(2026, 3, 31))
    context = RunContext(
        Profile(home, "A <council>", "000", True, home, "", period, (), home / "secret"), "run-1", "a test"
    )
    return report.build(run.calculation, context, run.model, datetime(2026, 3, 31), run.figures, run.assignment)


@pytest.fixture(scope="module")
def path(told: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    account = dict.fromkeys(("files", "read", "loaded", "unchanged", "repeated", "held", "excluded"), 3)
    files = [{"name": "a.csv", "source": "systmone", "records": 3, "sha256": "0" * 64}]
    where = tmp_path_factory.mktemp("reports") / "linkage-report.html"
    return linkage_report.write(told, [{"source": "systmone", **account}], files, where)


@pytest.fixture(scope="module")
def page(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_is_whole_and_needs_nothing_else(path: Path, page: Page) -> None:
    text = path.read_text(encoding="utf-8")
    assert "<script" not in text and "http" not in text and "A &lt;council&gt;" in text
    assert page.named("html")[0]["lang"] == "en-GB"
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    inside = {str(a["href"])[1:] for a in page.named("a") if str(a["href"]).startswith("#")}
    assert inside <= set(ids)
    outside = {str(a["href"]) for a in page.named("a")} - {f"#{name}" for name in inside}
    assert all((path.parent / name).exists() for name in outside)


def test_every_section_has_its_heading_and_its_place_in_the_contents(path: Path, page: Page) -> None:
    text = path.read_text(encoding="utf-8")
    for place, name in enumerate(linkage_report.SECTIONS):
        assert f'<h2 id="h{place}">{place} {name}</h2>' in text
        assert f'<a href="#s{place}">{name}</a>' in text
    assert {s["aria-labelledby"] for s in page.named("section")} == {f"h{n}" for n in range(13)}


def test_every_table_has_a_caption_of_its_own_and_every_heading_a_scope(page: Page) -> None:
    counts = Counter(tag for tag, _ in page.tags)
    assert counts["table"] == counts["caption"] == len(page.captions) > 20
    assert all(name.strip() for name in page.captions)
    assert {attributes.get("scope") for attributes in page.named("th")} == {"col", "row"}


def test_what_scrolls_is_reached_by_keyboard_and_has_a_name(page: Page) -> None:
    scrolling = [a for a in page.named("div") if a.get("class") == "scroll"]
    assert len(scrolling) == len(page.named("table"))
    assert all(a["tabindex"] == "0" and a["role"] == "region" and a["aria-label"] for a in scrolling)


def test_every_chart_has_words_and_a_table_that_says_the_same(page: Page, told: dict[str, Any]) -> None:
    drawn = page.named("svg")
    assert len(drawn) == 2 + len(told["why_linked"]["patterns"])
    assert all(a["role"] == "img" and len(str(a["aria-label"])) > 40 for a in drawn)
    calibration = next(str(a["aria-label"]) for a in drawn if str(a["aria-label"]).startswith("Calibration"))
    for band in told["measured"]["calibration"]["bands"]:
        assert f"{charts.band_name(band)} bits: claimed {100 * band['claimed']:.1f} %" in calibration


def test_a_waterfall_begins_at_nothing_and_ends_at_its_total() -> None:
    bars = [{"part": "starting weight", "level": "", "bits": -17.34}, {"part": "name", "level": "equal", "bits": 27.5}]
    drawn = str(charts.waterfall(bars, 10.16, {"link": 8.0, "review": 3.0}, "A pattern"))
    rectangles = [a for tag, a in Page(drawn).tags if tag == "rect"]
    first, second, total = [(float(str(r["x"])), float(str(r["width"]))) for r in rectangles]
    assert first[0] == pytest.approx(second[0], abs=0.2), "the second bar starts where the first has led"
    assert total[0] + total[1] == pytest.approx(second[0] + second[1], abs=0.2)
    assert [str(r["class"]) for r in rectangles] == ["against", "for", "total"]
    assert "link at 8" in drawn and "total +10.16 bits" in drawn


def test_the_attachments_are_the_report_as_shown_and_the_whole_model(path: Path, told: dict[str, Any]) -> None:
    data = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert data["report"] == json.loads(json.dumps(protected(told)))
    model = json.loads((path.parent / "linkage-report-parameters.json").read_text(encoding="utf-8"))
    assert model["version"] == told["front_page"]["method_version"]
    assert model["bands"]["link"] == told["why_linked"]["lines"]["link"]
    assert [c["output_column_name"] for c in model["settings"]["comparisons"]] == [
        c["name"] for c in told["method"]["model"]["comparisons"]
    ]


def test_the_same_report_gives_the_same_bytes(path: Path, told: dict[str, Any], tmp_path: Path) -> None:
    stored = json.loads(json.dumps(told))  # as it comes back from the ledger
    one = linkage_report.write(stored, [], [], tmp_path / "linkage-report.html")
    pages = one.read_bytes(), one.with_suffix(".json").read_bytes()
    again = linkage_report.write(told, [], [], tmp_path / "linkage-report.html")
    assert (again.read_bytes(), again.with_suffix(".json").read_bytes()) == pages


def test_an_empty_chart_is_nothing_and_a_band_without_an_end_is_said_in_words() -> None:
    assert str(charts.weights([], {"link": 8.0}, "x")) == "" == str(charts.calibration([], "x"))
    assert charts.band_name({"from": None, "to": -8}) == "below -8"
    assert charts.band_name({"from": 32, "to": None}) == "32 and above"
