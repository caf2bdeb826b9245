"""What every figure of the linkage benchmark is made with: what was asked for, rounds in turn, one model, ratios."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onestory.bench_linkage_child import Run, run
from onestory.bench_linkage_data import Files, prepare
from onestory.bench_linkage_page import median

if TYPE_CHECKING:
    from rich.console import Console

Runs = dict[str, list[Run]]
_PRIOR: Final = "probability_two_random_records_match"


@dataclass(frozen=True, slots=True)
class Bench:
    """What a run of the benchmark was asked for."""

    home: Path
    patients: int
    clients: int
    repeat: int
    data: Path
    growth: tuple[int, ...]
    console: Console

    def files(self, times: int = 1) -> Files:
        """The world of the size asked for, or so many times as large."""
        self.console.print(f"world of {self.clients * times:,} x {self.patients * times:,} records")
        return prepare(self.home, self.patients * times, self.clients * times)

    def size(self, times: int = 1) -> str:
        return f"{thousands(self.clients * times)} x {thousands(self.patients * times)}"


def in_turn(bench: Bench, folder: Path, contenders: Mapping[str, Mapping[str, Any]], repeat: int | None = None) -> Runs:
    """Each contender once a round, round after round; a contender that is not there is asked once."""
    runs: Runs = {name: [] for name in contenders}
    for turn in range(repeat or bench.repeat):
        for name, options in contenders.items():
            if turn and runs[name][0].missing:
                continue
            done = run(name, folder, options)
            runs[name].append(done)
            told = done.missing or f"{done.cpu_seconds:.2f} s CPU, {done.seconds:.2f} s, {done.peak_mib:,} MiB"
            bench.console.print(f"  {name}: {told} {done.facts or ''}", soft_wrap=True, highlight=False)
    return runs


def with_model(bench: Bench, files: Files) -> Files:
    """The same files, with the tutorial model beside them: trained at the size asked for, also for other sizes.

    What agreement is worth does not depend on the size; how likely two random records are one person does, and is
    scaled to it.
    """
    base = prepare(bench.home, bench.patients, bench.clients)
    if not base.model("tutorial").exists():
        in_turn(bench, base.folder, {"splink_training": {}}, 1)
    if files.folder != base.folder:
        settings = json.loads(base.model("tutorial").read_text(encoding="utf-8"))
        settings[_PRIOR] *= bench.patients / files.patients
        files.model("tutorial").write_text(json.dumps(settings, indent=1), encoding="utf-8")
    return files


def ratio(runs: Runs, ours: str, theirs: str, of: str) -> float | None:
    """Our median over theirs, of `cpu`, `wall` or `peak`; None when one of the two is not there."""
    field = {"cpu": "cpu_seconds", "wall": "seconds", "peak": "peak_mib"}[of]
    if any(run.missing for name in (ours, theirs) for run in runs[name]):
        return None
    return median(getattr(r, field) for r in runs[ours]) / median(getattr(r, field) for r in runs[theirs])


def thousands(number: int) -> str:
    """A count in short: 100k, 3M."""
    return f"{number / 1_000_000:g}M" if number >= 1_000_000 else f"{number / 1000:g}k"
