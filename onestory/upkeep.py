"""Commands for the morning after: what is held and why, and the ways back. Counts and reasons only, never values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from domain.profile import Profile
    from domain.run import RunContext

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Held rows and deliveries: see them, bring them back, give them up.",
)
ProfileOption = Annotated[
    Path, typer.Option("--profile", envvar="ONESTORY_PROFILE", help="The council's profile (YAML).")
]
Ids = Annotated[list[int], typer.Argument(help="Numbers as `onestory held rows` shows them.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the rows.")]


@app.command()
def rows(
    profile: ProfileOption, older_than: Annotated[int, typer.Option(help="Only rows held for more days.")] = 0
) -> None:
    """Show the rows in quarantine by table and rule, with their numbers' range and their age."""
    from domain.periods import now

    table = _table("dataset", "rule", "rows", "first number", "last number", "held since")
    for line in _query(
        profile,
        """select dataset, rule, count(*), min(held_id), max(held_id), min(first_seen_at)::date from quarantine.held_row
            where state = 'held' and first_seen_at <= %(limit)s group by 1, 2 order by 3 desc, 1, 2""",
        {"limit": now() - timedelta(days=older_than)},
    ):
        table.add_row(*(str(cell) for cell in line))
    Console(width=120).print(table)


@app.command()
def deliveries(profile: ProfileOption) -> None:
    """Show the deliveries that are held or were refused, with the reason and the remedy."""
    table = _table("number", "source", "delivery", "state", "code", "what to do")
    for line in _query(
        profile,
        """select delivery_id, source, name, state, code, message from ledger.delivery
            where state in ('held', 'refused') order by delivery_id""",
        {},
    ):
        table.add_row(*(str(cell) for cell in line))
    Console(width=120).print(table)


@app.command()
def replay(profile: ProfileOption, source: Annotated[str, typer.Option(help="Whose held rows.")]) -> None:
    """Try every held row of a source again, after a mapping fix. Rows whose parent came are tried by themselves."""
    from expectations.replay import replay as try_again

    result = try_again(_context(profile, source))
    typer.echo(f"{result.state.value}: {dict(result.counts)}")


@app.command()
def release(
    held: Ids,
    profile: ProfileOption,
    source: Annotated[str, typer.Option(help="Whose held rows.")],
    reason: Reason,
    by: Annotated[str, typer.Option(help="Who decides.")],
) -> None:
    """Load held rows although they break a rule."""
    from expectations.replay import release as load

    typer.echo(f"{load(_context(profile, source), held, reason=reason, decided_by=by)} rows were loaded")


@app.command()
def discard(
    held: Ids,
    profile: ProfileOption,
    reason: Reason,
    first: Annotated[str, typer.Option(help="Who decides.")],
    second: Annotated[str, typer.Option(help="Who agrees; another person.")],
) -> None:
    """Give held rows up for good. Needs two people."""
    from expectations.quarantine import QuarantineError
    from expectations.quarantine import discard as give_up_rows

    try:
        typer.echo(
            f"{give_up_rows(_load(profile), held, reason=reason, first=first, second=second)} rows were discarded"
        )
    except QuarantineError as problem:
        raise typer.BadParameter(str(problem)) from None


@app.command("give-up")
def give_up(
    delivery: Annotated[int, typer.Argument(help="Its number, as `onestory held deliveries` shows it.")],
    profile: ProfileOption,
    reason: Reason,
    by: Annotated[str, typer.Option(help="Who decides.")],
) -> None:
    """Refuse for good a delivery that the check stage holds, so that later ones stop waiting for it."""
    from expectations.delivery import give_up as refuse

    done = refuse(_load(profile), delivery, reason=reason, decided_by=by)
    typer.echo("given up" if done else "that delivery is not held by the check stage")


@app.command()
def correct(
    source: Annotated[str, typer.Argument(help="The source's name in the profile.")],
    file: Annotated[str, typer.Argument(help="The file, as the finding names it.")],
    profile: ProfileOption,
    reason: Reason,
    by: Annotated[str, typer.Option(help="Who decides.")],
    discard: Annotated[bool, typer.Option("--discard", help="It is no correction: keep the first file.")] = False,
) -> None:
    """Take a file that came again with other content as a correction of the first. It is landed on the next run."""
    from connectors.transport import correct as put_in_place
    from domain.run import Finding, RunResult, RunState
    from governance.ledger import recorded

    context = _context(profile, source)
    settings = context.profile.source(source)
    act = "is no correction" if discard else "is a correction"

    def body(*_: object) -> RunResult:
        done = put_in_place(context.profile, settings, file, accept=not discard)
        told = Finding("DECIDED", f"{file} {act}, by {by.strip()}: {reason.strip()}")
        return RunResult("correct", source, RunState.DONE, {"corrections": int(done)}, (told,) if done else ())

    if not reason.strip() or not by.strip():
        raise typer.BadParameter("a decision needs a person and a reason")
    counted = recorded("correct", "loader", replace(context, actor=by.strip()), body).counts
    typer.echo(f"{file} {act}" if counted.get("corrections") else f"no correction of {file} waits")


def _load(profile: Path) -> Profile:
    from domain.profile import load_profile

    return load_profile(profile)


def _context(profile: Path, source: str) -> RunContext:
    from domain.run import RunContext

    return RunContext(_load(profile), run_id=f"by-hand-{date.today()}", actor="by hand", source=source)


def _query(profile: Path, query: str, facts: dict[str, object]) -> list[tuple[object, ...]]:
    from governance.store import Store

    with Store(_load(profile)).connect("loader") as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query, facts)]


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
