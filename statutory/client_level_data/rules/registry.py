"""The rules of each reporting year; the one place that lists the years."""

from __future__ import annotations

from statutory.client_level_data.rules import year_2025_26
from statutory.client_level_data.rules.base import Rule

_YEARS: dict[str, tuple[Rule, ...]] = {"2025-26": year_2025_26.RULES}


def rules_for(year: str) -> tuple[Rule, ...]:
    """The rules of a reporting year ("2025-26"); raises `KeyError` naming the years there are."""
    if year not in _YEARS:
        raise KeyError(f"no rules for {year}; there are rules for {', '.join(_YEARS)}")
    return _YEARS[year]
