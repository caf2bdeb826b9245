"""Small numbers in sub-groups: what a report shows, made from what it knows (governance 3, profile `asc`).

Counts below five are not shown, others go to the nearest five, shares to whole per cent, and a rate is not shown when
its numerator or its base is not. The true numbers stay with the run, where only named staff read them (SDC-1 to SDC-3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from linkage.quality import wilson

CONFIDENTIAL = "[c]"
THRESHOLD = 5
PROFILE = {
    "name": "asc",
    "version": "1",
    "threshold": THRESHOLD,
    "sentence": "Counts of sub-groups below 5 are not shown ([c]), others are rounded to the nearest 5 and shares to "
    "whole per cent, so figures may not add up.",
}


def protected(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report as it may leave the run: section 7, and what the front page and section 10 tell of groups, protected.

    Nothing else is changed. `measured.groups.protection` says which rules were used and how many cells are hidden.
    """
    measured = dict(report["measured"])
    groups = dict(measured["groups"])
    rows = [_row(row) for row in groups["rows"]]
    gaps = [shown_gap(gap) for gap in groups["gaps_to_explain"]]
    hidden = sum(value == CONFIDENTIAL for row in rows for value in _values(row))
    groups |= {"rows": rows, "gaps_to_explain": gaps, "largest_gap": shown_gap(groups["largest_gap"])}
    groups["protection"] = {**PROFILE, "base": groups["unit"], "cells_not_shown": hidden}
    measured["groups"] = groups
    front = dict(report["front_page"])
    front["headlines"] = dict(front["headlines"])
    front["headlines"]["largest_group_gap"] = shown_gap(front["headlines"]["largest_group_gap"])
    return {**report, "measured": measured, "front_page": front}


def count(value: int) -> int | str:
    """A count of people of a sub-group: `[c]` below the threshold, else the nearest five."""
    return CONFIDENTIAL if value < THRESHOLD else 5 * round(value / 5)


def rate(hits: int, base: int) -> Any:
    """An estimate with its interval in whole per cent of rounded counts; `[c]` where one of its counts is not shown.

    Rate and interval are those of the treated numbers, so that neither gives the true ones away.
    """
    if base < THRESHOLD:
        return CONFIDENTIAL
    if hits < THRESHOLD or 0 < base - hits < THRESHOLD:  # the others of the base are a count as well
        return CONFIDENTIAL
    whole = 5 * round(base / 5)
    treated = wilson(min(whole, 5 * round(hits / 5)), whole)
    return {name: round(part or 0.0, 2) for name, part in treated.as_dict().items() if name in ("value", "low", "high")}


def shown_gap(gap: Any) -> Any:
    """A gap between groups in whole points; without its figures when it rests on fewer than five missed links."""
    if not isinstance(gap, Mapping):
        return gap
    if gap.get("missed", THRESHOLD) < THRESHOLD:
        return {**{k: gap[k] for k in ("dimension", "group", "best", "is_flagged")}, "points": CONFIDENTIAL}
    return {k: round(v) if k in ("points", "low", "high") else v for k, v in gap.items() if k != "missed"}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    linked, missed, false = row["linkage_rate"], row["missed"], row["false"]
    rated = rate(linked["hits"], linked["base"])
    is_shown = rated != CONFIDENTIAL
    apart = row["standardised_difference"]
    gap = shown_gap(row["gap"])
    return {
        "dimension": row["dimension"],
        "group": row["group"],
        "records": count(row["records"]),
        "linkage_rate": rated,
        "points_from_overall": round(row["points_from_overall"]) if is_shown else CONFIDENTIAL,
        "standardised_difference": (None if apart is None else round(apart, 1)) if is_shown else CONFIDENTIAL,
        "hidden_links": count(row["hidden_links"]),
        "missed": _few(missed),
        "false": _few(false),
        "flag": row["flag"],
        "gap": gap,
    }


def _few(estimate: Mapping[str, Any]) -> Any:
    if estimate["value"] is None or estimate["base"] < THRESHOLD:
        return CONFIDENTIAL
    if estimate["hits"] < THRESHOLD:
        base = 5 * round(estimate["base"] / 5)
        return {"below": round(min(1.0, THRESHOLD / base), 2), "base": base}
    return rate(estimate["hits"], estimate["base"])


def _values(row: Mapping[str, Any]) -> list[Any]:
    return [value for name, value in row.items() if name != "gap"]
