"""The fast executor: any Splink settings file as set-based DuckDB SQL, the same weight for every pair to 1e-9.

Read in this order: `settings` (the file, read once), `records` (both files prepared), `joins` (which records meet),
`weights` and `distances` (what a pair weighs, cheaply), `identifiers` (equal numbers first), `run` (the whole step),
`patterns` (counts for training). `expressions` holds the rewrites that they share.
"""

from linkage.executor.identifiers import IdentifierStage
from linkage.executor.patterns import count_patterns
from linkage.executor.run import ExecutorCounts, RuleCounts, run_executor
from linkage.executor.settings import CompiledModel, SettingsRefused, compile_settings
from linkage.model import Guard

__all__ = [
    "CompiledModel",
    "ExecutorCounts",
    "Guard",
    "IdentifierStage",
    "RuleCounts",
    "SettingsRefused",
    "compile_settings",
    "count_patterns",
    "run_executor",
]
