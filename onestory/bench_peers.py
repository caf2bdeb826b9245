"""The peers of the linkage benchmark: Splink as its tutorial has it, Splink as well as we can set it up, recordlinkage.

Each reads the cleaned files and leaves its links beside them; none of them sees the truth. Handed the same model file,
Splink and our own engine give the same weights, so their times can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb  # loaded before the clock starts, as everything below
import splink
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator

from onestory.bench_linkage_child import Clock
from onestory.bench_linkage_data import Files, connect
from onestory.bench_linkage_models import BEST_COMPARISONS, RULES, fill_unseen, guarded, guarded_weight, identifier_sql

if TYPE_CHECKING:
    from splink import SplinkDataFrame

_RANDOM_PAIRS: Final = 1_000_000
_ROUNDS: Final = (("birth_date",), ("forename", "surname"), ("postcode", "forename"))
_DETERMINISTIC: Final = ("l.nhs_number = r.nhs_number", "l.full_name = r.full_name and l.birth_date = r.birth_date")
_QUIET: Final = "ERROR"
assert duckdb and splink


def train_tutorial(clock: Clock, folder: Path) -> None:
    """u by random pairs and three rounds of EM for the model of Splink's tutorials; writes the model file."""
    comparisons = [
        cl.NameComparison("forename"), cl.NameComparison("surname"),
        cl.DateOfBirthComparison("birth_date", input_is_string=True), cl.PostcodeComparison("postcode"),
        cl.ExactMatch("sex"), cl.DamerauLevenshteinAtThresholds("nhs_number", 1),
    ]  # fmt: skip
    _train(clock, Files(folder), comparisons, "tutorial")


def train_best(clock: Clock, folder: Path) -> None:
    """The same training for the best model we can write for Splink; writes the model file."""
    _train(clock, Files(folder), [dict(c) for c in BEST_COMPARISONS], "best")


def splink_plain(clock: Clock, folder: Path, model: str = "tutorial", keep_above: float = 0.0) -> None:
    """From the cleaned files to links on disk with Splink as it comes."""
    files = Files(folder)
    with connect(folder) as connection:
        linker, _, _ = _linker(connection, files, _settings(files, model))
        clock.step("read")
        scored = linker.inference.predict(threshold_match_weight=keep_above)
        clock.step("score")
        _write(connection, f"select record_id_l, record_id_r, match_weight, 'scored' from {_name(scored)}",
               files.links("splink"))  # fmt: skip
        clock.step("write")
        clock.tell(links=_rows(connection, _name(scored)))


def splink_guarded(clock: Clock, folder: Path, model: str = "tutorial", keep_above: float = 0.0) -> None:
    """The same model with cheap questions first and functions computed once, after the identifier stage."""
    _after_identifiers(clock, folder, model, keep_above, "splink_guarded", guard=False)


def splink_best(clock: Clock, folder: Path, model: str = "best", keep_above: float = 0.0) -> None:
    """The best model, the identifier stage and the twin guard."""
    _after_identifiers(clock, folder, model, keep_above, "splink_best", guard=True)


def splink_night(clock: Clock, folder: Path, model: str = "tutorial", keep_above: float = 0.0) -> None:
    """The changed records of a night against everything, either way round, by Splink's own `predict_between`."""
    files = Files(folder)
    with connect(folder) as connection:
        api = DuckDBAPI(connection=connection)
        for side, path in (("care", files.night_left), ("health", files.night_right)):
            connection.execute(f"create table {side}_night as from read_parquet('{path}')")
        linker, care, health = _linker(connection, files, _settings(files, model), api)
        changed_care, changed_health = (
            api.register(f"{side}_night", dataset_display_name=f"{side}_changed") for side in ("care", "health")
        )
        clock.step("read")
        for column in ("forename", "surname"):
            connection.execute(f"create table kept_{column} as from read_parquet('{files.frequency(column)}')")
            lookup = api.register(f"kept_{column}", dataset_display_name=f"lookup_{column}")
            linker.table_management.register_term_frequency_lookup(lookup, column)
        first = linker.inference.predict_between(changed_care, health, threshold_match_weight=keep_above)
        second = linker.inference.predict_between(care, changed_health, threshold_match_weight=keep_above)
        clock.step("score")
        _write(
            connection,
            f"""select record_id_l, record_id_r, match_weight, 'scored' from {_name(first)}
            union all select record_id_l, record_id_r, match_weight, 'scored' from {_name(second)}
             where record_id_l not in (select record_id from care_night)""",
            files.links("splink_night"),
        )
        clock.step("write")


