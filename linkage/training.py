"""Estimate a new model version: u from random pairs by Splink, m from pairs that share a checked number.

Run rarely and review always. About one shared number in a hundred is wrong, so m comes from a two-class EM over the
counts of agreement patterns, with u fixed; the share of true pairs settles by itself (linkage handbook 7.3).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linkage.definition import BANDS, FIXED_M, FIXED_U, GUARDS, LEAST_M, untrained_settings
from linkage.model import Model, model_from

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

_RANDOM_PAIRS = 5_000_000
_FIRST_SHARE = 0.98
_ROUNDS = 200
_HALF_A_COUNT = 0.5


@dataclass(frozen=True, slots=True)
class Trained:
    """The outcome of a training: Splink settings with m and u, and the figures for the model card."""

    settings: dict[str, Any]
    share_of_true_pairs: float
    pairs_with_shared_number: int
    records: int


def train(calculation: duckdb.DuckDBPyConnection, *, seed: int) -> Trained:
    """Train on the table `standard` of `calculation`. The same table and seed give the same model."""
    settings = untrained_settings()
    records = int(calculation.execute("select count(*) from standard").fetchall()[0][0])
    u = _estimate_u(calculation, settings, seed)
    patterns, counts = _patterns(calculation, settings)
    m, share = estimate_m(
        patterns,
        counts,
        [u[c["output_column_name"]] for c in settings["comparisons"]],
        free=[c["output_column_name"] not in {"nhs_number", *FIXED_M} for c in settings["comparisons"]],
    )
    # Half a count: no training set is large enough to say that shared numbers are never wrong.
    share = min(share, 1 - _HALF_A_COUNT / float(counts.sum()))
    for comparison, values in zip(settings["comparisons"], m, strict=True):
        name = comparison["output_column_name"]
        known = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        # Two people of one number are as rare as the wrong numbers the EM has found.
        chosen = FIXED_M.get(name, (share, 1 - share) if name == "nhs_number" else values)
        least = [LEAST_M.get((name, level["label_for_charts"]), 0.0) for level in known]
        for level, m_value, u_value in zip(known, at_least([float(m) for m in chosen], least), u[name], strict=True):
            level["m_probability"], level["u_probability"] = round(float(m_value), 9), round(float(u_value), 12)
    settings["probability_two_random_records_match"] = _prior(calculation, share, records)
    return Trained(settings, share, int(counts.sum()), records)


def at_least(values: Sequence[float], least: Sequence[float]) -> list[float]:
    """The shares with none below its least; the others give what that takes, in proportion."""
    raised = [low > value for value, low in zip(values, least, strict=True)]
    if not any(raised):
        return list(values)
    left = 1 - sum(low for low, is_raised in zip(least, raised, strict=True) if is_raised)
    others = sum(value for value, is_raised in zip(values, raised, strict=True) if not is_raised)
    return [
        low if is_raised else float(value) * left / others
        for value, low, is_raised in zip(values, least, raised, strict=True)
    ]


def write_version(
    folder: Path, version: str, trained: Trained, shares: Sequence[tuple[str, str, float]], facts: Mapping[str, Any]
) -> None:
    """Write the three files of a new version.

    Raises `FileExistsError` when the version exists: a model is never edited.
    """
    path = folder / f"{version}.json"
    if path.exists():
        raise FileExistsError(f"{path}: a model version is never edited; choose a new name")
    path.write_text(json.dumps(trained.settings, indent=1) + "\n", encoding="utf-8")
    sidecar = {"facts": dict(facts), "bands": dict(BANDS), "guards": [dict(guard) for guard in GUARDS]}
    (folder / f"{version}.sidecar.json").write_text(json.dumps(sidecar, indent=1) + "\n", encoding="utf-8")
    with (folder / f"{version}.names.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["kind", "name", "share"])
        writer.writerows((kind, name, f"{share:.3e}") for kind, name, share in shares)


def name_shares(calculation: duckdb.DuckDBPyConnection, *, source: str) -> list[tuple[str, str, float]]:
    """Frequencies of forenames and surnames among the records of the larger, cleaner `source`, seen at least twice."""
    shares: list[tuple[str, str, float]] = []
    for kind in ("forename", "surname"):
        shares += calculation.execute(
            f"""select '{kind}', {kind}, count(*) / sum(count(*)) over () from standard
                 where source = $source and {kind} is not null group by {kind}
               qualify count(*) > 1 order by 3 desc, 2""",
            {"source": source},
        ).fetchall()
    return shares


def untrained_model(shares: tuple[tuple[str, str, float], ...] = ()) -> Model:
    """The lines and name frequencies alone, enough to standardise records before there is a model."""
    settings = {"probability_two_random_records_match": 0.5, "comparisons": []}
    return model_from("untrained", settings, {"guards": [], "bands": dict(BANDS), "facts": {}}, shares)


def _estimate_u(
    calculation: duckdb.DuckDBPyConnection, settings: dict[str, Any], seed: int
) -> dict[str, NDArray[np.float64]]:
    import numpy as np

    from linkage.scoring import open_linker

    linker, _ = open_linker(calculation, settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=seed)
    found = {c["output_column_name"]: c for c in linker.misc.save_model_to_json()["comparisons"]}
    result: dict[str, NDArray[np.float64]] = {}
    for comparison in settings["comparisons"]:
        name = comparison["output_column_name"]
        if name in FIXED_U:
            result[name] = np.array(FIXED_U[name])
            continue
        levels = [level for level in found[name]["comparison_levels"] if not level.get("is_null_level")]
        smoothed = (
            np.array([float(level.get("u_probability", 0.0)) for level in levels]) * _RANDOM_PAIRS + _HALF_A_COUNT
        )
        result[name] = smoothed / smoothed.sum()
    return result


def _patterns(
    calculation: duckdb.DuckDBPyConnection, settings: Mapping[str, Any]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts of agreement patterns among pairs of one checked number; level -1 means missing."""
    import numpy as np

    from linkage.compiled import level_expressions

    names = [c["output_column_name"] for c in settings["comparisons"]]
    rows = calculation.execute(f"""
        with pair as (select l.record_id as left_id, r.record_id as right_id, false as by_demographics,
          false as by_reference,
                             false as by_mark
                        from standard l join standard r on l.nhs_number = r.nhs_number and l.record_id < r.record_id)
        {level_expressions(settings)}
        select {", ".join(f"level_{n} - 1" for n in names)}, count(*)
          from levelled group by all order by all""").fetchall()
    table = np.array(rows, dtype=np.int64)
    return table[:, :-1], table[:, -1].astype(np.float64)


