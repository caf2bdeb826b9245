"""File against specification: which column feeds which field, and what is new, missing or moved (F27 to F30)."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import DeliveryProblem
from connectors.spec import TableSpec
from domain.run import Finding, RunState


def columns_by_field(header: Sequence[str], spec: TableSpec) -> tuple[dict[str, int], tuple[Finding, ...]]:
    """The position of each field's column in the file, and findings for a person.

    Columns are taken by name, so their order does not matter. Unknown ones are left out and reported. Missing optional
    ones are reported.

    Raises:
        DeliveryProblem: refused, when a mandatory column is missing or a heading appears twice.
    """
    positions = {name.strip(): place for place, name in enumerate(header)}
    if len(positions) != len(header):
        raise _refused(
            "DUPLICATE_HEADING", f"{spec.table}: a heading appears more than once", "ask the supplier for the layout"
        )
    missing = [c for c in spec.columns if c.name not in positions]
    needed = [c.name for c in missing if c.required]
    unknown = [name for name in positions if name not in {c.name for c in spec.columns}]
    if needed:
        new = f" (new here: {', '.join(unknown)})" if unknown else ""
        raise _refused(
            "MISSING_COLUMN",
            f"{spec.table}: mandatory column {', '.join(needed)} is missing{new}",
            "ask the supplier whether it was renamed; then change the specification of the table",
        )
    findings = []
    if missing:
        findings.append(
            Finding(
                "OPTIONAL_COLUMN_MISSING",
                f"{spec.table}: no column {', '.join(c.name for c in missing)}",
                "its fields stay empty; tell the owner of the extract",
            )
        )
    if unknown:
        findings.append(
            Finding(
                "UNKNOWN_COLUMN",
                f"{spec.table}: new column {', '.join(unknown)} was not loaded",
                "review the impact assessment, then add it to the specification of the table",
            )
        )
    expected = [c.name for c in spec.columns if c.name in positions]
    if expected != [name for name in positions if name not in unknown]:
        findings.append(Finding("COLUMN_ORDER", f"{spec.table}: columns moved; they were taken by name"))
    return {c.field: positions[c.name] for c in spec.columns if c.name in positions}, tuple(findings)


def _refused(code: str, message: str, remedy: str) -> DeliveryProblem:
    return DeliveryProblem(RunState.REFUSED, Finding(code, message, remedy))
