"""The sizing table, made from what the linkage benchmark measured: rows as measured, larger places by power law.

A cost is taken to grow as size to a power; the power is the larger of the fit over all measured sizes and the last step
alone, so that a curve that bends upwards is not flattered. Nothing here is measured, and every such row says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
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
    return cost * (size / last) ** exponent


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
            if row[name] is None and points and patients > max(points)[0]:
                row[name] = extrapolated(points, patients)
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
            nights.append((patients, sorted(run["cpu_seconds"] for run in done)[len(done) // 2]))
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
        "| patients | clients | | whole step, CPU s | hours of one processor | peak MiB | spill MiB | files MiB "
        "| candidate pairs | a night of 1 %, CPU s | kept for nights, MiB |",
        "|" + "---|" * 11,
    ]  # fmt: skip
    lines += [_line(row) for row in rows]
    lines += ["", "Powers of size (the larger of the fit over all sizes and the last step): " + ", ".join(
        f"{name} {exponent:.2f}" for name in _SIZED
        if (exponent := power([(s["patients"], s[name]) for s in sizes])) is not None) + ".", ""]  # fmt: skip
    return "\n".join([*lines, *_reading(sizes, rows)]) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    hours = None if row["CPU s"] is None else row["CPU s"] / 3600
    numbers = (row["peak MiB"], row["spill MiB"], row["files MiB"], row["candidates"], row["night CPU s"],
               row["kept MiB"])  # fmt: skip
    told = [f"{row['patients']:,}", f"{row['clients']:,}", f"*{row['basis']}*", _short(row["CPU s"]),
            "" if hours is None else f"{hours:.2f}", *(_short(number) for number in numbers)]  # fmt: skip
    return "| " + " | ".join(told) + " |"


def _short(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.2f}"


def _reading(sizes: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the table is good for, and when one machine is no longer enough; all numbers follow from it."""
    lines = [
        "Every size has one care record to ten patients, towns of a hundred thousand, the tutorial model of Splink and "
        "the nine rules of the benchmark; another place's pairs may be more. Peak is the process's own and follows "
        "the memory limit: what does not fit is spilled, so that a larger limit trades disk for memory. Seconds are "
        "of the machine named; ratios travel, seconds do not.", "",
        "## When one machine is no longer enough", "",
        f"At the first of these, where {_HOURS} hours, {_MEMORY_GIB} GiB of memory and {_DISK_GIB:,} GiB of disk are "
        "what one machine has:", "",
    ]  # fmt: skip
    for name, limit, what in (
        ("CPU s", _HOURS * 3600, f"the whole step takes {_HOURS} hours of one processor"),
        ("peak MiB", _MEMORY_GIB * 1024, f"memory comes to {_MEMORY_GIB} GiB"),
        ("spill MiB", _DISK_GIB * 1024, f"spill comes to {_DISK_GIB:,} GiB"),
    ):
        size = reached_at([(s["patients"], s[name]) for s in sizes], limit)
        when = "it was not seen to grow" if size is None else f"at about {_millions(size)} patients (extrapolated)"
        lines.append(f"- {what}: {when};")
    largest = rows[-1]
    enough = largest["CPU s"] is not None and largest["CPU s"] < _HOURS * 3600
    lines += [
        "- a rule's largest block outgrows the machine: count candidates first (the table's last measured row has "
        f"{sizes[-1]['candidates'] / sizes[-1]['clients']:.0f} for each care record).", "",
        f"By that a single machine {'is' if enough else 'is not'} enough for {_millions(largest['patients'])} patients."
        " Beyond it, or where records may not leave a Spark platform, the same model file runs through Splink on Spark "
        "(`onestory[spark]`); on what fits one machine that took 15 times the time and 11 times the memory (linkage "
        "handbook 8), so it is the way out and not the way in.",
    ]  # fmt: skip
    return lines


def _millions(size: float) -> str:
    return f"{size / 1e9:.1f} thousand million" if size >= 1e9 else f"{size / 1e6:,.0f} million"
