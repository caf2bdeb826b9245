"""Whether the data cover the whole period: a partial extract is never called a submission (returns 2.2).

Three questions, each with its remedy: is the period twelve whole months, has every source delivered up to its last day,
and do the events themselves cover every month (V19)?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.periods import LONDON
from domain.profile import Profile
from domain.run import Finding
from statutory.client_level_data.records import Period
from statutory.client_level_data.validate import Validation


@dataclass(frozen=True, slots=True)
class SourceState:
    """How far one source is known, and whether a delivery after that waits or was refused."""

    source: str
    known_up_to: datetime | None
    has_delivery_waiting: bool


def live_sources(profile: Profile, period: Period) -> list[str]:
    """The sources whose events the whole period needs.

    Not among them: a system that was an archive before the period ended (`archive_from`), and one that tells of no
    events of care (`events: none`), such as a migration's list of old and new ids.
    """
    return [
        source.name
        for source in profile.sources
        if source.options.get("events") != "none"
        and source.options.get("archive_from", "9999-12-31") > period.end.isoformat()
    ]


def incomplete_sources(
    sources: Sequence[str], states: Mapping[str, SourceState], period: Period
) -> tuple[Finding, ...]:
    """One finding for each source that is not known up to the last day of the period."""
    findings = []
    for name in sources:
        state = states.get(name, SourceState(name, None, False))
        known = state.known_up_to.astimezone(LONDON).date() if state.known_up_to else None
        if known is not None and known >= period.end:
            continue
        reached = f"is known only up to {known}" if known else "has delivered nothing"
        if state.has_delivery_waiting:
            remedy = "release or replace the delivery that is held, then run the stages again"
            findings.append(Finding("SOURCE_HELD", f"{name} {reached}; a later delivery is held or refused", remedy))
        else:
            remedy = f"wait for the delivery of {name} that covers {period.end}, then run the stages again"
            findings.append(Finding("SOURCE_MISSING", f"{name} {reached}", remedy))
    return tuple(findings)


def incomplete_period(period: Period, validation: Validation) -> tuple[Finding, ...]:
    """Findings about the period itself: stated too short, or not covered by the events."""
    findings = []
    if not period.is_twelve_months:
        findings.append(
            Finding(
                "PERIOD_NOT_TWELVE_MONTHS",
                f"{period.start} to {period.end} is not twelve whole months",
                "set the reporting period of the profile to the rolling twelve months",
            )
        )
    derived = validation.outcome("V19")
    if derived.failed:
        months = derived.figures["months that do not count"]
        findings.append(
            Finding(
                "PERIOD_NOT_COVERED",
                f"the events do not cover the stated period; months that do not count: {months}",
                "find the missing events of these months; the receiver would take the file for a shorter one",
            )
        )
    return tuple(findings)
