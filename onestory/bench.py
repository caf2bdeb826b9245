"""Seconds, rows a second and memory of every stage at two sizes, of reading, and of a delta: `docs/benchmark.md`.

The growth exponent is log(seconds large / seconds small) / log(rows large / rows small): 1 is linear. Both councils are
made from the same seed; each has its first load and one nightly delta, run without the scheduler. Times are of this
machine in this run; compare exponents and ratios, not seconds.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.synthetic.settings import SyntheticSettings
from dags.local_run import run_night
from governance.store import Store
from onestory import bench_report
from onestory.bench_delta import run_delta
from onestory.bench_reading import CONTENDERS, Timing, compare, prepare
from onestory.demo import synth
from onestory.home import Home, open_home
from onestory.nights import deliver

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_FIRST_NIGHT = date(2026, 3, 30)  # so that the second night covers the last day of the reporting period
LIMIT = 1.15  # no stage may grow faster than this


@dataclass(frozen=True, slots=True)
class Cost:
    rows: int
    seconds: float
    peak_mib: int


PARTS = ("stages", "reading", "delta")
PATIENTS = 1_000_000  # of the bulk that is read
_FEW = 100_000  # patients of the smaller bulk, for the growth of memory


def run_bench(folder: Path, large: float, console: Console, what: str = "all", patients: int = PATIENTS) -> None:
    """Run one part of the benchmark or all; print its tables and keep them in `docs/benchmark.md`, where there is one.

    Raises `ValueError` for a part there is none of, `RuntimeError` when a stage does not end well.
    """
    if what not in (*PARTS, "all"):
        raise ValueError(f"no part {what!r} of the benchmark; there are {', '.join(PARTS)} and all")
    if what in ("reading", "all"):
        bench_reading(folder, patients, console)
    if what in ("delta", "all"):
        costs = run_delta(folder / "delta", patients)
        _tell("delta", bench_report.delta_table(costs, patients), console)
    if what in ("stages", "all"):
        bench_stages(folder, large, console)


def bench_reading(folder: Path, patients: int, console: Console, rounds: int = 3) -> dict[str, Timing]:
    """The bulk read by every contender, and ours at two sizes for its memory; each contender's best round."""
    few = min(_FEW, patients // 2)
    for size in (patients, few):
        prepare(folder / f"bulk_{size}", size)
    timings = compare(folder / f"bulk_{patients}", tuple(CONTENDERS), rounds)
    _tell("reading", bench_report.reading_table(timings, patients), console)
    small = compare(folder / f"bulk_{few}", ("ours",), 1)["ours"]
    _tell("memory", bench_report.memory_table({few: small, patients: timings["ours"]}), console)
    return timings


def bench_stages(folder: Path, large: float, console: Console) -> dict[str, float]:
    """Every stage at both sizes; returns each stage's growth exponent."""
    small_costs = _costs_of(folder / "1x", 1.0, console)
    large_costs = _costs_of(folder / f"{large:g}x", large, console)
    exponents = {
        name: math.log(large_costs[name].seconds / cost.seconds) / math.log(large_costs[name].rows / cost.rows)
        for name, cost in small_costs.items()
    }
    _tell("stages", _table(small_costs, large_costs, exponents, large), console)
    return exponents


def _tell(name: str, drawn: Table, console: Console) -> None:
    console.print(drawn)
    bench_report.put(name, drawn)


def _costs_of(folder: Path, scale: float, console: Console) -> dict[str, Cost]:
    settings = SyntheticSettings(scale=scale, nights=1, first_night=_FIRST_NIGHT)
    started = time.monotonic()
    home = open_home(folder)
    synth(home.folder, settings)
    console.print(f"{scale:g}x: council made in {time.monotonic() - started:.1f} s")
    for night in (0, 1):
        deliver(home, night)
        results = run_night(home.profile(), f"bench-night-{night}", actor="benchmark", with_return=night == 1)
        if not results[-1].is_done:
            raise RuntimeError(f"{results[-1].stage} ended {results[-1].state.value}: {results[-1].findings}")
        console.print(f"{scale:g}x: night {night} done after {time.monotonic() - started:.1f} s")
    return _measured(home)


def _measured(home: Home) -> dict[str, Cost]:
    with Store(home.profile()).connect("auditor") as connection:
        rows: dict[str, int] = dict(
            connection.exec_driver_sql(
                """select d.source, sum(a.read) from ledger.row_account a join ledger.file f using (file_id)
                 join ledger.delivery d using (delivery_id) group by 1"""
            ).all()
        )
        runs = connection.exec_driver_sql(
            """select stage, scope, sum(extract(epoch from ended_at - started_at))::float, max(peak_mib)
                 from ledger.run where counts <> '{}' group by 1, 2 order by min(entry_id)"""
        ).all()
    total = int(sum(rows.values()))
    return {
        f"{stage} {scope}".strip(): Cost(int(rows.get(scope, total)), float(seconds), int(peak))
        for stage, scope, seconds, peak in runs
    }


def _table(small: dict[str, Cost], large: dict[str, Cost], exponents: dict[str, float], factor: float) -> Table:
    columns = [f"{c} {size}" for size in ("1x", f"{factor:g}x") for c in ("seconds", "rows/s", "peak MiB")]
    rows = []
    for name, exponent in exponents.items():
        cells = [
            cell
            for cost in (small[name], large[name])
            for cell in (f"{cost.seconds:.1f}", f"{cost.rows / cost.seconds:,.0f}", f"{cost.peak_mib:,}")
        ]
        rows.append((name, *cells, f"{exponent:.2f}" + ("" if exponent <= LIMIT else " over the limit")))
    return bench_report.table("First load and one delta", ["stage", *columns, "growth"], rows)
