"""The summary as tables that align, for a manager's eyes."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


@contextmanager
def output_kept_in(log: Path) -> Iterator[Console]:
    """While the block runs, whatever is printed goes to `log`; the console given back reaches the terminal."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    streams = (1, 2)
    kept = [os.dup(stream) for stream in streams]
    with log.open("ab") as target, os.fdopen(os.dup(1), "w", encoding="utf-8") as terminal:
        for stream in streams:
            os.dup2(target.fileno(), stream)
        try:
            yield Console(file=terminal, force_terminal=os.isatty(terminal.fileno()))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for stream, original in zip(streams, kept, strict=True):
                os.dup2(original, stream)
                os.close(original)


def show(facts: dict[str, Any], console: Console) -> None:
    """Print the summary of a demo run."""
    console.print()
    console.print(rows_table(facts["accounts"]))
    console.print(_people_table(facts))
    console.print(_return_table(facts["return"]))
    console.print(_error_table(facts["return"]))
    console.print(defects_table(facts["defects"]))
    console.print(_stage_table(facts["stages"]))
    _paths(facts, console)


def rows_table(accounts: list[dict[str, Any]]) -> Table:
    """The account of every source, with what is missing from it (nothing, or the run would have stopped)."""
    table = Table(box=SIMPLE_HEAD, title="Every row read, and what became of it", title_justify="left")
    columns = ("files", "read", "loaded", "unchanged", "repeated", "held", "excluded")
    table.add_column("source")
    for column in (*columns, "balance"):
        table.add_column(column, justify="right")
    for account in accounts:
        left = account["read"] - sum(account[column] for column in columns[2:])
        table.add_row(
            account["source"], *(f"{account[c]:,}" for c in columns), "exact" if left == 0 else f"{left:,} missing"
        )
    return table


def _people_table(facts: dict[str, Any]) -> Table:
    quality = facts["quality"]
    table = Table(box=SIMPLE_HEAD, title=f"{facts['people']:,} people", title_justify="left")
    table.add_column("links, by rule")
    table.add_column("links", justify="right")
    table.add_column("judged against the truth")
    for column in ("precision", "recall", "forbidden by PRO-1", "recall with them"):
        table.add_column(column, justify="right")
    parts = [
        ("all pairs of records", quality),
        ("care client to patient", quality["care_to_patient"]),
        ("NHS number missing", quality["number_missing"]),
    ]
    rules = list(facts["links_by_rule"].items())
    for place in range(max(len(parts), len(rules))):
        rule, count = (rules[place][0], f"{rules[place][1]:,}") if place < len(rules) else ("", "")
        name, part = parts[place] if place < len(parts) else ("", None)
        figures = [f"{part[name]:.4f}" for name in ("precision", "recall", "recall_of_all")] if part else [""] * 3
        figures.insert(2, str(part["forbidden_by_pro_1"]) if part else "")
        table.add_row(rule.replace("_", " "), count, name, *figures)
    return table


def _return_table(prepared: dict[str, Any]) -> Table:
    title = f"Client Level Data, Release 2: {prepared.get('status', 'not prepared')}, {prepared['rows']:,} rows"
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("event")
    for column in ("expected", "in the file", "explained", "unexplained"):
        table.add_column(column, justify="right")
    table.add_column("their causes")
    for event, line in prepared.get("against_truth", {}).items():
        causes = Counter(difference["explanation"] for difference in line["differences"])
        figures = (f"{line[c]:,}" for c in ("expected", "found", "explained", "unexplained"))
        table.add_row(event, *figures, _counted(causes))
    return table


def _error_table(prepared: dict[str, Any]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=f"{prepared['errors']:,} validation errors", title_justify="left")
    table.add_column("field or rule")
    for column in ("rows", "unexplained"):
        table.add_column(column, justify="right")
    table.add_column("injected defect behind them")
    for check, line in prepared.get("errors_by_check", {}).items():
        table.add_row(check, f"{line['rows']:,}", f"{line['unexplained']:,}", _counted(line["causes"]))
    return table


def _counted(causes: Mapping[str, int]) -> str:
    """The causes, the commonest first; the rarer ones together."""
    ranked = sorted(causes.items(), key=lambda cause: (-cause[1], cause[0]))
    shown = [f"{name} {count:,}" for name, count in ranked[:4]]
    return "; ".join([*shown, f"others {sum(count for _, count in ranked[4:]):,}"] if ranked[4:] else shown)


def defects_table(lines: list[dict[str, Any]]) -> Table:
    """Every defect of the catalogue that was injected, and what became of it."""
    columns = ("injected", "found", "left_alone", "missed")
    totals = {column: sum(line[column] for line in lines) for column in columns}
    table = Table(
        box=SIMPLE_HEAD, title="Injected defects: found, or rightly left alone", title_justify="left", show_footer=True
    )
    table.add_column("id", footer="")
    table.add_column("defect", footer="all")
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right", footer=f"{totals[column]:,}")
    for line in lines:
        table.add_row(line["defect"], line["what"], *(f"{line[column]:,}" for column in columns))
    return table


def _stage_table(stages: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Cost of each stage, all nights together", title_justify="left")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    table.add_column("peak MiB", justify="right")
    for stage in stages:
        table.add_row(stage["name"], f"{stage['seconds']:.1f}", f"{stage['peak_mib']:,}")
    return table


def _paths(facts: dict[str, Any], console: Console) -> None:
    lines = [
        ("release", f"{facts['release']}, digest {str(facts['release_digest'])[:16]}"),
        ("analysts", facts["analyst_signs_in_at"]),
        ("CLD file", facts["return"].get("path")),
        ("validation", facts["return"].get("validation_path")),
        ("linkage report", facts["linkage_report"]),
        ("canaries found", "; ".join(facts["leaks"]) or "nowhere they should not be"),
        ("Airflow tasks", ", ".join(f"{count} {state}" for state, count in sorted(facts["airflow_tasks"].items()))),
        ("all seconds", facts["seconds"]),
    ]
    for name, value in lines:
        console.print(f"{name:<15} {value}", soft_wrap=True, highlight=False)
