"""`make bench-linkage`: OneStory's linkage beside Splink, recordlinkage and hand-written SQL, all in the same run.

Every figure of the table is made by one function here; peers and ours run in turn, each run in a process of its own.
What a figure needs and this version does not have is told in one line, and the figure is left open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onestory.bench_linkage_child import Run, run
from onestory.bench_linkage_data import Files, prepare
from onestory.bench_linkage_page import FOLDER, Figure, Value, keep, median, versions
from onestory.bench_linkage_score import score

if TYPE_CHECKING:
    from rich.console import Console

Runs = dict[str, list[Run]]
#: Patients above which a whole trial of raw files is left out: it holds every pair in memory.
_TRIAL_UP_TO: Final = 100_000


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
        """The world of the size asked for, or so many times as large; with the tutorial model trained on it."""
        self.console.print(f"world of {self.clients * times:,} x {self.patients * times:,} records")
        return prepare(self.home, self.patients * times, self.clients * times)

    def size(self, times: int = 1) -> str:
        return f"{_thousands(self.clients * times)} x {_thousands(self.patients * times)}"


def run_bench_linkage(bench: Bench, figures: Sequence[str], command: str, folder: Path = FOLDER) -> list[Figure]:
    """Make the figures named (all when none is), keep each as soon as it is made, with its own command.

    Raises ValueError for an unknown name.
    """
    unknown = [name for name in figures if name not in FIGURES]
    if unknown:
        raise ValueError(f"no figure {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    bench.console.print(", ".join(f"{name} {number}" for name, number in versions().items()), highlight=False)
    made = []
    for name in figures or FIGURES:
        before = os.getloadavg()[0]
        figure = FIGURES[name](bench)
        keep(figure, f"{command} --figures {name}", (before, os.getloadavg()[0]), folder)
        for value in figure.values:
            told = "not measured" if value.measured is None else f"{value.measured:.4g}"
            sign = "<=" if value.at_most else ">="
            bench.console.print(f"{value.name}: {told} (aim {sign} {value.aim:g}) {value.note}", soft_wrap=True)
        made.append(figure)
    return made


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


def speed(bench: Bench) -> Figure:
    """The whole step at the size asked for."""
    return _speed(bench, 1, "speed", 0.18)


def large(bench: Bench) -> Figure:
    """The whole step at three times that size."""
    return _speed(bench, 3, "large", 0.14)


def _speed(bench: Bench, times: int, name: str, aim: float) -> Figure:
    files = _with_model(bench, bench.files(times))
    runs = in_turn(bench, files.folder, {"splink": {}, "splink_guarded": {}, "sql": {}, "ours": {}})
    values = [
        Value(f"{bench.size(times)}, same rules and model: CPU / plain Splink", _ratio(runs, "ours", "splink", "cpu"),
              aim, True, _peers(runs)),
        Value(f"{bench.size(times)}: peak memory / plain Splink", _ratio(runs, "ours", "splink", "peak"), 0.4, True),
    ]  # fmt: skip
    return Figure(name, f"The whole step, {bench.size(times)}", values, runs, {"candidates": _candidates(files)})


def _peers(runs: Runs) -> str:
    told = [
        (label, _ratio(runs, name, "splink", "cpu"))
        for name, label in (("sql", "hand-written SQL"), ("splink_guarded", "guarded Splink"))
    ]
    return ", ".join(f"{label} {ratio:.2f}" for label, ratio in told if ratio is not None)


def training(bench: Bench) -> Figure:
    """u and m of the tutorial model's levels."""
    files = bench.files()
    runs = in_turn(bench, files.folder, {"splink_training": {}, "ours_training": {}})
    values = [Value("training: CPU / Splink's u and three rounds of EM",
                    _ratio(runs, "ours_training", "splink_training", "cpu"), 0.12, True)]  # fmt: skip
    return Figure("training", f"Training, {bench.size()}", values, runs, {})


def tight(bench: Bench) -> Figure:
    """The same few rules as recordlinkage."""
    files = _with_model(bench, bench.files())
    runs = in_turn(bench, files.folder, {"recordlinkage": {}, "ours_tight_rules": {}})
    values = [Value("wall / recordlinkage, same tight rules", _ratio(runs, "ours_tight_rules", "recordlinkage", "wall"),
                    0.10, True)]  # fmt: skip
    return Figure("tight", f"Tight rules, {bench.size()}", values, runs, {})


