"""The same model file on a Spark cluster: the way out for councils whose records no longer fit one machine.

Splink runs there; this module turns the model's conditions from DuckDB's SQL into Spark's and gives Spark the very
string distances that DuckDB computes, so that every pair gets the weight it has on one machine. Needs
`onestory[spark]` and a Java runtime. Fifteen times the time of the executor on one machine (linkage handbook 8): use
it when there is no other way.

    python -m linkage.on_spark MODEL.json LEFT.parquet [RIGHT.parquet] --out SCORED.parquet
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from sqlglot import exp

#: Functions on lists that Spark calls otherwise.
_SPOKEN = {"list_intersect": "array_intersect", "list_distinct": "array_distinct", "list_contains": "array_contains"}

#: Names of our own for distances that Spark lacks or that its libraries compute in another way.
_OURS = {
    "jaro_winkler_similarity": "onestory_jaro_winkler",
    "jaro_similarity": "onestory_jaro",
    "damerau_levenshtein": "onestory_damerau_levenshtein",
    "levenshtein": "onestory_levenshtein",
    "hamming": "onestory_hamming",
}


class NotForSpark(ValueError):
    """The model asks for what Spark cannot do; the message names the function."""


def settings_for_spark(settings: Mapping[str, Any], lists: Sequence[str]) -> dict[str, Any]:
    """The model with every condition and blocking rule in Spark's SQL.

    `lists` names the columns that hold lists: the length of a list and of a text are two functions there. Raises
    `NotForSpark` for a string distance that is not among those this module brings.
    """
    made: dict[str, Any] = json.loads(json.dumps(dict(settings)))
    made["sql_dialect"] = "spark"
    for comparison in made["comparisons"]:
        for level in comparison["comparison_levels"]:
            level["sql_condition"] = in_spark_sql(level["sql_condition"], lists)
    made["blocking_rules_to_generate_predictions"] = [
        {**rule, "blocking_rule": in_spark_sql(rule["blocking_rule"], lists), "sql_dialect": "spark"}
        if isinstance(rule, dict)
        else in_spark_sql(rule, lists)
        for rule in made["blocking_rules_to_generate_predictions"]
    ]
    return made


def in_spark_sql(condition: str, lists: Sequence[str] = ()) -> str:
    """One condition of DuckDB's SQL in Spark's, with our names for string distances."""
    import sqlglot

    if condition.strip().upper() == "ELSE":
        return "ELSE"
    tree = sqlglot.parse_one(f"({condition})", read="duckdb")
    for node in reversed(list(tree.walk())):  # what is inside first, for a replaced node takes its parts along
        spoken = _spoken(node, frozenset(lists))
        if spoken is not node:
            node.replace(spoken)
    return str(tree.this.sql(dialect="spark"))


def _spoken(node: exp.Expression, lists: frozenset[str]) -> exp.Expression:
    from sqlglot import exp

    if isinstance(node, exp.ArrayOverlaps):
        return exp.Anonymous(this="arrays_overlap", expressions=[node.this, node.expression])
    if isinstance(node, exp.Length | exp.ArraySize) and _is_list(node.this, lists):
        return exp.Anonymous(this="size", expressions=[node.this])
    name = _function_name(node)
    if name in _SPOKEN:
        return exp.Anonymous(this=_SPOKEN[name], expressions=_arguments(node))
    if name in _OURS:
        return exp.Anonymous(this=_OURS[name], expressions=_arguments(node))
    if name.startswith("list_") or "similarity" in name or "distance" in name:
        raise NotForSpark(f"the model compares with {name}, which has no counterpart on Spark yet")
    return node


def _function_name(node: exp.Expression) -> str:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    known = {exp.Levenshtein: "levenshtein", exp.JarowinklerSimilarity: "jaro_winkler_similarity"}
    return next((name for kind, name in known.items() if isinstance(node, kind)), "")


def _arguments(node: exp.Expression) -> list[exp.Expression]:
    return list(node.expressions) if node.expressions else [node.this, node.expression]


def _is_list(node: exp.Expression, lists: frozenset[str]) -> bool:
    from sqlglot import exp

    if isinstance(node, exp.Column):
        return node.name[:-2] in lists or node.name in lists
    return isinstance(node, exp.Func) and not isinstance(node, exp.Left | exp.Right | exp.Substring)


def open_spark(memory: str = "2g", threads: int = 2) -> SparkSession:
    """A local Spark session with DuckDB's string distances; on a cluster pass a session of your own to `score`."""
    import os

    from pyspark.sql import SparkSession

    os.environ.setdefault(
        "PYSPARK_PYTHON", sys.executable
    )  # else the workers start another Python, without our packages
    return (
        SparkSession.builder.master(f"local[{threads}]")
        .appName("OneStory linkage")
        .config("spark.driver.memory", memory)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", str(4 * threads))
        .getOrCreate()
    )


