"""The local codes of the simulated CareFirst: short, padded, with some retired ones nobody describes any more.

`data/carefirst_codes.csv` gives each code its meaning in the wording of the national lists. The connector has code maps
of its own (`connectors/carefirst/codes`); that the two agree is tested, not assumed.
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
    with (files("connectors.synthetic") / "data" / "carefirst_codes.csv").open("r", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            place = (row["code_set"], row["meaning"])
            if row["is_retired"] == "Y":
                retired[place] = row["code"]
            else:
                current[place] = row["code"]
                described.append((row["code_set"], row["code"], row["meaning"]))
    return current, retired, tuple(described)


def code(code_set: str, meaning: str) -> str:
    """The local code for a meaning; empty for an empty meaning.

    Raises:
        KeyError: when the supplier has no code for it: a wording outside the national lists.
    """
    return _codes()[0][code_set, meaning] if meaning else ""


def retired_code(code_set: str, meaning: str) -> str | None:
    """A code of earlier years for the same meaning, missing from `CF_CODE`; None when there is none."""
    return _codes()[1].get((code_set, meaning))


def described_codes() -> tuple[tuple[str, str, str], ...]:
    """Code set, code and meaning of every code `CF_CODE` describes."""
    return _codes()[2]


def element_code(component: str, mechanism: str) -> str:
    """What is bought and how it is paid for, in one code: component, then mechanism (`HOMC-DP`)."""
    parts = (code("COMPONENT", component), code("MECHANISM", mechanism))
    return "-".join(part for part in parts if part)
