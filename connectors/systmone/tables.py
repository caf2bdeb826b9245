"""The tables of one batch as they are written: free text left behind, other organisations' rows never let in.

A table without a specification is counted and catalogued, its content stays in the kept original. What an older release
of the extract lacks is told once for the batch, not once a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Final

from connectors.base import DeliveryProblem, LandedTable, RawFile, TableMode, held, refused
from connectors.landing import TableWriter
from connectors.spec import Column, TableSpec, table_specs
from connectors.systmone.split_archive import SplitArchive
from connectors.systmone.strict_csv import ENCODING, StrictRead, read_table
from domain.run import Finding

SUPPLIER: Final = "systmone"
FOREIGN: Final = "FOREIGN_ORGANISATION"
#: Never taken: what people typed in their own words, and the details of relatives and correspondents (sources 15).
NOT_TAKEN: Final = frozenset({"free_text", "third_party"})
_ANY_TABLE: Final = "*"
_HEADER_BYTES: Final = 64 << 10
#: Columns that the release before lacks (sources 2.11, release A).
_CAME_LATER: Final = re.compile(r"RemovedData|SpineMatched|IDOrganisationRegisteredAt|SNOMED\w*")
_WHOLE_RELEASE: Final = 5  # tables without what came later: fewer are a slip of theirs, no release
_LISTED: Final = re.compile(r"[A-Za-z]\w*(?:, [A-Za-z]\w*)*$")


class Taken(TableSpec):
    """A specification of which only the fields that may be taken are written; the others are known, and left."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are written."""
        return tuple(column.field for column in self.columns if column.sensitivity not in NOT_TAKEN)


def taken(spec: TableSpec) -> TableSpec:
    """The same specification without what is never taken."""
    if all(column.sensitivity not in NOT_TAKEN for column in spec.columns):
        return spec
    return Taken(**{each.name: getattr(spec, each.name) for each in fields(spec)})


@dataclass(slots=True)
class Tables:
    """Writes the tables of one batch below `folder`; `organisations` empty: any organisation's view may come."""

    archive: SplitArchive
    folder: Path
    original: Path
    line_end: str
    organisations: frozenset[str] = frozenset()
    files: list[RawFile] = field(default_factory=list)
    landed: list[LandedTable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _older: list[Finding] = field(default_factory=list)

    def add(self, table: str, mode: TableMode) -> None:
        """Write one table.

        Raises:
            DeliveryProblem: refused as `strict_csv.read_table` says, or `FOREIGN_ORGANISATION` when a row belongs to
                the view of an organisation that is not expected here; held when a bulk of patients holds nobody.
        """
        spec: TableSpec | None = table_specs(SUPPLIER).get(table)
        if spec is None:
            self._catalogue(table)
            return
        parquet = self.folder / f"{spec.dataset}.parquet"
        read = self._read(table, taken(spec), parquet)
        if spec.subject.is_person_table and mode != "delta" and not read.records:
            raise held(
                "NO_ROWS",
                f"{table} is a full extract without a single row",
                "ask the supplier whether the unit really has no patients; accept nothing before",
            )
        if self.organisations and "visible_to" in spec.fields:
            _require_expected(parquet, self.organisations)
        findings = tuple(f for f in read.findings if not self._is_older_layout(f))
        self.landed.append(LandedTable(spec.dataset, f"{table}.csv", parquet, read.records, mode, findings))

    def about_people(self) -> list[LandedTable]:
        """The landed tables whose rows are about somebody."""
        specs = {spec.dataset: spec for spec in table_specs(SUPPLIER).values()}
        return [table for table in self.landed if specs[table.dataset].subject.person]

    def close(self) -> tuple[Finding, ...]:
        """The findings about the batch as a whole."""
        if len(self._older) < _WHOLE_RELEASE:
            self.findings += self._older
        else:
            self.findings.append(
                Finding(
                    "OLDER_LAYOUT",
                    f"{len(self._older)} tables have the layout of an earlier release: without RemovedData a deletion "
                    "cannot be told, so every row counts as not removed",
                    "ask the supplier for the current release",
                )
            )
        return tuple(self.findings)

    def _read(self, table: str, spec: TableSpec, parquet: Path) -> StrictRead:
        name = f"{table}.csv"
        with self.archive.open(table) as stream:
            read = read_table(stream, name, spec, parquet, self.line_end)
        self.files.append(RawFile(name, self.original, read.size_bytes, read.sha256, read.physical_lines, read.records))
        return read

    def _is_older_layout(self, finding: Finding) -> bool:
        if finding.code != "OPTIONAL_COLUMN_MISSING" or not (named := _LISTED.search(finding.message)):
            return False
        columns = named.group().removeprefix("no column ").split(", ")
        is_older = "RemovedData" in columns and all(_CAME_LATER.fullmatch(name) for name in columns)
        if is_older:
            self._older.append(finding)
        return is_older

    def _catalogue(self, table: str) -> None:
        """Count a table that has no specification: a line of the ledger for every row, and nothing of any row."""
        spec = table_specs(SUPPLIER)[_ANY_TABLE]
        parquet = self.folder / f"{spec.dataset}_{table.lower()}.parquet"
        headings = tuple(self._headings(table))
        known = tuple(Column(name, f"left_{place}", "x", False, "free_text") for place, name in enumerate(headings))
        nothing = Taken(table, spec.dataset, "", (), known, None, (), False)
        counted = parquet.with_suffix(".counted")
        read = self._read(table, nothing, counted)
        counted.unlink(missing_ok=True)
        with TableWriter(parquet, replace(spec)) as writer:
            for columns, rows in _numbered(table, read.records):
                writer.write(columns, rows)
        self.landed.append(LandedTable(spec.dataset, f"{table}.csv", parquet, read.records, "delta", ()))
        if not read.records:
            return  # a night without a row of it is no news
        self.findings.append(
            Finding(
                "CATALOGUED",
                f"{table} has no specification: {read.records} rows and {len(headings)} columns, none of them taken; "
                f"its columns are {', '.join(headings)}",
                "write its specification when somebody needs it; the kept original has the rows",
            )
        )

    def _headings(self, table: str) -> Iterator[str]:
        with self.archive.open(table) as stream:
            first = stream.read(_HEADER_BYTES).removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
        for name in re.findall(rb'"([A-Za-z]\w{0,99})"', first):
            yield name.decode(ENCODING, "replace")


def _numbered(table: str, rows: int, at_once: int = 100_000) -> Iterator[tuple[dict[str, list[str]], int]]:
    for start in range(0, rows, at_once):
        count = min(at_once, rows - start)
        lines = [str(start + place) for place in range(1, count + 1)]
        yield {"table_name": [table] * count, "line_number": lines, "is_unspecified": ["TRUE"] * count}, count


def _require_expected(parquet: Path, organisations: frozenset[str]) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    views = pc.unique(pq.read_table(parquet, columns=["visible_to"]).column("visible_to")).to_pylist()
    if {(view or "").strip() for view in views} - organisations - {""}:
        raise foreign()


def foreign() -> DeliveryProblem:
    """The problem to raise for a batch that holds another organisation's rows; it says nothing of them (F19)."""
    return refused(
        FOREIGN,
        "the batch holds the view of an organisation that this council does not receive; it is sealed, nothing of it "
        "was taken and nobody has looked into it",
        "treat it as an incident: tell the information governance officer and the sender; take it out of the inbox",
    )
