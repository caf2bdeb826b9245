"""What happened, as CareFirst keeps it: activities with their observations, service agreements with their elements.

A request, assessment or review is an activity plus one observation for each answer of its form. A service is one
element of an agreement; both bear the service's number. An event is written once for each stretch of nights in which it
looks the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from connectors.synthetic.carefirst_casework import add_involvement
from connectors.synthetic.carefirst_codes import code, element_code
from connectors.synthetic.carefirst_dump import FOREVER, Draws, Dump, day, day_of_text, moment, padded, spans
from connectors.synthetic.carefirst_lists import provider_ids, worker_for
from connectors.synthetic.carefirst_people import People, spoiled_code, until
from connectors.synthetic.keys import event_key, supplier_event_id
from connectors.synthetic.world import TrueEvent, World

DATE: Final = "date"
#: kind -> observation code, code set ("" for text, DATE) and fact, in the order of the form: it numbers the answers.
FORMS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "request": (
        ("ROUTE", "ROUTE", "route_of_access"),
        ("PSR", "PSR", "primary_support_reason"),
        ("DESCRIPT", "", "description"),
    ),
    "assessment": (
        ("ASSTYPE", "ASSTYPE", "assessment_type"),
        ("ELIGIBLE", "ELIGIBLE", "eligible_needs"),
        ("METHOD", "METHOD", "method"),
        ("PSR", "PSR", "primary_support_reason"),
        ("DESCRIPT", "", "description"),
    ),
    "review": (
        ("REVREASON", "REVREASON", "review_reason"),
        ("ACHIEVED", "ACHIEVED", "outcomes_achieved"),
        ("METHOD", "METHOD", "method"),
        ("PSR", "PSR", "primary_support_reason"),
        ("DESCRIPT", "", "description"),
    ),
    "safeguarding": (
        ("ENQSTART", DATE, "enquiry_start_date"),
        ("ENQTYPE", "ENQTYPE", "enquiry_type"),
        ("RISKOUT", "RISKOUT", "risk_outcome"),
        ("MSP", "MSP", "msp_asked"),
    ),
    "dols": (
        ("DOLSDEC", "DOLSDEC", "decision"),
        ("DOLSFROM", DATE, "authorised_from"),
        ("DOLSTO", DATE, "authorised_to"),
        ("DOLSPLC", "DOLSPLC", "place"),
    ),
}
CANCELLED: Final = "CANC"
OUTCOME_SEPARATOR: Final = ";"
_UNIT_TYPES: Final = {"Hourly": "HOURS", "Daily": "DAYS", "Per session": "SESS", "Weekly": "WEEKS"}
_NO_DATE: Final = datetime(1900, 1, 1)


@dataclass(slots=True)
class _Writer:
    world: World
    people: People
    dump: Dump
    draws: Draws
    providers: dict[str, str] = field(default_factory=dict)

    def person_of(self, event: TrueEvent, key: str) -> str:
        """The person id on the event's rows; for three in a thousand one that nobody has (D86)."""
        if self.draws.hits("D86a", key):
            self.draws.note("D86", "ACTIVITY" if event.kind != "service" else "SERVICE_AGREEMENT", key, "PERSON_ID")
            return str(7_000_000 + self.draws.below(900_000, "nobody", key))
        return event.appearance_key

    def end_of(self, event: TrueEvent, key: str, table: str) -> datetime | None:
        """The end as recorded: now and then before the start or 01/01/1900 (D70)."""
        if event.end_at is None:
            return None
        if self.draws.hits("D70a", key):
            self.draws.note("D70", table, key, "END_DATE")
            return event.start_at - timedelta(days=1 + self.draws.below(20, "back", key))
        if self.draws.hits("D70b", key):
            self.draws.note("D70", table, key, "END_DATE")
            return _NO_DATE
        return event.end_at


