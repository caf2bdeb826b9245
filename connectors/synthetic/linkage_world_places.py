"""Postcodes and NHS numbers of the linkage world, both worked out from a number, so that no chunk needs another's.

The postcode areas do not exist; the NHS numbers come from the ranges that were never issued (sources hand-book, 7).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from domain.identifiers import FILLER_NHS_NUMBERS

_AREAS: Final = ("AV", "BV", "DV", "FV", "GV", "HV", "KV", "LV", "MV", "NV", "OV", "PV", "RV", "SV", "TV", "UV", "YV")
_DISTRICTS: Final = 99
_LETTERS: Final = "ABDEFGHJLNPQRSTUWXY"
_PER_OUTCODE: Final = 560  # postcodes in use, as in England; about fifteen addresses share one
_STEP: Final = 733
_BASES: Final = 10_000_000
_PAIRS: Final = 5
_NUMBER_STEP: Final = 3_874_211
_FILLERS: Final = np.array(sorted(int(number) for number in FILLER_NHS_NUMBERS), dtype=np.int64)
PSEUDO_POSTCODE: Final = "ZZ99 3VZ"


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    # A dozen districts of one area, then of the next: a small world has several areas, too.
    dozens = range(1, _DISTRICTS + 1, 12)
    outcodes = [f"{area}{d}" for start in dozens for area in _AREAS for d in range(start, min(start + 12, 100))]
    incodes = [f" {sector}{one}{two}" for sector in range(1, 10) for one in _LETTERS for two in _LETTERS]
    return np.array(outcodes, dtype=object), np.array(incodes, dtype=object)


def postcode(number: NDArray[np.int64]) -> NDArray[np.object_]:
    """The postcode of each number from 0, "" for a negative one. Each number has one of its own."""
    outcodes, incodes = _tables()
    outcode = np.maximum(number, 0) // _PER_OUTCODE
    if outcode.size and int(outcode.max()) >= len(outcodes):
        raise ValueError(f"there are only {len(outcodes) * _PER_OUTCODE:,} postcodes")
    incode = (np.maximum(number, 0) % _PER_OUTCODE * _STEP + outcode * 37) % len(incodes)
    written: NDArray[np.object_] = outcodes[outcode] + incodes[incode]
    written[number < 0] = ""
    return written


def deprivation_fifth(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 (most deprived) to 5 for the neighbourhood of each postcode number: seven postcodes share one."""
    mixed = (number // 7).astype(np.uint64) * np.uint64(2_654_435_761) % np.uint64(2**32)
    return (mixed >> np.uint64(16)).astype(np.int64) % 5 + 1


def nhs_number(person: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """A valid NHS number beginning with 9 for each number of a person; no two persons share one.

    Eight digits come from the person; of two neighbouring ninth digits one at least has a check digit.
    """
    if person.size and int(person.max()) >= _BASES * _PAIRS:
        raise ValueError(f"there are numbers for {_BASES * _PAIRS:,} people only")
    base = 90_000_000 + (person * _NUMBER_STEP + seed * 7919) % _BASES
    nine = base * 10 + person // _BASES * 2
    first, check = _completed(nine)
    second, _ = _completed(nine + 1)
    return np.where((check == 10) | np.isin(first, _FILLERS), second, first)


def _completed(nine: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    total = np.zeros(len(nine), dtype=np.int64)
    for place in range(9):
        total += nine // 10 ** (8 - place) % 10 * (10 - place)
    check = (11 - total % 11) % 11
    return nine * 10 + check, check
