"""The linkage report as one page that needs nothing else: no script, no outside font, no value of a person.

Draws what `linkage` stored with its run (`ledger.link_run.report`) together with the account of the files it rests on.
Sections carry the numbers of the template (governance 4.1); those that a later version will fill are named at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_NOT_HERE = {
    "1": "Lawfulness and safety",
    "6": "Clerical review",
    "10": "Change since the last release",
    "11": "Limits and advice",
    "12": "Decision",
}


def write(
    report: Mapping[str, Any], accounts: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]], path: Path
) -> Path:
    """Write the page to `path` and return it.

    Args:
        report: the report as data, as `linkage.report.build` made it.
        accounts: one line per source: source, files, read, loaded, unchanged, repeated, held, excluded.
        files: the files it rests on: name, source, records, sha256.
        path: where the page goes; its folder is made.
    """
    environment = Environment(
        loader=PackageLoader("review"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "interval": interval, "number": number, "words": words, "bits": bits}
    environment.filters["points"] = points
    page = environment.get_template("linkage_report.html").render(
        report=report, accounts=accounts, files=files, not_here=_NOT_HERE, waterfall=waterfall
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def percent(share: float | None) -> str:
    """A share as per cent with two decimals; a dash when there is none."""
    return "–" if share is None else f"{100 * share:.2f} %"


def interval(estimate: Mapping[str, Any]) -> str:
    """An estimate with its 95 % interval."""
    if estimate.get("value") is None:
        return "not measured"
    return f"{percent(estimate['value'])} ({percent(estimate['low'])} to {percent(estimate['high'])})"


def number(count: float) -> str:
    """A count with its thousands told apart."""
    return f"{count:,}"


def bits(weight: float) -> str:
    """A weight in bits, always with its sign."""
    return f"{weight:+.1f}"


def points(value: float) -> str:
    """Percentage points, always with their sign."""
    return f"{value:+.1f}"


def words(name: str) -> str:
    """A name of ours as words."""
    return name.replace("_", " ")


def waterfall(bars: Sequence[Mapping[str, Any]]) -> list[dict[str, float | str]]:
    """Where each bar of a waterfall begins and how wide it is, in per cent of the whole span."""
    ends, level = [0.0], 0.0
    for bar in bars:
        level += float(bar["bits"])
        ends.append(level)
    low, high = min(ends), max(ends)
    span = max(high - low, 1e-9)
    return [
        {
            "left": round(100 * (min(start, end) - low) / span, 2),
            "width": round(max(100 * abs(end - start) / span, 0.6), 2),
            "kind": "for" if end >= start else "against",
        }
        for start, end in pairwise(ends)
    ]