def write_events(world: World, people: People, dump: Dump, draws: Draws) -> None:
    """Add the rows of all event tables to the dump."""
    writer = _Writer(world, people, dump, draws, provider_ids(world))
    requests: dict[str, list[TrueEvent]] = {}
    for event in world.events:
        if event.system != "carefirst":
            continue
        if not event.appearance_key:
            event.appearance_key = people.first_of_person[event.person_id].key
        if event.kind == "request":
            requests.setdefault(event.appearance_key, []).append(event)
        last = _last_night(event, people)
        if event.kind == "involvement":
            add_involvement(dump, event, last)
        elif event.kind == "service":
            _service(writer, event, last)
        else:
            _activity(writer, event, last, requests.get(event.appearance_key, ()))


def _last_night(event: TrueEvent, people: People) -> int:
    record = people.by_key.get(event.appearance_key)
    gone = FOREVER if event.deleted_night is None else event.deleted_night
    return gone if record is None else min(gone, until(record))


def _activity(writer: _Writer, event: TrueEvent, last: int, earlier: Iterable[TrueEvent]) -> None:
    identity = str(supplier_event_id("carefirst", event.kind, event.event_id))
    key = event_key(event)
    person = writer.person_of(event, key)
    parent = _parent(event, earlier) or writer.draws.blank("ACTIVITY", "PARENT_ACTIVITY_ID", key, ("0", "-1"))
    worker, team = worker_for(writer.draws, key)
    for first, until_night in spans(event.recorded_night, last, [event.changed_night]):
        seen = event.as_of(first)
        if seen is None:
            continue
        outcomes = _outcomes(writer, seen, key)
        kind = padded(_activity_type(seen, writer.draws, key), "ACTIVITY")
        due, ended = day_of_text(seen.facts.get("due_date", "")), moment(writer.end_of(seen, key, "ACTIVITY"))
        done_by = (padded(outcomes[0], "CODE"), padded(team, "TEAM"), worker)
        row = (identity, person, kind, parent, moment(seen.start_at), due, ended, *done_by)
        writer.dump.add("ACTIVITY", first, until_night, row)
        _observations(writer, seen, identity, person, outcomes[1:], (first, until_night))


def _activity_type(event: TrueEvent, draws: Draws, key: str) -> str:
    if event.kind != "request":
        return event.kind.upper()
    return "REFERRAL" if draws.number("referral", key) < 0.3 else "CONTACT"


def _parent(event: TrueEvent, earlier: Iterable[TrueEvent]) -> str:
    """The activity this one followed from: the latest lasting request before it."""
    before = [
        r
        for r in earlier
        if r is not event
        and r.start_at <= event.start_at
        and r.deleted_night is None
        and r.recorded_night <= event.recorded_night
    ]
    latest = max(before, key=lambda r: (r.start_at, r.event_id), default=None)
    return str(supplier_event_id("carefirst", "request", latest.event_id)) if latest else ""


def _outcomes(writer: _Writer, event: TrueEvent, key: str) -> list[str]:
    """The outcome code of the activity, then those that only fit on the form."""
    if event.status == "cancelled":
        return [CANCELLED]
    meanings = [m.strip() for m in event.facts.get("outcome", "").split(OUTCOME_SEPARATOR) if m.strip()]
    if event.status == "open" or not meanings:
        return [""]
    first = spoiled_code(writer.draws, "ACTIVITY", "OUTCOME_CODE", key, "OUTCOME", meanings[0])
    return [first, *(code("OUTCOME", meaning) for meaning in meanings[1:])]


def _observations(
    writer: _Writer, event: TrueEvent, identity: str, person: str, further: list[str], nights: tuple[int, int]
) -> None:
    key = event_key(event)
    answers = [("CLIENTTYPE", code("CLIENTTYPE", event.client_type))]
    for question, code_set, fact in FORMS[event.kind]:
        value = event.facts.get(fact, "")
        if code_set == DATE:
            answers.append((question, day_of_text(value)))
        elif not code_set:
            answers.append((question, writer.draws.damaged(value, "OBSERVATION", question, key)))
        elif value and question in ("ROUTE", "PSR", "METHOD"):
            answers.append((question, spoiled_code(writer.draws, "OBSERVATION", question, key, code_set, value)))
        else:
            answers.append((question, code(code_set, value)))
    observed = moment(_typed_at(writer, event, key))
    for place, (question, value) in enumerate(answers):
        if value:
            row = (str(event.event_id * 16 + place), identity, person, padded(question, "OBS"), value, observed)
            writer.dump.add("OBSERVATION", *nights, row)
    for place, value in enumerate(further, start=len(answers)):
        row = (str(event.event_id * 16 + place), identity, person, padded("OUTCOME", "OBS"), value, observed)
        writer.dump.add("OBSERVATION", *nights, row)


