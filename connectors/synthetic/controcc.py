"""The ContrOCC simulator: the finance database of every night, beside the Liquidlogic mart it is fed from.

Lines come from the services of the truth, with the differences the sources hand-book (4) names: lines without a service
in the case system and services without a line, prices changed backwards. Clients come with their differences already
(older names, deaths known first, people only finance knows).
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from connectors.synthetic.controcc_tables import (
    FREQUENCIES,
    REFRESH_TABLE,
    SCHEMA,
    SERVICE_TYPES,
    STATUSES,
    finance_tables,
)
from connectors.synthetic.keys import supplier_event_id
from connectors.synthetic.liquidlogic_rows import Mart, TableRows, midnight, moment, nights_of_change
from connectors.synthetic.liquidlogic_slips import amount
from connectors.synthetic.reporting_database import Kit, rebuild, write_plan, write_tables
from connectors.synthetic.world import Appearance, Defect, TrueEvent, World

__all__ = ["rebuild_mart", "write"]

SYSTEM: Final = "controcc"
CASE_SYSTEM: Final = "liquidlogic"
#: The id of the line that pays for a service: the number the mart carries as CONTROCC_CPLI_ID.
LINE_OFFSET: Final = 5_000_000

#: Rates are assumptions; the hand-book names the defects only. They have no catalogue number: FIN in the log.
_DEFECT: Final = "FIN"
_NO_LINE: Final = 0.02
_NO_SERVICE: Final = 0.01
_REPRICED: Final = 0.02
_LETTERS_IN_FRONT: Final = 0.05
_PROVIDERS_FROM: Final = 8_000
_SERVICES_FROM: Final = 40
_STRAY_LINES_FROM: Final = 990_000_000


@dataclass(slots=True)
class _Finance:
    """The database being written: the mart's draws serve here too, under names of their own."""

    world: World
    draws: Mart
    tables: defaultdict[str, TableRows]

    @property
    def end(self) -> int:
        return self.world.nights + 1

    def hit(self, what: str, key: str | int, share: float) -> bool:
        return self.draws.draw(f"finance {what}", key) < share * min(self.world.quality, 2.0)

    def log(self, table: str, key: str, column: str, night: int = 0) -> None:
        self.world.defects.append(Defect(_DEFECT, SYSTEM, table, key, column, night))


def finance_kit() -> Kit:
    """The finance database: its tables, its login, and what faults do to it."""
    return Kit(
        system=SYSTEM,
        schema=SCHEMA,
        reader="controcc_reader",
        tables=finance_tables(),
        refresh_table=REFRESH_TABLE,
        emptied="T_CarePackageLineItem",
        extra=("T_Client", "PaymentMethod"),
        renamed=("T_CarePackageLineItem", "UnitCost", "UnitCostAmount"),
    )


def write(world: World, supply: Path) -> None:
    """Write `supply/controcc` for every night and log the defects to `world.defects`.

    Files of an earlier run are replaced. Raises KeyError when the world uses wording that no code list knows.
    """
    home = supply / SYSTEM
    shutil.rmtree(home, ignore_errors=True)
    finance = _Finance(world, Mart(world), defaultdict(TableRows))
    _lists(finance)
    clients = _clients(finance)
    _lines(finance, clients)
    stamps = [refreshed_at(world, night) for night in range(world.nights + 1)]
    for night, stamp in enumerate(stamps):
        finance.tables[REFRESH_TABLE].add({"RefreshedDate": stamp}, night, night + 1)
    write_tables(home / "live", finance.tables, finance_tables())
    write_plan(world, supply, SYSTEM, [stamp.isoformat(timespec="seconds") for stamp in stamps], [(0, "live")])


def rebuild_mart(supply: Path, night: int, admin_url: str) -> None:
    """Make the finance database hold what `night` holds; see `reporting_database.rebuild` for what is raised."""
    rebuild(finance_kit(), supply, night, admin_url)


def refreshed_at(world: World, night: int) -> datetime:
    """When the copy of that night was restored: before the mart's rebuild."""
    return datetime.combine(world.night_date(night), time(2, 30)) + timedelta(minutes=(night * 11) % 25)


def line_id(event: TrueEvent) -> int:
    """The id of the line that pays for a service of the truth."""
    return supplier_event_id(CASE_SYSTEM, "service", event.event_id) + LINE_OFFSET


def _lists(finance: _Finance) -> None:
    for place, (name, location) in enumerate(finance.world.providers):
        row = {"ProviderID": _PROVIDERS_FROM + place, "Name": name, "CQCLocationID": location}
        finance.tables["T_Provider"].add(row, 0, finance.end)
    for place, (description, code) in enumerate(SERVICE_TYPES.items()):
        row = {"ServiceID": _SERVICES_FROM + place, "ServiceTypeCode": code, "Description": description}
        finance.tables["T_Service"].add(row, 0, finance.end)


