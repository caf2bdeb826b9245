"""The commands for whoever keeps watch: what is late, which incidents are open, what waits for a decision."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from domain.profile import Profile
    from domain.run import Finding

ProfileOption = Annotated[
    Path, typer.Option("--profile", envvar="ONESTORY_PROFILE", help="The council's profile (YAML).")
]
WAITS = 3  # exit code: something waits for a person

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Incidents: what may be a breach, as it was opened, and what was done about it.",
)


@dataclass(frozen=True, slots=True)
class Watch:
    """What one source looks like to whoever keeps watch."""

    source: str
    last_known: str
    due: str
    alarm: Finding | None


def watched(profile: Profile, at: datetime) -> list[Watch]:
    """Every source at a moment: up to when it is known, when it is due, and its alarm."""
    from connectors.alarms import alarm_of
    from connectors.stage import past_of
    from governance.flows import FlowError, flow_of
    from governance.store import Store
    from governance.timetable import due_by, shown

    store, found = Store(profile), []
    for source in profile.sources:
        past = past_of(store, source.name)
        try:
            due = due_by(flow_of(profile.flows, source), past.last_known_at) if profile.flows else None
        except FlowError:
            due = None
        last = shown(past.last_known_at) if past.last_known_at else "never"
        alarm = alarm_of(profile, source, past, at)
        found.append(Watch(source.name, last, shown(due) if due else "no timetable", alarm))
    return found


def status(
    profile: ProfileOption,
    at: Annotated[str, typer.Option(help="The moment to look from, ISO with offset; the clock's unless given.")] = "",
) -> None:
    """Show which deliveries are overdue and whom to call, open incidents, held deliveries and columns to review.

    Exit code 3 when a delivery is overdue or an incident is open, so that a monitor can run it; 0 otherwise.
    """
    from domain.periods import now
    from domain.profile import load_profile
    from governance.incidents import incidents
    from governance.store import Store

    loaded, console = load_profile(profile), Console(width=120)
    sources = watched(loaded, datetime.fromisoformat(at) if at else now())
    table = _table("source", "known up to", "next due by", "state")
    for line in sources:
        table.add_row(line.source, line.last_known, line.due, line.alarm.code if line.alarm else "in time")
    console.print(table)
    for line in sources:
        if line.alarm:
            console.print(f"{line.alarm.code}: {line.alarm.message}. {line.alarm.remedy}", highlight=False)
    with Store(loaded).connect("loader") as connection:
        opened = incidents(connection)
        waiting = connection.exec_driver_sql(_WAITING).one()
    for incident in opened:
        told = f"INCIDENT {incident.number}: {incident.code}, {incident.source} {incident.about}; tell {incident.tell}"
        console.print(told, highlight=False)
    console.print(
        f"held or refused deliveries: {waiting[0]} (onestory held deliveries); rows in quarantine: {waiting[1]} "
        f"(onestory held rows); columns to review: {waiting[2]} (onestory drift list)",
        highlight=False,
    )
    if opened or any(line.alarm for line in sources):
        raise typer.Exit(WAITS)


@app.command("list")
def show(
    profile: ProfileOption, closed: Annotated[bool, typer.Option("--closed", help="Closed ones, too.")] = False
) -> None:
    """Show incidents with their evidence: the run, the release readers saw, and the hash of every file."""
    from domain.profile import load_profile
    from governance.incidents import incidents
    from governance.store import Store

    with Store(load_profile(profile)).connect("auditor") as connection:
        found = incidents(connection, only_open=not closed)
    table = _table("number", "opened", "code", "source", "about", "tell", "evidence", "closed by")
    for i in found:
        files = [f"{f['name']} {str(f['sha256'])[:12]}" for f in i.evidence.get("files", [])]  # type: ignore[attr-defined]
        evidence = "; ".join([f"run {i.evidence['run']}", f"release {i.evidence['release']}", *files])
        opened = f"{i.opened_at:%Y-%m-%d %H:%M}"
        table.add_row(str(i.number), opened, i.code, i.source, i.about, i.tell, evidence, i.closed_by)
    Console(width=160).print(table)


@app.command()
def note(
    number: Annotated[int, typer.Argument(help="As `onestory incident list` shows it.")],
    text: Annotated[str, typer.Argument(help="What was done. No names, numbers or dates of birth of people.")],
    profile: ProfileOption,
    by: Annotated[str, typer.Option(help="Who; the signed-in user unless given.")] = "",
    close: Annotated[bool, typer.Option("--close", help="The incident is over.")] = False,
) -> None:
    """Write down what was done about an incident; with --close it is over. Nothing written can be changed later."""
    from domain.profile import load_profile
    from governance.incidents import NoSuchIncident, note_incident
    from governance.store import Store

    try:
        with Store(load_profile(profile)).connect("loader") as connection:
            note_incident(connection, number, by=by or getpass.getuser(), note=text, closes=close)
    except (NoSuchIncident, ValueError) as problem:
        raise typer.BadParameter(str(problem)) from None
    typer.echo(f"incident {number} is {'closed' if close else 'open'}")


_WAITING = """select (select count(*) from ledger.delivery where state in ('held', 'refused')),
    (select count(*) from quarantine.held_row where state = 'held'),
    (select count(*) from ledger.unknown_column where status = 'new')"""


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
