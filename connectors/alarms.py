"""The alarm of a source whose delivery does not come, or cannot be taken, until its flow's grace is over (F01, F03).

The register says when a delivery is due and whom to call. A source that rightly falls silent (an archive) gives none.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connectors.base import MayFallSilent, Past
from connectors.registry import connector_for
from domain.profile import Profile, SourceSettings
from domain.run import Finding, RunResult
from governance.flows import FlowError, flow_of
from governance.timetable import overdue


def alarm_of(profile: Profile, source: SourceSettings, past: Past, at: datetime) -> Finding | None:
    """The finding `OVERDUE` of one source at a moment; None while nothing is, or without a register."""
    if profile.flows is None:
        return None
    try:
        flow = flow_of(profile.flows, source)
    except FlowError:
        return None  # landing is refused for it, by name
    alarm = overdue(flow, past.last_known_at, at)
    if alarm is None:
        return None
    connector = connector_for(profile, source)
    is_silent = isinstance(connector, MayFallSilent) and connector.is_silent(past)
    return None if is_silent else alarm


def with_alarm(result: RunResult, alarm: Finding | None) -> RunResult:
    """The landing's result with the alarm in front, and counted, so that it travels with the asset event.

    Its state stays what it is: the other sources are linked and published without waiting for the late one. What does
    not come is not expected while a new system is not live yet.
    """
    if alarm is None or result.counts.get("not_live"):
        return result
    return replace(result, findings=(alarm, *result.findings), counts={**result.counts, "overdue": 1})
