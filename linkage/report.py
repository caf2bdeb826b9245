"""The linkage report as data: what went in, how it was linked, what came out, how good it is and why pairs linked.

Sections 0, 2 to 5 and 7 to 9 of the governance template, counts and agreement patterns only; it is stored with the run
and never changes. The review pages draw it (governance 4.1, LNK-1).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain.run import RunContext
from governance.ledger import code_version
from linkage import report_method, report_quality, report_results
from linkage.deterministic import Rule
from linkage.engine import EdgeFigures
from linkage.identity import Assignment
from linkage.model import Model

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection


def build(
    calculation: duckdb.DuckDBPyConnection,
    context: RunContext,
    model: Model,
    moment: datetime,
    figures: EdgeFigures,
    assignment: Assignment,
    earlier: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The report of this run, from its tables `standard`, `decided_edge` and `membership_wanted`.

    Args:
        calculation: the run's own tables.
        context: the run.
        model: the model it used.
        moment: as known at.
        figures: what finding the edges took.
        assignment: what became of persons.
        earlier: the report of the run before; what it measured under this model stands for a week (`last_report`).
    """
    results = report_results.results(calculation, model.bands)
    quality = report_quality.estimates(calculation, model.bands, moment)
    before = (earlier or {}).get("measured")
    if not report_quality.still_good(before, model, moment, is_full=figures.is_full):
        found = report_quality.measured(calculation, model, moment, context.run_id, is_full=figures.is_full)
        before = _of_this_model(before, model) | found
    assert before is not None
    counts = results["counts"]
    precision = _precision(before)
    for line in results["steps"][0]["rows"] if results["steps"] else []:
        if line["step"] == Rule.PROBABILISTIC:
            line["estimated_precision"] = precision
    changed = sum(not c.is_new or c.split_from is not None for c in assignment.changes)
    return {
        "front_page": _front_page(context, model, moment, counts, before, changed),
        "source_data": report_method.source_data(calculation, figures),
        "method": report_method.method(model, figures),
        "results": results,
        "quality": quality,
        "measured": before,
        "why_linked": report_results.patterns(calculation, model),
        "counts": counts,
    }


def last_report(connection: Connection) -> dict[str, Any] | None:
    """The report of the last link run, None before the first."""
    found = connection.exec_driver_sql("select report from ledger.link_run order by link_run_id desc limit 1").scalar()
    return found if isinstance(found, dict) else None


def _of_this_model(measured: Mapping[str, Any] | None, model: Model) -> dict[str, Any]:
    """What only a run over all pairs can measure stays until the next one, as long as the model does."""
    return dict(measured) if measured and measured.get("model_version") == model.version else {}


def _front_page(
    context: RunContext, model: Model, moment: datetime, counts: dict[str, Any], measured: dict[str, Any], changed: int
) -> dict[str, Any]:
    hidden = measured["hidden_numbers"]
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
            "estimated_precision": _precision(measured),
            "estimated_recall": {**hidden["recall"], "how": "links by demographics alone, from the hidden-number test"},
            "largest_group_gap": measured["groups"]["largest_gap"]
            or "not measured, because no two groups have enough links by number to compare",
            "people_whose_identity_changed": {"people": changed, "of": counts["people"]},
        },
        "what_this_means": _plain_words(counts),
    }


def _precision(measured: dict[str, Any]) -> dict[str, Any]:
    false = measured["hidden_numbers"]["false_share"]
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
