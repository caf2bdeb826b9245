"""Any CSV or Parquet file as a table of texts: stripped, blank as missing, with what was found out about the file.

The kind of file, its encoding and its delimiter are told from its bytes, never from its name. A file that cannot be
read whole is refused with the line where it breaks and without a value; nothing is skipped silently.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from linkage.trial.refusal import Refused

if TYPE_CHECKING:
    import pyarrow as pa

_PARQUET, _GZIP = b"PAR1", b"\x1f\x8b"
_MOST_UNPACKED = 4 << 30
_OTHER_KINDS = {
    b"PK\x03\x04": "a workbook or a zip archive; save the sheet as CSV (UTF-8) and use that",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV (UTF-8) and use that",
    b"%PDF": "a PDF; export the data as CSV",
    b"ARROW1": "an Arrow file; save it as Parquet",
    b"SQLite format 3": "a SQLite database; export the table as CSV",
}
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "^": "caret", "~": "tilde"}
# What databases, spreadsheets and pandas write for a missing value; exact, because Null and Na are surnames.
_MISSING = ("NULL", "NaN", "nan", "NaT", "<NA>", "\\N", "#N/A", "N/A", "#N/D")
_SNIFFED_LINES = 200
_DATA_NOT_HEADING = re.compile(
    r"\d{4,}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\S+@\S+\.\S+|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Records:
    """A file as it was understood. `notes` are whole sentences; `delimiter` is None for Parquet."""

    table: pa.Table
    name: str
    encoding: str
    delimiter: str | None
    rows: int
    notes: tuple[str, ...]


def read_records(path: Path) -> Records:
    """Read a CSV or Parquet file into a table of texts.

    Raises:
        Refused: when the file is empty, of another kind, has no headings, or a line does not fit its headings.
    """
    from linkage.trial.typed import read_parquet

    with path.open("rb") as handle:
        start = handle.read(16)
    if not start:
        raise Refused(f"{path.name} is empty (0 bytes); export it again.")
    packed = start.startswith(_GZIP)
    data = _unpacked(path) if packed else b""
    start = data[:16] if packed else start
    for magic, what in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise Refused(f"{path.name} {'holds' if packed else 'is'} {what}.")
    if start.startswith(_PARQUET):
        if packed:
            raise Refused(f"{path.name} is a compressed Parquet file; unpack it first.")
        table, notes = read_parquet(path)
        return _tidied(table, path.name, "Parquet", None, notes)
    return _read_delimited(path.name, data if packed else path.read_bytes())


def _unpacked(path: Path) -> bytes:
    import gzip
    import zlib

    made = bytearray()
    try:
        with gzip.open(path) as stream:
            while part := stream.read(1 << 24):
                made += part
                if len(made) > _MOST_UNPACKED:
                    raise Refused(f"{path.name} unpacks to more than {_MOST_UNPACKED >> 30} GB; unpack it first.")
    except (EOFError, OSError, zlib.error):
        raise Refused(f"{path.name} is compressed but cannot be unpacked; it is cut off or damaged.") from None
    if not made:
        raise Refused(f"{path.name} is a compressed file without content; export it again.")
    return bytes(made)


def _read_delimited(name: str, data: bytes) -> Records:
    text, encoding, notes = _decode(data, name)
    delimiter = ""
    if (declared := re.match(r"sep=(.)\r?\n", text)) and declared[1] in _DELIMITERS:
        delimiter, text = declared[1], text[declared.end() :]
    text = text.lstrip("\r\n")
    if not text.strip():
        raise Refused(f"{name} holds blank lines only; export it again.")
    delimiter = delimiter or _sniff(text)
    table, more = _parse(text, delimiter, name)
    return _tidied(table, name, encoding, delimiter, [*notes, *more])


def _decode(data: bytes, name: str) -> tuple[str, str, list[str]]:
    marked = (encoding for mark, encoding in _MARKS.items() if data.startswith(mark))
    encoding = next(marked, None) or _unmarked(data, name)
    if encoding.startswith("utf-16"):
        try:
            return data.decode(encoding), "utf-16", []
        except UnicodeDecodeError as problem:
            raise Refused(
                f"{name} begins as UTF-16 text but breaks at byte {problem.start}; export it again."
            ) from None
    try:
        return data.decode("utf-8-sig"), encoding, []
    except UnicodeDecodeError:
        return _decode_by_line(data.removeprefix(b"\xef\xbb\xbf"), name)


def _unmarked(data: bytes, name: str) -> str:
    head = data[:4096]
    if b"\0" not in head:
        if b"\0" in data:
            raise Refused(f"{name} holds zero bytes (first at byte {data.index(0)}); it is damaged, export it again.")
        return "utf-8"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > 0.3 * len(head) / 2 and min(even, odd) < 0.05 * len(head):
        return "utf-16-le" if odd > even else "utf-16-be"
    raise Refused(f"{name} is not a table of text and not Parquet; export it as CSV (UTF-8) or Parquet.")


def _decode_by_line(data: bytes, name: str) -> tuple[str, str, list[str]]:
    """Line by line: UTF-8 where the bytes are, Windows-1252 where they are not (one file glued from two exports)."""
    lines, old, new = [], 0, 0
    for line in data.splitlines(keepends=True):
        try:
            text = line.decode("utf-8")
            new += not line.isascii()
        except UnicodeDecodeError:
            old += 1
            text = _windows(line)
        lines.append(text)
    if not new:
        return "".join(lines), "cp1252", []
    note = f"{name}: encodings are mixed; {old:,} lines were read as Windows-1252 and {new:,} as UTF-8."
    return "".join(lines), "mixed", [note]


def _windows(line: bytes) -> str:
    try:
        return line.decode("cp1252")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _sniff(text: str) -> str:
    """The delimiter under which most of the first lines have as many fields as the headings, and many of them."""
    sample = text[: 1 << 20].splitlines()[:_SNIFFED_LINES]
    scores = {}
    for delimiter in _DELIMITERS:
        widths = [len(row) for row in csv.reader(sample, delimiter=delimiter, skipinitialspace=True) if row]
        usual = Counter(widths).most_common(1)[0][0] if widths else 1
        if usual > 1:
            agreeing = sum(width == widths[0] for width in widths) / len(widths)
            scores[delimiter] = (round(agreeing, 1) if widths[0] > 1 else 0.0, usual)
    return max(scores, key=lambda delimiter: scores[delimiter], default=",")


def _parse(text: str, delimiter: str, name: str) -> tuple[pa.Table, list[str]]:
    first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True))
    headings, notes = headings_of(first, name)
    quoted_after_blank = f'{delimiter} "' in text
    table = None if quoted_after_blank else _parse_fast(text, delimiter, len(first))
    if table is None:
        table = _parse_slowly(text, delimiter, name, len(first))
    return table.rename_columns(headings), notes


def _parse_fast(text: str, delimiter: str, width: int) -> pa.Table | None:
    """The table, or None where a line does not fit or a value spans lines: then the slow reader says where."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(place) for place in range(width)]
    lines = text.count("\n") + (not text.endswith("\n")) if "\r" not in text.replace("\r\n", "\n") else -1
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text.encode()),
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=1, block_size=1 << 24),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=False, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={n: pa.string() for n in names}, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table if table.num_rows == lines - 1 else None


