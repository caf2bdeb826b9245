"""The statements of a night, written once when a run is kept: reading the model again would cost more than a night.

They are kept as text beside the records; the names of the tables of changed records and the folder are put in on use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linkage.executor.expressions import parse_level, sql
from linkage.executor.identifiers import IdentifierStage, stage_trees
from linkage.executor.joins import MET, Meeting
from linkage.executor.keys import content_key, key_columns, key_rules
from linkage.executor.records import model_trees, quoted, records_select
from linkage.executor.settings import CompiledModel
from linkage.executor.weighing import Output, guard_trees, select_first, select_pairs, select_sieved
from linkage.executor.weights import Frequencies, frequencies_read

NIGHT = Meeting("night_left", "night_right", (), carried=False, row='"__row"')
_READ = re.compile(r't\."[^"]+"')  # a column of the record
_SOURCE, _FOLDER = "__changed_records__", "__kept_folder__"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a night does: the statements, and the settings of the identifier stage."""

    version: str
    duckdb: str
    prepare: Mapping[str, str]
    agreed: str | None  # None: no identifier stage
    settles_both: bool
    weigh: bool
    rules: Sequence[int]
    sieve: str
    weighing: str

    def select(self, side: str, source: str, folder: Path) -> str:
        """The records of `source` prepared with the frequencies kept in the folder, and their keys."""
        text = self.prepare[side].replace(f'"{_SOURCE}"', quoted(source))
        return text.replace(_FOLDER, str(folder).replace("'", "''"))


def make_plan(model: CompiledModel, output: Output, stage: IdentifierStage | None, version: str) -> Plan:
    """Write the statements. Raises `SettingsRefused` for blocking rules that are not equalities alone."""
    read = [*model_trees(model), *guard_trees(model, output.guards)]
    read += [] if stage is None else stage_trees(stage)
    settled, shares = frequencies_read(model)
    columns = dict.fromkeys([*(f.column for f in settled), *shares])
    lookups = {c: f"read_parquet('{_FOLDER}/frequency_{n}.parquet')" for n, c in enumerate(columns)}
    prepare, parts = {}, Frequencies({}, {})
    for side in "rl":
        keys = key_columns(model, stage, side)
        told, _ = records_select(model, source=_SOURCE, side=side, read=read, lookups=lookups, extra=keys)
        keys.append(content_key(sorted(set(_READ.findall(told))), len(keys)))
        prepare[side], parts = records_select(model, source=_SOURCE, side=side, read=read, lookups=lookups, extra=keys)
    line = output.keep_above
    sieve = select_first(MET) if line is None else select_sieved(model, NIGHT, parts, output, line, MET)
    return Plan(
        version, duckdb_version(), prepare,
        None if stage is None else f"({sql(parse_level(stage.agreement))}) >= {stage.accept_at}",
        stage is not None and stage.settles_both, stage is not None and stage.weigh, key_rules(model),
        sieve, select_pairs(model, NIGHT, parts, output),
    )  # fmt: skip


def duckdb_version() -> str:
    """DuckDB's version: its hashes are only promised to stay the same within one."""
    import duckdb

    return str(duckdb.__version__)
