"""The sizing table, made from what the linkage benchmark measured: rows as measured, larger places by power law.

A cost is taken to grow as size to a power; the power is the larger of the fit over all measured sizes and the last step
alone, so that a curve that bends upwards is not flattered. Nothing here is measured, and every such row says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from statistics import median
from typing import Any, Final

LARGER: Final = (20_000_000, 30_000_000, 60_000_000)
#: When one machine is no longer enough: hours the whole run may take, GiB of memory, GiB of disk (assumptions).
_HOURS, _MEMORY_GIB, _DISK_GIB = 8, 64, 1000
_SIZED: Final = ("CPU s", "peak MiB", "spill MiB", "files MiB", "candidates")


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The exponent of growth: the least-squares slope of log cost over log size."""
    xs, ys = [log(n) for n, _ in points], [log(cost) for _, cost in points]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - middle_x) ** 2 for x in xs
    )


def power(points: Sequence[tuple[float, float]]) -> float | None:
    """The exponent to extrapolate by; None with fewer than two sizes at which the cost is not nothing."""
    told = [point for point in sorted(points) if point[1] > 0]
    return max(slope(told), slope(told[-2:])) if len(told) > 1 else None


def extrapolated(points: Sequence[tuple[float, float]], size: float) -> float | None:
    """The cost at a size, from the largest one measured; None where the growth is not known."""
    exponent = power(points)
    if exponent is None:
        return None
    last, cost = max(points)
    return float(cost * (size / last) ** exponent)


def reached_at(points: Sequence[tuple[float, float]], limit: float) -> float | None:
    """The size at which the cost comes to `limit`; None where it is not known to grow."""
    exponent = power(points)
    if exponent is None or exponent <= 0:
        return None
    last, cost = max(points)
    return float(last * (limit / cost) ** (1 / exponent))


