"""Whether a source may be asked now: its flow in the register, the agreement, the licence (LAW-1, LAW-3, LAW-8).

Asked when landing starts, before anything is looked at. A profile without `flows` has no register yet: nothing is asked
then, which is for a first trial with synthetic data only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import yaml

from connectors.spec import table_specs
from domain.periods import LONDON, now
from domain.profile import SourceSettings
from domain.run import Finding, RunContext, RunState
from governance.flows import Flow, FlowError, flow_of, licence, not_in_force, outside_hours
from governance.store import Store

NOW: Final = "now"  # setting of a run: the moment it plays at, ISO with offset; the clock's when it is not given


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is read."""

    state: RunState
    finding: Finding


def moment_of(context: RunContext) -> datetime:
    """The moment a run plays at: the clock's, unless its settings say another."""
    return datetime.fromisoformat(context.settings[NOW]) if NOW in context.settings else now()


@contextmanager
def permission(context: RunContext, store: Store, source: SourceSettings) -> Iterator[Refusal | None]:
    """Hold the right to ask the source while the block runs; a refusal says why there is none.

    Refused: no flow, a page that cannot be used, an agreement not in force, a table the flow does not name (or its key,
    or its people), children without a basis. Held: outside the agreed hours, every licensed connection in use.
    """
    folder = context.profile.flows
    if folder is None:
        yield None
        return
    try:
        flow = flow_of(folder, source)
    except FlowError as problem:
        remedy = "the owner of the register completes the page"
        yield Refusal(RunState.REFUSED, Finding("FLOW_REGISTER", f"{problem}; nothing was read", remedy))
        return
    moment = moment_of(context)
    refused = not_in_force(flow, moment.astimezone(LONDON).date()) or _beyond_the_flow(flow, source)
    if refused:
        yield Refusal(RunState.REFUSED, refused)
        return
    if held := outside_hours(flow, moment):
        yield Refusal(RunState.HELD, held)
        return
    with licence(store, flow) as in_use:
        yield Refusal(RunState.HELD, in_use) if in_use else None


def _beyond_the_flow(flow: Flow, source: SourceSettings) -> Finding | None:
    remedy = f"ask the owner of the flow, {flow.owner}"
    specs = table_specs(source.connector)
    if unnamed := sorted(set(specs) - set(flow.columns)):
        told = f"flow {flow.name} does not name {_some(unnamed)}; nothing was read"
        return Finding("TABLE_NOT_IN_FLOW", told, remedy)
    needed = {table: {*spec.key, *spec.subject.fields} - {*flow.columns[table]} for table, spec in specs.items()}
    if lacking := sorted(f"{table}.{field}" for table, fields in needed.items() for field in fields):
        told = f"flow {flow.name} does not name {_some(lacking)}, without which no row can be judged; nothing was read"
        return Finding("COLUMN_NOT_IN_FLOW", told, remedy)
    keeps = source.options.get("children", "excluded").strip().lower() != "excluded"
    if keeps and (not flow.children_basis or "children" in flow.excludes):
        return Finding("CHILDREN_WITHOUT_BASIS", f"flow {flow.name} names no children and no basis for them", remedy)
    return None


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def write_synthetic_flows(
    folder: Path, sources: Mapping[str, Mapping[str, str]], controller_change: date | None = None
) -> None:
    """One valid page for each source of a synthetic council (name -> its settings as in the profile).

    CareFirst's licence allows one connection, at any hour so that a demonstration runs whenever somebody looks.
    `controller_change`: from that day on another body is controller (LAW-7).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, settings in sources.items():
        connector = settings["connector"]
        page = _synthetic_page(name, connector, controller_change)
        if "children" in settings:
            page["excludes"] = ["restricted_codes", "free_text"]
            page["children"] = {"basis": settings["children"]}
        text = "# SYNTHETIC: invented in every part; a deployer writes its own.\n" + yaml.safe_dump(
            page, sort_keys=False
        )
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def _synthetic_page(name: str, connector: str, controller_change: date | None) -> dict[str, object]:
    before, after = "Example City Council", "Example Integrated Care Partnership"
    dated = [{"name": before, "to": controller_change}, {"name": after, "from": controller_change}]
    licensed: dict[str, object] = {"connection_limit": 1, "hours": "00:00-24:00"} if connector == "carefirst" else {}
    return {
        "flow": name,
        "direction": "in",
        "source": {"system": connector, "organisation": "E06999999", **licensed},
        "controllers": dated if controller_change else [before],
        "processor": "Example Community Trust",
        "purpose_class": "direct_care",
        "legal": {
            "art6": "6(1)(e)",
            "art9": "9(2)(h)",
            "dpa_schedule1": "para 2",
            "common_law": "implied_consent",
            "gateway": "Care Act 2014 s.6; HSCA 2012 s.251B",
        },
        "optout": "not_applicable",
        "agreement": {
            "ref": f"DSA-SYNTHETIC-{name}",
            "state": "active",
            "start": date(2020, 4, 1),
            "end": date(2099, 3, 31),
            "review": date(2098, 3, 31),
        },
        "dpia": "DPIA-SYNTHETIC v1",
        "columns": {table: list(spec.fields) for table, spec in sorted(table_specs(connector).items())},
        "excludes": ["children", "restricted_codes", "free_text"],
        "identifiability": "identifiable",
        "retention": "adult_social_care",
        "recipients": [],
        "owner": "head.of.performance@council.example",
        "approved": {"by": "caldicott.guardian@council.example", "on": date(2020, 3, 20)},
    }
