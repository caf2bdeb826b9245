"""What happened, as MiCare keeps it: episodes, assessments, reviews, services, allocations.

An event is written once for each stretch of nights in which it looks the same; its number is the same on all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors.synthetic.keys import event_key, micare_check_letter, supplier_event_id
from connectors.synthetic.micare_codes import code, retired_code
from connectors.synthetic.micare_file import FOREVER, Draws, Dump, day, day_of_text, spans, spoiled_code
from connectors.synthetic.micare_notes import worker_for, worker_number
from connectors.synthetic.micare_people import People, episode, until
from connectors.synthetic.world import TrueEvent, World

OUTCOME_SEPARATOR: Final = ";"
TABLES: Final = {
    "request": "EPISODE", "safeguarding": "EPISODE", "dols": "EPISODE", "assessment": "ASSESS", "review": "REVIEW",
    "service": "SERVICE", "involvement": "ALLOC",
}  # fmt: skip
_NO_DATE: Final = datetime(1900, 1, 1)
_STATUS: Final = {"open": "O", "completed": "C", "cancelled": "X"}


@dataclass(slots=True)
class _Writer:
    world: World
    people: People
    dump: Dump
    draws: Draws

    def client_of(self, event: TrueEvent, table: str, key: str) -> str:
        """The person number on the event's row; for three in a thousand one that nobody has (D86)."""
        if not self.draws.hits("D86a", key):
            return event.appearance_key
        self.draws.note("D86", table, key, "CLIENT_NO", event.recorded_night)
        digits = f"{90_000_000 + self.draws.below(900_000, 'nobody', key):08d}"
        return digits + micare_check_letter(digits)

    def end_of(self, event: TrueEvent, table: str, key: str) -> str:
        """The end as recorded: now and then before the start or 01/01/1900 (D70)."""
        ended = event.end_at
        if ended is not None and self.draws.hits("D70a", key):
            self.draws.note("D70", table, key, "END")
            ended = event.start_at - timedelta(days=1 + self.draws.below(20, "back", key))
        elif ended is not None and self.draws.hits("D70b", key):
            self.draws.note("D70", table, key, "END")
            ended = _NO_DATE
        return day(ended)

    def coded(self, table: str, column: str, key: str, code_set: str, meaning: str) -> str:
        """The code of a meaning, now and then spoiled (D84)."""
        retired = retired_code(code_set, meaning)
        return spoiled_code(self.draws, table, column, key, code(code_set, meaning), retired)

    def keyed(self, event: TrueEvent, key: str) -> str:
        """The day it was typed in: mostly the same day, seldom weeks later (D80), before its first night."""
        draw = self.draws.number("typed", key)
        days = 0 if draw < 0.7 else 3 if draw < 0.9 else 14 if draw < 0.97 else 90
        latest = self.world.night_date(event.recorded_night) - timedelta(days=1)
        typed = event.start_at.date() + timedelta(days=self.draws.below(days + 1, "lag", key))
        return day(max(event.start_at.date(), min(typed, latest)))


def write_events(world: World, people: People, dump: Dump, draws: Draws) -> None:
    """Add the rows of all event tables to the dump."""
    writer = _Writer(world, people, dump, draws)
    rows: dict[str, Callable[[_Writer, TrueEvent, str, str], tuple[str, ...]]] = {
        "request": _request, "safeguarding": _safeguarding, "dols": _dols, "assessment": _assessment,
        "review": _review, "service": _service, "involvement": _allocation,
    }  # fmt: skip
    for event in world.events:
        if event.system != "micare":
            continue
        table, key = TABLES[event.kind], event_key(event)
        client = writer.client_of(event, table, key)
        for first, last in spans(event.recorded_night, _last_night(event, people), [event.changed_night]):
            seen = event.as_of(first)
            if seen is not None:
                dump.add(table, first, last, rows[event.kind](writer, seen, key, client))


def _last_night(event: TrueEvent, people: People) -> int:
    record = people.by_key.get(event.appearance_key)
    gone = FOREVER if event.deleted_night is None else event.deleted_night
    return gone if record is None else min(gone, until(record))


def _number(event: TrueEvent) -> int:
    return supplier_event_id("micare", event.kind, event.event_id)


