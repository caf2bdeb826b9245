"""Our own engine as a contender of the linkage benchmark: the executor and its training.

It reads the same cleaned files and the same model file as the peers. What is not part of this version is told as
missing, and the figure is left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb  # loaded before the clock starts
import numpy as np
import pyarrow.parquet as pq

from linkage.executor import Guard, compile_settings, count_patterns, run_executor
from linkage.executor.memory import parts_for
from onestory.bench_linkage_child import Clock
from onestory.bench_linkage_data import Files, connect
from onestory.bench_linkage_models import GUARDS, TIGHT_RULES, identifier_stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

assert duckdb
_SAMPLE: Final = 1_000  # records of each file, every one against every other: a million random pairs
_NUMBER_U: Final = 1e-6


def linked(
    clock: Clock, folder: Path, model: str = "tutorial", keep_above: float = 0.0, identifiers: bool = True,
    memory: str = "4GB",
) -> None:  # fmt: skip
    """From the cleaned files to links on disk: identifiers first, the rest compiled from the model file."""
    files = Files(folder)
    settings = json.loads(files.model(model).read_text(encoding="utf-8"))
    _run(clock, files, settings, files.links("ours"), keep_above, identifiers=identifiers, memory=memory)


def best(clock: Clock, folder: Path, model: str = "ours_best", keep_above: float = 0.0) -> None:
    """The best model's levels with our training, the identifier stage and the guards."""
    files = Files(folder)
    settings = json.loads(files.model(model).read_text(encoding="utf-8"))
    guards = [
        Guard(f"guard {n}", "see the hand-book, 7.1", condition, bits) for n, (bits, condition) in enumerate(GUARDS)
    ]
    _run(clock, files, settings, files.links("ours_best"), keep_above, identifiers=True, guards=guards)


def tight_rules(clock: Clock, folder: Path, model: str = "tutorial", keep_above: float = 0.0) -> None:
    """The same model on the few rules that recordlinkage gets, without the identifier stage, which it does not have."""
    files = Files(folder)
    settings = json.loads(files.model(model).read_text(encoding="utf-8"))
    settings["blocking_rules_to_generate_predictions"] = [
        {"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in TIGHT_RULES
    ]
    _run(clock, files, settings, files.links("ours_tight_rules"), keep_above, identifiers=False)


def _run(
    clock: Clock, files: Files, settings: Mapping[str, Any], target: Path, keep_above: float, *, identifiers: bool,
    guards: Sequence[Guard] = (), memory: str = "4GB",
) -> None:  # fmt: skip
    with connect(files.folder, memory=memory) as connection:
        for name, path in (("care", files.left), ("health", files.right)):
            connection.execute(f"create view {name} as from read_parquet('{path}')")
        counts = run_executor(
            connection, compile_settings(settings), "care", "health", keep_above=keep_above,
            identifier=identifier_stage() if identifiers else None, guards=guards,
        )  # fmt: skip
        clock.step("identify and score")
        weight = "weight" if guards else "match_weight"
        connection.execute(f"""copy (
            select left_id, right_id, case when rule_number < 0 then 99.0 else {weight} end as weight,
                   case when rule_number < 0 then 'identifier' else 'scored' end as rule
              from scored_pair) to '{target}' (format parquet)""")
        clock.step("write")
        parts = parts_for(connection, *(pq.read_metadata(path).num_rows for path in (files.left, files.right)))
        clock.tell(candidates=sum(rule.candidates for rule in counts.rules), accepted=counts.identifier_accepted,
                   links=counts.kept, parts=parts)  # fmt: skip


def trained(clock: Clock, folder: Path, model: str = "tutorial") -> None:
    """m from pairs of one number by EM over pattern counts, u from a million random pairs; the same levels as Splink.

    Reads the levels, and nothing else, from the peer's model file; leaves its own model file.
    """
    from linkage.training import estimate_m

    files = Files(folder)
    settings = json.loads(files.model(model).read_text(encoding="utf-8"))
    sizes = [sum(not v.get("is_null_level") for v in c["comparison_levels"]) for c in settings["comparisons"]]
    names = [c["output_column_name"] for c in settings["comparisons"]]
    with connect(folder) as connection:
        for name, path in (("care", files.left), ("health", files.right)):
            connection.execute(f"create view {name} as from read_parquet('{path}')")
            connection.execute(f"""create table {name}_some as from {name}
                                    order by hash(record_id, 'u') limit {_SAMPLE}""")
        connection.execute("""create table random_pair as select l.record_id as left_id, r.record_id as right_id
                                from care_some l cross join health_some r""")
        connection.execute("""create table same_number as select l.record_id as left_id, r.record_id as right_id
                                from care l join health r on l.nhs_number = r.nhs_number""")
        compiled = compile_settings(settings)
        patterns, counts = _patterns(connection, compiled, "random_pair", sizes, "care_some", "health_some")
        u = [_shares(patterns[:, n], counts, size) for n, size in enumerate(sizes)]
        u[names.index("nhs_number")] = _fixed(_NUMBER_U, sizes[names.index("nhs_number")])
        clock.step("u")
        for side in ("care", "health"):
            column = "left_id" if side == "care" else "right_id"
            connection.execute(f"""create table {side}_same as from {side}
                                    where record_id in (select {column} from same_number)""")
        patterns, counts = _patterns(connection, compiled, "same_number", sizes, "care_same", "health_same")
        m, share = estimate_m(patterns, counts, u, [name != "nhs_number" for name in names])
        m[names.index("nhs_number")] = _fixed(share, sizes[names.index("nhs_number")])
        clock.step("m")
        rows = connection.execute("""select (select count(*) from care), (select count(nhs_number) from care),
                                            (select count(*) from health)""").fetchall()[0]
    records, numbered, others = (int(n) for n in rows)
    for comparison, m_values, u_values in zip(settings["comparisons"], m, u, strict=True):
        known = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for level, m_value, u_value in zip(known, m_values, u_values, strict=True):
            level["m_probability"], level["u_probability"] = float(m_value), float(u_value)
    expected = float(counts.sum()) * share * records / numbered
    settings["probability_two_random_records_match"] = expected / records / others
    files.model("ours" if model == "tutorial" else f"ours_{model}").write_text(
        json.dumps(settings, indent=1), encoding="utf-8"
    )
    clock.step("write")
    clock.tell(share_of_true_pairs=round(share, 4), pairs=int(counts.sum()))


def _patterns(
    connection: duckdb.DuckDBPyConnection, compiled: Any, pairs: str, sizes: list[int], left: str, right: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Patterns as training wants them: 0 the first level, -1 missing."""
    count_patterns(connection, compiled, pairs, left, right)
    rows = np.array(connection.execute("from pattern_count").fetchall(), dtype=np.int64)
    gammas = rows[:, :-1]
    return np.where(gammas < 0, -1, np.array(sizes) - 1 - gammas), rows[:, -1].astype(np.float64)


def _shares(levels: NDArray[np.int64], counts: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    known = levels >= 0
    found = np.bincount(levels[known], weights=counts[known], minlength=size) + 0.5
    shares: NDArray[np.float64] = found / found.sum()
    return shares


def _fixed(first: float, size: int) -> NDArray[np.float64]:
    """A first level set by hand, a hundredth of the rest for what lies between, the rest for the last."""
    middle = [(1 - first) / 100] * (size - 2)
    return np.array([first, *middle, 1 - first - sum(middle)])
