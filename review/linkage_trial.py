"""The report of a linkage trial as one page that needs nothing else: no script, no outside font, no value of a person.

Draws the facts that `linkage.trial` left (`linkage/trial/facts.py` names them). Every section is there on every
page; one without facts says why it has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from review.linkage_report import bits, interval, number, percent, waterfall, words

WIDTH: Final = 720  # of the weight chart
HEIGHT: Final = 220
_BAR: Final = 240  # of a bar in a table
_LEVELS_SHOWN: Final = 20  # of one comparison
_SILENT: Final = "this run did not work it out"


def write(summary: Mapping[str, Any], path: Path) -> Path:
    """Write the page to `path` and return it.

    Args:
        summary: what `summary.json` holds: kind, files with their roles, links, facts.
        path: where the page goes; its folder is made.
    """
    environment = Environment(
        loader=PackageLoader("review"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "interval": interval, "number": number, "words": words, "bits": bits}
    facts = summary["facts"]
    page = environment.get_template("linkage_trial.html").render(
        summary=summary,
        facts=facts,
        histogram=histogram(facts["weights"], facts.get("lines")) if facts.get("weights") else None,
        level_bar=level_bar,
        strongest=strongest(facts),
        waterfall=waterfall,
        commonest=commonest,
        of_largest=of_largest,
        rules=_main_and_minor(facts.get("blocking", ())),
        why_not=lambda key: facts.get("not_measured", {}).get(key, _SILENT),
        share=share,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def histogram(bins: Sequence[Mapping[str, Any]], lines: Mapping[str, Any] | None) -> dict[str, Any]:
    """Where each bar, tick and the cut stand. Heights are of the logarithm, because rejected pairs are very many."""
    low, high = min(float(b["low"]) for b in bins), max(float(b["high"]) for b in bins)
    if lines is not None:
        low, high = min(low, float(lines["cut"])), max(high, float(lines["cut"]))
    span = max(high - low, 1e-9)
    tallest = max(math.log10(1 + b["linked"] + b["rejected"]) for b in bins) or 1.0

    def across(weight: float) -> float:
        return round(WIDTH * (weight - low) / span, 2)

    def up(count: int) -> float:
        return round(HEIGHT * math.log10(1 + count) / tallest, 2)

    bars = []
    for one in bins:
        whole = up(one["linked"] + one["rejected"])
        linked = round(whole * one["linked"] / max(one["linked"] + one["rejected"], 1), 2)
        x, width = across(one["low"]), max(across(one["high"]) - across(one["low"]) - 1, 1)
        bars.append({"x": x, "width": width, "linked": linked, "rejected": round(whole - linked, 2)})
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200) if span / s <= 14), 500)
    ticks = [
        {"x": across(v), "text": f"{v:+d}"} for v in range(math.ceil(low / step) * step, math.floor(high) + 1, step)
    ]
    cut = None if lines is None else {"x": across(lines["cut"]), "text": bits(lines["cut"])}
    return {"bars": bars, "ticks": ticks, "cut": cut, "width": WIDTH, "height": HEIGHT}


def strongest(facts: Mapping[str, Any]) -> float:
    """The largest weight of any level, for or against: the ends of the level chart."""
    model = facts.get("model") or {"comparisons": ()}
    sizes = [abs(float(level["bits"])) for c in model["comparisons"] for level in c["levels"]]
    return max(sizes, default=1.0) or 1.0


def _main_and_minor(rules: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Rules that make a hundredth of the pairs or of the links, and the many others."""
    pairs, links = (sum(rule.get(count, 0) for rule in rules) for count in ("pairs", "links"))
    main = [r for r in rules if 100 * r["pairs"] >= pairs or (links and 100 * r.get("links", 0) >= links)]
    return main, [rule for rule in rules if rule not in main]


def commonest(levels: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """All levels, or of very many the commonest among the same people, in their order."""
    shown = sorted(levels, key=lambda level: -float(level["m"]))[:_LEVELS_SHOWN]
    return [level for level in levels if level in shown]


def level_bar(weight: float, largest: float) -> dict[str, float | str]:
    """A bar from the middle: to the right for evidence that speaks for one person, to the left against."""
    half = _BAR / 2
    length = round(max(half * min(abs(weight) / largest, 1.0), 0.8), 2)
    return {
        "x": half if weight >= 0 else round(half - length, 2),
        "width": length,
        "kind": "for" if weight >= 0 else "against",
    }


def of_largest(count: int, counts: Sequence[int]) -> float:
    """The length of a bar beside others: the largest is as wide as a table bar can be."""
    return round(max(_BAR * count / max(max(counts, default=1), 1), 0.8 if count else 0.0), 2)


def share(probability: float) -> str:
    """A probability as per cent, with as many digits as a rare one needs."""
    if probability >= 0.001 or probability == 0:
        return f"{100 * probability:.2f} %"
    return f"1 in {round(1 / probability):,}"
