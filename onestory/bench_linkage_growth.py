"""How our linkage grows: the whole step from a hundred thousand to ten million patients, and a night of a large place.

One model, one memory limit and ten patients a client at every size; each size tells its processor time, memory, spill,
links and recall. What is fitted to them is arithmetic only, and `onestory.bench_linkage_sizing` uses the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from onestory.bench_linkage_data import Files, prepare
from onestory.bench_linkage_page import Figure, Value, median
from onestory.bench_linkage_rounds import Bench, Runs, in_turn, ratio, thousands, with_model
from onestory.bench_linkage_score import score
from onestory.bench_linkage_sizing import slope

_PATIENTS_A_CLIENT: Final = 10
_ONCE_ABOVE: Final = 3_000_000
_LITTLE: Final = "1GB"  # a quarter of what every other run gets


def growth(bench: Bench) -> Figure:
    """The whole step of ours over sizes, always ten patients a client, in the same memory limit."""
    runs: Runs = {}
    sizes: list[dict[str, Any]] = []
    for patients in bench.growth:
        bench.console.print(f"world of {patients // _PATIENTS_A_CLIENT:,} x {patients:,} records")
        files = with_model(bench, prepare(bench.home, patients, patients // _PATIENTS_A_CLIENT))
        done = in_turn(bench, files.folder, {"ours": {}}, 1 if patients > _ONCE_ABOVE else None)["ours"]
        runs[f"ours, {thousands(patients // _PATIENTS_A_CLIENT)} x {thousands(patients)}"] = done
        if not done[0].missing:
            sizes.append(_size(files, patients, done))
    less: list[dict[str, Any]] = []
    if sizes:  # the largest again, in memory that its records alone would fill twice over
        again = in_turn(bench, files.folder, {"ours": {"memory": _LITTLE}}, 1)["ours"]
        runs[f"ours in {_LITTLE}, {thousands(sizes[-1]['clients'])} x {thousands(sizes[-1]['patients'])}"] = again
        less = [{"memory": _LITTLE, **_size(files, sizes[-1]["patients"], again)}]
    points = [(row["patients"], row["CPU s"]) for row in sizes]
    exponent = slope(points) if len(points) > 1 else None
    last = f"the last step alone {slope(points[-2:]):.3f}" if len(points) > 1 else ""
    span = " to ".join(thousands(n) for n in (bench.growth[0], bench.growth[-1]))
    values = [Value(f"growth exponent of CPU, {span} patients", exponent, 1.05, True, last)]
    made = [{"patients": row["patients"], **_making(prepare(bench.home, row["patients"], row["clients"]))}
            for row in sizes]  # fmt: skip
    details = {"sizes": sizes, "in less memory": less, "making the worlds": [row for row in made if len(row) > 1]}
    return Figure("growth", "Growth, ten patients a client", values, runs, details)


def _size(files: Files, patients: int, done: Sequence[Any]) -> dict[str, Any]:
    """One row: medians of the rounds, and how good the links are."""
    found = score(files.links("ours"), files.truth)
    facts = done[-1].facts
    return {
        "patients": patients, "clients": patients // _PATIENTS_A_CLIENT,
        "CPU s": round(median(r.cpu_seconds for r in done), 2), "wall s": round(median(r.seconds for r in done), 2),
        "peak MiB": round(median(r.peak_mib for r in done)), "spill MiB": max(r.spill_mib for r in done),
        "files MiB": (files.left.stat().st_size + files.right.stat().st_size) // 2**20, "parts": facts["parts"],
        "candidates": facts["candidates"], "links": facts["links"],
        "recall at 0.999": round(found.recall_at_precision, 4), "found at all": round(found.ceiling, 4),
    }  # fmt: skip


def _making(files: Files) -> Mapping[str, Any]:
    made = files.made
    if "cpu_seconds" not in made:
        return {}
    return {"CPU s": made["cpu_seconds"], "wall s": made["seconds"], "peak MiB": made["peak_mib"]}


def night_large(bench: Bench) -> Figure:
    """A night of the place three times as large: what is kept for it, and its share of the whole step."""
    files = with_model(bench, bench.files(3))
    kept = in_turn(bench, files.folder, {"ours_keep": {}}, 1)
    runs = kept | in_turn(bench, files.folder, {"ours": {}, "ours_night": {}})
    values = [
        Value(f"{bench.size(3)}, nightly change of 1 %: CPU / full run", ratio(runs, "ours_night", "ours", "cpu"), 0.05,
              True),
        Value(f"{bench.size(3)}: peak memory of keeping a run / of the run", ratio(runs, "ours_keep", "ours", "peak"),
              None, True),
    ]  # fmt: skip
    return Figure("night_large", f"A night's change of 1 %, {bench.size(3)}", values, runs,
                  {"patients": files.patients})  # fmt: skip