def _clients(finance: _Finance) -> dict[str, Appearance]:
    """Write the clients; gives them by the case system's key."""
    by_case: dict[str, Appearance] = {}
    for record in finance.world.appearances:
        if record.system != SYSTEM:
            continue
        if case := record.references.get(CASE_SYSTEM):
            by_case[case] = record
        end = finance.end if record.removed_night is None else record.removed_night
        for start, stop in nights_of_change(record.recorded_night, end, list(record.versions)):
            fields = record.as_of(start) or {}
            forenames = " ".join(part for part in (fields.get("forename"), fields.get("middle_names")) if part)
            row = {
                "ClientID": int(record.key),
                "OtherExternalReference": record.references.get(CASE_SYSTEM),
                "Surname": fields.get("surname") or None,
                "Forenames": forenames or None,
                "DateOfBirth": moment(fields.get("birth_date", "")),
                "NHSNumber": fields.get("nhs_number") or None,
                "DateOfDeath": moment(fields.get("death_date", "")),
                "Notes": "Direct debit set up by the daughter.",
            }
            finance.tables["T_Client"].add(row, start, stop)
    return by_case


def _lines(finance: _Finance, clients: dict[str, Appearance]) -> None:
    for event in finance.world.events:
        client = clients.get(event.appearance_key) if event.system == CASE_SYSTEM else None
        if event.kind != "service" or client is None:
            continue
        number = line_id(event)
        if finance.hit("no line", number, _NO_LINE):
            finance.log(
                "T_CarePackageLineItem", f"service:{number - LINE_OFFSET}", "missing line", event.recorded_night
            )
            continue
        for row, start, stop in _states(finance, event, client, number):
            finance.tables["T_CarePackageLineItem"].add(row, start, stop)
        if finance.hit("no service", number, _NO_SERVICE):
            first = max(event.recorded_night, client.recorded_night)
            stray = {
                **_line(finance, event, client, number),
                "CarePackageLineItemID": _STRAY_LINES_FROM + event.event_id,
            }
            finance.log(
                "T_CarePackageLineItem", f"line:{_STRAY_LINES_FROM + event.event_id}", "ExternalReference", first
            )
            lost = None if finance.draws.draw("stray", number) < 0.5 else str(_STRAY_LINES_FROM)
            if first < finance.end:
                finance.tables["T_CarePackageLineItem"].add({**stray, "ExternalReference": lost}, first, finance.end)


def _states(
    finance: _Finance, event: TrueEvent, client: Appearance, number: int
) -> Iterator[tuple[dict[str, Any], int, int]]:
    """The line as each night has it: with the service's changes, and re-priced backwards on a night of its own."""
    first = max(event.recorded_night, client.recorded_night)
    end = finance.end if event.deleted_night is None else event.deleted_night
    repriced = None
    if finance.hit("repriced", number, _REPRICED) and end - first > 2:
        repriced = first + 1 + int(finance.draws.draw("reprice night", number) * (end - first - 1))
        finance.log("T_CarePackageLineItem", f"line:{number}", "UnitCost", repriced)
    for start, stop in nights_of_change(first, end, [event.changed_night, repriced]):
        state = event.as_of(start)
        if state is None:
            continue
        row = _line(finance, state, client, number)
        if repriced is not None and start >= repriced and row["UnitCost"] is not None:
            row["UnitCost"] = (row["UnitCost"] * Decimal("1.04")).quantize(Decimal("0.01"))
        yield row, start, stop


def _line(finance: _Finance, state: TrueEvent, client: Appearance, number: int) -> dict[str, Any]:
    facts = state.facts
    provider = finance.draws.provider_ids.get(facts.get("provider_name", ""))
    case = str(number - LINE_OFFSET)
    letters = finance.draws.draw("finance letters", number) < _LETTERS_IN_FRONT
    return {
        "CarePackageLineItemID": number,
        "ClientID": int(client.key),
        "ServiceID": _SERVICES_FROM + list(SERVICE_TYPES).index(facts["service_type"]),
        "ProviderID": -1 if provider is None else provider - 5_000 + _PROVIDERS_FROM,
        "StartDate": midnight(state.start_at.date()),
        "EndDate": midnight(state.end_at.date()) if state.end_at else None,
        "UnitsPlanned": amount(facts.get("planned_units", "")),
        "UnitCost": amount(facts.get("unit_cost", "")),
        "FrequencyCode": FREQUENCIES[facts["cost_frequency"]] if facts.get("cost_frequency") else None,
        "ExternalReference": f"LAS{case}" if letters else case,
        "StatusCode": STATUSES[state.status],
    }