def estimate_m(
    patterns: NDArray[np.int64], counts: NDArray[np.float64], u: Sequence[NDArray[np.float64]], free: Sequence[bool]
) -> tuple[list[NDArray[np.float64]], float]:
    """Two-class EM with u fixed: m of every comparison, and the share of true pairs.

    `patterns` has a row for each pattern and a column for each comparison, -1 where a value is missing and 0 the first
    level; `counts` is how often each occurs. `free` False: left out of the sum.
    """
    import numpy as np

    m = [_first_guess(len(values)) for values in u]
    share = _FIRST_SHARE
    for _ in range(_ROUNDS):
        log_odds = np.full(len(patterns), np.log(share / (1 - share)))
        for column, is_free in enumerate(free):
            if is_free:
                level = patterns[:, column]
                ratio = np.log(m[column] / u[column])
                log_odds += np.where(level >= 0, ratio[np.maximum(level, 0)], 0.0)
        posterior = 1 / (1 + np.exp(-log_odds))
        new_share = float((posterior * counts).sum() / counts.sum())
        for column, is_free in enumerate(free):
            if is_free:
                known = patterns[:, column] >= 0
                found = np.bincount(
                    patterns[known, column], weights=(posterior * counts)[known], minlength=len(u[column])
                )
                m[column] = (found + _HALF_A_COUNT) / (found + _HALF_A_COUNT).sum()
        if abs(new_share - share) < 1e-9:
            break
        share = new_share
    return m, share


def _first_guess(levels: int) -> NDArray[np.float64]:
    import numpy as np

    return np.array([0.9] + [0.1 / (levels - 1)] * (levels - 1))


def _prior(calculation: duckdb.DuckDBPyConnection, share: float, records: int) -> float:
    """Expected matching pairs among all pairs: those that share a number, scaled up to the records that have none."""
    pairs, numbered = calculation.execute("""
        select (select sum(n * (n - 1) / 2) from (select count(*) as n from standard where nhs_number is not null
                                                   group by nhs_number)), count(nhs_number)
                                                     from standard""").fetchall()[0]
    expected = float(pairs) * share * (records / numbered) ** 2
    return float(round(expected / (records * (records - 1) / 2), 12))
