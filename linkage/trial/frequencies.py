"""Term frequencies counted over people, not records: a rare name is not common because its bearer has many records.

Counting records hurts where one person has many of them (handbook 7.3, point 5). Here a value counts once for each
group of records that a first, unweighted round has put together, so nobody has to choose and no truth is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frequency:
    """One column: the share of people with each record's value, and the chance that two people agree by accident."""

    share: NDArray[np.float64]  # by record; 1.0 where the value is missing
    expected: float


def frequency_of(column: pa.ChunkedArray, groups: NDArray[np.int64]) -> Frequency:
    """Frequencies of one column of cleaned values, one vote for each different value in each group."""
    import numpy as np

    encoded = column.combine_chunks().dictionary_encode()
    codes = np.asarray(encoded.indices.fill_null(-1), dtype=np.int64)
    size = len(encoded.dictionary)
    if not size:
        return Frequency(np.ones(len(codes)), 1.0)
    known = codes >= 0
    votes = np.unique(groups[known] * size + codes[known])
    counts = np.bincount(votes % size, minlength=size).astype(np.float64)
    total = counts.sum()
    expected = float((counts * np.maximum(counts - 1, 0.5)).sum() / (total * max(total - 1, 1)))
    share = counts / total
    return Frequency(np.where(known, share[np.maximum(codes, 0)], 1.0), expected)
