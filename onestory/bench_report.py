"""The benchmark's tables: printed, and kept between marks in `docs/benchmark.md`: the page is what was measured."""

from __future__ import annotations

import io
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from onestory.bench_reading import Timing

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmark.md"


def table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    """A table whose first column is text and whose others are numbers."""
    drawn = Table(box=SIMPLE_HEAD, title=f"{title}, {_machine()}", title_justify="left")
    for place, name in enumerate(columns):
        drawn.add_column(name, justify="right" if place else "left")
    for row in rows:
        drawn.add_row(*row)
    return drawn


def reading_table(timings: Mapping[str, Timing], patients: int) -> Table:
    """Every contender with its speed, and how ours stands to it: above 1, ours is faster."""
    ours, reader = timings["ours"], timings["ours, reader alone"]
    rows = [
        (
            name, f"{t.seconds:.2f}", f"{t.cpu_seconds:.1f}", f"{t.rows / t.seconds:,.0f}", f"{t.peak_mib:,}",
            f"{t.seconds / ours.seconds:.2f}", f"{t.seconds / reader.seconds:.2f}",
            ", ".join(f"{step} {seconds:.2f}" for step, seconds in t.parts.items()),
        )
        for name, t in timings.items()
    ]  # fmt: skip
    title = f"SystmOne bulk of {patients:,} patients and as many coded entries"
    return table(title, ["", "seconds", "CPU s", "rows/s", "peak MiB", "ours : it", "reader : it", "of which"], rows)


def memory_table(peaks: Mapping[int, Timing]) -> Table:
    """The landing process's peak at each number of patients."""
    rows = [(f"{patients:,}", f"{t.rows:,}", f"{t.seconds:.2f}", f"{t.peak_mib:,}") for patients, t in peaks.items()]
    return table("Memory of landing and typing", ["patients", "rows", "seconds", "peak MiB"], rows)


def delta_table(costs: Mapping[str, tuple[float, float]], patients: int) -> Table:
    """Seconds of each stage for bulk and delta, and the delta's share."""
    sums = {
        **costs,
        "land + check": _sum(costs, ("land", "check")),
        "land + check + conform": _sum(costs, ("land", "check", "conform")),
    }
    rows = [(name, f"{bulk:.1f}", f"{delta:.2f}", f"{delta / bulk:.1%}") for name, (bulk, delta) in sums.items()]
    return table(
        f"A delta of 1 % after a bulk of {patients:,} patients", ["stage", "bulk s", "delta s", "delta : bulk"], rows
    )


def put(name: str, drawn: Table, page: Path = PAGE) -> bool:
    """Replace the block marked `name` on the page; False when there is no such page or mark."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    head, found, rest = text.partition(start)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        return False
    page.write_text(f"{head}{start}```text\n{plain(drawn)}\n```\n{end}{tail}", encoding="utf-8")
    return True


def plain(drawn: Table) -> str:
    """The table as plain text."""
    sink = io.StringIO()
    Console(file=sink, width=140).print(drawn)
    return "\n".join(line.rstrip() for line in sink.getvalue().splitlines()).strip("\n")


def _sum(costs: Mapping[str, tuple[float, float]], stages: tuple[str, ...]) -> tuple[float, float]:
    return sum(costs[s][0] for s in stages), sum(costs[s][1] for s in stages)


def _machine() -> str:
    return f"{platform.machine()}, Python {platform.python_version()}"