def night(bench: Bench) -> Figure:
    """One record in a hundred of both files new or changed."""
    files = _with_model(bench, bench.files())
    kept = in_turn(bench, files.folder, {"ours_keep": {}}, 1)
    runs = in_turn(bench, files.folder, {"splink": {}, "splink_night": {}, "ours": {}, "ours_night": {}})
    peer = _ratio(runs, "splink_night", "splink", "cpu")
    values = [Value("nightly change of 1 %: CPU / full run", _ratio(runs, "ours_night", "ours", "cpu"), 0.05, True,
                    f"Splink's own night / its full run {peer:.2f}" if peer else "")]  # fmt: skip
    return Figure("night", f"A night's change of 1 %, {bench.size()}", values, kept | runs, {})


def growth(bench: Bench) -> Figure:
    """The whole step of ours over sizes, always ten patients a client, in the same memory limit."""
    runs: Runs = {}
    costs: list[tuple[int, Run]] = []
    model = _with_model(bench, prepare(bench.home, bench.patients, bench.clients)).model("tutorial")
    for patients in bench.growth:
        files = prepare(bench.home, patients, patients // 10)
        if not files.model("tutorial").exists():
            files.model("tutorial").write_bytes(model.read_bytes())  # a trained model does not depend on the size
        label = f"{_thousands(patients // 10)} x {_thousands(patients)}"
        done = in_turn(bench, files.folder, {"ours": {}}, 1 if patients > 3_000_000 else None)["ours"]
        runs[f"ours, {label}"] = done
        if not done[0].missing:
            costs.append((patients, min(done, key=lambda r: r.cpu_seconds)))
    exponent = slope([(n, r.cpu_seconds) for n, r in costs]) if len(costs) > 1 else None
    values = [Value("growth exponent of CPU, " + " to ".join(_thousands(n) for n in (bench.growth[0], bench.growth[-1]))
                    + " patients", exponent, 1.05, True)]  # fmt: skip
    details = {"costs": [{"patients": n, "CPU s": r.cpu_seconds, "peak MiB": r.peak_mib} for n, r in costs]}
    return Figure("growth", "Growth", values, runs, details | {"sizing": _sizing(costs, exponent)})


def recall(bench: Bench) -> Figure:
    """How good the links are: recall at precision 0.999, and by group."""
    files = _with_model(bench, bench.files())
    if not files.model("best").exists():
        in_turn(bench, files.folder, {"splink_best_training": {}}, 1)
    for model, made in (("tutorial", "ours"), ("best", "ours_best")):
        if not files.model(made).exists():
            in_turn(bench, files.folder, {"ours_training": {"model": model}}, 1)
    asked: dict[str, Mapping[str, Any]] = {
        "splink": {}, "splink_guarded": {}, "splink_best": {}, "ours": {"model": "ours"}, "ours_best": {},
    }  # fmt: skip
    if bench.patients <= _TRIAL_UP_TO:
        asked["ours_trial"] = {}
    runs = in_turn(bench, files.folder, asked, 1)
    told, gaps = [], {}
    for name, done in runs.items():
        if done[0].missing or not files.links(name).exists():
            continue
        found = score(files.links(name), files.truth)
        gaps[name] = _largest_gap(found.groups)
        told.append({"": name, "recall at 0.999": found.recall_at_precision, "threshold": found.threshold,
                     "best F1": found.best_f1, "one link a care record: recall at 0.999":
                     found.best_link_recall_at_precision, "found at all": found.ceiling,
                     "largest gap": f"{gaps[name][0]:.4f} ({gaps[name][1]})"})  # fmt: skip
    by_name = {str(row[""]): float(str(row["recall at 0.999"])) for row in told}
    best = max((n for n in by_name if n.startswith("ours")), key=lambda n: by_name[n], default=None)
    values = [
        Value(f"{bench.size()}: recall at precision 0.999", by_name[best] if best else None, 0.990, False,
              ", ".join(f"{n} {by_name[n]:.4f}" for n in by_name)),
        Value("largest recall gap between groups, points", gaps[best][0] * 100 if best else None, 1.0, True,
              gaps[best][1] if best else ""),
    ]  # fmt: skip
    return Figure("recall", f"How good the links are, {bench.size()}", values, runs, {"accuracy": told})


def sets(bench: Bench) -> Figure:
    """The public sets through the trial's engine."""
    from onestory.bench_linkage_sets import SETS

    runs: Runs = {}
    for name in SETS:
        options = {"name": name, "data": str(bench.data)}
        runs[name] = in_turn(bench, bench.home, {"ours_set": options}, 1)["ours_set"]
    found = {name: done[0].facts for name, done in runs.items() if not done[0].missing}
    aims = (
        ("historical_50k, unsupervised: cluster pair-F1", "historical_50k", "pair_f1", 0.94),
        ("historical_50k, unsupervised: B-cubed F1", "historical_50k", "b_cubed_f1", 0.95),
        ("FEBRL4 one-to-one F1", "febrl4", "f1", 0.9999),
        ("FEBRL4 one-to-one F1, identifier left out", "febrl4_without_identifier", "f1", 0.9996),
        ("FEBRL3 pair-F1", "febrl3", "pair_f1", 0.997),
        ("fake_1000 cluster pair-F1", "fake_1000", "pair_f1", 0.93),
    )
    values = [Value(title, found.get(name, {}).get(what), aim, False) for title, name, what, aim in aims]
    return Figure("sets", "Public sets with known truth, unsupervised", values, runs, {})


FIGURES: Final[dict[str, Callable[[Bench], Figure]]] = {
    "speed": speed, "training": training, "tight": tight, "night": night, "recall": recall, "sets": sets,
    "large": large, "growth": growth,
}  # fmt: skip


def slope(points: Sequence[tuple[int, float]]) -> float:
    """The exponent of growth: the least-squares slope of log cost over log size."""
    xs, ys = [log(n) for n, _ in points], [log(cost) for _, cost in points]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - middle_x) ** 2 for x in xs
    )


