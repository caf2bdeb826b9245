"""Puts the parts of a county together: each supplier's files as that supplier would have sent them for the whole.

A part's rows are appended and forgotten. Lists that every part writes (pick lists, teams, codes) are kept once. The
SystmOne tables wait unpacked on disk until all parts are there, then each goes through one compressor.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from connectors.synthetic.split_zip import Member, write_split_zip
from connectors.synthetic.systmone_tables import CONTROL_TABLES, REFERENCE_TABLES, SLOW_LISTS
from connectors.systmone.split_archive import open_archive, parts_of

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BLOCK: Final = 4 << 20
_PART: Final = 100_000_000
_LEVEL: Final = 3
#: The files that hold the same rows in every part, by system.
LISTS: Final = {
    "systmone": {*CONTROL_TABLES, *REFERENCE_TABLES, *SLOW_LISTS, "SRCaseload", "SRTeam", "SRTeamMember"},
    "carefirst": {"CF_TEAM", "CF_WORKER", "CF_PROVIDER", "CF_CODE"},
    "micare": {"CODES"},
    "liquidlogic": {"DIM_DEPARTMENT", "DIM_LOOKUP", "DIM_WORKER", "MART_REFRESH"},
}


class Merged:
    """The county's supply and truth in the making."""

    def __init__(self, supply: Path, truth: Path, waiting: Path) -> None:
        self._supply, self._truth, self._waiting = supply, truth, waiting
        self._seen: dict[Path, set[bytes]] = {}
        self._tables: dict[Path, _Table] = {}
        self._rows: dict[Path, int] = {}
        self._archives: dict[Path, list[str]] = {}

    def add(self, folder: Path) -> None:
        """Append what a part wrote below `folder`. Raises ValueError when a file of it cannot be put together."""
        doors: dict[str, Callable[[Path], None]] = {
            "systmone": self._systmone, "carefirst": self._carefirst, "micare": self._micare,
            "liquidlogic": self._liquidlogic, "nhs_number_trace": self._lines,
        }  # fmt: skip
        for home in sorted((folder / "supply").iterdir()):
            if home.name not in doors:
                raise ValueError(f"a county cannot be put together from {home.name}")
            doors[home.name](home)
        for file in sorted((folder / "truth").iterdir()):
            self._append_table(file, self._truth / file.name)

    def close(self) -> dict[str, int]:
        """Finish every file; gives the rows of each truth file."""
        for table in self._tables.values():
            table.close()
        for folder, tables in self._archives.items():
            members = [self._member(self._waiting / folder, table) for table in tables]
            target = self._supply / folder
            target.mkdir(parents=True, exist_ok=True)
            write_split_zip(target, "SRExtract", members, _PART)
        for control in sorted((self._supply / "carefirst").glob("night_*/CF_CONTROL_*.csv")):
            self._recount(control)
        return {path.stem: table.rows for path, table in self._tables.items() if path.parent == self._truth}

    def _systmone(self, home: Path) -> None:
        """Unpack the part's archives onto the waiting tables; the first part's stamps and manifests hold for all."""
        for night in sorted(home.iterdir()):
            (self._supply / "systmone" / night.name).mkdir(parents=True, exist_ok=True)
            for place, delivery in enumerate(sorted(night.iterdir())):
                known = [f for f in self._archives if f.parent.name == night.name]
                folder = known[place] if place < len(known) else Path("systmone") / night.name / delivery.name
                with open_archive(parts_of(delivery / "SRExtract.zip")) as archive:
                    tables = [entry.table for entry in archive.entries]
                    self._archives.setdefault(folder, tables)
                    for table in tables:
                        with archive.open(table) as stream:
                            self._append_csv(_pieces(stream), folder / table, table)

    def _append_csv(self, pieces: Iterator[bytes], name: Path, table: str) -> None:
        target = self._waiting / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if table == "SRManifest" and target.exists():
            return
        if table in LISTS["systmone"]:
            self._append_list(b"".join(pieces), target, b"\r\n")
        else:
            self._append(pieces, target, b"\r\n")

    def _carefirst(self, home: Path) -> None:
        for file in sorted(home.rglob("*")):
            target = self._supply / "carefirst" / file.relative_to(home)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not file.is_file() or (target.exists() and ("CONTROL" in file.name or file.suffix != ".csv")):
                continue
            if "CONTROL" in file.name or file.suffix != ".csv":
                shutil.copyfile(file, target)
                continue
            if file.name.rsplit("_", 1)[0] in LISTS["carefirst"]:
                self._append_list(file.read_bytes(), target, b"\n")
            else:
                self._append(_blocks(file), target, b"\n")
        for control in sorted(home.rglob("CF_CONTROL_*.csv")):
            for line in control.read_text(encoding="cp1252").splitlines()[1:]:
                name, rows = line.split("|")[:2]
                path = self._supply / "carefirst" / control.parent.relative_to(home) / name
                if name.rsplit("_", 1)[0] not in LISTS["carefirst"]:
                    self._rows[path] = self._rows.get(path, 0) + int(rows)

    def _recount(self, control: Path) -> None:
        """The control file's counts and hashes, of the county's files."""
        header, *lines = control.read_text(encoding="cp1252").splitlines()
        told = []
        for line in lines:
            name, _, start, end, _ = line.split("|")
            file, digest = control.parent / name, hashlib.sha256()
            for block in _blocks(file):
                digest.update(block)
            rows = self._rows[file] if file in self._rows else len(self._seen[file])
            told.append(f"{name}|{rows}|{start}|{end}|{digest.hexdigest()}")
        control.write_bytes(("\n".join((header, *told)) + "\n").encode("cp1252"))

    def _micare(self, home: Path) -> None:
        for file in sorted(home.iterdir()):
            target = self._supply / "micare" / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.suffix != ".rows":
                if not target.exists():
                    plan = json.loads(file.read_text(encoding="utf-8"))
                    target.write_text(json.dumps({**plan, "marked": {}}), encoding="utf-8")
            elif file.stem in LISTS["micare"]:
                self._append_list(b"\n" + file.read_bytes(), target, b"\n")
            else:
                with target.open("ab") as out:
                    out.writelines(_blocks(file))

    def _lines(self, home: Path) -> None:
        for file in sorted(home.iterdir()):
            target = self._supply / home.name / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("ab") as out:
                out.writelines(_blocks(file))

    def _liquidlogic(self, home: Path) -> None:
        for file in sorted(home.rglob("*")):
            target = self._supply / "liquidlogic" / file.relative_to(home)
            if file.suffix == ".parquet":
                self._append_table(file, target, once=file.stem in LISTS["liquidlogic"])
            elif file.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)

    def _append_table(self, file: Path, target: Path, *, once: bool = False) -> None:
        import pyarrow.parquet as pq

        rows = pq.read_table(file)
        if once:
            seen = self._seen.setdefault(target, set())
            told = [repr(row).encode() for row in rows.to_pylist()]
            rows = rows.filter([row not in seen for row in told])
            seen.update(told)
        if target not in self._tables:
            self._tables[target] = _Table(target)
        self._tables[target].add(rows)

    def _append(self, pieces: Iterator[bytes], target: Path, line_end: bytes) -> None:
        """Append a file without its mark and, but for the first part's, without its header."""
        first = next(pieces, b"").removeprefix(_BYTE_ORDER_MARK)
        header, _, rest = first.partition(line_end)
        if not target.exists():
            target.write_bytes(header + line_end)
        else:
            with target.open("rb") as known:
                if known.read(len(header) + len(line_end)) != header + line_end:
                    raise ValueError(f"the parts of {target.name} have different headers")
        with target.open("ab") as out:
            out.write(rest)
            out.writelines(pieces)

    def _append_list(self, content: bytes, target: Path, line_end: bytes) -> None:
        """Append the lines of a list that are not there yet."""
        header, *lines = content.removeprefix(_BYTE_ORDER_MARK).split(line_end)
        if not target.exists():
            target.write_bytes(header + line_end if header else b"")
        seen = self._seen.setdefault(target, set())
        new = [line for line in lines if line and line not in seen]
        seen.update(new)
        with target.open("ab") as out:
            out.writelines(line + line_end for line in new)

    def _member(self, folder: Path, table: str) -> Member:
        """A waiting table packed into a file beside it; the table itself goes."""
        source, packed = folder / table, folder / f"{table}.deflate"
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        checksum, size = 0, source.stat().st_size
        with packed.open("wb") as out:
            for block in _blocks(source):
                checksum = zlib.crc32(block, checksum)
                out.write(compressor.compress(block))
            out.write(compressor.flush())
        source.unlink()
        if size >= 1 << 32:
            raise ValueError(f"{table} is larger than 4 GiB, which needs zip64; the simulator does not write that")
        return cast(Member, _OnDisk(f"{table}.csv", checksum, size, packed))


@dataclass(frozen=True, slots=True)
class _OnDisk:
    """A packed file of an archive, read from disk when it is written into it."""

    name: str
    checksum: int
    size: int
    path: Path

    @property
    def packed(self) -> Iterator[bytes]:
        return _blocks(self.path)

    @property
    def packed_size(self) -> int:
        return self.path.stat().st_size


@dataclass(slots=True)
class _Table:
    """A Parquet file that grows part by part."""

    path: Path
    rows: int = 0
    _writer: Any = field(default=None)

    def add(self, table: Any) -> None:
        import pyarrow.parquet as pq

        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self.rows += table.num_rows

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _pieces(stream: Any) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as handle:
        yield from _pieces(handle)
