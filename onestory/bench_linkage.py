"""`make bench-linkage`: OneStory's linkage beside Splink, recordlinkage and hand-written SQL, all in the same run.

Every figure of the table is made by one function here; peers and ours run in turn, each run in a process of its own.
What a figure needs and this version does not have is told in one line, and the figure is left open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from onestory.bench_linkage_data import Files
from onestory.bench_linkage_growth import growth, night_large
from onestory.bench_linkage_page import FOLDER, Figure, Value, keep, versions
from onestory.bench_linkage_rounds import Bench, Runs, in_turn, ratio, with_model
from onestory.bench_linkage_score import score
from onestory.bench_linkage_trial import trial_figure


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
            aim = "" if value.aim is None else f" (aim {'<=' if value.at_most else '>='} {value.aim:g})"
            bench.console.print(f"{value.name}: {told}{aim} {value.note}", soft_wrap=True)
        made.append(figure)
    return made


def speed(bench: Bench) -> Figure:
    """The whole step at the size asked for."""
    return _speed(bench, 1, "speed", 0.18)


def large(bench: Bench) -> Figure:
    """The whole step at three times that size."""
    return _speed(bench, 3, "large", 0.14)


def _speed(bench: Bench, times: int, name: str, aim: float) -> Figure:
    files = with_model(bench, bench.files(times))
    runs = in_turn(bench, files.folder, {"splink": {}, "splink_guarded": {}, "sql": {}, "ours": {}})
    values = [
        Value(f"{bench.size(times)}, same rules and model: CPU / plain Splink", ratio(runs, "ours", "splink", "cpu"),
              aim, True, _peers(runs)),
        Value(f"{bench.size(times)}: peak memory / plain Splink", ratio(runs, "ours", "splink", "peak"), 0.4, True),
    ]  # fmt: skip
    return Figure(name, f"The whole step, {bench.size(times)}", values, runs, {"candidates": _candidates(files)})


def _peers(runs: Runs) -> str:
    told = [
        (label, ratio(runs, name, "splink", "cpu"))
        for name, label in (("sql", "hand-written SQL"), ("splink_guarded", "guarded Splink"))
    ]
    return ", ".join(f"{label} {ratio:.2f}" for label, ratio in told if ratio is not None)


def training(bench: Bench) -> Figure:
    """u and m of the tutorial model's levels."""
    files = bench.files()
    runs = in_turn(bench, files.folder, {"splink_training": {}, "ours_training": {}})
    values = [Value("training: CPU / Splink's u and three rounds of EM",
                    ratio(runs, "ours_training", "splink_training", "cpu"), 0.12, True)]  # fmt: skip
    return Figure("training", f"Training, {bench.size()}", values, runs, {})


def tight(bench: Bench) -> Figure:
    """The same few rules as recordlinkage."""
    files = with_model(bench, bench.files())
    runs = in_turn(bench, files.folder, {"recordlinkage": {}, "ours_tight_rules": {}})
    cpu = ratio(runs, "ours_tight_rules", "recordlinkage", "cpu")
    wall = ratio(runs, "ours_tight_rules", "recordlinkage", "wall")
    values = [Value("wall / recordlinkage, same tight rules", wall, 0.10, True, f"by CPU {cpu:.3f}" if cpu else "")]
    return Figure("tight", f"Tight rules, {bench.size()}", values, runs, {})


def night(bench: Bench) -> Figure:
    """One record in a hundred of both files new or changed."""
    files = with_model(bench, bench.files())
    kept = in_turn(bench, files.folder, {"ours_keep": {}}, 1)
    runs = in_turn(bench, files.folder, {"splink": {}, "splink_night": {}, "ours": {}, "ours_night": {}})
    peer = ratio(runs, "splink_night", "splink", "cpu")
    whole = ratio(runs, "ours_night", "splink", "cpu")
    note = (
        f"Splink's own night / its full run {peer:.2f}, ours / Splink's full run {whole:.3f}" if peer and whole else ""
    )
    values = [
        Value("nightly change of 1 %: CPU / full run", ratio(runs, "ours_night", "ours", "cpu"), 0.05, True, note)
    ]
    return Figure(
        "night", f"A night's change of 1 %, {bench.size()}", values, kept | runs, {"patients": bench.patients}
    )


def recall(bench: Bench) -> Figure:
    """How good the links are: recall at precision 0.999, and by group."""
    files = with_model(bench, bench.files())
    if not files.model("best").exists():
        in_turn(bench, files.folder, {"splink_best_training": {}}, 1)
    for model, made in (("tutorial", "ours"), ("best", "ours_best")):
        if not files.model(made).exists():
            in_turn(bench, files.folder, {"ours_training": {"model": model}}, 1)
    asked: dict[str, Mapping[str, Any]] = {
        "splink": {}, "splink_guarded": {}, "splink_best": {}, "ours": {"model": "ours"}, "ours_best": {},
    }  # fmt: skip
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
    "trial": trial_figure,
    "large": large, "night_large": night_large, "growth": growth,
}  # fmt: skip


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
