"""The linkage benchmark as it is kept: `docs/benchmarks/linkage.json` as measured, and the page made from it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from onestory.bench_linkage_child import Run
from onestory.bench_linkage_sizing import sizing_page
from onestory.bench_linkage_tried import tried

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
_HEAD: Final = "| | CPU s, median | CPU s, least | wall s, median | peak MiB | spill MiB, most | runs | |"
_LIBRARIES: Final = ("splink", "duckdb", "recordlinkage", "pandas", "numpy", "pyarrow", "sqlglot")


@dataclass(frozen=True, slots=True)
class Value:
    """One figure: its aim (None: told without one), and what was measured here."""

    name: str
    measured: float | None
    aim: float | None
    at_most: bool
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is met; None without an aim, False when nothing was measured."""
        if self.aim is None:
            return None
        if self.measured is None:
            return False
        return self.measured <= self.aim if self.at_most else self.measured >= self.aim


@dataclass(frozen=True, slots=True)
class Figure:
    """One part of the benchmark: its values, the runs behind them, and anything else worth keeping."""

    name: str
    title: str
    values: Sequence[Value]
    runs: Mapping[str, Sequence[Run]]
    details: Mapping[str, Any]


def keep(figure: Figure, command: str, load: tuple[float, float], folder: Path = FOLDER) -> None:
    """Put the figure into the JSON, in place of an earlier one of that name, and make the page anew."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "linkage.json"
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept[figure.name] = {
        "title": figure.title,
        "command": command,
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "load_average": {"before": round(load[0], 1), "after": round(load[1], 1)},
        "versions": versions(),
        "values": [
            {"name": v.name, "measured": v.measured, "aim": v.aim, "at_most": v.at_most, "is_met": v.is_met,
             "note": v.note}
            for v in figure.values
        ],
        "runs": {
            name: [{field: getattr(run, field) for field in Run.__slots__} for run in runs]
            for name, runs in figure.runs.items()
        },
        "details": dict(figure.details),
    }  # fmt: skip
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    write_pages(folder)


def write_pages(folder: Path = FOLDER) -> list[Path]:
    """Make the pages anew from `linkage.json`; which ones. Raises ValueError when nothing was ever measured."""
    path = folder / "linkage.json"
    if not path.exists():
        raise ValueError(f"{path} is not there; `onestory bench linkage` measures and makes it")
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    pages = {"linkage.md": page(kept)}
    if "growth" in kept:
        pages["sizing.md"] = sizing_page(kept)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def versions() -> dict[str, str]:
    """The libraries that were compared."""
    return {name: version(name) for name in _LIBRARIES}


def page(kept: Mapping[str, Any]) -> str:
    """The whole page, from what is kept."""
    lines = [
        "# Linkage beside its peers", "",
        "Made by `make bench-linkage`; do not edit, run it again. Peers and ours run in turn, each run in a process of "
        "its own, on the same cleaned files, with the same threads and memory limit; CPU is of all threads of the "
        "process, after its imports. Ratios are of medians over the rounds that `--repeat` asks for; the column *runs* "
        "says how many there were. Each figure stands below with the command that makes it again.", "",
        "The truth is read by the scorer alone; parameters are learnt without it. One thing is chosen with it, as the "
        "figure is defined and for every contender alike: the weight from which links count in *recall at precision "
        "0.999*. That figure says how well weights rank pairs, not where a place without truth would draw its line; "
        "the public sets are judged at the engine's own line.", "",
        "| figure | measured | aim | |", "|---|---|---|---|",
    ]  # fmt: skip
    for part in kept.values():
        lines += [_value_line(value) for value in part["values"]]
    for figure, part in kept.items():
        lines += ["", f"## {part['title']}", "", f"`{part['command']}`", "", _where(part), ""]
        lines += _runs(part["runs"])
        for name, told in part["details"].items():
            lines += ["", *_detail(name, told)]
        for value in part["values"]:
            if value["measured"] is not None and value["is_met"] is False:
                lines += ["", f"Missed: {value['name']}. What was tried: {tried(figure, value['name'])}"]
    return "\n".join(lines) + "\n"


def _value_line(value: Mapping[str, Any]) -> str:
    aim, verdict = "", ""
    if value["aim"] is not None:
        aim = f"{'≤' if value['at_most'] else '≥'} {value['aim']:g}"
        verdict = "" if value["measured"] is None else "met" if value["is_met"] else "missed"
    note = f"{verdict}{'; ' if verdict and value['note'] else ''}{value['note']}"
    return f"| {value['name']} | {_measured(value['measured'])} | {aim} | {note} |"


def _measured(number: float | None) -> str:
    """Four digits, or six where four would make it a 1 that it is not."""
    if number is None:
        return "not measured"
    short = f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"
    return f"{number:.6g}" if short == "1" and number != 1 else short


def _where(part: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {number}" for name, number in part["versions"].items())
    load = part["load_average"]
    return f"{part['measured_at']}; {part['machine']}; load average {load['before']} to {load['after']}; {told}."


def _runs(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    done = {name: [run for run in told if not run["missing"]] for name, told in runs.items()}
    lines = [_HEAD, "|" + "---|" * 8]
    for name, told in done.items():
        if not told:
            lines.append(f"| {name} | | | | | | 0 | {runs[name][0]['missing'] if runs[name] else ''} |")
            continue
        facts = ", ".join(f"{fact} {_short(number)}" for fact, number in told[-1]["facts"].items())
        lines.append(
            f"| {name} | {median(r['cpu_seconds'] for r in told):.2f} | {min(r['cpu_seconds'] for r in told):.2f} "
            f"| {median(r['seconds'] for r in told):.2f} | {median(r['peak_mib'] for r in told):,.0f} "
            f"| {max(r.get('spill_mib', 0) for r in told):,} | {len(told)} | {facts} |"
        )
    return lines if runs else []


def _short(number: Any) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:.4g}" if isinstance(number, float) else str(number)


def _detail(name: str, told: Any) -> list[str]:
    if isinstance(told, str):
        return [told]
    if isinstance(told, list) and told and isinstance(told[0], dict):
        columns = list(dict.fromkeys(key for row in told for key in row))
        head = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        return [
            f"{name}:",
            "",
            *head,
            *("| " + " | ".join(_short(row.get(c, "")) for c in columns) + " |" for row in told),
        ]
    return [f"{name}: {_short(told)}"]


def median(numbers: Any) -> float:
    """The middle one; of an even number, the mean of the two in the middle."""
    from statistics import median as middle

    return float(middle(list(numbers)))