def _typed_at(writer: _Writer, event: TrueEvent, key: str) -> datetime:
    """When the form was typed in: mostly the same day, seldom weeks later (D80), not after the first dump."""
    draw = writer.draws.number("typed", key)
    days = 0 if draw < 0.7 else 3 if draw < 0.9 else 14 if draw < 0.97 else 90
    lag = writer.draws.below(days + 1, "lag", key)
    latest = datetime.combine(writer.world.night_date(event.recorded_night), datetime.min.time()) - timedelta(hours=1)
    return min(event.start_at + timedelta(days=lag, hours=1), max(latest, event.start_at))


def _service(writer: _Writer, event: TrueEvent, last: int) -> None:
    identity = str(supplier_event_id("carefirst", "service", event.event_id))
    key = event_key(event)
    person = writer.person_of(event, key)
    agreed = event.recorded_night
    if agreed < writer.world.nights and writer.draws.hits("D86b", key):
        writer.draws.note("D86", "SERVICE_ELEMENT", key, "AGREEMENT_ID", agreed)
        agreed += 1
    for first, until_night in spans(event.recorded_night, last, [event.changed_night, agreed]):
        seen = event.as_of(first)
        if seen is None:
            continue
        end = writer.end_of(seen, key, "SERVICE_AGREEMENT")
        starts, ends = day(seen.start_at), day(end)
        if first >= agreed:
            agreement = _agreement(writer, seen, key, identity, person, end)
            writer.dump.add("SERVICE_AGREEMENT", first, until_night, agreement)
        writer.dump.add("SERVICE_ELEMENT", first, until_night, (*_element(writer, seen, key, identity), starts, ends))


def _agreement(
    writer: _Writer, event: TrueEvent, key: str, identity: str, person: str, end: date | None
) -> tuple[str, ...]:
    facts, draws = event.facts, writer.draws
    provider = writer.providers.get(facts.get("cqc_location_id") or facts.get("provider_name", ""), "")
    provider = provider or draws.blank("SERVICE_AGREEMENT", "PROVIDER_ID", key, ("-1", "0", "N/A", "NULL"))
    reason = code("OUTCOME", facts.get("end_outcome", "")) if end is not None else ""
    if event.status == "cancelled":
        reason = CANCELLED
    bought = facts.get("service_type", "")
    service_type = spoiled_code(draws, "SERVICE_AGREEMENT", "SERVICE_TYPE", key, "SERVTYPE", bought)
    return (
        identity,
        person,
        provider,
        padded(service_type, "CLASS"),
        day(event.start_at),
        day(end),
        padded(reason, "CODE"),
        padded(code("BUDGET", facts.get("primary_support_reason", "")), "CODE"),
    )


def _element(writer: _Writer, event: TrueEvent, key: str, identity: str) -> tuple[str, ...]:
    facts, draws = event.facts, writer.draws
    units, cost = facts.get("planned_units", ""), facts.get("unit_cost", "")
    frequency = facts.get("cost_frequency", "")
    if cost and draws.hits("D93", key):
        draws.note("D93", "SERVICE_ELEMENT", key, "RATE")
        cost = f"£{cost}"
    elif units and draws.hits("D93", f"units {key}"):
        draws.note("D93", "SERVICE_ELEMENT", key, "UNITS")
        units = f"{units} hrs"
    what = element_code(facts.get("service_component", ""), facts.get("delivery_mechanism", ""))
    return (
        identity,
        identity,
        padded(what, "CODE"),
        units,
        _UNIT_TYPES.get(frequency, ""),
        cost,
        padded(code("FREQUENCY", frequency), "CODE"),
    )
