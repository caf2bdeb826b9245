"""The public sets with known truth in the linkage benchmark: through the engine of `onestory link`, unsupervised.

The engine gets each file without its truth and with opaque ids; columns are guessed, parameters learnt from the file,
the cut is the engine's own. Only this module puts the truth beside what came out.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onestory.bench_linkage_child import Clock

if TYPE_CHECKING:
    import pyarrow as pa

    from linkage.trial.run import Outcome


@dataclass(frozen=True, slots=True)
class PublicSet:
    """One set: its files, the column that holds the truth, and columns left out of a run."""

    files: tuple[str, ...]
    truth: str
    without: tuple[str, ...] = ()


SETS: Final[dict[str, PublicSet]] = {
    "historical_50k": PublicSet(("historical_figures_with_errors_50k.parquet",), "cluster", ("unique_id",)),
    "fake_1000": PublicSet(("fake_1000.csv",), "cluster", ("unique_id",)),
    "febrl3": PublicSet(("febrl_dataset3.csv",), "rec_id"),
    "febrl4": PublicSet(("febrl_dataset4a.csv", "febrl_dataset4b.csv"), "rec_id"),
    "febrl4_without_identifier": PublicSet(("febrl_dataset4a.csv", "febrl_dataset4b.csv"), "rec_id", ("soc_sec_id",)),
}


def run_set(clock: Clock, folder: Path, name: str, data: str) -> None:
    """Link one public set found below `data` and tell how good it was. `folder` is not used."""
    from linkage.trial.roles import guess_roles
    from linkage.trial.run import dedupe, link

    clock.start()
    chosen = SETS[name]
    tables: list[pa.Table] = []
    truth: dict[str, Hashable] = {}
    for side, file in enumerate(chosen.files):
        table, persons = _blinded(Path(data) / file, chosen, "lr"[side])
        tables.append(table)
        truth |= persons
    clock.step("read")
    roles = [guess_roles(table).roles for table in tables]
    outcome = dedupe(tables[0], roles[0]) if len(tables) == 1 else link(tables[0], tables[1], roles[0], roles[1])
    clock.step("link")
    clock.tell(**judged(outcome, truth, linked=len(tables) == 2))
    clock.step("judge")


def _blinded(path: Path, chosen: PublicSet, letter: str) -> tuple[pa.Table, dict[str, Hashable]]:
    """The file without truth, in mixed order and with opaque ids, and the truth by those ids."""
    import pyarrow as pa

    from linkage.trial.reading import read_records

    table = read_records(path).table
    # Some of the files have the records of one person in a row; the engine must not be helped by that.
    table = table.take(pa.array(sorted(range(table.num_rows), key=_mixed)))
    ids = [f"{letter}{number}" for number in range(table.num_rows)]
    told = [str(value) for value in table.column(chosen.truth).to_pylist()]
    # In FEBRL's files the truth is the number within the record id: rec-<n>-org, rec-<n>-dup-<k>.
    persons = [value.split("-")[1] if value.startswith("rec-") else value for value in told]
    kept = table.drop_columns([chosen.truth, *(c for c in chosen.without if c in table.column_names)])
    return kept.add_column(0, "record", pa.array(ids)), dict(zip(ids, persons, strict=True))


def _mixed(row: int) -> bytes:
    return sha256(str(row).encode()).digest()


def judged(outcome: Outcome, truth: dict[str, Hashable], *, linked: bool) -> dict[str, float]:
    """Two files: F1 of the links. One: pairs and B-cubed of the clusters."""
    from linkage.quality import cluster_quality

    if linked:
        pairs = list(zip(outcome.links["left_id"].to_pylist(), outcome.links["right_id"].to_pylist(), strict=True))
        left = {person: record for record, person in truth.items() if record.startswith("l")}
        expected = sum(1 for record, person in truth.items() if record.startswith("r") and person in left)
        right = sum(truth[a] == truth[b] for a, b in pairs)
        return {"links": len(pairs), "right": right, "f1": 2 * right / (len(pairs) + expected)}
    groups = dict(zip(outcome.clusters["id"].to_pylist(), outcome.clusters["cluster"].to_pylist(), strict=True))
    quality = cluster_quality(groups, truth)
    return {
        "precision": quality.pairs.precision, "recall": quality.pairs.recall, "pair_f1": quality.pair_f1,
        "b_cubed_f1": quality.b_cubed_f1,
    }  # fmt: skip
