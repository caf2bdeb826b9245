"""`onestory link` beside plain Splink with its training: what an analyst gets from two files who knows no answer.

Ours starts from the raw files: it guesses columns, cleans, blocks, learns and draws its own line. Splink starts from
the cleaned files with its tutorial's levels and the nine rules, is trained on them and, as it draws no line, gets that
of its tutorials. Each writes its links; the one scorer judges them.
"""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree
from typing import Any, Final

import duckdb  # loaded before the clock starts, as everything below
import pandas as pd
import pyarrow.compute as pc

from onestory.bench_linkage_child import Clock
from onestory.bench_linkage_data import Files
from onestory.bench_linkage_page import Figure, Value, median
from onestory.bench_linkage_rounds import Bench, Runs, in_turn, ratio
from onestory.bench_linkage_score import at_line

assert duckdb and pd and pc
_TUTORIAL_LINE: Final = 0.95  # match probability from which Splink's tutorials let pairs count
_FOLDER: Final = "trial"


def trial(clock: Clock, folder: Path) -> None:
    """`onestory link` on the raw files, whole: links, clusters, model and report are written."""
    from connectors.synthetic.linkage_world import CARE, HEALTH
    from linkage.trial.work import Work
    from onestory.linking import link
    from onestory.linking_run import Trial

    assert [Trial, Work]
    out = folder / _FOLDER
    rmtree(out, ignore_errors=True)
    clock.start()
    link(folder / CARE, folder / HEALTH, out=out)
    clock.step("link")
    (out / "links.parquet").replace(Files(folder).links("ours_trial"))


def splink_trained(clock: Clock, folder: Path) -> None:
    """Training and prediction in one, from the cleaned files; leaves the model of its own beside the links."""
    from onestory.bench_peers import splink_plain, train_tutorial

    files = Files(folder)
    kept = files.model("tutorial").read_bytes() if files.model("tutorial").exists() else None
    clock.start()
    try:
        train_tutorial(clock, folder)
        splink_plain(clock, folder)
    finally:
        if kept is not None:  # every other figure is made with one model
            files.model("tutorial").write_bytes(kept)
    files.links("splink").replace(files.links("splink_trained"))


def trial_figure(bench: Bench) -> Figure:
    """The trial of files as one figure: cost, and precision and recall at the line each draws itself."""
    files = bench.files()
    runs: Runs = in_turn(bench, files.folder, {"splink_trained": {}, "ours_trial": {}})
    told: list[dict[str, Any]] = []
    for name, line in (("splink_trained", _weight(_TUTORIAL_LINE)), ("ours_trial", None)):
        if not runs[name][0].missing:
            told.append({"": name, "line, bits": "its own" if line is None else round(line, 2),
                         **at_line(files.links(name), files.truth, line)})  # fmt: skip
    by_name = {row[""]: row for row in told}
    ours, peer = by_name.get("ours_trial", {}), by_name.get("splink_trained", {})
    beside = f"plain Splink at probability {_TUTORIAL_LINE:g}: "
    peak = None if runs["ours_trial"][0].missing else median(run.peak_mib for run in runs["ours_trial"])
    size = bench.size()
    values = [
        Value(f"{size}, `onestory link` from raw files: CPU / plain Splink with training",
              ratio(runs, "ours_trial", "splink_trained", "cpu"), None, True),
        Value(f"{size}, `onestory link`: peak MiB", peak, None, True),
        Value(f"{size}, `onestory link`: precision at its own line", ours.get("precision"), None, False,
              f"{beside}{peer['precision']:.4f}" if peer else ""),
        Value(f"{size}, `onestory link`: recall at its own line", ours.get("recall"), None, False,
              f"{beside}{peer['recall']:.4f}" if peer else ""),
    ]  # fmt: skip
    return Figure("trial", f"The trial of files, {size}", values, runs, {"accuracy": told})


def _weight(probability: float) -> float:
    from math import log2

    return log2(probability / (1 - probability))