def sizing_rows(kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for every size: `basis` says measured or extrapolated; a value that is not known is None."""
    sizes: list[dict[str, Any]] = kept["growth"]["details"]["sizes"]
    nights, stores = _nights(kept)
    rows = []
    for patients in sorted({*(row["patients"] for row in sizes), *(n for n in LARGER if n > sizes[-1]["patients"])}):
        found = next((row for row in sizes if row["patients"] == patients), None)
        row: dict[str, Any] = {"patients": patients, "clients": patients // 10,
                               "basis": "measured" if found else "extrapolated"}  # fmt: skip
        for name in _SIZED:
            row[name] = found[name] if found else extrapolated([(s["patients"], s[name]) for s in sizes], patients)
        for name, points in (("night CPU s", nights), ("kept MiB", stores)):
            row[name] = dict(points).get(patients)
            if not found and points:  # two sizes are too few for a power: at least in proportion
                last, cost = max(points)
                row[name] = cost * (patients / last) ** max(1.0, power(points) or 1.0)
        rows.append(row)
    return rows


def _nights(kept: Mapping[str, Any]) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """(patients, CPU s of a night) and (patients, MiB kept for it), as far as they were measured."""
    nights, stores = [], []
    for name in ("night", "night_large"):
        part = kept.get(name, {})
        patients, runs = part.get("details", {}).get("patients"), part.get("runs", {})
        done = [run for run in runs.get("ours_night", ()) if not run["missing"]]
        if patients and done:
            nights.append((patients, median(run["cpu_seconds"] for run in done)))
            stores.append((patients, runs["ours_keep"][0]["facts"]["mib"]))
    return nights, stores


def sizing_page(kept: Mapping[str, Any]) -> str:
    """The whole page. Raises KeyError when growth was never measured."""
    part, rows = kept["growth"], sizing_rows(kept)
    sizes = part["details"]["sizes"]
    lines = [
        "# Sizing the linkage", "",
        "Made by `onestory bench sizing` from `linkage.json`; do not edit, run it again. The rows marked *measured* "
        f"are of `{part['command']}` ({part['measured_at']}; {part['machine']}; load average "
        f"{part['load_average']['before']} to {part['load_average']['after']}; "
        f"DuckDB {part['versions']['duckdb']}, two threads, 4 GB). The rows marked *extrapolated* were never run: each "
        "cost is taken to grow on from the largest measured size by the power beneath the table.", "",
        "| patients | clients | | whole step, CPU s | minutes of one processor | peak MiB | spill MiB | files MiB "
        "| candidate pairs | a night of 1 %, CPU s | kept for nights, MiB |",
        "|" + "---|" * 11,
    ]  # fmt: skip
    lines += [_line(row) for row in rows]
    powers = {name: power([(s["patients"], s[name]) for s in sizes]) for name in _SIZED}
    told = ", ".join(f"{name} {exponent:.2f}" for name, exponent in powers.items() if exponent is not None)
    lines += ["", f"Powers of size (the larger of the fit over all sizes and the last step): {told}; nights grow at "
              "least in proportion.", ""]  # fmt: skip
    return "\n".join([*lines, *_reading(kept, rows)]) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    minutes = None if row["CPU s"] is None else row["CPU s"] / 60
    numbers = (row["peak MiB"], row["spill MiB"], row["files MiB"], row["candidates"], row["night CPU s"],
               row["kept MiB"])  # fmt: skip
    told = [f"{row['patients']:,}", f"{row['clients']:,}", f"*{row['basis']}*", _short(row["CPU s"]),
            "" if minutes is None else f"{minutes:.1f}", *(_short(number) for number in numbers)]  # fmt: skip
    return "| " + " | ".join(told) + " |"


def _short(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.2f}"


def _reading(kept: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the table is good for, and when one machine is no longer enough; all numbers follow from it."""
    sizes = kept["growth"]["details"]["sizes"]
    lines = [
        "Every size has one care record to ten patients, towns of a hundred thousand, the tutorial model of Splink and "
        "the nine rules of the benchmark; another place's pairs may be more. The peak is the process's own, and what "
        "it would be with memory enough: what goes beyond the limit is spilled. Seconds are of the machine named; "
        "ratios travel, seconds do not.",
    ]  # fmt: skip
    for less in kept["growth"]["details"].get("in less memory", ()):
        full = next(row for row in sizes if row["patients"] == less["patients"])
        lines += ["", f"Measured with {less['memory']} for the database instead of 4 GB, {_millions(less['patients'])} "
                  f"patients: {_short(less['CPU s'])} CPU s ({less['CPU s'] / full['CPU s']:.2f} times), peak "
                  f"{_short(less['peak MiB'])} MiB, spill {_short(less['spill MiB'])} MiB, {less['links']:,} links, "
                  f"{'the same number' if less['links'] == full['links'] else 'not the same number'}."]  # fmt: skip
    lines += ["", "## When one machine is no longer enough", "",
              f"When the first of these comes, for a machine that has {_HOURS} hours, {_MEMORY_GIB} GiB of memory and "
              f"{_DISK_GIB:,} GiB of disk for it:", ""]  # fmt: skip
    enough = True
    for name, limit, what, unit in (
        ("CPU s", _HOURS * 3600, f"the whole step takes {_HOURS} hours of one processor", "CPU s"),
        ("peak MiB", _MEMORY_GIB * 1024, f"memory comes to {_MEMORY_GIB} GiB, and spilling takes too long", "MiB"),
        ("files MiB", _DISK_GIB * 1024, f"the cleaned files come to {_DISK_GIB:,} GiB", "MiB"),
    ):
        size = reached_at([(s["patients"], s[name]) for s in sizes], limit)
        there = rows[-1]
        soon = size is not None and size <= there["patients"]
        enough = enough and not soon
        when = f"not by {_millions(there['patients'])} patients, where it is {_short(there[name])} {unit}"
        if size is not None and soon:
            when = f"at about {_millions(size)} patients"
        lines.append(f"- {what}: {when} (extrapolated);")
    last = sizes[-1]
    lines += [
        "- one block of a rule outgrows the machine: candidates are counted before a run; the last measured row has "
        f"{last['candidates'] / last['clients']:.0f} for each care record.", "",
        f"By that one machine {'is' if enough else 'is not'} enough for {_millions(rows[-1]['patients'])} patients. "
        "Beyond it, or where records may not leave a Spark platform, the same model file runs through Splink on Spark "
        "(`onestory[spark]`); on what fits one machine that took 15 times the time and 11 times the memory (linkage "
        "handbook 8), so it is the way out and not the way in.",
    ]  # fmt: skip
    return lines


def _millions(size: float) -> str:
    return f"{size / 1e6:,.0f} million" if size >= 10e6 else f"{size / 1e6:.2g} million"
