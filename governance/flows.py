"""The register of flows: one page for every agreed movement of data, read strictly and asked before anything is read.

A page has the shape of governance 2.13. What it lacks is named by field (LAW-2); an agreement not in force today
refuses and names the owner (LAW-3); licence terms of the source are part of it (LAW-8), controllers are dated (LAW-7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import yaml

from domain.pages import parse
from domain.periods import LONDON
from domain.profile import SourceSettings
from domain.run import Finding
from governance.ledger import lease
from governance.store import Store
from governance.timetable import Timetable, timetable_from

PURPOSES: Final = (
    "direct_care", "statutory_return", "planning", "service_evaluation", "research", "safeguarding", "system_operation",
)  # fmt: skip
STATES: Final = ("draft", "active", "suspended", "expired", "terminated")
_VOCABULARY: Final = {
    "direction": ("in", "out"),
    "purpose_class": PURPOSES,
    "optout": ("not_applicable", "national_optout", "local_objection_only"),
    "agreement.state": STATES,
    "identifiability": ("identifiable", "pseudonymised", "aggregate"),
}
_REQUIRED: Final = (
    "flow", "direction", "source.system", "source.organisation", "controllers", "processor", "purpose_class",
    "legal.art6", "legal.art9", "legal.dpa_schedule1", "legal.common_law", "optout", "agreement.ref",
    "agreement.state", "agreement.start", "agreement.end", "agreement.review", "dpia", "columns", "excludes",
    "identifiability", "retention", "recipients", "owner", "approved.by", "approved.on",
)  # fmt: skip
_MAY_BE_EMPTY: Final = ("recipients", "excludes")
_DATES: Final = ("agreement.start", "agreement.end", "agreement.review", "approved.on")
_HOURS: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class FlowError(ValueError):
    """A page of the register that cannot be used: names the page and the field."""


@dataclass(frozen=True, slots=True)
class Controller:
    """Who is controller from a day on, up to and not including another; None is without limit."""

    name: str
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    ref: str
    state: str
    start: date
    end: date
    review: date


@dataclass(frozen=True, slots=True)
class Flow:
    """One agreed movement of data."""

    name: str
    direction: str
    system: str
    organisation: str
    connection_limit: int | None
    hours: tuple[time, time] | None  # London time; may run over midnight; equal ends mean the whole day
    controllers: tuple[Controller, ...]
    processor: str
    purpose_class: str
    legal: Mapping[str, str]
    optout: str
    agreement: Agreement
    columns: Mapping[str, tuple[str, ...]]  # table -> fields that may be taken
    excludes: frozenset[str]
    children_basis: str  # "" unless the flow names children and its basis (CHI-1)
    identifiability: str
    retention: str
    owner: str
    approved_by: str
    timetable: Timetable | None = None  # when the next delivery is due; None: nobody is called when it does not come


def load_flow(path: Path) -> Flow:
    """Read one page.

    Raises:
        FlowError: a field is missing, empty or outside its vocabulary; the field is named (LAW-2).
    """
    try:
        raw = parse(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError):
        raise FlowError(f"{path.name}: not a page that can be read") from None
    if not isinstance(raw, dict):
        raise FlowError(f"{path.name}: a flow is a mapping of fields")
    for field in _REQUIRED:
        value = _at(raw, field)
        if value is None or (value in ("", [], {}) and field not in _MAY_BE_EMPTY):
            raise FlowError(f"{path.name}: the field {field} is missing")
    for field, words in _VOCABULARY.items():
        if _at(raw, field) not in words:
            raise FlowError(f"{path.name}: {field} is one of {', '.join(words)}")
    for field in _DATES:
        if not isinstance(_at(raw, field), date):
            raise FlowError(f"{path.name}: {field} is a date (2026-04-01)")
    return _flow(raw, path.name)


def load_flows(folder: Path) -> dict[str, Flow]:
    """Every flow of a register by name. Raises `FlowError` as `load_flow`, or when a name appears twice."""
    flows: dict[str, Flow] = {}
    for page in sorted(folder.glob("*.yml")):
        flow = load_flow(page)
        if flow.name in flows:
            raise FlowError(f"{page.name}: the field flow repeats {flow.name}")
        flows[flow.name] = flow
    return flows


def flow_of(folder: Path, source: SourceSettings) -> Flow:
    """The flow of a source: the one its option `flow` names, else the one of its own name.

    Raises:
        FlowError: as `load_flows`; or there is none, or it is another system's, or leads outwards (LAW-1).
    """
    flows, name = load_flows(folder), source.options.get("flow", source.name)
    if name not in flows:
        known = ", ".join(flows) or "none"
        raise FlowError(f"source {source.name}: no flow {name!r} in the register, which has {known}")
    flow = flows[name]
    if flow.direction != "in" or flow.system != source.connector:
        raise FlowError(f"source {source.name}: flow {name} is not one from {source.connector} inwards")
    return flow


def not_in_force(flow: Flow, on: date) -> Finding | None:
    """Why nothing may be moved under the flow on that day; None when its agreement is in force (LAW-3)."""
    agreement = flow.agreement
    if agreement.state != "active":
        why = f"is {agreement.state}"
    elif on < agreement.start:
        why = f"starts on {agreement.start.isoformat()}"
    elif on > agreement.end:
        why = f"ended on {agreement.end.isoformat()}"
    else:
        return None
    return Finding(
        "NO_AGREEMENT",
        f"flow {flow.name}: agreement {agreement.ref} {why}; nothing was read",
        f"ask the owner of the flow, {flow.owner}",
    )


def outside_hours(flow: Flow, at: datetime) -> Finding | None:
    """Why the source may not be asked at that moment; None when it may (LAW-8)."""
    if flow.hours is None or flow.hours[0] == flow.hours[1]:
        return None
    start, end = flow.hours
    now = at.astimezone(LONDON).time()
    inside = start <= now < end if start < end else now >= start or now < end
    if inside:
        return None
    return Finding(
        "OUTSIDE_HOURS",
        f"flow {flow.name}: {flow.system} may be asked from {start:%H:%M} to {end:%H:%M} only; nothing was read",
        f"run again within these hours; the owner of the flow is {flow.owner}",
    )


@contextmanager
def licence(store: Store, flow: Flow) -> Iterator[Finding | None]:
    """Hold one of the connections the licence of the flow's system allows while the block runs (LAW-8).

    Gives a finding, and no connection, while all are in use. Every flow of one system and organisation shares them.
    """
    with ExitStack() as held:
        limit = flow.connection_limit
        if limit is None:
            yield None
            return
        names = (f"licence:{flow.system}:{flow.organisation}:{place}" for place in range(1, limit + 1))
        if any(held.enter_context(lease(store, "loader", name)) is not None for name in names):
            yield None
            return
        yield Finding(
            "LICENCE_IN_USE",
            f"flow {flow.name}: all {limit} connections that {flow.system} allows are in use; nothing was read",
            "nothing to do: the next run takes what has arrived",
        )


def controller_on(flow: Flow, day: date) -> str:
    """Who is controller of a row whose event was on that day (LAW-7).

    Raises:
        FlowError: the page names nobody for that day.
    """
    for controller in flow.controllers:
        after_start = controller.start is None or controller.start <= day
        if after_start and (controller.end is None or day < controller.end):
            return controller.name
    raise FlowError(f"flow {flow.name}: the field controllers names nobody for {day.isoformat()}")


def _at(raw: Mapping[str, Any], field: str) -> Any:
    value: Any = raw
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _flow(raw: Mapping[str, Any], page: str) -> Flow:
    agreement, source, approved = raw["agreement"], raw["source"], raw["approved"]
    limit = source.get("connection_limit")
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise FlowError(f"{page}: source.connection_limit is a number above zero")
    children = raw.get("children") or {}
    if children and not str(children.get("basis", "")).strip():
        raise FlowError(f"{page}: the field children.basis is missing")
    return Flow(
        name=str(raw["flow"]),
        direction=str(raw["direction"]),
        system=str(source["system"]),
        organisation=str(source["organisation"]),
        connection_limit=limit,
        hours=_hours(source.get("hours"), page),
        controllers=tuple(_controller(one, page) for one in raw["controllers"]),
        processor=str(raw["processor"]),
        purpose_class=str(raw["purpose_class"]),
        legal={str(k): str(v) for k, v in raw["legal"].items()},
        optout=str(raw["optout"]),
        agreement=Agreement(
            str(agreement["ref"]), str(agreement["state"]), agreement["start"], agreement["end"], agreement["review"]
        ),
        columns={str(table): tuple(map(str, fields)) for table, fields in raw["columns"].items()},
        excludes=frozenset(map(str, raw["excludes"])),
        children_basis=str(children.get("basis", "")).strip(),
        identifiability=str(raw["identifiability"]),
        retention=str(raw["retention"]),
        owner=str(raw["owner"]),
        approved_by=str(approved["by"]),
        timetable=_timetable(raw, page),
    )


def _timetable(raw: Mapping[str, Any], page: str) -> Timetable | None:
    try:
        return timetable_from(raw.get("timetable"))
    except ValueError as problem:
        raise FlowError(f"{page}: {problem}") from None


def _controller(raw: Any, page: str) -> Controller:
    if isinstance(raw, str):
        return Controller(raw)
    start, end = raw.get("from"), raw.get("to")
    if not raw.get("name") or any(day is not None and not isinstance(day, date) for day in (start, end)):
        raise FlowError(f"{page}: controllers are names, or name with from and to as dates")
    return Controller(str(raw["name"]), start, end)


def _hours(raw: Any, page: str) -> tuple[time, time] | None:
    if raw is None:
        return None
    found = _HOURS.fullmatch(str(raw))
    if found is None:
        raise FlowError(f"{page}: source.hours is written 20:00-05:00, in quotes")
    numbers = [int(part) for part in found.groups()]
    return time(numbers[0] % 24, numbers[1]), time(numbers[2] % 24, numbers[3])