def _parse_slowly(text: str, delimiter: str, name: str, width: int) -> pa.Table:
    import pyarrow as pa

    csv.field_size_limit(1 << 28)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    columns: list[list[str]] = [[] for _ in range(width)]
    started = 1
    try:
        for place, row in enumerate(reader):
            if len(row) > 1 == width:
                raise Refused(
                    f"{name}: line 1 is no line of headings (1 field; line {started} has {len(row)}); "
                    "remove titles above the headings."
                )
            if row and len(row) != width:
                raise Refused(
                    f"{name}, line {started}: {len(row)} fields where the headings have {width}; put values that hold "
                    f"a {_DELIMITERS[delimiter]} in double quotes, or mend the line."
                )
            if row and place:
                for column, value in zip(columns, row, strict=True):
                    column.append(value)
            started = reader.line_num + 1
    except csv.Error:
        raise Refused(
            f"{name}, line {started}: a double quote opens a value and is not closed as it should be; mend the line."
        ) from None
    return pa.table({str(place): pa.array(values, pa.string()) for place, values in enumerate(columns)})


def headings_of(first: Sequence[str], name: str) -> tuple[list[str], list[str]]:
    """The headings, made different from one another, and notes about what had to be done for that."""
    tidy = [" ".join(heading.replace("\ufeff", "").split()) for heading in first]
    if any(_DATA_NOT_HEADING.fullmatch(heading) for heading in tidy):
        raise Refused(
            f"{name}: line 1 looks like a record and not like headings; add a first line that names the columns."
        )
    taken: Counter[str] = Counter()
    headings, notes = [], []
    for place, heading in enumerate(tidy, start=1):
        base = heading or f"column {place}"
        if not heading:
            notes.append(f"{name}: column {place} has no heading and is called '{base}' here.")
        taken[base.casefold()] += 1
        again = taken[base.casefold()]
        headings.append(base if again == 1 else f"{base} ({again})")
        if again > 1:
            notes.append(
                f"{name}: more than one column is headed '{base}'; column {place} is called '{headings[-1]}' here."
            )
    return headings, notes


def _tidied(table: pa.Table, name: str, encoding: str, delimiter: str | None, notes: Sequence[str]) -> Records:
    """Blanks taken off, missing values made missing, wholly empty unnamed columns and records left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {}
    for heading in table.column_names:
        column = pc.utf8_trim_whitespace(table[heading])
        gone = pc.is_in(column, value_set=pa.array(["", *_MISSING]))
        column = pc.if_else(gone, pa.scalar(None, pa.string()), column)
        if heading.startswith("column ") and column.null_count == len(column) and len(column):
            continue
        columns[heading] = column
    notes = [note for note in notes if "has no heading" not in note or any(f"'{kept}'" in note for kept in columns)]
    tidy = pa.table(columns)
    filled = [pc.is_valid(column) for column in tidy.columns]
    keep = filled[0] if filled else None
    for more in filled[1:]:
        keep = pc.or_(keep, more)
    if keep is not None and (blank := tidy.num_rows - (pc.sum(keep).as_py() or 0)):
        tidy = tidy.filter(keep)
        notes.append(f"{name}: {blank:,} wholly blank records were left out.")
    return Records(tidy.combine_chunks(), name, encoding, delimiter, tidy.num_rows, tuple(notes))
