"""The validation report: grouped results in the national form with values masked, and a page a manager can read.

Only values of reviewed lists are ever shown (`shown` in the specification); what is not in its list stays masked too,
because anything may have been typed there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from statutory.client_level_data.field_checks import FieldResult
from statutory.client_level_data.formats import CASE_OR_SPACING, CHECK_TEXT, EARLIER_RELEASE, VALID
from statutory.client_level_data.validate import Validation

if TYPE_CHECKING:
    import pandas as pd

HEADINGS = ("module", "field", "field_status", "check", "meaning", "value", "count")
FAILURE_HEADINGS = ("check", "code", "level", "reference")
MASKED = "(masked)"
RULES_MODULE = "Row and file checks"
_MAY_BE_SHOWN = (VALID, CASE_OR_SPACING, EARLIER_RELEASE)


def grouped_lines(validation: Validation) -> Iterator[tuple[str | int, ...]]:
    """The lines of the report: fields in the order of the return, then the rules."""
    for result in validation.fields:
        yield from _field_lines(result)
    for rule, outcome in validation.rules:
        verdict = "failed" if outcome.failed else "passed"
        yield (RULES_MODULE, rule.code, "", verdict, rule.text, rule.level, len(outcome.references))


def _field_lines(result: FieldResult) -> Iterator[tuple[str | int, ...]]:
    import pandas as pd

    cells = pd.DataFrame({"status": result.status, "check": result.check, "value": result.code})
    counts: dict[tuple[int, int, str], int] = {}
    grouped = cells.groupby(["status", "check", "value"]).size().reset_index(name="rows")
    for status, check, code, rows in grouped.astype("int64").itertuples(index=False, name=None):
        shown = _shown(result.values[code], check, result.entry.shown)
        counts[status, check, shown] = counts.get((status, check, shown), 0) + rows
    for (status, check, shown), rows in sorted(counts.items(), key=lambda line: (-line[0][0], -line[0][1], line[0][2])):
        yield (result.entry.module, result.entry.heading, status, check, CHECK_TEXT[check], shown, rows)


def _shown(value: str, check: int, may_be_shown: bool) -> str:
    if value == "":
        return ""
    return value if may_be_shown and check in _MAY_BE_SHOWN else MASKED


def failure_lines(failures: pd.DataFrame) -> Iterator[tuple[str | int, ...]]:
    """One line per failing row and check, for those who mend records: references only, no values."""
    for check, code, level, reference in failures[list(FAILURE_HEADINGS)].itertuples(index=False, name=None):
        yield str(check), int(code) if code.startswith("-") else str(code), str(level), str(reference)


def readable_page(
    title: str, validation: Validation, facts: Mapping[str, str], selection: Mapping[tuple[str, str], int]
) -> str:
    """The same results as a page of text: what was sent, what was left out and why, which checks failed."""
    lines = [f"# {title}", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", "## Rows selected and left out", "", "| Kind | Fate | Records |", "|---|---|---:|"]
    lines += [f"| {kind} | {reason.replace('_', ' ')} | {rows} |" for (kind, reason), rows in selection.items()]
    lines += ["", "## Fields with failures", "", "| Field | Failure | Rows |", "|---|---|---:|"]
    lines += _failing_fields(validation)
    for level, heading in (("error", "Errors"), ("warning", "Warnings"), ("info", "For information")):
        lines += [
            "",
            f"## {heading}",
            "",
            "| Rule | Rows | What is expected | What to do | Figures |",
            "|---|---:|---|---|---|",
        ]
        for rule, outcome in validation.rules:
            if rule.level == level and (outcome.failed or outcome.figures):
                count = str(len(outcome.references)) if outcome.references else ("file" if outcome.failed else "0")
                figures = "; ".join(f"{name}: {value}" for name, value in outcome.figures.items())
                lines.append(f"| {rule.code} | {count} | {rule.text} | {rule.remedy} | {figures} |")
    passed = ", ".join(rule.code for rule, outcome in validation.rules if not outcome.failed)
    lines += ["", f"Passed: {passed or 'none'}.", ""]
    return "\n".join(lines)


def _failing_fields(validation: Validation) -> list[str]:
    lines = []
    for result in validation.fields:
        for code, text in CHECK_TEXT.items():
            rows = int((result.check == code).sum()) if code < 0 else 0
            if rows:
                lines.append(f"| {result.entry.heading} | {text} ({code}) | {rows} |")
    return lines or ["| none | | 0 |"]
