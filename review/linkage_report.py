"""The linkage report as one page that needs nothing else: no script, no outside font, no value of a person.

Draws what `linkage` stored with its run (`ledger.link_run.report`) together with the account of the files it rests on;
sub-groups pass through the rules for small numbers first. Beside the page lie the same figures for machines and the
parameters in full (governance 3 and 4.1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from linkage.model import load_model
from linkage.report_method import parameters
from linkage.report_small import protected
from review import charts

SECTIONS = (
    "Front page",
    "Lawfulness and safety",
    "Source data",
    "Method",
    "Results by step",
    "Quality estimates",
    "Clerical review",
    "Who is missed",
    "Sensitivity",
    "Why pairs linked",
    "Change since the last run",
    "Limits and advice",
    "Decision",
)


def write(
    report: Mapping[str, Any], accounts: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]], path: Path
) -> Path:
    """Write the page to `path` and its attachments beside it, and return the page.

    The attachments are `<page>.json`, the report and the account as data, and `<page>-parameters.json`, the model in
    full. Nothing in them depends on when or where they are written: the same report gives the same bytes (LNK-1).

    Args:
        report: the report as data, as `linkage.report.build` made it.
        accounts: one line per source: source, files, read, loaded, unchanged, repeated, held, excluded.
        files: the files it rests on: name, source, records, sha256.
        path: where the page goes; its folder is made.
    """
    shown = protected(report)
    environment = Environment(
        loader=PackageLoader("review"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "interval": interval, "number": number, "words": words, "bits": bits}
    environment.filters |= {"points": points, "sentence": sentence, "opened": opened, "whole": whole}
    data, model = path.with_suffix(".json"), path.with_name(f"{path.stem}-parameters.json")
    page = environment.get_template("linkage_report.html").render(
        report=shown,
        accounts=accounts,
        files=files,
        charts=charts,
        sections=SECTIONS,
        attachments={"data": data.name, "parameters": model.name},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    _write_json(data, {"report": shown, "accounts": list(accounts), "files": list(files)})
    _write_json(model, parameters(load_model(report["front_page"]["method_version"])))
    return path


def percent(share: float | None) -> str:
    """A share as per cent with two decimals; a dash when there is none."""
    return "–" if share is None else f"{100 * share:.2f} %"


def interval(estimate: Any) -> str:
    """An estimate with its 95 % interval; what is said instead of one stays as it is."""
    if not isinstance(estimate, Mapping):
        return "–" if estimate is None else str(estimate)
    if estimate.get("value") is None:
        return "not measured"
    return f"{percent(estimate['value'])} ({percent(estimate['low'])} to {percent(estimate['high'])})"


def whole(estimate: Any) -> str:
    """A protected estimate of a sub-group, in whole per cent."""
    if not isinstance(estimate, Mapping):
        return str(estimate)
    if "below" in estimate:
        return f"fewer than 5 of {estimate['base']}"
    value, low, high = (f"{100 * estimate[name]:.0f} %" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def number(count: float | str | None) -> str:
    """A count with its thousands told apart; a mark in its place stays."""
    if count is None:
        return "–"
    return count if isinstance(count, str) else f"{count:,}"


def bits(weight: float, places: int = 1) -> str:
    """A weight in bits, always with its sign."""
    return f"{weight:+.{places}f}"


def points(value: float | str) -> str:
    """Percentage points, always with their sign."""
    return value if isinstance(value, str) else f"{value:+.1f}"


def words(name: str) -> str:
    """A name of ours as words."""
    return name.replace("_", " ")


def opened(text: str) -> str:
    """A text that begins with a capital letter; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """A text that begins with a capital letter and ends with a full stop."""
    told = opened(text)
    return told if told.endswith((".", "!", "?")) else f"{told}."


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


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True, default=str) + "\n", encoding="utf-8")
