"""The report of the last run made again from what it stored, to show that its figures rest on nothing else (LNK-1).

Records are standardised anew; links, memberships and decisions are read back. What a run measured while it held every
pair it compared (blocking, hidden numbers, groups, calibration, second opinion, the change since the run before) is an
artefact of that run and stays as it was stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.run import RunContext
from governance.store import Store
from linkage import inputs, outcome, report, report_method
from linkage.decisions import constraints_of
from linkage.engine import open_calculation
from linkage.model import load_model
from linkage.standardise import standardise

_LAST = "select as_known_at, model_version, report from ledger.link_run order by link_run_id desc limit 1"
_LINKS = """select left_record_id as left_id, right_record_id as right_id, rule, decision, reason,
  match_weight as weight, weight_without_number, found_without_identifier as by_demographics, numbers,
  levels::text as levels, pair_decision, pair_reason, model_version, decided_by
  from identity.link where known_to is null order by 1, 2"""
_MEMBERS = """select source_record_id as record_id, person_id, reason from identity.membership
  where known_to is null order by 1"""


def rebuild(store: Store, context: RunContext) -> dict[str, Any]:
    """The last run's report, made again from the identity zone; equal to the stored one, figure by figure.

    Raises `LookupError` before the first run. It differs when source rows, links or decisions changed since the run.
    """
    with store.connect("linker") as connection:
        last = connection.exec_driver_sql(_LAST).one_or_none()
        decisions, listed = inputs.read_decisions(connection), inputs.read_kept_apart(connection)
    if last is None:
        raise LookupError("there has been no link run yet")
    moment, version, stored = last
    model, sources, calculation = load_model(version), inputs.read_sources(store), open_calculation()
    try:
        counts = standardise(
            calculation,
            sources.persons,
            sources.addresses,
            sources.references,
            model=model,
            synthetic=context.profile.synthetic,
        )
        calculation.register("decided_edge", store.read_arrow("linker", _LINKS))
        calculation.register("membership_wanted", store.read_arrow("linker", _MEMBERS))
        outcome.register_constraints(calculation, constraints_of(decisions, listed))
        facts = _artefacts(stored)
        facts["source_data"] = report_method.source_data(calculation, counts)
        facts |= report.of_tables(calculation, context, model, moment, decisions)
        changed = stored["front_page"]["headlines"]["people_whose_identity_changed"]["people"]
        return report.finished(facts, changed)
    finally:
        calculation.close()


def _artefacts(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What the run alone could measure, and who ran it when."""
    return {
        "front_page": dict(stored["front_page"]),
        "method": stored["method"],
        "measured": stored["measured"],
        "change": stored["change"],
    }