def _outcomes(writer: _Writer, event: TrueEvent, table: str, key: str) -> list[str]:
    """Up to three outcome codes."""
    meanings = [m.strip() for m in event.facts.get("outcome", "").split(OUTCOME_SEPARATOR) if m.strip()]
    if event.status != "completed" or not meanings:
        return ["", "", ""]
    first = writer.coded(table, "OUTCOME1", key, "OUTCOME", meanings[0])
    return [*[first, *(code("OUTCOME", meaning) for meaning in meanings[1:3])], "", ""][:3]


def _request(writer: _Writer, event: TrueEvent, key: str, client: str) -> tuple[str, ...]:
    facts, draws = event.facts, writer.draws
    team, worker = worker_for(draws, "EPISODE", key)
    outcomes = _outcomes(writer, event, "EPISODE", key)
    return episode(
        _number(event), client, "REF", "REF" if draws.number("referral", key) < 0.3 else "CON",
        OPENED=day(event.start_at), CLOSED=writer.end_of(event, "EPISODE", key),
        ROUTE=writer.coded("EPISODE", "ROUTE", key, "ROUTE", facts.get("route_of_access", "")),
        PSR=writer.coded("EPISODE", "PSR", key, "PSR", facts.get("primary_support_reason", "")),
        OUTCOME1=outcomes[0], OUTCOME2=outcomes[1], OUTCOME3=outcomes[2], STATUS=_STATUS[event.status],
        CLIENT_TYPE=code("CLTYPE", event.client_type),
        DESCR=draws.damaged(facts.get("description", ""), "EPISODE", "DESCR", key), TEAM=team, WORKER=worker,
        KEYED=writer.keyed(event, key),
    )  # fmt: skip


def _safeguarding(writer: _Writer, event: TrueEvent, key: str, client: str) -> tuple[str, ...]:
    facts = event.facts
    team, worker = worker_for(writer.draws, "EPISODE", key)
    return episode(
        _number(event), client, "SAFE", code("ENQTYPE", facts.get("enquiry_type", "")),
        OPENED=day_of_text(facts.get("concern_date") or event.start_at.date().isoformat()),
        STARTED=day_of_text(facts.get("enquiry_start_date", "")), CLOSED=writer.end_of(event, "EPISODE", key),
        OUTCOME1=code("RISK", facts.get("risk_outcome", "")), MSP=code("MSP", facts.get("msp_asked", "")),
        STATUS=_STATUS[event.status], TEAM=team, WORKER=worker, KEYED=writer.keyed(event, key),
    )  # fmt: skip


def _dols(writer: _Writer, event: TrueEvent, key: str, client: str) -> tuple[str, ...]:
    facts = event.facts
    team, worker = worker_for(writer.draws, "EPISODE", key)
    return episode(
        _number(event), client, "DOLS", code("PLACE", facts.get("place", "")),
        OPENED=day_of_text(facts.get("received_date") or event.start_at.date().isoformat()),
        DECIDED=day_of_text(facts.get("decided_date", "")), STARTED=day_of_text(facts.get("authorised_from", "")),
        CLOSED=day_of_text(facts.get("authorised_to", "")), OUTCOME1=code("DECISION", facts.get("decision", "")),
        STATUS=_STATUS[event.status], TEAM=team, WORKER=worker, KEYED=writer.keyed(event, key),
    )  # fmt: skip


def _assessment(writer: _Writer, event: TrueEvent, key: str, client: str) -> tuple[str, ...]:
    facts, draws = event.facts, writer.draws
    return (
        str(_number(event)), client, _episode_of(writer, event, "ASSESS", key),
        code("ASSTYPE", facts.get("assessment_type", "")), code("CLTYPE", event.client_type), day(event.start_at),
        writer.end_of(event, "ASSESS", key), code("ELIGIBLE", facts.get("eligible_needs", "")),
        writer.coded("ASSESS", "METHOD", key, "METHOD", facts.get("method", "")),
        writer.coded("ASSESS", "PSR", key, "PSR", facts.get("primary_support_reason", "")),
        *_outcomes(writer, event, "ASSESS", key), _STATUS[event.status],
        draws.damaged(facts.get("description", ""), "ASSESS", "DESCR", key),
        *worker_for(draws, "ASSESS", key), writer.keyed(event, key),
    )  # fmt: skip


