"""The linkage report as data: what went in, how it was linked, what came out, how good it is and why pairs linked.

Sections 0, 2, 3, 4, 5 and 9 of the governance template, counts and agreement patterns only; it is stored with the run
and never changes. The review pages draw it (governance 4.1, LNK-1).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain.run import RunContext
from governance.ledger import code_version
from linkage import report_method, report_quality, report_results
from linkage.deterministic import Rule
from linkage.engine import EdgeFigures
from linkage.identity import Assignment
from linkage.model import Model
from linkage.second_opinion import second_opinion

if TYPE_CHECKING:
    import duckdb


def build(
    calculation: duckdb.DuckDBPyConnection,
    context: RunContext,
    model: Model,
    moment: datetime,
    figures: EdgeFigures,
    assignment: Assignment,
) -> dict[str, Any]:
    """The report of this run, from its tables `standard`, `decided_edge` and `membership_wanted`."""
    results = report_results.results(calculation, model.bands)
    quality = report_quality.estimates(calculation, model.bands, moment)
    quality["second_opinion"] = (
        second_opinion(calculation, model.bands).as_dict()
        if figures.is_full
        else "not measured in this run, because only pairs with a changed record were compared"
    )
    counts = results["counts"]
    precision = _precision(quality)
    for line in results["steps"][0]["rows"] if results["steps"] else []:
        if line["step"] == Rule.PROBABILISTIC:
            line["estimated_precision"] = precision
    changed = sum(not c.is_new or c.split_from is not None for c in assignment.changes)
    return {
        "front_page": _front_page(context, model, moment, counts, quality, changed),
        "source_data": report_method.source_data(calculation, figures),
        "method": report_method.method(model, figures),
        "results": results,
        "quality": quality,
        "why_linked": report_results.patterns(calculation, model),
        "counts": counts,
    }


def _front_page(
    context: RunContext, model: Model, moment: datetime, counts: dict[str, Any], quality: dict[str, Any], changed: int
) -> dict[str, Any]:
    hidden = quality["hidden_numbers"]
    return {
        "title": f"Linkage report, {context.profile.name}",
        "run_id": context.run_id,
        "as_known_at": moment.isoformat(),
        "method_version": model.version,
        "code_version": code_version(),
        "author": context.actor,
        "status": "draft",
        "flows": [source.name for source in context.profile.sources],
        "headlines": {
            "linkage_rate": counts["linkage_rate"],
            "estimated_precision": _precision(quality),
            "estimated_recall": {**hidden["recall"], "how": "links by demographics alone, from the hidden-number test"},
            "largest_group_gap": "not measured, because the section by group is not part of this report yet",
            "people_whose_identity_changed": {"people": changed, "of": counts["people"]},
        },
        "what_this_means": _plain_words(counts),
    }


def _precision(quality: dict[str, Any]) -> dict[str, Any]:
    false = quality["hidden_numbers"]["false_share"]
    return {
        "value": _one_minus(false["value"]),
        "low": _one_minus(false["high"]),
        "high": _one_minus(false["low"]),
        "how": "links by demographics alone, from the hidden-number test",
    }


def _one_minus(value: float | None) -> float | None:
    return None if value is None else 1 - value


def _plain_words(counts: dict[str, Any]) -> str:
    return (
        f"{counts['records']} records of {counts['sources']} sources were brought together into "
        f"{counts['people']} people by "
        f"{counts['links']} links; {counts['reviews']} pairs wait for a person's decision and are not linked "
        f"until then. "
        "Joint figures show people whose links were missed as if they were unknown to the other service; use the "
        "estimates of "
        "section 5 to say how many that may be, and the rule of each link to leave out the weaker ones."
    )