def score(
    spark: SparkSession, settings: Mapping[str, Any], files: Sequence[Path], frequencies: Mapping[str, Path], out: Path
) -> int:
    """Score all candidates of one or two Parquet files of prepared records; returns the number of pairs written.

    `out` becomes a folder of Parquet files: left_id, right_id, match_weight. `frequencies` maps a column to a Parquet
    file (column, tf_column) of frozen name frequencies; columns without one are counted anew, as Splink does.
    """
    import logging

    from splink import Linker, SparkAPI

    for name, (function, kind) in _distances().items():
        spark.udf.register(name, _arrow(function, kind))
    # Otherwise a missing list has the length -1 and would count as one.
    spark.conf.set("spark.sql.legacy.sizeOfNull", "false")
    tables = [spark.read.parquet(str(path)) for path in files]
    lists = [name for name, kind in tables[0].dtypes if kind.startswith("array")]
    api = SparkAPI(spark_session=spark, register_udfs_automatically=False, break_lineage_method="persist")
    names = ["left_file", "right_file"]
    nodes = [api.register(table, dataset_display_name=name) for table, name in zip(tables, names, strict=False)]
    linker = Linker(nodes, settings_for_spark(settings, lists))
    logging.getLogger("splink").setLevel(logging.ERROR)
    for column, path in frequencies.items():
        known = api.register(spark.read.parquet(str(path)), dataset_display_name=f"frequency_of_{column}")
        linker.table_management.register_term_frequency_lookup(known, column)
    scored = linker.inference.predict().as_spark_dataframe()
    key = settings["unique_id_column_name"]
    pairs = scored.selectExpr(f"{key}_l as left_id", f"{key}_r as right_id", "match_weight").persist()
    pairs.write.mode("overwrite").parquet(str(out))
    return int(pairs.count())


def _distances() -> dict[str, tuple[Callable[[str, str], float], str]]:
    import jellyfish

    return {
        _OURS["jaro_winkler_similarity"]: (jellyfish.jaro_winkler_similarity, "double"),
        _OURS["jaro_similarity"]: (jellyfish.jaro_similarity, "double"),
        _OURS["damerau_levenshtein"]: (jellyfish.damerau_levenshtein_distance, "int"),
        _OURS["levenshtein"]: (jellyfish.levenshtein_distance, "int"),
        _OURS["hamming"]: (jellyfish.hamming_distance, "int"),
    }


def _arrow(function: Callable[[str, str], float], kind: str) -> Any:
    """The distance over two columns; missing stays missing. DuckDB compares bytes and not letters, so this does."""
    from pyspark.sql.functions import udf

    def compared(left: str | None, right: str | None) -> float | None:
        if left is None or right is None:
            return None
        return function(left.encode().decode("latin-1"), right.encode().decode("latin-1"))

    return udf(compared, kind, useArrow=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m linkage.on_spark", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("model", type=Path, help="a model file in Splink's settings format")
    parser.add_argument("files", type=Path, nargs="+", help="one or two Parquet files of prepared records")
    parser.add_argument("--out", type=Path, required=True, help="folder for the scored pairs (Parquet)")
    parser.add_argument("--frequency", action="append", default=[], metavar="COLUMN=FILE", help="frozen frequencies")
    parser.add_argument("--memory", default="2g", help="memory of the local Spark driver (default 2g)")
    given = parser.parse_args(arguments)
    settings = json.loads(given.model.read_text(encoding="utf-8"))
    frequencies = {column: Path(path) for column, _, path in (text.partition("=") for text in given.frequency)}
    spark = open_spark(given.memory)
    try:
        pairs = score(spark, settings, given.files, frequencies, given.out)
    finally:
        spark.stop()
    print(f"{pairs:,} pairs scored into {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
