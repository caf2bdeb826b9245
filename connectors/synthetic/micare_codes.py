"""The local codes of the simulated MiCare: a letter for the list, two digits for the entry; some retired ones.

`data/micare_codes.csv` gives each code its meaning in the wording of the national lists. The connector has code maps of
its own (`connectors/micare/codes`); that the two agree is tested, not assumed.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def _codes() -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str], tuple[tuple[str, str, str], ...]]:
    current: dict[tuple[str, str], str] = {}
    retired: dict[tuple[str, str], str] = {}
    described: list[tuple[str, str, str]] = []
    with (files("connectors.synthetic") / "data" / "micare_codes.csv").open("r", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            place = (row["code_set"], row["meaning"])
            if row["is_retired"] == "Y":
                retired[place] = row["code"]
            else:
                current[place] = row["code"]
                described.append((row["code_set"], row["code"], row["meaning"]))
    return current, retired, tuple(described)


def code(code_set: str, meaning: str) -> str:
    """The local code for a meaning; empty for an empty meaning. Raises `KeyError` for a wording outside the lists."""
    return _codes()[0][code_set, meaning] if meaning else ""


def retired_code(code_set: str, meaning: str) -> str | None:
    """A code of earlier years for the same meaning, missing from `CODES`; None when there is none."""
    return _codes()[1].get((code_set, meaning))


def described_codes() -> tuple[tuple[str, str, str], ...]:
    """Code set, code and meaning of every code `CODES` describes."""
    return _codes()[2]
