"""Code lists: `domain/codes/*.csv`, each line `field,code,description`. The one place that reads them."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def code_list(name: str) -> dict[str, dict[str, str]]:
    """All lists of one file as field -> {code: description}, in the file's order.

    `name` is the file without its ending (`cld_r2`, `cld_groups`, `nhs_data_dictionary` …). Raises `FileNotFoundError`
    when there is none.
    """
    lists: dict[str, dict[str, str]] = {}
    source = files("domain") / "codes" / f"{name}.csv"
    with source.open("r", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            lists.setdefault(row["field"], {})[row["code"]] = row["description"]
    return lists


def codes(name: str, field: str) -> dict[str, str]:
    """One list: code -> description. Raises `KeyError` when the file has no such field."""
    return code_list(name)[field]