def _with_model(bench: Bench, files: Files) -> Files:
    if not files.model("tutorial").exists():
        in_turn(bench, files.folder, {"splink_training": {}}, 1)
    return files


def _ratio(runs: Runs, ours: str, theirs: str, of: str) -> float | None:
    field = {"cpu": "cpu_seconds", "wall": "seconds", "peak": "peak_mib"}[of]
    if any(run.missing for name in (ours, theirs) for run in runs[name]):
        return None
    return median(getattr(r, field) for r in runs[ours]) / median(getattr(r, field) for r in runs[theirs])


def _candidates(files: Files) -> str:
    """Pairs of the nine rules, each counted once; what the identifier stage leaves is told by the contenders."""
    from onestory.bench_linkage_data import count_candidates

    return f"{count_candidates(files):,} pairs by the nine rules without the identifier stage"


def _largest_gap(groups: Mapping[str, Mapping[str, float]]) -> tuple[float, str]:
    """The widest span of recall within one kind of group, leaving out presence of a number, which is told apart."""
    spans = {
        f"{kind}: {min(told, key=lambda g: told[g])} against {max(told, key=lambda g: told[g])}":
        max(told.values()) - min(told.values())
        for kind, told in groups.items() if len(told) > 1 and kind != "NHS number present"
    }  # fmt: skip
    if not spans:
        return 0.0, ""
    widest = max(spans, key=lambda name: spans[name])
    return spans[widest], widest


def _sizing(costs: Sequence[tuple[int, Run]], exponent: float | None) -> list[dict[str, Any]]:
    """What larger places would take by the measured exponent: extrapolated, not measured."""
    if exponent is None:
        return []
    last, done = costs[-1]
    return [
        {"patients (extrapolated)": patients, "CPU s": round(done.cpu_seconds * (patients / last) ** exponent)}
        for patients in (20_000_000, 60_000_000) if patients > last
    ]  # fmt: skip


def _thousands(number: int) -> str:
    return f"{number / 1_000_000:g}M" if number >= 1_000_000 else f"{number / 1000:g}k"
