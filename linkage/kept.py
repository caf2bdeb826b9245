"""What a link run made of every record, kept for the next night in the council's own folder.

The file holds the source rows, what standardising and blocking made of them, and the edges; it is readable by its owner
alone and goes with the home. It counts only for the run that the database names as its last, by the same model and
program; in any other case it is thrown away and filled anew, so nothing that happens to it can change a result.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from linkage.model import Model

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: Tables of a calculation that the next night begins with.
TABLES = (
    "source_person",
    "source_address",
    "source_reference",
    "base",
    "base_place",
    "fact_common_date",
    "fact_communal",
    "fact_contact",
    "standard",
    "all_block_key",
    "block_size",
    "known_as",
    "named",
    "stated_pair",
    "digest",
)
_IN_USE = ("set lock on file", "already attached by")  # of DuckDB's words for a file that somebody else has open
_NAMES = {"digest": "digest_now"}
_EDGE = """left_id, right_id, rule, pair_decision, pair_reason, round(weight, 6) as weight,
  round(weight_without_number, 6) as weight_without_number, by_demographics, numbers, levels,
  decision as stored_decision, reason as stored_reason"""


@dataclass(frozen=True, slots=True)
class Kept:
    """The file of one council, attached to a calculation as the database `kept`."""

    calculation: duckdb.DuckDBPyConnection
    program: str  # by which it is read and written: model, code, library, kind of council
    is_usable: bool  # it was left by exactly the run before

    @staticmethod
    def attach(
        calculation: duckdb.DuckDBPyConnection, path: Path, model: Model, *, synthetic: bool, run: str | None
    ) -> Kept | None:
        """Open the file; what is not of `run`, the last that the database knows, gives way to an empty one.

        None when another process has it open: then nothing is kept this time.
        """
        import duckdb

        program = _program(model, synthetic=synthetic)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        try:
            _open(calculation, path)
            if _signature(calculation) == _sign(run, program):
                return Kept(calculation, program, is_usable=True)
            calculation.execute("detach kept")
        except duckdb.Error as problem:
            if any(told in str(problem) for told in _IN_USE):
                return None
            _detach(calculation)
        discard(path)
        _open(calculation, path)
        return Kept(calculation, program, is_usable=False)

    def keep_all(self) -> None:
        """Keep what a run over all records made; it counts once `finish` says whose it is."""
        self.calculation.execute("begin; drop table if exists kept.about")
        for table in TABLES:
            self.calculation.execute(f"create or replace table kept.{table} as from {_NAMES.get(table, table)}")
        self.calculation.execute("commit")

    def changed_since(self, versions: pa.Table) -> pa.Table:
        """record_id of every record with another current row in `versions` (of all rows) than when this was kept."""
        self.calculation.register("version_read", versions)
        return self.calculation.sql("""
            select record_id from version_read anti join kept.source_version using (kind, version_id, record_id)
            union
            select record_id from kept.source_version anti join version_read using (kind, version_id, record_id)
            """).to_arrow_table()

    def finish(self, run: str, versions: pa.Table) -> None:
        """Keep the decided edges and the versions of rows this was made from, and say that all is of `run`.

        To be called when the database holds that run.
        """
        self.calculation.register("version_read", versions)
        self.calculation.execute("begin")
        if self.is_usable:
            self.calculation.execute("""delete from kept.source_version
                where (kind, version_id, record_id) not in (select (kind, version_id, record_id) from version_read)""")
            self.calculation.execute("""insert into kept.source_version by name
                from version_read anti join kept.source_version using (kind, version_id, record_id)""")
            self.calculation.execute("delete from kept.edge where left_id in (from affected)")
            self.calculation.execute(f"""insert into kept.edge by name
                select {_EDGE} from decided_edge where left_id in (from affected)""")
        else:
            self.calculation.execute("create or replace table kept.source_version as from version_read")
            self.calculation.execute(f"create or replace table kept.edge as select {_EDGE} from decided_edge")
        self.calculation.execute("create or replace table kept.about as select $signature as signature",
                                 {"signature": _sign(run, self.program)})  # fmt: skip
        self.calculation.execute("commit")


def discard(path: Path) -> None:
    """Delete the file and what belongs to it."""
    for file in (path, path.with_name(f"{path.name}.wal")):
        file.unlink(missing_ok=True)


def _open(calculation: duckdb.DuckDBPyConnection, path: Path) -> None:
    calculation.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as kept")
    path.chmod(0o600)


def _detach(calculation: duckdb.DuckDBPyConnection) -> None:
    calculation.execute("detach database if exists kept")


def _signature(calculation: duckdb.DuckDBPyConnection) -> str | None:
    import duckdb

    try:
        return str(calculation.execute("select signature from kept.about").fetchall()[0][0])
    except duckdb.CatalogException:  # a run was interrupted, and nobody's since
        return None


def _sign(run: str | None, program: str) -> str:
    return f"{run}|{program}"


def _program(model: Model, *, synthetic: bool) -> str:
    import duckdb

    told = hashlib.sha256(_code())
    told.update(
        json.dumps([model.version, model.settings, asdict(model.bands), synthetic, duckdb.__version__]).encode()
    )
    return told.hexdigest()


@cache
def _code() -> bytes:
    """A digest of everything that makes rows of records: this package, and the shared parsers of identifiers."""
    told = hashlib.sha256()
    package = Path(str(files("linkage")))
    pages = [page for pattern in ("*.py", "sql/*.sql", "data/*.csv") for page in sorted(package.glob(pattern))]
    for page in (*pages, Path(str(files("domain"))) / "identifiers.py"):
        told.update(page.name.encode() + page.read_bytes())
    return told.digest()
