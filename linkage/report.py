"""The linkage report as data: what went in, how it was linked, what came out, how good it is and why pairs linked.

Sections 0 to 12 of the governance template, counts and agreement patterns only; it is stored with the run and never
changes. What needs a grouping of its own is measured on some runs and says on which (governance 4.1 and 4.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain.run import RunContext
from governance.ledger import code_version
from linkage import (
    report_change,
    report_clerical,
    report_groups,
    report_method,
    report_quality,
    report_results,
    report_safety,
    report_sensitivity,
    report_waterfall,
)
from linkage.deterministic import Rule
from linkage.engine import EdgeFigures
from linkage.identity import Assignment
from linkage.inputs import Decision
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
    decisions: Sequence[Decision] = (),
) -> dict[str, Any]:
    """The report of this run, from its tables `standard`, `decided_edge`, `membership_wanted` and `constraint_used`.

    Args:
        calculation: the run's own tables.
        context: the run.
        model: the model it used.
        moment: as known at.
        figures: what finding the edges took.
        assignment: what became of persons.
        earlier: the report of the run before; what it measured under this model stands for a week (`last_report`).
        decisions: the active human decisions.
    """
    changed = sum(not c.is_new or c.split_from is not None for c in assignment.changes)
    facts = {
        "front_page": _front_page(context, model, moment),
        "source_data": report_method.source_data(calculation, figures.standardised),
        "method": report_method.method(model, figures),
        "measured": measured_by(calculation, context, model, moment, earlier, is_full=figures.is_full),
    }
    facts |= of_tables(calculation, context, model, moment, decisions)
    facts["change"] = report_change.change(calculation, model, facts, earlier, decisions)
    return finished(facts, changed)


def measured_by(
    calculation: duckdb.DuckDBPyConnection,
    context: RunContext,
    model: Model,
    moment: datetime,
    earlier: Mapping[str, Any] | None,
    *,
    is_full: bool,
) -> dict[str, Any]:
    """What is measured once a week and after every run over all pairs; otherwise what an earlier run measured."""
    before = (earlier or {}).get("measured")
    if before is not None and report_quality.still_good(before, model, moment, is_full=is_full):
        return dict(before)
    lookup = context.profile.home / report_groups.DEPRIVATION
    found = report_quality.measured(calculation, model, moment, context.run_id, is_full=is_full, deprivation=lookup)
    return _of_this_model(before, model) | found


def of_tables(
    calculation: duckdb.DuckDBPyConnection,
    context: RunContext,
    model: Model,
    moment: datetime,
    decisions: Sequence[Decision],
) -> dict[str, Any]:
    """The sections that follow from the tables of a run alone, so that they can be made again from what it stored."""
    results = report_results.results(calculation, model.bands)
    return {
        "lawfulness": report_safety.lawfulness(calculation, context),
        "results": results,
        "quality": report_quality.estimates(calculation, model.bands, moment),
        "clerical": report_clerical.clerical(calculation, decisions),
        "why_linked": report_waterfall.why_linked(calculation, model),
        "counts": results["counts"],
    }


def finished(facts: dict[str, Any], changed: int) -> dict[str, Any]:
    """The report with what draws on several sections: precision by step, headlines, limits, decision and hash."""
    counts, measured = facts["counts"], facts["measured"]
    _estimate_steps(facts)
    facts["front_page"]["headlines"] = _headlines(counts, measured, changed)
    facts["front_page"]["what_this_means"] = _plain_words(counts)
    facts["lawfulness"]["framework"] = report_safety.framework(facts)
    facts["limits"] = report_safety.limits(facts)
    facts["decision"] = report_safety.decision() | {"hash": report_safety.digest(facts)}
    return facts


def last_report(connection: Connection) -> dict[str, Any] | None:
    """The report of the last link run, None before the first."""
    found = connection.exec_driver_sql("select report from ledger.link_run order by link_run_id desc limit 1").scalar()
    return found if isinstance(found, dict) else None


def _of_this_model(measured: Mapping[str, Any] | None, model: Model) -> dict[str, Any]:
    """What only a run over all pairs can measure stays until the next one, as long as the model does."""
    return dict(measured) if measured and measured.get("model_version") == model.version else {}


def _front_page(context: RunContext, model: Model, moment: datetime) -> dict[str, Any]:
    return {
        "title": f"Linkage report, {context.profile.name}",
        "run_id": context.run_id,
        "as_known_at": moment.isoformat(),
        "method_version": model.version,
        "parameters": report_method.parameters_digest(model),
        "code_version": code_version(),
        "author": context.actor,
        "reviewers": "nobody yet: see section 12",
        "status": "draft",
        "flows": [source.name for source in context.profile.sources],
    }


def _headlines(counts: Mapping[str, Any], measured: Mapping[str, Any], changed: int) -> dict[str, Any]:
    hidden = measured["hidden_numbers"]
    how = "links by demographics alone, from the hidden-number test"
    return {
        "linkage_rate": counts["linkage_rate"],
        "estimated_precision": {**report_sensitivity.precision_of(hidden["false_share"]), "how": how},
        "estimated_recall": {**hidden["recall"], "how": how},
        "largest_group_gap": measured["groups"]["largest_gap"]
        or "not measured, because no two groups have enough links by number to compare",
        "people_whose_identity_changed": {"people": changed, "of": counts["people"]},
    }


def _estimate_steps(facts: Mapping[str, Any]) -> None:
    """The precision of each step: of links by weight from hidden numbers, of any step from reviewed pairs of it."""
    hidden = report_sensitivity.precision_of(facts["measured"]["hidden_numbers"]["false_share"])
    reviewed = report_clerical.precision_by_step(facts["clerical"])
    for table in facts["results"]["steps"][:1]:
        for line in table["rows"]:
            if line["step"] in reviewed:
                line["estimated_precision"] = {**reviewed[line["step"]], "how": "reviewed pairs"}
            elif line["step"] == Rule.PROBABILISTIC and hidden["value"] is not None:
                line["estimated_precision"] = {**hidden, "how": "hidden numbers"}


def _plain_words(counts: Mapping[str, Any]) -> str:
    return (
        f"{counts['records']} records of {counts['sources']} sources were brought together into "
        f"{counts['people']} people by {counts['links']} links; {counts['reviews']} pairs wait for a person's decision "
        "and are not linked until then. Joint figures show people whose links were missed as if they were unknown to "
        "the other service; use the estimates of section 5 to say how many that may be, and the rule of each link to "
        "leave out the weaker ones."
    )
