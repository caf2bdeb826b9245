"""Client Level Data: select, build, check, decide what the file may be used for, write it and its account.

The files of a release lie in a folder of that release: preparing again writes the same bytes to the same place, and no
file ever replaces that of another release.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from domain.periods import LONDON
from domain.profile import Profile
from domain.run import Finding
from statutory.base import PinnedRelease, PreparedReturn, ReturnStatus
from statutory.client_level_data import reading, report
from statutory.client_level_data.build import Built, build
from statutory.client_level_data.completeness import incomplete_period, incomplete_sources, live_sources
from statutory.client_level_data.records import Period
from statutory.client_level_data.return_file import ASSOCIATION, EVENT_TYPES, FileFacts
from statutory.client_level_data.select import SELECTED, Selection, select
from statutory.client_level_data.specification import Specification, load_specification
from statutory.client_level_data.validate import Validation, validate
from statutory.pack import write_readable_csv, write_statutory_csv, write_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

COLLECTION = "client_level_data"
_IDENTIFY_THE_FILE = ("LA Code", "Reporting Period Start Date", "Reporting Period End Date")


@dataclass(frozen=True)
class _Work:
    """Everything worked out for one file, before any of it is written."""

    period: Period
    selection: Selection
    built: Built
    validation: Validation
    status: ReturnStatus
    findings: tuple[Finding, ...]
    waits_for_data: bool


class ClientLevelData:
    """Client Level Data, one row per event, rolling twelve months."""

    collection = COLLECTION

    def __init__(self, specification: Specification | None = None) -> None:
        self.specification = specification or load_specification()

    def prepare(self, connection: Connection, release: PinnedRelease, profile: Profile) -> PreparedReturn:
        """Read through `connection`, which shows one moment of one release, and write the files.

        Never raises for a problem of the data: the status says what the file may be used for and the findings why.
        """
        work = self._work_out(connection, release, profile)
        folder = profile.returns / COLLECTION / f"release_{release.number}"
        return self._write(work, release, folder, profile)

    def _work_out(self, connection: Connection, release: PinnedRelease, profile: Profile) -> _Work:
        specification, period = self.specification, Period(*profile.reporting_period)
        facts = FileFacts(
            la_code=profile.la_code,
            period_start=period.start,
            period_end=period.end,
            extract_date=release.as_known_at.astimezone(LONDON).date(),
            date_format=specification.date_format,
            allow_test_numbers=profile.synthetic,
        )
        records = reading.read_records(connection)
        states = reading.read_source_states(connection, release.as_known_at)
        last = reading.read_last_file(connection, release.number, specification, facts)
        selection = select(records, period, specification)
        built = build(selection, records, period, specification, facts)
        built.file.previous = last
        validation = validate(built.file, specification)
        missing = incomplete_sources(live_sources(profile, period), states, period)
        status, findings = judge(validation, specification, (*missing, *incomplete_period(period, validation)))
        findings = (*findings, *_rule_findings(validation), *_unmapped_findings(built))
        return _Work(period, selection, built, validation, status, findings, bool(missing))

    def _write(self, work: _Work, release: PinnedRelease, folder: Path, profile: Profile) -> PreparedReturn:
        name = file_stem(profile.la_code, work.period, work.status)
        frame = work.built.file.frame
        path = folder / f"{name}.csv"
        sha256 = write_statutory_csv(path, list(frame.columns), [frame[heading].tolist() for heading in frame.columns])
        about = {
            "Council": profile.la_code,
            "Period": f"{work.period.start} to {work.period.end}",
            "Release": f"{release.number}, as known at {release.as_known_at.isoformat()}",
            "Rules": self.specification.rules_year,
            "Status": work.status.value,
            "Rows": str(len(frame)),
            "SHA-256": sha256,
        }
        return PreparedReturn(
            collection=COLLECTION,
            status=work.status,
            release=release,
            period_start=work.period.start,
            period_end=work.period.end,
            path=path,
            sha256=sha256,
            rows=len(frame),
            errors=work.validation.errors,
            counts=_counts(work),
            findings=work.findings,
            other_paths=_write_accounts(work, path, about),
            waits_for_data=work.waits_for_data,
        )


def _write_accounts(work: _Work, file: Path, about: Mapping[str, str]) -> dict[str, Path]:
    """Write what lies beside the file: none of it holds a value of a person."""
    paths = {
        f"{name}_path": file.with_name(f"{file.stem}_{name}{ending}")
        for name, ending in (
            ("validation", ".csv"),
            ("failures", ".csv"),
            ("selection", ".csv"),
            ("summary", ".md"),
            ("account", ".json"),
        )
    }
    lines = work.selection.lines
    write_readable_csv(paths["validation_path"], report.HEADINGS, report.grouped_lines(work.validation))
    write_readable_csv(paths["failures_path"], report.FAILURE_HEADINGS, report.failure_lines(work.validation.failures))
    write_readable_csv(paths["selection_path"], list(lines.columns), lines.itertuples(index=False, name=None))
    page = report.readable_page(f"{file.stem}: validation", work.validation, about, work.selection.counts())
    write_text(paths["summary_path"], page)
    account = {**about, "counts": _counts(work), "findings": [finding.as_dict() for finding in work.findings]}
    write_text(paths["account_path"], json.dumps(account, indent=2, ensure_ascii=False) + "\n")
    return paths


def file_stem(la_code: str, period: Period, status: ReturnStatus) -> str:
    """`990_CLD_2025-04-01_2026-03-31` (returns 2.2); what may not be sent says so in its name."""
    ending = "" if status is ReturnStatus.SUBMISSION else f"_{status.value.upper()}"
    return f"{la_code}_CLD_{period.start}_{period.end}{ending}"


def judge(
    validation: Validation, specification: Specification, incomplete: Sequence[Finding]
) -> tuple[ReturnStatus, tuple[Finding, ...]]:
    """What the file may be used for. There is no way to override `partial`: a later complete file is the remedy."""
    if incomplete:
        return ReturnStatus.PARTIAL, tuple(incomplete)
    wrong = [code for code in specification.not_to_be_sent_when_failing if validation.outcome(code).failed]
    wrong += [r.entry.heading for r in validation.fields if r.entry.heading in _IDENTIFY_THE_FILE and r.failed.any()]
    if not len(validation.fields[0].check):
        wrong.append("no rows")
    if wrong:
        message = f"the file was built wrongly: {', '.join(wrong)}"
        return ReturnStatus.FAILED_VALIDATION, (Finding("BUILT_WRONGLY", message, "report this; do not send the file"),)
    return ReturnStatus.SUBMISSION, ()


def _rule_findings(validation: Validation) -> tuple[Finding, ...]:
    failed = ((rule, outcome) for rule, outcome in validation.rules if outcome.failed and rule.level != "info")
    return tuple(
        Finding(rule.code, f"{rule.level}, {len(outcome.references)} rows: {rule.text}", rule.remedy)
        for rule, outcome in failed
    )


def _unmapped_findings(built: Built) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            "UNMAPPED", f"{heading}: {rows} records hold a source value without a counterpart", "extend the code map"
        )
        for heading, rows in built.unmapped.items()
    )


def _counts(work: _Work) -> dict[str, int]:
    frame = work.built.file.frame
    counts = {"rows": len(frame), "people": int(frame["LA Person Unique Identifier"].nunique())}
    counts |= {f"rows_{kind.lower()}": int((frame["Event Type"] == kind).sum()) for kind in EVENT_TYPES}
    counts["rows_carer_by_association"] = int((frame["Client Type"] == ASSOCIATION).sum())
    counts |= {"errors": work.validation.errors, "warnings": work.validation.warnings}
    for (kind, reason), rows in work.selection.counts().items():
        if reason != SELECTED:
            name = "carer" if kind == ASSOCIATION else kind.lower()
            counts[f"left_out_{name}_{reason}"] = rows
    return counts