def _review(writer: _Writer, event: TrueEvent, key: str, client: str) -> tuple[str, ...]:
    facts, draws = event.facts, writer.draws
    return (
        str(_number(event)), client, _episode_of(writer, event, "REVIEW", key), day_of_text(facts.get("due_date", "")),
        day(event.start_at), writer.end_of(event, "REVIEW", key), code("REVREASON", facts.get("review_reason", "")),
        code("ACHIEVED", facts.get("outcomes_achieved", "")),
        writer.coded("REVIEW", "METHOD", key, "METHOD", facts.get("method", "")),
        writer.coded("REVIEW", "PSR", key, "PSR", facts.get("primary_support_reason", "")),
        code("CLTYPE", event.client_type), *_outcomes(writer, event, "REVIEW", key), _STATUS[event.status],
        draws.damaged(facts.get("description", ""), "REVIEW", "DESCR", key),
        *worker_for(draws, "REVIEW", key), writer.keyed(event, key),
    )  # fmt: skip


def _service(writer: _Writer, event: TrueEvent, key: str, client: str) -> tuple[str, ...]:
    facts, draws = event.facts, writer.draws
    units, cost = facts.get("planned_units", ""), facts.get("unit_cost", "")
    if cost and draws.hits("D93", key):
        draws.note("D93", "SERVICE", key, "UNIT_COST")
        cost = f"£{cost}"
    elif units and draws.hits("D93", f"units {key}"):
        draws.note("D93", "SERVICE", key, "UNITS")
        units = f"{units} hrs"
    bought = facts.get("service_type", "")
    return (
        str(_number(event)), client, _episode_of(writer, event, "SERVICE", key),
        writer.coded("SERVICE", "SVC_TYPE", key, "SVCTYPE", bought),
        code("COMPONENT", facts.get("service_component", "")), code("MECHANISM", facts.get("delivery_mechanism", "")),
        code("CLTYPE", event.client_type),
        writer.coded("SERVICE", "PSR", key, "PSR", facts.get("primary_support_reason", "")),
        facts.get("provider_name", "").upper(),
        facts.get("cqc_location_id", "") or draws.blank("SERVICE", "CQC_LOC", key, ("-1", "0", "N/A", "NULL")),
        day(event.start_at), writer.end_of(event, "SERVICE", key),
        code("OUTCOME", facts.get("end_outcome", "")) if event.end_at is not None else "", units, cost,
        code("COSTFREQ", facts.get("cost_frequency", "")), _STATUS[event.status],
        draws.damaged(facts.get("description", ""), "SERVICE", "DESCR", key), writer.keyed(event, key),
    )  # fmt: skip


def _allocation(writer: _Writer, event: TrueEvent, key: str, client: str) -> tuple[str, ...]:
    facts = event.facts
    return (
        str(_number(event)), client, facts.get("team", ""), worker_number(facts.get("worker", "")),
        code("ROLE", facts.get("role", "")), day(event.start_at), writer.end_of(event, "ALLOC", key),
        writer.keyed(event, key),
    )  # fmt: skip


def _episode_of(writer: _Writer, event: TrueEvent, table: str, key: str) -> str:
    """The episode it belongs to: the latest lasting request before it; a service's now and then is not there (D86)."""
    if event.kind == "service" and writer.draws.hits("D86b", key):
        writer.draws.note("D86", table, key, "EPISODE_NO")
        return str(99_000_000 + writer.draws.below(900_000, "no plan", key))
    before = [
        other
        for other in writer.people.events_of.get(event.appearance_key, ())
        if other.kind == "request" and other.start_at <= event.start_at and other.deleted_night is None
        and other.recorded_night <= event.recorded_night and not writer.draws.hits("D86a", event_key(other))
    ]  # fmt: skip
    latest = max(before, key=lambda other: (other.start_at, other.event_id), default=None)
    return str(_number(latest)) if latest else writer.draws.blank(table, "EPISODE_NO", key, ("0", "-1"))
