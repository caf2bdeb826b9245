"""Shows what a decision would do before it is stored, and asks: who would be joined or parted, and who was told (10).

Pseudonymous ids, numbers of releases and counts only. Without a terminal and without `--yes` nothing is stored where
readers have seen the people concerned (exit code 3).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from onestory.acting import WAITS, loaded, refuse, table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from domain.profile import Profile
    from governance.recipients import EventsTold, PreparedFrom
    from governance.store import Store
    from linkage.effects import Effects
    from linkage.proposals import Propose

NOT_FOLLOWED: Final = {
    "needs_notice": "they bear two different verified numbers: only a notice of two officers joins them",
    "restricted": "one of the records is protected: no decision joins it",
    "needs_attention": "it contradicts another decision: everything stays as it is until somebody adjudicates",
    "do_not_link": "an officer keeps them apart, or other decisions and guards stand against it",
}


@dataclass(frozen=True, slots=True)
class Consequences:
    """The effects with what readers were told of the people concerned."""

    effects: Effects
    releases: dict[str, int]  # person -> how many releases showed them
    events: tuple[EventsTold, ...]
    returns: tuple[tuple[PreparedFrom, dict[str, int | None]], ...]  # rows of each person; None: cannot tell
    period: str

    @property
    def needs_a_yes(self) -> bool:
        """Whether somebody is joined or parted whom readers have seen."""
        concerned = {name for pair in self.effects.joined for name in pair} | set(self.effects.parted)
        return bool(concerned & self.releases.keys())


def ask(profile: Path, propose: Propose, *, yes: bool, dry_run: bool) -> None:
    """Show the effects of what is proposed and ask whether to go on; comes back only when it is to be stored.

    Raises `typer.Exit`: 0 after `--dry-run`, 3 without a yes, 4 when the proposal cannot be taken.
    """
    from governance.records_named import NotTaken
    from governance.store import Store

    council = loaded(profile)
    try:
        found = consequences(council, Store(council), propose)
    except NotTaken as problem:
        raise refuse(problem) from None
    show(found)
    if dry_run:
        typer.echo("only looked: nothing was stored")
        raise typer.Exit(0)
    if yes or not found.needs_a_yes:
        return
    if not is_terminal():
        typer.echo("NOT_CONFIRMED: readers have seen these people; say --yes to go on. Nothing was stored")
        raise typer.Exit(WAITS)
    if not typer.confirm("Go on?"):
        typer.echo("nothing was stored")
        raise typer.Exit(WAITS)


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def consequences(profile: Profile, store: Store, propose: Propose) -> Consequences:
    """What is proposed, what it would do, and what was told of the people: three roles, numbers and counts only."""
    from governance.recipients import events_of, returns_from, shown_people
    from linkage.effects import look
    from onestory.recipients import rows_in

    with store.connect("linker") as connection:
        effects = look(connection, propose(connection), synthetic=profile.synthetic)
    start, end = profile.reporting_period
    with store.connect("publisher") as connection:
        events = events_of(connection, [move.record for move in effects.moves], start, end) if effects.moves else ()
    with store.connect("auditor") as connection:
        releases = shown_people(connection, effects.people)
        numbers = releases_of(connection, effects.people)
        sent = [one for one in returns_from(connection, numbers) if one.status == "submission"]
    told = tuple((one, {name: rows_in(one, {name}) for name in sorted(releases)}) for one in sent)
    return Consequences(effects, releases, events, told, f"{start} to {end}")


def releases_of(connection: Connection, people: frozenset[str]) -> set[int]:
    """The releases that showed one of the people under that id."""
    from governance.recipients import releases_showing

    return {shown.release for name in people for shown in releases_showing(connection, name) if shown.shown_as == name}


def show(found: Consequences) -> None:
    """Print the effects."""
    from rich.console import Console

    effects = found.effects
    shown = table("what would follow", "")
    for lost, kept in effects.joined:
        shown.add_row("two people become one", f"{lost} becomes part of {kept}, and redirects to it")
    for name in effects.parted:
        new = sum(move.was == name for move in effects.moves)
        shown.add_row("one person is parted", f"{name} loses {_many(new, 'record')} to somebody else")
    for move in effects.moves:
        if not move.was:
            shown.add_row("not believed yet", f"1 record would be part of {move.becomes or 'a new person'}")
    if not effects.moves:
        shown.add_row("nobody", "no person changes at the next run")
    if effects.not_followed:
        shown.add_row("not followed", NOT_FOLLOWED[effects.not_followed])
    if effects.moves:
        shown.add_row("records that move", str(len(effects.moves)))
        shown.add_row("their events", ", ".join(f"{e.kind} {e.events}" for e in found.events) or "none")
        for name, number in found.releases.items():
            shown.add_row("seen by readers", f"{name} in {_many(number, 'release')}")
        for one, rows in found.returns:
            of = ", ".join(f"{name} {'cannot tell' if n is None else _many(n, 'row')}" for name, n in rows.items())
            where = f"{one.collection} of release {one.release}, {one.period_start} to {one.period_end}"
            shown.add_row("fit to be sent, stays as it is", f"{where}: {of}")
        again = ", ".join(f"{e.kind} {e.in_period}" for e in found.events if e.in_period) or "none"
        shown.add_row(f"open return, {found.period}", f"told under another person: {again}")
    Console(width=130).print(shown)


def _many(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