def _train(clock: Clock, files: Files, comparisons: list[Any], name: str) -> None:
    settings = SettingsCreator(
        link_type="link_only", unique_id_column_name="record_id", comparisons=comparisons,
        blocking_rules_to_generate_predictions=list(RULES), retain_matching_columns=False,
    )  # fmt: skip
    with connect(files.folder) as connection:
        linker, _, _ = _linker(connection, files, settings)
        clock.step("read")
        linker.training.estimate_probability_two_random_records_match(list(_DETERMINISTIC), recall=0.8)
        linker.training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=1)
        clock.step("u")
        for columns in _ROUNDS:
            linker.training.estimate_parameters_using_expectation_maximisation(splink.block_on(*columns))
        clock.step("three rounds of EM")
        model = linker.misc.save_model_to_json()
        clock.tell(levels_never_seen=fill_unseen(model))
        files.model(name).write_text(json.dumps(model, indent=1), encoding="utf-8")


def _settings(files: Files, model: str) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(files.model(model).read_text(encoding="utf-8"))
    return settings


def _linker(
    connection: duckdb.DuckDBPyConnection,
    files: Files,
    settings: Mapping[str, Any] | SettingsCreator,
    api: DuckDBAPI | None = None,
) -> tuple[Linker, SplinkDataFrame, SplinkDataFrame]:
    api = api or DuckDBAPI(connection=connection)
    sides = []
    for name, path in (("care", files.left), ("health", files.right)):
        connection.execute(f"create table {name} as from read_parquet('{path}')")
        sides.append(api.register(name, dataset_display_name=f"{name}_record"))
    made = settings if isinstance(settings, SettingsCreator) else dict(settings)
    return Linker(sides, made, log_level=_QUIET), sides[0], sides[1]


def _after_identifiers(
    clock: Clock, folder: Path, model: str, keep_above: float, contender: str, *, guard: bool
) -> None:
    files = Files(folder)
    with connect(folder) as connection:
        api = DuckDBAPI(connection=connection)
        for name, path in (("care", files.left), ("health", files.right)):
            connection.execute(f"create table {name} as from read_parquet('{path}')")
        clock.step("read")
        connection.execute(identifier_sql())
        connection.execute("create table residual as from care where record_id not in (select left_id from accepted)")
        clock.step("identifiers")
        sides = [api.register("residual", dataset_display_name="care_record"),
                 api.register("health", dataset_display_name="health_record")]  # fmt: skip
        linker = Linker(sides, guarded(_settings(files, model)), log_level=_QUIET)
        scored = linker.inference.predict(threshold_match_weight=keep_above)
        clock.step("score")
        weight = guarded_weight("s.match_weight") if guard else "s.match_weight"
        _write(connection, f"""
            select record_id_l, record_id_r, {weight}, 'scored' from {_name(scored)} s
              join care l on l.record_id = s.record_id_l join health r on r.record_id = s.record_id_r
            union all select left_id, right_id, 99.0, 'identifier' from accepted""",
               files.links(contender))  # fmt: skip
        clock.step("write")
        clock.tell(accepted=_rows(connection, "accepted"))


def _name(scored: SplinkDataFrame) -> str:
    return str(scored.physical_name)


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


def _write(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> None:
    connection.execute(f"""copy (select * from ({select}) as links(left_id, right_id, weight, rule))
                           to '{path}' (format parquet)""")


def tight_rules(clock: Clock, folder: Path) -> None:
    """recordlinkage on a few tight rules: index, compare, one sum of scores."""
    import numpy as np
    import pandas as pd
    import recordlinkage

    from onestory.bench_linkage_models import TIGHT_COLUMNS

    clock.start()
    files = Files(folder)
    columns = ["record_id", "nhs_number", "forename", "surname", "birth_date", "sex", "postcode"]
    left, right = (pd.read_parquet(path, columns=columns).set_index("record_id") for path in (files.left, files.right))
    clock.step("read")
    indexer = recordlinkage.Index()
    for together in TIGHT_COLUMNS:
        indexer.block(list(together))
    pairs = indexer.index(left.dropna(subset=["birth_date"]), right.dropna(subset=["birth_date"]))
    clock.step("index")
    compare = recordlinkage.Compare()
    for column in ("forename", "surname"):
        compare.string(column, column, method="jarowinkler", label=column)
    compare.string("birth_date", "birth_date", method="damerau_levenshtein", label="birth_date")
    compare.string("postcode", "postcode", method="damerau_levenshtein", label="postcode")
    compare.exact("sex", "sex", label="sex")
    compare.exact("nhs_number", "nhs_number", label="nhs_number")
    scores = compare.compute(pairs, left, right).sum(axis=1)
    clock.step("compare")
    kept = scores[scores >= 3.0].reset_index()
    kept.columns = pd.Index(["left_id", "right_id", "weight"])
    kept.assign(rule="scored", weight=kept["weight"].astype(np.float64)).to_parquet(files.links("recordlinkage"))
    clock.step("write")
    clock.tell(candidates=len(pairs), links=len(kept))
