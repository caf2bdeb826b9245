"""The local codes of simulated suppliers, from `data/<supplier>_codes.csv`: each with its meaning in national words.

A retired code has the meaning of a current one, and nobody describes it any more.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class LocalCodes:
    """One supplier's codes: by code set and meaning; `described` are code set, code and meaning of the current ones."""

    current: dict[tuple[str, str], str]
    retired: dict[tuple[str, str], str]
    described: tuple[tuple[str, str, str], ...]

    def code(self, code_set: str, meaning: str) -> str:
        """The code for a meaning; empty for an empty meaning. Raises `KeyError` when the supplier has none for it."""
        return self.current[code_set, meaning] if meaning else ""


@cache
def local_codes(supplier: str) -> LocalCodes:
    """The codes of a supplier."""
    page = files("connectors.synthetic") / "data" / f"{supplier}_codes.csv"
    with page.open("r", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    now, old = ([row for row in rows if (row["is_retired"] == "Y") is gone] for gone in (False, True))
    return LocalCodes(
        {(row["code_set"], row["meaning"]): row["code"] for row in now},
        {(row["code_set"], row["meaning"]): row["code"] for row in old},
        tuple((row["code_set"], row["code"], row["meaning"]) for row in now),
    )
