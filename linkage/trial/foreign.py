"""A model that no trial made, any Splink settings file, used on an analyst's files as it is: nothing is learnt.

Its columns are found by their headings or by what the columns were understood to mean; the executor weighs the pairs
of its own blocking rules, the same to 1e-9 as Splink would, and the lines of every trial decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from linkage.executor import CompiledModel, ExecutorCounts, SettingsRefused, compile_settings, run_executor
from linkage.trial.deciding import decide
from linkage.trial.foreign_columns import columns_read, found_columns, prepared
from linkage.trial.foreign_facts import foreign_facts
from linkage.trial.refusal import Refused

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from linkage.trial.roles import Roles
    from linkage.trial.run import Outcome, Progress, TrialSettings

_ID = "trial_record"
_KEPT_FROM = -20.0  # bits; weaker pairs decide nothing
_MOST_UNBLOCKED = 50_000_000


def is_foreign(model: Mapping[str, Any]) -> bool:
    """Whether a model carries no sidecar of a trial."""
    return not model.get("sidecar")


def run_foreign(files: Sequence[tuple[pa.Table, Roles]], settings: TrialSettings, progress: Progress | None) -> Outcome:
    """Link or dedupe with a Splink settings file.

    Raises:
        Refused: when the model cannot be read, a column of it is not found, or its conditions do not suit the files.
    """
    import duckdb

    tell = progress or (lambda step, share: None)
    tell("reading the model", 0.0)
    compiled, model = _compiled(settings.model or {}, two_files=len(files) == 2)
    if not model.get("blocking_rules_to_generate_predictions") and _possible(files) > _MOST_UNBLOCKED:
        raise Refused("The model has no blocking rules, and the files are too large to compare every pair; add rules.")
    read = columns_read(compiled)
    columns = [found_columns(read, table.column_names, roles) for table, roles in files]
    with TemporaryDirectory(prefix="linkage-trial-") as spill:
        con = duckdb.connect(
            f"{spill}/trial.duckdb",
            config={"threads": settings.threads, "memory_limit": settings.memory_limit, "temp_directory": spill},
        )
        try:
            names = [f"model_{side}" for side in ("left", "right")[: len(files)]]
            first = 0
            for name, (table, roles), found in zip(names, files, columns, strict=True):
                con.register("prepared", prepared(table, roles, found, key=_ID, first=first))
                con.execute(f"create table {name} as from prepared")
                con.unregister("prepared")
                first += table.num_rows
            tell("comparing pairs", 0.2)
            counts = _scored(con, compiled, names)
            tell("deciding", 0.8)
            return _outcome(con, compiled, model, files, columns, settings, counts)
        finally:
            con.close()


def _compiled(model: Mapping[str, Any], *, two_files: bool) -> tuple[CompiledModel, Mapping[str, Any]]:
    settings = {**model, "link_type": "link_only" if two_files else "dedupe_only", "unique_id_column_name": _ID}
    try:
        return compile_settings(settings), settings
    except SettingsRefused as problem:
        raise Refused(f"The model cannot be used: {problem}.") from None
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        raise Refused("The model cannot be used: it is no settings file as Splink writes it.") from None


def _scored(con: duckdb.DuckDBPyConnection, compiled: CompiledModel, names: Sequence[str]) -> ExecutorCounts:
    import duckdb

    try:
        return run_executor(
            con, compiled, names[0], names[1] if len(names) == 2 else None, keep_above=_KEPT_FROM, levels=True
        )
    except SettingsRefused as problem:
        raise Refused(f"The model cannot be used: {problem}.") from None
    except (duckdb.BinderException, duckdb.ConversionException, duckdb.CatalogException, duckdb.InvalidInputException):
        # the database's own words may quote a value of a person
        raise Refused(
            "The model's conditions cannot be asked of these columns, which are texts here; write its conditions for "
            "texts, with birth dates as yyyy-mm-dd."
        ) from None


def _outcome(
    con: duckdb.DuckDBPyConnection,
    compiled: CompiledModel,
    model: Mapping[str, Any],
    files: Sequence[tuple[pa.Table, Roles]],
    columns: Sequence[Mapping[str, str]],
    settings: TrialSettings,
    counts: ExecutorCounts,
) -> Outcome:
    import pyarrow as pa

    from linkage.trial.run import Outcome

    found = con.execute("select * from scored_pair order by left_id, right_id").fetchnumpy()
    sizes = [table.num_rows for table, _ in files]
    left, right, weight = found["left_id"], found["right_id"], found["match_weight"]
    decision = decide(sizes, left, right, weight, cut=settings.cut, one_to_one_wished=settings.one_to_one)
    chosen, groups = decision.chosen, decision.groups
    ids = pa.concat_arrays([_ids(table, roles) for table, roles in files])
    rules = pa.array([f"blocking rule {rule.number + 1} of the model" for rule in compiled.rules], pa.string())
    links = pa.table(
        {
            "left_id": ids.take(pa.array(left[chosen])),
            "right_id": ids.take(pa.array(right[chosen])),
            "weight": weight[chosen],
            "rule": rules.take(pa.array(found["rule_number"][chosen])),
            "cluster": groups[left[chosen]],
        }
    )
    sides = pa.array(["left"] * sizes[0] + ["right"] * (sum(sizes) - sizes[0]), pa.string())
    clusters = pa.table({"side": sides, "id": ids, "cluster": groups})
    facts = foreign_facts(compiled, model, files, columns, found, decision, counts, seed=settings.seed)
    return Outcome(links, clusters, dict(settings.model or {}), {**facts, "possible_pairs": _possible(files)})


def _ids(table: pa.Table, roles: Roles) -> pa.Array:
    import pyarrow as pa

    column = roles.id_column
    if column is None:
        return pa.array([str(number) for number in range(table.num_rows)], pa.string())
    return pa.concat_arrays([pa.array([], pa.string()), *table[column].cast(pa.string()).chunks])


def _possible(files: Sequence[tuple[pa.Table, Roles]]) -> int:
    one, other = int(files[0][0].num_rows), int(files[-1][0].num_rows)
    return max(1, one * other if len(files) == 2 else one * (one - 1) // 2)
