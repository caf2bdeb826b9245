"""Commands for the two lists a named officer holds: who is never linked, and who is never traced (governance PRO-4).

Both stand above every matching step and are followed by every run. Exit codes: 0 done; 2 wrong use; 4 refused, nothing
was changed.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onestory.acting import ProfileOption, asked, by_hand, day, table, tell

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy import Connection

do_not_link = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The do-not-link list: records or pairs that no run ever joins. It stands above numbers and notices.",
)
do_not_trace = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The do-not-trace list: records the national tracing service is never asked about, and never was believed.",
)
Record = Annotated[str, typer.Argument(help="source:key, by the supplier's own key.")]
Officer = Annotated[str, typer.Option(help="The officer who holds the list.")]
Reason = Annotated[str, typer.Option(help="The order, or where it is filed. No names or numbers of people.")]
Number = Annotated[int, typer.Argument(help="Its number, as `list` shows it.")]
Ended = Annotated[bool, typer.Option("--ended", help="Ended entries, too.")]
Yes = Annotated[bool, typer.Option("--yes", help="Go on without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")]


@do_not_link.command("list")
def linked(profile: ProfileOption, ended: Ended = False) -> None:
    """Show the entries in force: which record, never with which, who ordered it and why."""
    from linkage.do_not_link import entries

    shown = table("entry", "record", "never with", "officer", "reason", "listed", "ended")
    _show(profile, shown, lambda connection: _links(connection, entries(connection, only_in_force=not ended)))


@do_not_link.command("add")
def keep(
    record: Record,
    profile: ProfileOption,
    officer: Officer,
    reason: Reason,
    other: Annotated[str, typer.Option("--from", help="Never with this record; without it, with nobody at all.")] = "",
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Keep a record apart from every other, or from one; the next link run follows.

    Example: onestory do-not-link add carefirst:1000234 --from systmone:77:4711 --officer "C. Guardian" --reason "IG 5"
    """
    from linkage.do_not_link import keep_apart
    from linkage.proposals import listed
    from onestory.effects_shown import ask

    ask(profile, listed(record, other or None, officer), yes=yes, dry_run=dry_run)
    tell(keep_apart(by_hand(profile, officer), record, other or None, officer=officer, reason=reason))


@do_not_link.command("withdraw")
def strike(number: Number, profile: ProfileOption, officer: Officer, yes: Yes = False, dry_run: DryRun = False) -> None:
    """End an entry; it stays on record with who ended it. The next link run joins what nothing else keeps apart.

    Example: onestory do-not-link withdraw 3 --officer "C. Guardian"
    """
    from linkage.do_not_link import strike_off
    from linkage.proposals import struck_off
    from onestory.effects_shown import ask

    ask(profile, struck_off(number), yes=yes, dry_run=dry_run)
    tell(strike_off(by_hand(profile, officer), number, officer=officer))


@do_not_trace.command("list")
def traced(profile: ProfileOption, ended: Ended = False) -> None:
    """Show the entries in force: which record, for which time, who ordered it and why."""
    from governance.do_not_trace import entries

    shown = table("entry", "record", "from", "until", "officer", "reason", "known since", "ended")
    _show(profile, shown, lambda connection: _traces(connection, entries(connection, only_in_force=not ended)))


@do_not_trace.command("add")
def spare(
    record: Record,
    profile: ProfileOption,
    officer: Officer,
    reason: Reason,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of the order; default: at once.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its last day; default: for ever.")
    ] = None,
) -> None:
    """Never ask the tracing service about a record; what it answered before ends at once, a late answer is not taken.

    Example: onestory do-not-trace add liquidlogic:200077 --officer "C. Guardian" --reason "court order, file 12"
    """
    from governance import do_not_trace as held

    tell(
        held.spare(
            by_hand(profile, officer), record, officer=officer, reason=reason, since=_day(since), until=_day(until)
        )
    )


@do_not_trace.command("withdraw")
def trace_again(number: Number, profile: ProfileOption, officer: Officer) -> None:
    """End an entry; it stays on record with who ended it. The record may be asked about again.

    Example: onestory do-not-trace withdraw 2 --officer "C. Guardian"
    """
    from governance import do_not_trace as held

    tell(held.end(by_hand(profile, officer), number, officer=officer))


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _show(profile: Path, shown: Table, read: _Read) -> None:
    from rich.console import Console

    rows = asked(profile, read)
    for row in rows:
        shown.add_row(*row)
    Console(width=150).print(shown if rows else "no entry is in force")


def _links(connection: Connection, entries: tuple[_LinkEntry, ...]) -> list[list[str]]:
    from governance.records_named import names_of

    names = names_of(connection, (r for e in entries for r in (e.record, e.other) if r is not None))
    return [
        [
            str(e.number),
            names[e.record],
            names[e.other] if e.other is not None else "anybody",
            *(e.officer, e.reason, day(e.listed_at)),
            f"{day(e.ended_at)}, {e.ended_by}" if e.ended_at else "",
        ]
        for e in entries
    ]


def _traces(connection: Connection, entries: tuple[_TraceEntry, ...]) -> list[list[str]]:
    from governance.records_named import names_of

    names = names_of(connection, (e.record for e in entries))
    return [
        [
            str(e.number),
            names[e.record],
            *(str(e.valid_from), str(e.valid_to or ""), e.officer, e.reason, day(e.known_from)),
            f"{day(e.known_to)}, {e.ended_by}" if e.known_to else "",
        ]
        for e in entries
    ]


if TYPE_CHECKING:
    from collections.abc import Callable

    from governance.do_not_trace import Entry as _TraceEntry
    from linkage.do_not_link import Entry as _LinkEntry

    _Read = Callable[[Connection], list[list[str]]]
