"""A typed Parquet file as texts: dates as ISO dates, whole numbers without a point, dictionaries opened.

Numbers that are ids often come as floats, because one missing value turned the column; their `.0` is not kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from linkage.trial.refusal import Refused

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(path: Path) -> tuple[pa.Table, list[str]]:
    """The file as a table of texts, and notes about what was left out.

    Raises:
        Refused: when the file is damaged or no column holds plain values.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from linkage.trial.reading import headings_of

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError):
        raise Refused(f"{path.name} begins like Parquet but cannot be opened; it is cut off or damaged.") from None
    plain, notes = [], []
    for field in file.schema_arrow:
        if pa.types.is_nested(field.type):
            notes.append(
                f"{path.name}: column '{field.name}' holds lists or structures and was left out; flatten it to use it."
            )
        elif not pa.types.is_null(field.type):
            plain.append(field.name)
    if not plain:
        raise Refused(f"{path.name} has no column of plain values (text, numbers or dates); flatten it first.")
    try:
        table = file.read(columns=plain)
    except (pa.ArrowInvalid, OSError):
        raise Refused(f"{path.name} cannot be read to its end; it is cut off or damaged.") from None
    headings, more = headings_of(table.column_names, path.name)
    texts = [_text(table.column(place), path.name, heading) for place, heading in enumerate(headings)]
    return pa.table(dict(zip(headings, texts, strict=True))), notes + more


def _text(column: pa.ChunkedArray, name: str, heading: str) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", tz=kind.tz), safe=False).cast(pa.date32(), safe=False).cast(pa.string())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        wide = column.cast(pa.float64())
        wide = pc.if_else(pc.is_finite(wide), wide, pa.scalar(None, pa.float64()))
        if pc.all(pc.equal(wide, pc.floor(wide))).as_py() is not False and _fits(wide):
            return wide.cast(pa.int64()).cast(pa.string())
        return column.cast(pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        try:
            return column.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            raise Refused(
                f"{name}: column '{heading}' holds bytes that are not text; leave it out of the file."
            ) from None
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # Arrow's own words for a type that has no text form
        raise Refused(
            f"{name}: column '{heading}' is of type {kind}, which cannot be compared; save it as text."
        ) from None


def _fits(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    largest = pc.max(pc.abs(column)).as_py()
    return largest is None or largest < 2**53
