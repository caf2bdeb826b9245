"""What the report says beside figures: lawfulness and safety, limits and advice, and the decision about it.

Sections 1, 11 and 12 of the linkage report (governance 4.1). Every line is there, if only to say that it was not
measured and why; the framework's colours follow from what the same report measured, never from an opinion.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domain.run import RunContext

if TYPE_CHECKING:
    import duckdb

_SUBJECTS = (
    "uncertainty",
    "change communication",
    "safety",
    "ethics and fairness",
    "governance",
    "documentation",
    "verification",
    "evaluation",
)


def lawfulness(calculation: duckdb.DuckDBPyConnection, context: RunContext) -> dict[str, Any]:
    """Section 1: who may see what, and who was kept out of comparison, as counts of all sources together."""
    restricted, alone, never = calculation.execute("""
        select (select count(*) from standard where is_restricted is distinct from false),
               (select count(*) from constraint_used where kind = 'alone'),
               (select count(*) from constraint_used where kind = 'never')""").fetchall()[0]
    return {
        "purpose": "to know which records of social care and community health are of one person, so that care, returns "
        "and planning count people and not records",
        "legal_basis": "that of each flow, in the council's register of flows; a source without a flow in force is "
        "refused before it is read",
        "purpose_class": "identifiable; linkage for direct care, statutory returns and pseudonymised planning",
        "kept_out": [
            {"what": "records of people with protected status, linked by verified number only", "records": restricted},
            {"what": "records a named officer lets join no other", "records": alone},
            {"what": "pairs a named officer lets never join", "records": never},
        ],
        "children_and_restricted_facts": "stopped at the door and counted in the account of section 2 (excluded)",
        "opt_outs": "not counted here: opt-outs stop uses of data, not linkage for care; releases have to apply them",
        "where": "in the council's own database and memory; identifiers only in the identity zone, which the engine's "
        "role reads and no analyst does",
        "separation": "linkage reads identifiers and no event of care; releases carry the lasting person id and no "
        "identifier",
        "minimised": "of every record names, birth and death date, sex, addresses, contacts, practice, ids and ethnic "
        "code (for section 7 alone) are read, nothing else",
        "incidents": "in the incident list of the ledger; none is told here",
        "is_synthetic": context.profile.synthetic,
    }


def framework(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """Red, amber or green for each subject of the quality-assurance framework, with the measured reason."""
    measured, clerical, change = facts["measured"], facts["clerical"], facts["change"]
    recall = measured["hidden_numbers"]["recall"]
    gaps = measured["groups"]["gaps_to_explain"]
    overturned = change["overturned_decisions"]["overturned"]
    is_wide = recall["low"] is None or recall["high"] - recall["low"] > 0.05
    verdicts = {
        "uncertainty": ("red", "no link could be tested")
        if recall["value"] is None
        else ("amber", "the interval of recall is wider than 5 points")
        if is_wide
        else ("green", "recall and false share have intervals below 5 points"),
        "change communication": ("green", "section 10 tells what changed since the last run")
        if "note" not in change
        else ("amber", "the first run has nothing to compare with"),
        "safety": ("red", f"{overturned} decisions of people do not hold")
        if overturned
        else ("green", "every decision of a person holds, and the do-not-link list is kept"),
        "ethics and fairness": ("red", f"{len(gaps)} gaps between groups wait for an explanation")
        if gaps
        else ("amber", "no gap above the agreed line; not all groups of the template can be measured"),
        "governance": ("amber", "this report is a draft until somebody signs section 12"),
        "documentation": ("green", "method, parameters and figures are in this report and its attachments"),
        "verification": ("amber", "no second opinion under this model yet")
        if not (measured.get("second_opinion") or {}).get("disagreement")
        else ("green", "a second method judged a fixed sample (section 5)"),
        "evaluation": ("amber", "no pair of the clerical sample has been reviewed yet")
        if not clerical["sample"]["reviewed"]
        else ("green", f"{clerical['sample']['reviewed']} pairs of the clerical sample have been reviewed"),
    }
    return [{"subject": name, "status": verdicts[name][0], "why": verdicts[name][1]} for name in _SUBJECTS]


def limits(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Section 11: what not to do with the links, how to use their steps, and what is known to be wrong."""
    hidden = facts["measured"]["hidden_numbers"]
    without = hidden["for_people_without_a_number"]
    known = [
        f"{facts['counts']['reviews']} pairs wait for a person's decision; until then they count as different people",
        *(
            f"{gap['dimension']}: links of '{gap['group']}' are missed more often than those of '{gap['best']}'"
            for gap in facts["measured"]["groups"]["gaps_to_explain"]
        ),
    ]
    if without["people_without_a_number"]:
        known.append(
            f"{without['people_without_a_number']} records of social care have no NHS number; their links rest on "
            "demographics alone"
        )
    return {
        "do_not": [
            "do not read a person without a link as somebody unknown to the other service: some links are missed",
            "do not use the model's own probability as an error rate; section 5 shows how far it is from what is true",
            "do not compare small groups across places whose data differ in completeness (section 2)",
        ],
        "advice": [
            "use the step of each link as a filter: leave out links by weight and see whether a finding stands",
            "repeat a finding at the lines of section 8 that are two bits stricter and looser",
            "tell recall and false share of section 5 with every figure that counts people of both services",
        ],
        "known": [{"what": what, "owner": "owner of the linkage", "by": "the next report"} for what in known],
    }


def decision() -> dict[str, Any]:
    """Section 12 as it stands before anybody has signed."""
    return {
        "status": "draft",
        "options": ["approve", "approve with conditions", "reject"],
        "conditions": "",
        "to_sign": [
            {"role": role, "name": "", "date": ""}
            for role in ("information governance lead", "owner of the linkage", "information asset owner")
        ],
    }


def digest(facts: Mapping[str, Any]) -> str:
    """The hash of a report without its decision: what is signed is what was read."""
    told = {name: part for name, part in facts.items() if name != "decision"}
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
