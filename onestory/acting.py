"""What commands of people who decide have in common: the profile, the run in their name, the answer, the exit codes."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table
    from sqlalchemy import Connection

    from domain.profile import Profile
    from domain.run import RunContext, RunResult

ProfileOption = Annotated[
    Path, typer.Option("--profile", envvar="ONESTORY_PROFILE", help="The council's profile (YAML).")
]
T = TypeVar("T")
WAITS: Final = 3  # exit code: it waits for a person
REFUSED: Final = 4  # exit code: nothing was done


def loaded(profile: Path) -> Profile:
    """The council's profile; one sentence and exit code 2 when there is none to read."""
    from domain.profile import ProfileError, load_profile

    try:
        return load_profile(profile)
    except ProfileError as problem:
        raise typer.BadParameter(str(problem)) from None


def by_hand(profile: Path, actor: str = "") -> RunContext:
    """A run in the name of `actor`, or of whoever is signed in."""
    from domain.run import RunContext

    return RunContext(loaded(profile), run_id=f"by-hand-{date.today()}", actor=actor.strip() or getpass.getuser())


def asked(profile: Path, read: Callable[[Connection], T], role: str = "linker") -> T:
    """What `read` returns, asked in one transaction of the role."""
    from governance.store import Store

    with Store(loaded(profile)).connect(role) as connection:
        return read(connection)


def tell(result: RunResult) -> None:
    """Say what came of an act; ends with exit code 4 when it was refused, 3 when another run is in the way."""
    from domain.run import RunState

    for finding in result.findings:
        typer.echo(f"{finding.code}: {finding.message}" + (f"; {finding.remedy}" if finding.remedy else ""))
    if not result.is_done:
        raise typer.Exit(WAITS if result.state is RunState.HELD else REFUSED)


def refuse(problem: Exception) -> typer.Exit:
    """Say why nothing was done; raise what comes back."""
    typer.echo(f"REFUSED: {problem}")
    return typer.Exit(REFUSED)


def day(moment: datetime | None) -> str:
    """The day and minute, for a table."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def table(*columns: str) -> Table:
    """A plain table; long cells are folded, never cut."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    shown = Table(box=SIMPLE_HEAD)
    for column in columns:
        shown.add_column(column, overflow="fold")
    return shown
