"""The fast executor: any Splink settings file as set-based DuckDB SQL, the same weight for every pair to 1e-9.

Read in this order: `settings` (the file, read once), `ways` and `records` (both files prepared, with the keys they meet
by), `ids` (no id twice), `joins` (which records meet, as row numbers), `weights` and `distances` (what a pair weighs,
from cheap questions), `sieve` and `weighing` (the selects that drop the hopeless and weigh the rest), `identifiers`
(equal numbers first), `run` and `memory` (the whole step, in parts where memory asks for it), `patterns` (counts for
training), `changed` (a night's change against a kept run; its parts are `plan`, `keys`, `store`, `state`, `night`).
`expressions` holds what they share. Figures are in docs/benchmarks/linkage.md.
"""

from linkage.executor.changed import ChangedCounts, keep_run, replace_pairs, run_changed
from linkage.executor.identifiers import IdentifierStage
from linkage.executor.ids import RecordsRefused
from linkage.executor.patterns import count_patterns
from linkage.executor.run import ExecutorCounts, RuleCounts, run_executor
from linkage.executor.settings import CompiledModel, SettingsRefused, compile_settings
from linkage.model import Guard

__all__ = [
    "ChangedCounts",
    "CompiledModel",
    "ExecutorCounts",
    "Guard",
    "IdentifierStage",
    "RecordsRefused",
    "RuleCounts",
    "SettingsRefused",
    "compile_settings",
    "count_patterns",
    "keep_run",
    "replace_pairs",
    "run_changed",
    "run_executor",
]
